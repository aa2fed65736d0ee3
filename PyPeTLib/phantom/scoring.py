"""How well a result meets a head phantom's truth.

Maps are scored in tissue voxels; the AIF by its share of voxels that are at least half artery; lesions against their
labels: hypoperfusion is Tmax above 6 s, the core hypoperfusion with less than 30 % of the healthy side's mean flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.phantom.base import Phantom
from PyPeTLib.series import Modality

HYPOPERFUSION_TMAX = 6.0
CORE_FLOW = 0.30


@dataclass(frozen=True, kw_only=True)
class HeadScore:
    """Agreement of a result with a head phantom.

    Dice coefficients from 0 to 1; ``r`` are correlations over tissue voxels; biases are relative differences of the
    means over tissue. For DSC, CBF and CBV are scaled to the truth in normal white matter first.
    """

    mask_dice: float
    pia_dice: float
    aif_inside: float
    cbf_r: float
    cbv_r: float
    mtt_r: float
    tmax_r: float
    cbf_bias: float
    cbv_bias: float
    hypoperfusion_dice: float
    core_dice: float


def score_head(
    head: Phantom, maps: Mapping[str, Volume], valid: Mask, brain: Mask, aif: Mask | None = None
) -> HeadScore:
    """Compare maps and masks with a head phantom, all on the grid of its series.

    Parameters
    ----------
    head : Phantom
        From `make_head`.
    maps : mapping
        ``cbf``, ``cbv``, ``mtt`` and ``tmax``.
    valid : ndarray of bool
        Where the maps hold values.
    brain, aif : ndarray of bool
    """
    masks, truth = head.masks, head.truth
    scored = masks["tissue"] & masks["brain"] & valid
    perfused = scored & (truth["cbf"] > 0)
    flow, volume = (
        scaled_to_white_matter(maps[name], truth[name], scored & masks["white"] & masks["healthy_side"], head)
        for name in ("cbf", "cbv")
    )
    everywhere = masks["tissue"] & masks["brain"]
    low = scored & (maps["tmax"] > HYPOPERFUSION_TMAX)
    healthy = scored & masks["healthy_side"]
    reference = float(flow[healthy].mean()) if healthy.any() else 0.0
    core = low & (flow < CORE_FLOW * reference)

    def r(values: Volume, name: str) -> float:
        return float(np.corrcoef(values[perfused], truth[name][perfused])[0, 1]) if perfused.any() else 0.0

    def bias(values: Volume, name: str) -> float:
        return float(values[perfused].mean() / truth[name][perfused].mean() - 1) if perfused.any() else -1.0

    return HeadScore(
        mask_dice=dice(brain, masks["intracranial"]),
        pia_dice=dice(brain, masks["brain"]),
        aif_inside=float((head.fractions["arterial"][aif] >= 0.5).mean()) if aif is not None and aif.any() else 0.0,
        cbf_r=r(flow, "cbf"),
        cbv_r=r(volume, "cbv"),
        mtt_r=r(maps["mtt"], "mtt"),
        tmax_r=r(maps["tmax"], "tmax"),
        cbf_bias=bias(flow, "cbf"),
        cbv_bias=bias(volume, "cbv"),
        hypoperfusion_dice=dice(low, (masks["core"] | masks["penumbra"]) & everywhere),
        core_dice=dice(core, masks["core"] & everywhere),
    )


def dice(one: Mask, other: Mask) -> float:
    """Twice the overlap over the sum of two masks; 1 where both are empty."""
    total = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    return 2 * int(np.count_nonzero(one & other)) / total if total else 1.0


def scaled_to_white_matter(values: Volume, truth: Volume, white: Mask, head: Phantom) -> Volume:
    """A map of DSC, which has no absolute scale, brought to the truth's mean in white matter; one of CT as it is."""
    if head.series.modality is not Modality.DSC or not white.any():
        return values
    factor: float = truth[white].mean() / values[white].mean()
    return values * np.float32(factor)
