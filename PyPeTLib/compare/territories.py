"""Statistics of maps in territories: regions of a labelmap on any grid."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve, Mask
from PyPeTLib.compare.labelmaps import (
    LEFT,
    RIGHT,
    LabelMap,
    Territory,
    check_sides,
    paired,
    read_labelmap,
    split_by_plane,
)
from PyPeTLib.compare.model import MapImage
from PyPeTLib.compare.resampling import resample_reference
from PyPeTLib.compare.validity import valid_voxels
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.maps import PerfusionMaps
from PyPeTLib.masking import MidsagittalPlane
from PyPeTLib.tables import Cell, Column, DataTable

FEWEST_COVERED = 0.95
"""A territory of which less lies in the map's field of view is told of."""

COLUMNS = (
    Column(name="map", title="Map"),
    Column(name="unit", title="Unit"),
    Column(name="label", title="Label"),
    Column(name="name", title="Territory"),
    Column(name="side", title="Side"),
    Column(name="voxels", title="Voxels that count"),
    Column(name="volume_ml", title="Their volume", unit="ml"),
    Column(name="valid_share", title="Share of the label's voxels that count", unit="1"),
    Column(name="covered_share", title="Share of the territory inside the map's field of view", unit="1"),
    Column(name="mean", title="Mean"),
    Column(name="sd", title="Standard deviation"),
    Column(name="median", title="Median"),
    Column(name="p05", title="5th percentile"),
    Column(name="p95", title="95th percentile"),
    Column(name="minimum", title="Minimum"),
    Column(name="maximum", title="Maximum"),
    Column(name="asymmetry_percent", title="Asymmetry of the means, 2(L−R)/(L+R)", unit="%"),
)

OF_TISSUE = "grey and white matter alone; CSF, large vessels and what is neither are left out"
"""Which voxels count, in words, where a run tells tissue."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Selection:
    """Which voxels of a map count.

    Attributes
    ----------
    mask : ndarray of bool, shape (x, y, z)
        On the voxels of the map, in the order of its axes.
    text : str
        What they are, in words, as `OF_TISSUE`.
    """

    mask: Mask
    text: str


@dataclass(frozen=True, kw_only=True)
class RegionStatistics:
    """A map in one region; figures are NaN where no voxel holds a value.

    Attributes
    ----------
    labelled : int
        Voxels of the map's grid that lie in the region.
    voxels : int
        Those of them that count: they hold a value and are of the kind that was asked for.
    mean, sd, median, p05, p95, minimum, maximum : float
        Of these. The standard deviation is that of a sample, NaN for a single voxel.
    """

    labelled: int
    voxels: int
    mean: float = math.nan
    sd: float = math.nan
    median: float = math.nan
    p05: float = math.nan
    p95: float = math.nan
    minimum: float = math.nan
    maximum: float = math.nan


def region_statistics(
    values: npt.NDArray[np.floating], valid: Mask, labels: npt.NDArray[np.int32]
) -> dict[int, RegionStatistics]:
    """Statistics of a map in each region of a labelmap on its own grid.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
    valid : ndarray of bool, shape (x, y, z)
    labels : ndarray of int32, shape (x, y, z)
        0 where there is no region.
    """
    inside = np.flatnonzero(labels.ravel())
    ordered = inside[np.argsort(labels.ravel()[inside], kind="stable")]
    keys, starts = np.unique(labels.ravel()[ordered], return_index=True)
    content: Curve = values.ravel()[ordered].astype(np.float64)
    good = valid.ravel()[ordered]
    found = {}
    for key, start, stop in zip(keys, starts, [*starts[1:], ordered.size], strict=True):
        found[int(key)] = _statistics(content[start:stop][good[start:stop]], int(stop - start))
    return found


def measured_territories(
    maps: PerfusionMaps,
    labels: str | PathLike[str],
    names: str | PathLike[str] | None = None,
    *,
    within: Mask | None = None,
    pairs: Iterable[tuple[int, int]] = (),
    plane: MidsagittalPlane | None = None,
) -> tuple[DataTable, list[dict[str, Cell]]]:
    """Each map of a run in each territory of a labelmap file; see `territory_table`.

    Parameters
    ----------
    maps : PerfusionMaps
    labels : path
        In the space of the run's series, on any grid.
    names : path, optional
        See `read_labelmap`.
    within : ndarray of bool, shape (x, y, z), optional
        Tissue on the grid of the maps, ``result.on_input_grid(result.tissue.parenchyma)``: other voxels do not count.
        Without it all voxels with a value do. Vessels and CSF then drown the tissue: a few voxels of an artery hold
        the flow of a hundred of tissue, and turn the sign of an asymmetry.
    pairs : iterable of (left, right), optional
    plane : MidsagittalPlane, optional
        Territories without a side are parted there, if it is given: ``result.mirror.plane``.

    Returns
    -------
    table : DataTable
    rows : list of dict
        The same for the summary.
    """
    labelmap = read_labelmap(labels, names=names)
    if plane is not None:
        labelmap = split_by_plane(labelmap, plane)
    images, units, selections = {}, {}, {}
    for name, quantity in maps.items():
        # as who reads the maps' files sees them
        valid = quantity.valid & maps.quality_mask
        images[name] = MapImage(values=quantity.values, affine=quantity.affine, valid=valid, name=name)
        units[name] = quantity.unit if quantity.calibrated else f"{quantity.unit} (uncalibrated)"
        if within is not None:
            selections[name] = Selection(mask=within, text=OF_TISSUE)
    table = territory_table(images, labelmap, within=selections, pairs=pairs, units=units)
    return table, territory_rows(table)


def territory_table(
    maps: Mapping[str, MapImage],
    labelmap: LabelMap,
    *,
    within: Mapping[str, Selection] | None = None,
    pairs: Iterable[tuple[int, int]] = (),
    units: Mapping[str, str] | None = None,
    background: str = "border",
) -> DataTable:
    """Each map in each territory.

    The labelmap is brought onto each map's grid by the position in the world, nearest neighbour; nothing is
    registered. Maps are not interpolated.

    Parameters
    ----------
    maps : mapping of str to MapImage
        By the name that the table gives them.
    labelmap : LabelMap
    within : mapping of str to Selection, optional
        By the name of a map, which of its voxels count; all with a value where it does not say. The note tells.
    pairs : iterable of (left, right), optional
        Labels that belong together; by default the names tell.
    units : mapping of str to str, optional
        What the table says of a map's unit; by default the image's own.
    background : str
        Name in `BACKGROUNDS`, for maps that do not say where they hold values.

    Raises
    ------
    InputError
        If a map and the labelmap do not overlap, the pairs are not of the labelmap, or what is called left lies right
        of its partner.
    """
    pairs, within = tuple(pairs), within or {}
    check_sides(labelmap, pairs)
    opposite = paired(labelmap.territories, pairs)
    sides = dict.fromkeys(opposite, "")
    for left, right in pairs:
        sides[left], sides[right] = LEFT, RIGHT
    notes = [
        f"Labels: {labelmap.name or 'given'}, brought onto each map's grid by position, nearest neighbour.",
        *labelmap.notes,
        *_counted(maps, within),
    ]
    rows: list[tuple[Cell, ...]] = []
    for name, image in maps.items():
        unit = (units or {}).get(name) or image.unit
        if not unit:
            notes.append(f"The unit of {name} is not known.")
        cells = _map_cells(name, image, labelmap, within.get(name), background, notes)
        for key, territory in labelmap.territories.items():
            side = sides.get(key) or territory.side
            there = cells.get(opposite.get(key, -1))
            rows.append(_row((name, unit), territory, side, cells[key], there))
    return DataTable(
        name="territories", title="Maps in territories", columns=COLUMNS, rows=tuple(rows), note=" ".join(notes)
    )


def territory_rows(table: DataTable) -> list[dict[str, Cell]]:
    """The rows of a table of territories by column, for the summary; the side and what has no value are left out."""
    names = [column.name for column in table.columns]
    return [
        {
            name: cell
            for name, cell in zip(names, row, strict=True)
            if not (name == "side" and not cell) and not (name == "asymmetry_percent" and cell is None)
        }
        for row in table.rows
    ]


@dataclass(frozen=True, kw_only=True)
class _Cell:
    """A map in a territory, with the map's voxel volume in ml and the share of the territory that it covers."""

    statistics: RegionStatistics
    voxel_volume: float
    covered: float


def _counted(maps: Iterable[str], within: Mapping[str, Selection]) -> list[str]:
    """Sentences about which voxels count."""
    everything = "all voxels with a value, large vessels and CSF included"
    kinds: dict[str, list[str]] = {}
    for name in maps:
        kinds.setdefault(within[name].text if name in within else everything, []).append(name)
    if len(kinds) == 1:
        return [f"Counted are {text}." for text in kinds]
    return [f"Counted of {', '.join(names)} are {text}." for text, names in kinds.items()]


def _map_cells(
    name: str,
    image: MapImage,
    labelmap: LabelMap,
    selection: Selection | None,
    background: str,
    notes: list[str],
) -> dict[int, _Cell]:
    if selection is not None and selection.mask.shape != image.values.shape:
        raise InputError(f"{name}: the mask has shape {selection.mask.shape}, the map {image.values.shape}")
    values, grid, valid = _in_ras(image)
    holds, value = valid_voxels(values, valid, background)
    if selection is not None:
        holds = holds & nearest_ras(image.grid).to_ras(selection.mask)
    if value is not None:
        notes.append(f"{name}: voxels of {value:g} count as background.")
    labels = _on_grid(labelmap, grid)
    if not labels.any():
        raise InputError(
            f"{image.name or name} and {labelmap.name or 'the labelmap'} do not overlap.\n  map:    {grid.describe()}\n"
            f"  labels: {labelmap.grid.describe()}\nGive labels in the patient's own space, or register them first."
        )
    found = region_statistics(values, holds, labels)
    own = np.bincount(labelmap.values.ravel(), minlength=max(labelmap.territories) + 1)
    seen = np.bincount(labelmap.values[_within(labelmap.grid, grid)], minlength=own.size)
    cells = {}
    for key in labelmap.territories:
        covered = float(seen[key] / own[key])
        statistics = found.get(key, RegionStatistics(labelled=0, voxels=0))
        cells[key] = _Cell(statistics=statistics, voxel_volume=grid.voxel_volume / 1000, covered=covered)
    cut = [labelmap.territories[key].name for key, cell in cells.items() if cell.covered < FEWEST_COVERED]
    if cut:
        more = f" and {len(cut) - 5} more" if len(cut) > 5 else ""
        notes.append(f"{name} does not cover all of {', '.join(cut[:5])}{more}.")
    return cells


def _row(named: tuple[str, str], territory: Territory, side: str, here: _Cell, there: _Cell | None) -> tuple[Cell, ...]:
    figures = here.statistics
    asymmetry = None
    if there is not None and side:
        left, right = (here, there) if side == LEFT else (there, here)
        asymmetry = _asymmetry(left.statistics.mean, right.statistics.mean)
    return (
        *named,
        territory.label,
        territory.name,
        side,
        figures.voxels,
        figures.voxels * here.voxel_volume,
        figures.voxels / figures.labelled if figures.labelled else 0.0,
        here.covered,
        *(
            None if math.isnan(value) else value
            for value in (figures.mean, figures.sd, figures.median, figures.p05, figures.p95)
        ),
        *(None if math.isnan(value) else value for value in (figures.minimum, figures.maximum)),
        asymmetry,
    )


def _asymmetry(left: float, right: float) -> float | None:
    """``2 (L − R)/(L + R) · 100 %``; None where a side has no value or is below 0."""
    if math.isnan(left) or math.isnan(right) or min(left, right) < 0 or left + right == 0:
        return None
    return 200 * (left - right) / (left + right)


def _statistics(content: Curve, labelled: int) -> RegionStatistics:
    if not content.size:
        return RegionStatistics(labelled=labelled, voxels=0)
    p05, median, p95 = (float(value) for value in np.percentile(content, (5, 50, 95)))
    return RegionStatistics(
        labelled=labelled,
        voxels=content.size,
        mean=float(content.mean()),
        sd=float(content.std(ddof=1)) if content.size > 1 else math.nan,
        median=median,
        p05=p05,
        p95=p95,
        minimum=float(content.min()),
        maximum=float(content.max()),
    )


def _in_ras(image: MapImage) -> tuple[npt.NDArray[np.float32], Grid, Mask | None]:
    """A map, its grid and its mask in RAS+ order, as the rules for the background want it."""
    orientation = nearest_ras(image.grid)
    values = np.ascontiguousarray(orientation.to_ras(image.values), np.float32)
    valid = None if image.valid is None else np.ascontiguousarray(orientation.to_ras(image.valid))
    return values, orientation.ras, valid


def _on_grid(labelmap: LabelMap, grid: Grid) -> npt.NDArray[np.int32]:
    everywhere = np.ones(labelmap.values.shape, bool)
    labels = labelmap.values.astype(np.float32)
    found = resample_reference(labels, everywhere, labelmap.grid, grid, "nearest")
    return found.values.astype(np.int32)


def _within(source: Grid, target: Grid) -> Mask:
    """Voxels of one grid whose centres lie in voxels of another."""
    everywhere = np.ones(target.shape, bool)
    imaged: Mask = resample_reference(everywhere.astype(np.float32), everywhere, target, source, "nearest").imaged
    return imaged
