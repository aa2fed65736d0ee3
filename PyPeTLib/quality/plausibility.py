"""Flags on the maps: values that no living brain has, and curves that the scan or the search did not contain."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.maps import PerfusionMaps
from PyPeTLib.quality.evidence import Evidence
from PyPeTLib.quality.flag import Flag, Severity, flag_kind

LATE_TISSUE = 6.0
"""Tmax in s above which tissue counts as late."""
LOST_AREA = 0.20
"""A curve that loses more of its area counts as cut off."""
EARLY_TISSUE = -3.0
"""Tmax in s below which tissue comes before the artery."""

CBF = flag_kind(
    "implausible-cbf",
    Severity.WARNING,
    "median CBF of tissue that is not late",
    unit="ml/100g/min",
    least=18.0,
    most=90.0,
    basis="healthy adults have some 22 in white and 55 in grey matter: Leenders et al. 1990, "
    "doi:10.1093/brain/113.1.27; SVD methods read up to a third less. Young children may have more",
)
CBV = flag_kind(
    "implausible-cbv",
    Severity.WARNING,
    "median CBV of tissue that is not late",
    unit="ml/100g",
    least=1.0,
    most=8.0,
    basis="healthy adults have some 3 in white and 5 in grey matter: Leenders et al. 1990, doi:10.1093/brain/113.1.27",
)
MTT = flag_kind(
    "implausible-mtt",
    Severity.WARNING,
    "median MTT of tissue that is not late",
    unit="s",
    least=2.0,
    most=11.0,
    basis="CBV over CBF of healthy adults is 5 to 7 s, and noise and SVD methods lengthen it: 6 to 8 s in clean head "
    "phantoms",
)
TMAX = flag_kind(
    "implausible-tmax",
    Severity.WARNING,
    "median Tmax of the tissue",
    unit="s",
    least=-0.5,
    most=8.0,
    basis="an artery leads tissue: clean head phantoms have 2.5 to 3.5 s with SVD methods, 2 s less with others",
)
EARLY_SHARE = flag_kind(
    "negative-tmax",
    Severity.WARNING,
    f"part of the tissue with Tmax below {EARLY_TISSUE:g} s",
    unit="%",
    most=15.0,
    basis="clean head phantoms have less than 3 %; tissue fed by another artery than the AIF leads it by 1 or 2 s",
)
AT_EDGE = flag_kind(
    "lag-at-edge",
    Severity.WARNING,
    "part of the tissue whose response peaks at the edge of the lags that are searched",
    unit="%",
    most=10.0,
    basis="clean head phantoms have less than 4 %; noise spreads peaks evenly over all lags",
)
TRUNCATED_CURVES = flag_kind(
    "truncated-curves",
    Severity.NOTE,
    f"part of the brain whose curves lose more than {LOST_AREA:.0%} of their area after the end of the scan",
    unit="%",
    most=25.0,
    basis="the end of a scan of 45 s cuts off a quarter of the curves of a clean head phantom by so much",
)
LEAKAGE = flag_kind(
    "leakage-in-late-tissue",
    Severity.WARNING,
    f"part of the brain with Tmax above {LATE_TISSUE:g} s while leakage is corrected",
    unit="%",
    most=8.0,
    basis="veins and fluid make a few per cent of any brain look late; a stroke adds to them",
)
UNCALIBRATED = flag_kind(
    "uncalibrated",
    Severity.NOTE,
    "scales of DSC that are known",
    least=1,
    basis="arteries and tissue differ in relaxivity",
)


def curve_flags(lost_area: Volume) -> list[Flag]:
    """A flag on tissue curves that the end of the scan cuts off."""
    cut_off = 100 * float((lost_area > LOST_AREA).mean()) if lost_area.size else 0.0
    return TRUNCATED_CURVES.check(
        cut_off,
        f"In {cut_off:.0f} % of the brain the scan ends before the bolus has passed: CBV and MTT read low.",
    )


def leakage_flags(correction: str, lags: Volume) -> list[Flag]:
    """A flag on tissue whose long transit a leakage correction takes for leakage.

    Parameters
    ----------
    correction : str
        The option ``contrast.leakage``.
    lags : ndarray of float32, shape (voxels,)
        Tmax in s where it holds a value.
    """
    if correction == "none" or not lags.size:
        return []
    share = 100 * float((lags > LATE_TISSUE).mean())
    return LEAKAGE.check(
        share,
        f"The leakage correction takes long transit for leakage: in the {share:.0f} % of the brain with Tmax above "
        f"{LATE_TISSUE:g} s CBV and K2 are not to be trusted. Switch it off for stroke (contrast.leakage = 'none').",
    )


def scale_flags(*, calibrated: bool) -> list[Flag]:
    """The note that DSC maps have no absolute scale."""
    return UNCALIBRATED.check(
        int(calibrated),
        "DSC: CBF and CBV have no absolute scale, since arteries and tissue differ in relaxivity. "
        "Give normal white matter (--white-matter-mask, --white-matter-cbf) to scale them.",
    )


def lag_flags(tmax: Volume, lags: tuple[float, float]) -> list[Flag]:
    """Flags on Tmax in s of the voxels where it holds a value."""
    if not tmax.size:
        return []
    middle = float(np.median(tmax))
    early = 100 * float((tmax < EARLY_TISSUE).mean())
    at_edge = 100 * float(((tmax <= lags[0]) | (tmax >= lags[1])).mean())
    return [
        *TMAX.check(
            middle,
            f"The median Tmax is {middle:.1f} s: the AIF comes too late (a vein or tissue), too early, or the frame "
            "times are wrong. Check them.",
        ),
        *EARLY_SHARE.check(
            early,
            f"In {early:.0f} % of the brain contrast comes {-EARLY_TISSUE:g} s and more before the AIF: noise, motion, "
            "or the AIF is no artery. Tmax and CBF are not to be trusted.",
        ),
        *AT_EDGE.check(
            at_edge,
            f"In {at_edge:.0f} % of the brain the response peaks at the edge of the lags searched, {lags[0]:g} to "
            f"{lags[1]:g} s: noise, or a wrong AIF. Widen deconvolution.earliest_lag and latest_lag or mark an artery.",
        ),
    ]


def normal_tissue(maps: PerfusionMaps) -> Mask:
    """Where there is flow and Tmax is not late; all of it where hardly any is left.

    Voxels of negative volume stay in: they have a flow, and leaving them out would hide what is wrong with the others.
    """
    valid = maps["cbf"].valid
    if "tmax" not in maps:
        return valid
    timely: Mask = valid & (maps["tmax"].values <= LATE_TISSUE)
    return timely if 4 * np.count_nonzero(timely) > np.count_nonzero(valid) else valid


def value_flags(maps: PerfusionMaps) -> list[Flag]:
    """Flags on CBF, CBV and MTT of tissue that is not late; those without a scale are not judged by their height."""
    where = normal_tissue(maps)
    if not where.any():
        return []
    kinds = (("cbf", CBF), ("cbv", CBV), ("mtt", MTT))
    return [
        flag
        for name, kind in kinds
        if maps[name].calibrated
        for middle in [float(np.median(maps[name].values[where]))]
        for flag in kind.check(
            middle,
            f"The median {name.upper()} of tissue that is not late is {middle:.3g} {kind.unit}: the AIF, the frame "
            "times, the scale of the values or the baseline is wrong, or there is too much noise. Find out which.",
        )
    ]


def check_plausibility(evidence: Evidence) -> list[Flag]:
    """All flags on the maps."""
    maps = evidence.maps
    flags = curve_flags(evidence.lost_area)
    if "tmax" in maps:
        tmax = maps["tmax"].values[maps["tmax"].valid]
        flags += lag_flags(tmax, evidence.lags) + leakage_flags(evidence.leakage, tmax)
    flags += value_flags(maps)
    return flags + scale_flags(calibrated=all(quantity.calibrated for quantity in maps.values()))
