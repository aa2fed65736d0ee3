"""Tables of an evaluation: territories, how they agree, hypometabolic regions, and what goes with scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PyPeTLib.compare.cohort import interval_columns
from PyPeTLib.compare.labelmaps import side_of_name
from PyPeTLib.compare.statistics import correlation, intraclass_correlation, limits_of_agreement
from PyPeTLib.tables import Cell, Column, DataTable

REAL, PREDICTED = "real PET", "predicted PET"
"""What tables call the two."""

LEFT, RIGHT, NONE = "left", "right", "none"

_SUBJECT = Column(name="subject", title="Subject")
_PET_UNIT = "unit of the PET"


@dataclass(frozen=True, kw_only=True)
class LowRegions:
    """Hypometabolic regions of one subject in the real and the predicted PET.

    Attributes
    ----------
    real, predicted : (float, float, float)
        Volume on the left and on the right in ml, and the mean deficit against the other side, a share.
    dice : float or None
        Of both regions; None where both are empty.
    predicted_there : float or None
        How the predicted PET differs from its other side inside the region of the real one, as a share of the mean of
        both sides: negative where it is lower too. None where the real PET has no region.
    """

    real: tuple[float, float, float]
    predicted: tuple[float, float, float]
    dice: float | None
    predicted_there: float | None

    @property
    def sides(self) -> tuple[str, str]:
        """Where more of the region lies in the real and in the predicted PET."""
        return _side(*self.real[:2]), _side(*self.predicted[:2])

    @property
    def volumes(self) -> tuple[float, float]:
        """Of both sides together in the real and in the predicted PET, in ml."""
        return sum(self.real[:2]), sum(self.predicted[:2])


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """A figure of a territory in real and predicted PET, by subject."""

    territory: str
    side: str
    figure: str
    real: list[float | None]
    predicted: list[float | None]


def territories_table(territories: Mapping[str, DataTable]) -> DataTable:
    """Real and predicted PET in each territory of each subject."""
    first = next(iter(territories.values()))
    rows = [(subject, *row) for subject, table in territories.items() for row in table.rows]
    renamed = tuple(
        Column(name="image", title="Image") if column.name == "map" else column
        for column in first.columns
        if column.name != "unit"
    )
    at = [column.name for column in first.columns].index("unit") + 1
    notes = dict.fromkeys(table.note for table in territories.values())
    return DataTable(
        name="territories",
        title="Real and predicted PET in territories",
        columns=(_SUBJECT, *renamed),
        rows=tuple((*row[:at], *row[at + 1 :]) for row in rows),
        note=f"In the unit of the PET. {next(iter(notes))}{' Notes differ by subject.' if len(notes) > 1 else ''}",
    )


def agreement_table(territories: Mapping[str, DataTable]) -> DataTable:
    """How the predicted PET agrees with the real one in each territory over the subjects."""
    rows: list[tuple[Cell, ...]] = []
    for found in _compared(territories):
        r = correlation(found.real, found.predicted)
        icc = intraclass_correlation(found.real, found.predicted)
        limits = limits_of_agreement(found.predicted, found.real)
        pairs = [(a, b) for a, b in zip(found.real, found.predicted, strict=True) if a is not None and b is not None]
        means = [math.fsum(column) / len(pairs) for column in zip(*pairs, strict=True)] if pairs else [None, None]
        notes = dict.fromkeys(note for note in (r.note, icc.note, limits.bias.note) if note)
        rows.append(
            (
                *(found.territory, found.side, found.figure, len(pairs), *means),
                *(limits.bias.value, limits.bias.low, limits.bias.high, limits.lower.value, limits.upper.value),
                *(r.value, r.low, r.high, icc.value, icc.low, icc.high, " ".join(notes)),
            )
        )
    interval = "95 % interval"
    return DataTable(
        name="territory_agreement",
        title="Agreement of predicted and real PET in territories",
        columns=(
            Column(name="territory", title="Territory"),
            Column(name="side", title="Side"),
            Column(name="figure", title="Figure"),
            Column(name="subjects", title="Subjects"),
            Column(name="mean_real", title="Mean, real PET"),
            Column(name="mean_predicted", title="Mean, predicted PET"),
            Column(name="bias", title="Bias, predicted − real"),
            *interval_columns("bias", "Bias", interval),
            Column(name="limit_low", title="95 % limits of agreement from"),
            Column(name="limit_high", title="95 % limits of agreement to"),
            Column(name="pearson", title="Pearson's r"),
            *interval_columns("pearson", "r", interval),
            Column(name="icc", title="ICC(2,1)"),
            *interval_columns("icc", "ICC", interval),
            Column(name="note", title="Note"),
        ),
        rows=tuple(rows),
        note="Over subjects, of each one's mean in the territory (unit of the PET) and of the asymmetry of left and "
        "right, 2(L − R)/(L + R), in %. Correlation with Fisher's interval, ICC(2,1) with the interval of McGraw and "
        "Wong, bias and limits after Bland and Altman.",
    )


def hypometabolic_agreement_table(low: Mapping[str, LowRegions]) -> DataTable:
    """Hypometabolic regions of each subject in the real and in the predicted PET."""
    rows: list[tuple[Cell, ...]] = []
    for subject, found in low.items():
        sides, volumes = found.sides, found.volumes
        rows.append(
            (
                *(subject, *volumes, *found.real[:2], *found.predicted[:2], *sides),
                None if sides[0] == NONE else sides[0] == sides[1],
                found.dice,
                *(_number(deficit) for _, _, deficit in (found.real, found.predicted)),
                found.predicted_there,
            )
        )
    there = [found for found in low.values() if found.sides[0] != NONE]
    alike = sum(found.sides[0] == found.sides[1] for found in there)
    lower = sum(found.predicted_there is not None and found.predicted_there < 0 for found in there)
    columns = [
        Column(name=f"{key}{name}_ml", title=f"{title}{called}", unit="ml")
        for key, called in (("", "volume"), ("left_", "volume on the left"), ("right_", "volume on the right"))
        for name, title in (("real", "Real PET: "), ("predicted", "Predicted PET: "))
    ]
    # as the rows have it: both sums, then the sides of the one, then of the other
    order = (0, 1, 2, 4, 3, 5)
    return DataTable(
        name="hypometabolic",
        title="Hypometabolic regions by asymmetry",
        columns=(
            _SUBJECT,
            *(columns[place] for place in order),
            Column(name="real_side", title="Real PET: side"),
            Column(name="predicted_side", title="Predicted PET: side"),
            Column(name="sides_agree", title="Same side"),
            Column(name="dice", title="Dice coefficient of both"),
            Column(name="real_deficit", title="Real PET: mean deficit against the other side", unit="1"),
            Column(name="predicted_deficit", title="Predicted PET: mean deficit against the other side", unit="1"),
            Column(
                name="predicted_in_real",
                title="Predicted PET inside the real region: difference to the other side",
                unit="1",
            ),
        ),
        rows=tuple(rows),
        note="Regions that are low against the other side. "
        f"{len(there)} of {len(low)} subjects have one in the real PET; in {alike} of them the predicted PET has its "
        f"own on the same side, in {lower} it is lower than the other side inside the real region. A lesion that the "
        "MRI does not show cannot appear in the predicted PET. Empty: not defined, such as the Dice coefficient where "
        "neither PET has a region.",
    )


def score_values(
    territories: Mapping[str, DataTable], low: Mapping[str, LowRegions], means: Mapping[str, tuple[float, float]]
) -> dict[str, dict[str, float]]:
    """What is held against scores, by its name and then by subject: each of the real and of the predicted PET."""
    values: dict[str, dict[str, float]] = {}

    def add(name: str, subject: str, pair: tuple[float | None, float | None]) -> None:
        for image, value in zip((REAL, PREDICTED), pair, strict=True):
            if value is not None and math.isfinite(value):
                values.setdefault(f"{name}, {image}", {})[subject] = value

    def size(value: float | None) -> float | None:
        return None if value is None else abs(value)

    for subject, found in low.items():
        add("hypometabolic volume [ml]", subject, found.volumes)
    for subject, pair in means.items():
        add("mean PET in the brain", subject, pair)
    for compared in _compared(territories):
        if compared.figure == "asymmetry":
            for subject, real, predicted in zip(territories, compared.real, compared.predicted, strict=True):
                add(f"asymmetry without sign [%], {compared.territory}", subject, (size(real), size(predicted)))
    return values


def _compared(territories: Mapping[str, DataTable]) -> Iterator[_Compared]:
    """The mean of each territory, and the asymmetry of each pair, once."""
    cells: dict[tuple[str, str, str, str], dict[str, float | None]] = {}
    for subject, table in territories.items():
        names = [column.name for column in table.columns]
        for row in table.rows:
            found = dict(zip(names, row, strict=True))
            name, side = str(found["name"]), str(found["side"] or "")
            for figure, column in (("mean", "mean"), ("asymmetry", "asymmetry_percent")):
                value = found[column]
                if figure == "mean" or side == LEFT:
                    number = float(value) if isinstance(value, int | float) else None
                    cells.setdefault((figure, name, side, str(found["map"])), {})[subject] = number
    for figure, name, side, image in cells:
        if image == REAL:
            real, predicted = cells[figure, name, side, REAL], cells.get((figure, name, side, PREDICTED), {})
            yield _Compared(
                territory=name if figure == "mean" else _of_both_sides(name),
                side=side if figure == "mean" else "left and right",
                figure=figure,
                real=[real.get(subject) for subject in territories],
                predicted=[predicted.get(subject) for subject in territories],
            )


def _of_both_sides(name: str) -> str:
    """The name of a left territory without its side, as it was written."""
    base = side_of_name(name)[1]
    start = name.casefold().find(base)
    return name[start : start + len(base)] if start >= 0 else name


def _side(left: float, right: float) -> str:
    return NONE if left == right == 0 else LEFT if left >= right else RIGHT


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
