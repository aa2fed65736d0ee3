"""Tiles as CT volumes: flat ones, the Kudo-type layout, and gradients that blur cannot please."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.phantom.base import Phantom
from PyPeTLib.phantom.bolus import Bolus, frame_times
from PyPeTLib.phantom.kinetics import Residue, peak_times, tissue_curve
from PyPeTLib.phantom.tiles import TILE_MTT, Seed, TilePhantom, checked_frames
from PyPeTLib.series import Modality, PerfusionSeries

BASELINE_HU = 36.0
"""Baseline of tissue and vessels."""

AIR_HU = -1000.0

DType = TypeVar("DType", bound=np.generic)

_SECTION_MM = 5.0
_FIELD_MM = 224.0


@dataclass(frozen=True, kw_only=True, eq=False)
class TileVolume(Phantom):
    """A CT series of tiles; ``labels`` numbers the voxels that share one curve, and is −1 outside the tissue."""

    labels: npt.NDArray[np.intp]


def tile_volume(tiles: TilePhantom, *, tile_size: int = 8, noise: float = 0.0, rng: Seed = 0) -> TileVolume:
    """The tiles as a CT series: columns of MTT, rows of delay, a section for each CBV, and a last one of vessels.

    Parameters
    ----------
    tiles : TilePhantom
        Its noise, if any, is left out.
    tile_size : int
        Edge of a tile in voxels.
    noise : float
        SD of Gaussian noise in HU a voxel and frame.
    rng : int or numpy Generator
        Where the noise comes from.
    """

    def spread(values: Curve) -> Curve:
        sections = values.reshape(tiles.shape).transpose(0, 2, 1)
        return np.repeat(np.repeat(sections, tile_size, axis=0), tile_size, axis=1)

    return _assemble(
        *(spread(x) for x in (tiles.cbf, tiles.mtt, tiles.delay)),
        residues=[tiles.residue] * tiles.shape[1],
        times=tiles.times,
        bolus=tiles.bolus,
        noise=_Noise(noise, rng),
    )


def make_kudo(*, tile_size: int = 32, noise: float = 8.0, rng: Seed = 0, aif_share: float = 1 / 2.05) -> TileVolume:
    """A digital phantom in the layout of Kudo et al. 2013: 16 sections of 7 by 7 tiles, 30 frames every 2 s.

    Section 0 holds the artery and the vein; sections 1–5 exponential, 6–10 linear and 11–15 box residues with CBV
    1…5 ml/100g each. Columns have MTT 24/k s (k = 1…7), rows delays 0…3 s. The tiles fill the middle of a square of
    16 tile edges. At the full tile size the series takes 0.5 GB.

    Parameters
    ----------
    tile_size : int
        Edge of a tile in voxels; 32 is that of the original.
    noise : float
        SD of Gaussian noise in HU a voxel and frame.
    rng : int or numpy Generator
        Where the noise comes from.
    aif_share : float
        Share of the artery in the voxels that show it; the vein is undiluted.

    Notes
    -----
    Source of the layout: Kudo et al. 2013, 10.1148/radiol.12112618. The input is
    102.4·(t − 12)³·exp(−(t − 12)/1.5) HU without a second pass. The shapes of the venous output and of the linear
    residue are not published.
    """
    scale = 102.4 * (3 * 1.5) ** 3 * np.exp(-3.0)
    mtt, delay, cbv = np.meshgrid(24 / np.arange(1, 8), np.arange(7) / 2, np.tile(np.arange(1.0, 6), 3), indexing="ij")
    cbf, mtt, delay = (x.repeat(tile_size, axis=0).repeat(tile_size, axis=1) for x in (60 * cbv / mtt, mtt, delay))
    return _assemble(
        cbf,
        mtt,
        delay,
        residues=[name for name in ("exponential", "linear", "box") for _ in range(5)],
        times=frame_times((30, 2.0)),
        bolus=Bolus(arrival=12.0, peak=float(scale), second_share=0.0),
        noise=_Noise(noise, rng),
        frame=_Frame(margin=(9 * tile_size) // 2, vessels_first=True, aif_share=aif_share),
    )


def make_gradient_tiles(
    residue: str | Residue = "exponential",
    *,
    cell: int = 16,
    mtt: Sequence[float] = TILE_MTT,
    times: npt.ArrayLike | None = None,
    bolus: Bolus | None = None,
    noise: float = 6.0,
    rng: Seed = 0,
) -> TileVolume:
    """Sections in which CBF and delay run smoothly inside 4 by 4 cells and jump between them.

    A plain blur, which flat tiles reward, is punished here: it flattens the ramps and smears the edges. Each section
    has one MTT; a last one holds artery and vein.

    Parameters
    ----------
    cell : int
        Edge of a cell in voxels.
    mtt : sequence of float
        One section each, in s.
    times, bolus, residue, rng
        As in `make_tiles`.
    noise : float
        SD of Gaussian noise in HU a voxel and frame.
    """
    edge = 4 * cell
    x, y = np.meshgrid(np.arange(edge), np.arange(edge), indexing="ij")
    column, row = x // cell, y // cell
    ramp_x, ramp_y = ((position % cell) / (cell - 1) - 0.5 for position in (x, y))
    # CBF 13…67 with jumps of 11…39 ml/100g/min; delay −1.25…5.25 s with jumps of 3…5 s
    flow = 20.0 + 25.0 * (column % 2) + 5.0 * row + 14.0 * ramp_x
    delay = 4.0 * ((column + row) % 2) + 0.5 * column + 1.0 * ramp_y - 0.75
    shape = (edge, edge, len(mtt))
    return _assemble(
        np.broadcast_to(flow[..., np.newaxis], shape),
        np.broadcast_to(np.asarray(mtt, dtype=np.float64), shape),
        np.broadcast_to(delay[..., np.newaxis], shape),
        residues=[residue] * len(mtt),
        times=checked_frames(times),
        bolus=Bolus() if bolus is None else bolus,
        noise=_Noise(noise, rng),
    )


@dataclass(frozen=True)
class _Noise:
    sd: float
    rng: Seed


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """Voxels of air around the tiles, and how the section of vessels is drawn."""

    margin: int = 0
    vessels_first: bool = False
    aif_share: float = 1.0


def _assemble(
    cbf: Curve,
    mtt: Curve,
    delay: Curve,
    *,
    residues: Sequence[str | Residue],
    times: Curve,
    bolus: Bolus,
    noise: _Noise,
    frame: _Frame = _Frame(),
) -> TileVolume:
    """Volumes (x, y, z) of flow, transit time and delay as a CT series with a section of vessels."""
    curves: list[Curve] = []
    ttp, numbers = np.zeros(cbf.shape), np.zeros(cbf.shape, dtype=np.intp)
    count = 0
    for z, residue in enumerate(residues):
        section = np.stack([volume[:, :, z].ravel() for volume in (cbf, mtt, delay)], axis=1)
        unique, which = np.unique(section, axis=0, return_inverse=True)
        which = which.reshape(cbf.shape[:2])
        curves.append(tissue_curve(bolus, unique[:, 0], unique[:, 1], unique[:, 2], residue, times=times))
        ttp[:, :, z] = (peak_times(bolus, unique[:, 1], residue) + unique[:, 2])[which]
        numbers[:, :, z] = which + count
        count += len(unique)
    placed = _Placement(cbf.shape, frame)
    truth = {"cbf": cbf, "cbv": cbf * mtt / 60, "mtt": mtt, "delay": delay, "tmax": delay, "ttp": ttp}
    aif, vof = bolus.arterial(times[-1]).at(times), bolus.venous_at(times)
    labels = placed.sections(numbers, outside=-1)
    table = np.concatenate([*curves, [frame.aif_share * aif, vof, np.zeros_like(aif)]]) + BASELINE_HU
    table[-1] = AIR_HU
    masks = {"tissue": labels >= 0, **placed.vessel_masks()}
    drawn = np.where(labels >= 0, labels, count + 2)
    drawn[masks["artery"]], drawn[masks["vein"]] = count, count + 1
    return TileVolume(
        series=_series(drawn, table.astype(np.float32), times, noise),
        truth={name: placed.sections(x.astype(np.float32), outside=0) for name, x in truth.items()},
        masks={**masks, "brain": drawn < count + 2, "intracranial": drawn < count + 2},
        fractions={
            "arterial": masks["artery"] * np.float32(frame.aif_share),
            "venous": masks["vein"].astype(np.float32),
        },
        bolus=bolus,
        residue=", ".join(dict.fromkeys(r if isinstance(r, str) else "custom" for r in residues)),
        aif=aif,
        vof=vof,
        labels=labels,
    )


def _series(drawn: npt.NDArray[np.intp], table: Volume, times: Curve, noise: _Noise) -> PerfusionSeries:
    rng = np.random.default_rng(noise.rng)
    data = np.empty((*drawn.shape, times.size), dtype=np.float32, order="F")
    for k in range(times.size):
        data[..., k] = table[drawn, k]
        if noise.sd:
            data[..., k] += np.float32(noise.sd) * rng.standard_normal(drawn.shape, dtype=np.float32)
    spacing = _FIELD_MM / drawn.shape[0]
    affine = np.diag([spacing, spacing, _SECTION_MM, 1.0])
    return PerfusionSeries(data=data, affine=affine, frame_times=times, modality=Modality.CTP, name="tiles")


class _Placement:
    """Where the tissue sections and the section of vessels lie in the volume."""

    def __init__(self, shape: tuple[int, ...], frame: _Frame) -> None:
        self.inner, self.frame = shape, frame
        self.shape = (shape[0] + 2 * frame.margin, shape[1] + 2 * frame.margin, shape[2] + 1)
        self.vessels = 0 if frame.vessels_first else shape[2]

    def sections(self, values: npt.NDArray[DType], *, outside: int) -> npt.NDArray[DType]:
        """Tissue values in the whole volume."""
        margin = self.frame.margin
        volume = np.full(self.shape, outside, dtype=values.dtype)
        first = 1 if self.frame.vessels_first else 0
        volume[margin : margin + self.inner[0], margin : margin + self.inner[1], first : first + self.inner[2]] = values
        return volume

    def vessel_masks(self) -> dict[str, Mask]:
        """The artery in the left half of its section, the vein in the right half, with a gap between them."""
        masks = {}
        width, margin = self.inner[0] // 3, self.frame.margin
        for name, first in (("artery", margin), ("vein", margin + self.inner[0] - width)):
            masks[name] = np.zeros(self.shape, dtype=bool)
            masks[name][first : first + width, margin : margin + self.inner[1], self.vessels] = True
        return masks
