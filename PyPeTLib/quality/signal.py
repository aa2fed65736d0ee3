"""Flags on the values of the series: their scale, cut-off values, the part of the head that is in view."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Mask
from PyPeTLib.contrast import Concentration
from PyPeTLib.quality.evidence import Evidence
from PyPeTLib.quality.flag import Flag, Severity, flag_kind
from PyPeTLib.series import Modality

CT_SCALE = flag_kind(
    "intensity-scale",
    Severity.WARNING,
    "median of the brain before the bolus (CT)",
    unit="HU",
    least=10.0,
    most=60.0,
    basis="fluid has 0 to 15, white matter 20 to 32, grey matter 33 to 45 and fresh blood 50 to 70 HU; the rim of a "
    "mask adds some bone",
)
MR_OFFSET = flag_kind(
    "signal-offset",
    Severity.WARNING,
    "darkest hundredth of a frame, of the brain's median (MR)",
    unit="%",
    most=30.0,
    basis="air holds Rician noise alone, less than 10 % of the brain at any useful noise; ΔR2* reads low by this share",
)
CLIPPED = flag_kind(
    "clipped-values",
    Severity.WARNING,
    "voxels of the brain that the bolus lifts to one and the same highest value (CT), or that rest there (MR)",
    unit="voxels",
    most=4,
    basis="noise lets one sample of a series be the highest, not two frames of several voxels",
)
SLAB = flag_kind(
    "slab-coverage",
    Severity.NOTE,
    "height of the brain mask",
    unit="mm",
    least=60.0,
    basis="the levels of basal ganglia and of the tops of the ventricles, by which strokes of the middle cerebral "
    "artery are read, lie some 40 mm apart; a whole brain is 120 mm high",
)
FEW_SLICES = flag_kind(
    "few-slices",
    Severity.WARNING,
    "slices of the brain mask",
    unit="slices",
    least=3,
    basis="no large vein and often no artery lies in one or two slices, and motion along z cannot be seen",
)
CUT_BRAIN = flag_kind(
    "cut-brain",
    Severity.WARNING,
    "part of the brain mask's voxels that lie at a side of the field of view",
    unit="%",
    most=1.0,
    basis="a whole head has air around it; a mask cut by a plane has a few per cent there",
)
SIGNAL_LOST = flag_kind(
    "signal-lost",
    Severity.NOTE,
    "samples without signal (MR)",
    unit="%",
    most=0.1,
    basis="arteries at their peak may lose it; the rest of the brain does not",
)
MUCH_SIGNAL_LOST = flag_kind(
    "much-signal-lost",
    Severity.WARNING,
    "samples without signal (MR)",
    unit="%",
    most=3.0,
    basis="arteries and veins are less than 3 % of the brain: here tissue loses its signal, and the height of its peak",
)
NO_BASELINE_SIGNAL = flag_kind(
    "no-baseline-signal",
    Severity.NOTE,
    "part of the brain mask without MR signal before the bolus",
    unit="%",
    most=0.0,
    basis="it is left out, so any is told",
)


def share_at_sides(brain: Mask) -> float:
    """Part of a mask's voxels that lie in the first or last column or row of the field of view."""
    rim = np.zeros(brain.shape, bool)
    rim[[0, -1]] = True
    rim[:, [0, -1]] = True
    return int(np.count_nonzero(brain & rim)) / max(1, int(np.count_nonzero(brain)))


def signal_flags(content: Concentration) -> list[Flag]:
    """Flags on MR signal lost in noise."""
    floored = 100 * content.n_floored / max(1, content.curves.size)
    unusable = 100 * float((~content.usable).mean()) if content.usable.size else 0.0
    much = MUCH_SIGNAL_LOST.check(
        floored,
        f"{floored:.1f} % of the samples had no signal left: the concentration of tissue is a lower bound. Look for "
        "empty frames, or a wrong offset of the values.",
    )
    return [
        *(
            much
            or SIGNAL_LOST.check(
                floored, f"{floored:.2f} % of the samples had no signal left: their concentration is a lower bound."
            )
        ),
        *NO_BASELINE_SIGNAL.check(
            unusable, f"{unusable:.2f} % of the brain mask has no MR signal before the bolus and is left out."
        ),
    ]


def coverage_of_head(evidence: Evidence) -> list[Flag]:
    """Flags on a field of view that holds little of the brain."""
    held = int(np.count_nonzero(evidence.brain.any(axis=(0, 1))))
    height = held * evidence.working.grid.voxel_sizes[2]
    at_sides = 100 * share_at_sides(evidence.brain)
    few = FEW_SLICES.check(
        held,
        f"Only {held} slice(s) hold brain: the vein, and so the scale, may be missing, and motion along the head "
        "cannot be corrected.",
    )
    return [
        *few,
        *SLAB.check(height, f"Only {height:.0f} mm of the brain are in view: volumes are those of the slab."),
        *CUT_BRAIN.check(
            at_sides,
            f"{at_sides:.0f} % of the brain mask touches a side of the field of view: the brain is cut, or the mask "
            "is wrong. Look at the mask; sides cannot be compared.",
        ),
    ]


def check_signal(evidence: Evidence) -> list[Flag]:
    """All flags on the values of the series and on what is in view."""
    baseline, modality = evidence.bolus.baseline, evidence.working.modality
    first, level = evidence.first, evidence.first.level
    if modality is Modality.CTP:
        flags = CT_SCALE.check(
            level,
            f"The brain's median is {level:.0f} HU before the bolus: the values are no Hounsfield units (a missing or "
            "second rescale slope or intercept), or the mask is wrong. Check the file's rescaling.",
        )
    else:
        darkest = float(np.percentile(evidence.working.frame(baseline.start)[::2, ::2], 1))
        share = 100 * darkest / level if level > 0 else 0.0
        flags = MR_OFFSET.check(
            share,
            f"Where the image is darkest it still has {share:.0f} % of the brain's signal: a number was added to all "
            "values, and their logarithm is wrong. Check the file's rescaling.",
        )
    flags += CLIPPED.check(
        first.clipped,
        f"{first.clipped} voxels are cut off at the highest value of the series, {first.highest:.0f}: peaks "
        "of vessels are lost, and CBF and CBV are wrong. Export the series with its full range.",
    )
    return flags + coverage_of_head(evidence) + signal_flags(evidence.content)
