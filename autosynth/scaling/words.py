"""What a scaling law and a curve say, in plain words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autosynth.tuning.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autosynth.interval import Interval
    from autosynth.scaling.points import Reference, ScalingPoint

__all__ = [
    "comparison_sentence",
    "enough_sentence",
    "law_sentences",
    "missing_sentences",
    "point_line",
    "reference_line",
    "risk_title",
    "rows",
    "scatter_sentences",
    "short",
    "turn_sentence",
]


def short(value: float) -> str:
    """Return a number with three digits that count.

    Examples
    --------
    >>> short(0.30512), short(1234.4), short(float("inf"))
    ('0.305', '1,234', 'infinity')
    """
    if math.isinf(value):
        return "infinity"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def risk_title(metric: str) -> str:
    """Return what people call the risk of a metric.

    Examples
    --------
    >>> risk_title("balanced_cross_entropy"), risk_title("roc_auc")
    ('balanced cross-entropy', '1 - AUC')
    """
    known = METRICS[metric]
    return f"1 - {known.title}" if known.greater_is_better else known.title


def within(interval: Interval) -> str:
    """Return a value with its limits."""
    return f"{short(interval.value)} [{short(interval.low)}, {short(interval.high)}]"


def rows(n: float) -> str:
    """Return a number of rows per group as a reader would say it.

    Examples
    --------
    >>> rows(0), rows(812.3), rows(2.5e7)
    ('none', '812', 'more than a million')
    """
    if n < 1:
        return "none"
    return "more than a million" if n > 1e6 else short(n) if n >= 100 else f"{n:.0f}"


def law_sentences(
    shape: str, a: Interval, b: Interval, c: Interval, *, sizes: tuple[float, float], level: float
) -> tuple[str, ...]:
    """Return what was found, one sentence per finding."""
    smallest, largest = (rows(size) for size in sizes)
    if shape == "rises":
        return (
            f"Risk rises with the number of synthetic rows, from {smallest} to {largest} per group: more of them do "
            "harm here, and the law of decay does not hold.",
            "Exponent and b are not identified.",
        )
    if shape == "flat":
        return (
            f"No decay is seen from {smallest} to {largest} synthetic rows per group: one constant risk of "
            f"{short(a.value)} explains all points within their noise.",
            "Exponent and b are not identified; they have no finite interval.",
            f"A floor as low as {short(a.low)}, reached slowly, is not ruled out.",
        )
    return (
        f"Risk falls as {short(a.value)} + {short(b.value)} N^-{short(c.value)} "
        f"({level:.0%} limits: floor {within(a)}, b {within(b)}, exponent {within(c)}).",
        *_exponent_sentences(c),
        *_floor_sentences(a),
    )


def scatter_sentences(extra_scatter: float) -> tuple[str, ...]:
    """Return what to say of points that no law explains."""
    return (
        f"The points lie off any such law by about {short(extra_scatter)} beyond their noise, be it the luck of "
        "training or another shape; the limits allow for scatter of that size.",
    )


def _exponent_sentences(c: Interval) -> tuple[str, ...]:
    if c.low == 0 and math.isinf(c.high):
        return ("The exponent is not identified: any decay fits.",)
    if math.isinf(c.high):
        return (
            f"The exponent is at least {short(c.low)}; how much steeper the decay is cannot be told, as it is over "
            "within the first sizes. Try smaller ones.",
        )
    if c.low == 0:
        return (f"The exponent is at most {short(c.high)}; how much slower the decay is cannot be told.",)
    return ()


def _floor_sentences(a: Interval) -> tuple[str, ...]:
    if a.low > 0:
        return ()
    return ("A floor of zero is not ruled out: the sizes end before the decay does. Try larger ones.",)


def reference_line(reference: Reference) -> str:
    """Return a line of text on a model without augmentation."""
    return (
        f"  {reference.name + ':':<36}{reference.risk.value:.4f} [{reference.risk.low:.4f}, {reference.risk.high:.4f}]"
    )


def point_line(point: ScalingPoint, what: str) -> str:
    """Return a line of text on a point."""
    name = f"N = {point.n} {what} rows per group:"
    return f"  {name:<36}{point.risk.value:.4f} [{point.risk.low:.4f}, {point.risk.high:.4f}]"


def comparison_sentence(what: str, against: str, difference: Interval) -> str:
    """Return how one model stands to another, given the difference of their risks."""
    limits = f"by {abs(difference.value):.3g}, limits of the difference {difference.low:.3g} to {difference.high:.3g}"
    if difference.high < 0:
        return f"{what} has a lower risk than {against}, {limits}."
    if difference.low > 0:
        return f"{what} has a higher risk than {against}, {limits}."
    return f"{what} and {against} differ by no more than noise ({difference.low:.3g} to {difference.high:.3g})."


def turn_sentence(lowest: int, largest: int, rise: Interval) -> str:
    """Return what to say of a curve that falls and then rises."""
    return (
        f"Risk is lowest at N = {lowest} and rises by {rise.value:.3g} [{rise.low:.3g}, {rise.high:.3g}] to "
        f"N = {largest}: beyond that size more rows do harm, which no law of decay describes."
    )


def enough_sentence(n: Interval, gain: float, sizes: tuple[float, float]) -> str:
    """Return from which N on a doubling gains less than a gain."""
    place = ""
    if n.value > sizes[1]:
        place = f"; beyond the largest size measured, {rows(sizes[1])}, so it leans on the law alone"
    elif n.value < sizes[0]:
        place = f"; below the smallest size measured, {rows(sizes[0])}"
    limits = f"limits {rows(n.low)} to {rows(n.high)}"
    from_here = f"From N = {rows(n.value)} on ({limits}{place})"
    return f"{from_here}, a further doubling gains less than {gain:.2g}, 1 % of the risk."


def missing_sentences(failed: Mapping[int, str], folds: tuple[int, int], unmeasured: Sequence[int]) -> tuple[str, ...]:
    """Return what is not there and why: sizes that failed, folds and real rows that the time was too short for."""
    said = [f"N = {n} has no point: {reason}" for n, reason in failed.items()]
    if folds[0] < folds[1]:
        said.append(f"The time was enough for {folds[0]} of {folds[1]} folds; the limits are wider for it.")
    if unmeasured:
        said.append(f"The time was too short for real rows at N = {', '.join(map(str, unmeasured))}.")
    return tuple(said)
