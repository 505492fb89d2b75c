"""Fidelity: how close the distributions of synthetic rows are to the real ones, judged inside each group.

Rebalancing changes the mix of groups on purpose, so a comparison over all rows would find a difference where none is
wrong.  Limits leave room for sampling noise, so that small groups do not fail for being small.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.checks.group_summary import weighted_mean
from autosynth.checks.noise import Noise, level_of_each
from autosynth.checks.result import CheckResult, Offender
from autosynth.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from autosynth.checks.family import Context
    from autosynth.checks.group_summary import GroupSummary
    from autosynth.checks.summary import ColumnSummary, NullDistance
    from autosynth.schema import ColumnSchema

    Codes = npt.NDArray[np.int64]

COLUMN_TOLERANCE = 0.15  # distance of one column that is let pass beyond sampling noise
NUMBER_TOLERANCE = 0.06  # mean distance of number-like columns, likewise
CATEGORY_TOLERANCE = 0.1  # mean distance of other columns, likewise
SAYS_LITTLE = 0.5  # a limit above it is said to be one that little could exceed
N_OFFENDERS = 5


def kolmogorov_smirnov_distance(real: npt.NDArray[np.float64], synthetic: npt.NDArray[np.float64]) -> float:
    """Return how far apart two samples of numbers are, from 0 (same distribution) to 1 (disjoint).

    Parameters
    ----------
    real, synthetic : ndarray of shape (n_real,) and (n_synthetic,)
        Numbers without NaN; the lengths may differ.

    Returns
    -------
    float
        The largest difference of the two empirical distribution functions; no unit.

    Raises
    ------
    DataError
        If either sample is empty.

    References
    ----------
    Conover. Practical Nonparametric Statistics, 3rd ed., 1999. Section 6.3.

    Examples
    --------
    >>> kolmogorov_smirnov_distance(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.5
    """
    _refuse_empty(real, synthetic)
    points = np.concatenate([real, synthetic])
    real_share = np.searchsorted(np.sort(real), points, side="right") / len(real)
    synthetic_share = np.searchsorted(np.sort(synthetic), points, side="right") / len(synthetic)
    return float(np.abs(real_share - synthetic_share).max())


def total_variation_distance(real: pd.Series[Any], synthetic: pd.Series[Any]) -> float:
    """Return how far apart two categorical columns are, from 0 (same shares) to 1 (disjoint).

    Parameters
    ----------
    real, synthetic : Series of shape (n_real,) and (n_synthetic,)
        Category values; the lengths may differ.  A missing value counts as a category.

    Returns
    -------
    float
        Half the summed absolute difference of shares; no unit.

    Raises
    ------
    DataError
        If either column is empty.

    References
    ----------
    Levin, Peres, Wilmer. Markov Chains and Mixing Times, 2nd ed., 2017. Proposition 4.2.

    Examples
    --------
    >>> round(total_variation_distance(pd.Series(["a", "a", "b"]), pd.Series(["b", "b", "b"])), 3)
    0.667
    """
    _refuse_empty(real, synthetic)
    codes, values = pd.factorize(pd.concat([real.astype(object), synthetic.astype(object)]), use_na_sentinel=False)
    shares = [np.bincount(part, minlength=len(values)) / len(part) for part in (codes[: len(real)], codes[len(real) :])]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def column_distance(real: pd.Series[Any], synthetic: pd.Series[Any], column: ColumnSchema) -> float:
    """Return the distance of one column, 0 to 1: Kolmogorov-Smirnov for number-like kinds, else total variation.

    For number-like kinds, missing values count by the difference of their rates, whichever of the two is larger.
    """
    if not column.is_number_like:
        return total_variation_distance(real, synthetic)
    numbers = [column.to_float(values) for values in (real, synthetic)]
    present = [values[~np.isnan(values)] for values in numbers]
    missing_rates = [1 - len(some) / len(values) for some, values in zip(present, numbers, strict=True)]
    missing_gap = abs(missing_rates[0] - missing_rates[1])
    if not len(present[0]) or not len(present[1]):
        return missing_gap
    return max(missing_gap, kolmogorov_smirnov_distance(present[0], present[1]))


def check_marginals(context: Context, group_code: int) -> list[CheckResult]:
    """Return two checks of a group: the mean distance of its columns, and its farthest column.

    The mean sees a small shift of all columns that no single column shows; the farthest column sees a fault of one that
    drowns in the mean.
    """
    summary, reference = context.reference.summaries[group_code], context.reference
    group, cells = str(reference.groups[group_code]), context.cells(group_code)
    n_real, n_made = reference.group_sizes[group_code], int((context.batch.group_codes == group_code).sum())
    if summary is None or not n_made:
        why = f"{n_real} real row{'s' * (n_real > 1)}, {n_made} synthetic"
        return [_result(name, group, 0.0, 1.0, why) for name in ("marginal_fidelity", "farthest_column")]
    if not summary.columns:
        return []
    shifts = [_unseen_share(context, column, group_code) for column in summary.columns]
    counts = [np.bincount(cells[:, place], minlength=column.n_cells) for place, column in enumerate(summary.columns)]
    level = level_of_each(len(reference.groups))
    return [_mean_check(summary, group, counts, shifts, level), _farthest(summary, group, counts, shifts, level)]


def _unseen_share(context: Context, column: ColumnSummary, group_code: int) -> float:
    """Return the share of fresh real rows that hold a category which no real row of the group's column holds.

    Such rows are refused and so are not among those compared, while rare categories of the real rows are: the two
    differ by about this much.  It is about the share of real rows whose category no other has (Good and Turing).
    """
    reference = context.reference
    tally = next(some for some in reference.tallies if some.name == column.name)
    return tally.n_single[group_code] / reference.group_sizes[group_code] if tally.n_single else 0.0


def _mean_check(
    summary: GroupSummary, group: str, counts: Sequence[Codes], shifts: Sequence[float], level: float
) -> CheckResult:
    """Return the verdict on the mean distance of numbers, or of categories, whichever is nearer to its limit.

    Were they taken together, many categories would hide a shift of a few numbers.
    """
    n_made = int(counts[0].sum())
    distances = [column.distance(made) for column, made in zip(summary.columns, counts, strict=True)]
    means: list[tuple[float, float, str]] = []  # (observed, limit, words)
    kinds = (
        (True, summary.number_null, NUMBER_TOLERANCE, "number"),
        (False, summary.category_null, CATEGORY_TOLERANCE, "category"),
    )
    for is_number, null, tolerance, kind in kinds:
        places = [
            place for place, column in enumerate(summary.columns) if column.is_number is is_number and column.weight
        ]
        if not places:
            continue
        mean, shift = (
            float(weighted_mean(np.asarray(some), summary.columns, is_number=is_number)) for some in (distances, shifts)
        )
        noise = _mean_noise(summary, places, null, n_made, level / 2)
        limit = noise.plus(shift).limit(tolerance)
        columns = f"{len(places)} {kind} column{'s' * (len(places) > 1)}"
        means.append((mean, limit, f"mean distance of {columns} is {mean:.3f}, allowed {limit:.3f}"))
    if not means:
        return _result("marginal_fidelity", group, 0.0, 1.0, f"{summary.n_rows} real rows hold no value")
    means.sort(key=lambda entry: entry[1] - entry[0])
    message = "; ".join(words for _, _, words in means) + f" ({summary.n_rows} real rows, {n_made} synthetic)"
    worst = np.argsort(-np.asarray(distances), kind="stable")[:N_OFFENDERS].tolist()
    offenders = tuple(Offender(str(summary.columns[place].name), distances[place], math.nan) for place in worst)
    least = min(limit for _, limit, _ in means)
    return _result("marginal_fidelity", group, means[0][0], means[0][1], message, offenders, least=least)


def _mean_noise(
    summary: GroupSummary, places: Sequence[int], null: NullDistance | None, n_made: int, level: float
) -> Noise:
    """Return the noise of the mean distance of some columns: as measured on halves, or an upper bound without them."""
    columns = [summary.columns[place] for place in places]
    if null is not None:
        return null.noise(
            summary.n_rows,
            n_made,
            level,
            lambda n_real, n_made: sum(some.weight * some.mean_noise(n_real, n_made) for some in columns),
        )
    noises = [some.noise(some.n_telling(summary.n_rows), some.n_telling(n_made), level) for some in columns]
    weights = [some.weight for some in columns]
    bias, deviation = (
        float(np.average([getattr(one, part) for one in noises], weights=weights)) for part in ("bias", "deviation")
    )
    return Noise(bias, deviation)


def _farthest(
    summary: GroupSummary, group: str, counts: Sequence[Codes], shifts: Sequence[float], level: float
) -> CheckResult:
    n_made = int(counts[0].sum())
    gaps = [gap for column, made in zip(summary.columns, counts, strict=True) for gap in column.gaps(made)]
    each, shift_of = level / len(gaps), dict(zip((column.name for column in summary.columns), shifts, strict=True))
    limits = [gap.noise(each).plus(shift_of[gap.column.name]).limit(COLUMN_TOLERANCE) for gap in gaps]
    excess = [limit - gap.distance for gap, limit in zip(gaps, limits, strict=True)]
    worst = np.argsort(excess, kind="stable")[:N_OFFENDERS].tolist()
    offenders = tuple(Offender(gaps[place].name, gaps[place].distance, limits[place]) for place in worst)
    first = offenders[0]
    message = (
        f"{first.name}: distance {first.observed:.3f}, allowed {first.limit:.3f} "
        f"({summary.n_rows} real rows, {n_made} synthetic)"
    )
    return _result("farthest_column", group, first.observed, first.limit, message, offenders, least=min(limits))


def _result(
    name: str,
    group: str,
    observed: float,
    limit: float,
    message: str,
    offenders: tuple[Offender, ...] = (),
    *,
    least: float = 1.0,
) -> CheckResult:
    """Return a result; where ``least``, the smallest distance that could fail, is no less than 1, it is skipped."""
    if least >= 1:
        message += "; so few rows can show no difference"
    elif least > SAYS_LITTLE:
        message += f"; so few rows can show a distance above {least:.2f} only"
    return CheckResult(
        name=name,
        subject=group,
        passed=observed <= limit,
        observed=observed,
        limit=limit,
        message=message,
        offenders=offenders,
        skipped=least >= 1,
    )


def _refuse_empty(real: Any, synthetic: Any) -> None:
    if not len(real) or not len(synthetic):
        raise DataError(
            f"cannot compare {len(real)} real with {len(synthetic)} synthetic values. Both need at least one."
        )
