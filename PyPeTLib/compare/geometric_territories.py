"""Nine vascular territories from the outline of a brain alone: an approximation where there is no atlas.

The rules put the published maps into proportions of the brain (Tatu et al. 1998, doi:10.1212/WNL.50.6.1699, and 2012,
doi:10.1159/000343496): the anterior cerebral artery feeds a band beside the midline of the frontal and parietal lobes,
wider toward the vertex; the posterior one the occipital lobe, the inferior medial temporal lobe and the thalamus; the
middle one what lies lateral of both. Of infarcts in 1160 patients, about 54 % of the brain above the tentorium surely
belong to the middle artery and 13 % to each of the others, the rest to the zones between them (Kim et al. 2019,
doi:10.1001/jamaneurol.2018.2808). Borders differ widely between persons, and no rule about an outline knows a lobe: for
a study, register an atlas.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from PyPeTLib.arrays import Curve, Mask
from PyPeTLib.compare.labelmaps import LabelMap, LabelNames, make_labelmap
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.masking import MidsagittalPlane
from PyPeTLib.masking.midline import plane_axes

NAMES = {
    1: "ACA left",
    2: "ACA right",
    3: "MCA left",
    4: "MCA right",
    5: "PCA left",
    6: "PCA right",
    7: "Cerebellum left",
    8: "Cerebellum right",
    9: "Brainstem",
}
ACA, MCA, PCA, CEREBELLUM, BRAINSTEM = 1, 3, 5, 7, 9
"""Labels; those on the right are larger by one."""
TITLE = "nine territories approximated from the brain's outline (no atlas)"

WHOLE_BRAIN_MM = 115.0
"""Height from which a mask is taken for a whole brain, cerebellum included. Adults' measure 120 to 150 mm."""
ENDS = (0.1, 99.9)
"""Percentiles of the brain's voxels that count as its ends, so that a few stray ones do not."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A region in proportions of the brain, which one label gets; later rules win.

    Attributes
    ----------
    label : int
        On the left.
    aside : (float, float)
        From the midsagittal plane, 0, to the brain's half width, 1.
    ahead : (float, float)
        From the back, 0, to the front, 1.
    up : (float, float)
        From the bottom, 0, to the top, 1.
    widening : float
        What the outer bound of ``aside`` gains from the lower bound of ``up`` to the upper.
    """

    label: int
    aside: tuple[float, float] = (0.0, 2.0)
    ahead: tuple[float, float] = (-1.0, 2.0)
    up: tuple[float, float] = (-1.0, 2.0)
    widening: float = 0.0

    def holds(self, aside: Curve, ahead: Curve, up: Curve) -> Mask:
        """Which of some places, given by their shares, lie in the region."""
        outer = self.aside[1] + self.widening * (up - self.up[0]) / (self.up[1] - self.up[0])
        inside: Mask = (aside >= self.aside[0]) & (aside < outer)
        for bounds, shares in ((self.ahead, ahead), (self.up, up)):
            inside &= (shares >= bounds[0]) & (shares < bounds[1])
        return inside


WHOLE_BRAIN = (
    Rule(label=ACA, aside=(0, 0.12), ahead=(0.22, 2), up=(0.20, 1.01), widening=0.28),
    Rule(label=MCA, aside=(0.08, 2), ahead=(0.42, 0.74), up=(0.30, 0.60)),
    Rule(label=PCA, aside=(0, 0.30), ahead=(0.36, 0.58), up=(0.36, 0.57)),
    Rule(label=PCA, aside=(0, 0.62), ahead=(-1, 0.52), up=(-1, 0.42)),
    Rule(label=PCA, aside=(0, 0.70), ahead=(-1, 0.22)),
    Rule(label=PCA, aside=(0, 0.25), ahead=(-1, 0.34), up=(-1, 0.68)),
    Rule(label=CEREBELLUM, aside=(0, 0.85), ahead=(-1, 0.33), up=(-1, 0.34)),
    Rule(label=CEREBELLUM, aside=(0, 0.60), ahead=(-1, 0.42), up=(-1, 0.33)),
    Rule(label=BRAINSTEM, aside=(0, 0.24), ahead=(0.36, 0.56), up=(-1, 0.42)),
)
"""What differs from the middle artery's territory in a brain that is seen as a whole."""
SLAB = (
    Rule(label=ACA, aside=(0, 0.26), ahead=(0.32, 2)),
    Rule(label=PCA, aside=(0, 0.70), ahead=(-1, 0.22)),
    Rule(label=PCA, aside=(0, 0.25), ahead=(-1, 0.32)),
)
"""The same where nobody knows how high in the head the slab lies."""


def geometric_territories(mask: Mask, grid: Grid, plane: MidsagittalPlane) -> LabelMap:
    """Territories of the anterior, middle and posterior cerebral arteries, cerebellum and brainstem; an approximation.

    Shares are measured in the axes of the midsagittal plane and the world, so the voxels may lie in any order; a head
    that is nodded is not turned upright.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
        The brain, without skull.
    grid : Grid
    plane : MidsagittalPlane
        In the same world coordinates; voxels in it belong to the left.

    Returns
    -------
    LabelMap
        Each voxel of the mask has a label; named as what it is. A mask that is less than `WHOLE_BRAIN_MM` high does
        not show how high in the head it lies: it has no cerebellum and no brainstem, and the notes say so.

    Raises
    ------
    InputError
        If the mask is empty or not on the grid.
    """
    if mask.shape != grid.shape:
        raise InputError(f"the mask has shape {mask.shape}, its grid {grid.shape}. Give both on one grid.")
    if not mask.any():
        raise InputError("the mask of the brain is empty, so it has no territories. Give a mask of the brain.")
    right, front, top = plane_axes(plane.normal)
    places = np.argwhere(mask) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    sideways = places @ right - plane.offset
    aside = np.abs(sideways)
    aside /= max(float(np.percentile(aside, ENDS[1])), 1e-6)
    ahead, _ = _shares(places @ front)
    up, height = _shares(places @ top)
    whole = height >= WHOLE_BRAIN_MM
    labels = np.full(len(places), MCA, np.int32)
    for rule in WHOLE_BRAIN if whole else SLAB:
        labels[rule.holds(aside, ahead, up)] = rule.label
    labels[(labels != BRAINSTEM) & (sideways > 0)] += 1
    values = np.zeros(grid.shape, np.int32)
    values[mask] = labels
    made = make_labelmap(values, grid, LabelNames(names=NAMES), name=TITLE)
    return replace(made, notes=(*made.notes, *_notes(height)))


def _shares(along: Curve) -> tuple[Curve, float]:
    """Places from 0 to 1 between the ends of the brain, and how far these are apart in mm."""
    low, high = (float(end) for end in np.percentile(along, ENDS))
    extent = high - low
    return (along - low) / max(extent, 1e-6), extent


def _notes(height: float) -> tuple[str, ...]:
    said = "Territories are a geometric approximation from the brain's outline; they are no atlas."
    if height >= WHOLE_BRAIN_MM:
        return (said,)
    return (
        said,
        f"The brain is {height:.0f} mm high here, and one that is seen as a whole at least {WHOLE_BRAIN_MM:g} mm: "
        "cerebellum and brainstem are not told apart, parts of all territories are missing, and borders do not know "
        "how high in the head they lie.",
    )
