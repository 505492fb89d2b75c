"""Fidelity: how close the distributions of synthetic rows are to the real ones, judged inside each group.

Rebalancing changes the mix of groups on purpose, so a comparison over all rows would find a difference where none is
wrong.  Limits leave room for sampling noise, so that small groups do not fail for being small.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.checks.result import CheckResult
from autosynth.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from autosynth.schema import ColumnSchema
    from autosynth.table import Table

COLUMN_TOLERANCE = 0.35  # distance of one column that is let pass beyond sampling noise
MEAN_TOLERANCE = 0.2  # mean distance over all columns, likewise
FALSE_ALARM_RATE = 0.01  # over all column tests of a group together


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


def sampling_noise(n_real: int, n_synthetic: int, n_values: int, n_tests: int) -> float:
    """Return the distance that two samples of one distribution stay below, but for FALSE_ALARM_RATE over all tests.

    For numbers (``n_values`` = 2) the Kolmogorov-Smirnov bound sqrt(ln(2 t / a) / 2 · (1/n + 1/m)); for categories the
    mean of the total variation distance, at most sqrt((k - 1) (1/n + 1/m)) / 2, is added (by Cauchy-Schwarz and
    McDiarmid's inequality).
    """
    spread = 1 / n_real + 1 / n_synthetic
    deviation = math.sqrt(math.log(2 * n_tests / FALSE_ALARM_RATE) / 2 * spread)
    return deviation + (math.sqrt((n_values - 1) * spread) / 2 if n_values > 2 else 0.0)


def check_fidelity(table: Table, synthetic: pd.DataFrame, group_codes: npt.NDArray[np.int64]) -> list[CheckResult]:
    """Return two checks per group that has synthetic rows: its mean distance, and its farthest column.

    Parameters
    ----------
    table : Table
        The real rows.
    synthetic : DataFrame of shape (n_synthetic, n_columns)
        In the dtypes of the table.
    group_codes : ndarray of shape (n_synthetic,)
        Position of each synthetic row's group in ``table.groups``.
    """
    columns = [
        column for column in table.schema.columns if column.name not in table.fixed_columns and column.kind != "text"
    ]
    results: list[CheckResult] = []
    for code in np.unique(group_codes).tolist():
        group = table.groups[code]
        real = table.frame.iloc[table.positions(group)]
        made = synthetic.iloc[np.flatnonzero(group_codes == code)]
        distances = [column_distance(real[column.name], made[column.name], column) for column in columns]
        if distances:
            results += _judge(str(group), len(real), len(made), columns, distances)
    return results


def _judge(
    group: str, n_real: int, n_synthetic: int, columns: Sequence[ColumnSchema], distances: Sequence[float]
) -> list[CheckResult]:
    noise = [
        sampling_noise(n_real, n_synthetic, 2 if column.is_number_like else column.n_distinct + 1, len(columns))
        for column in columns
    ]
    excess = [distance - allowed for distance, allowed in zip(distances, noise, strict=True)]
    worst = int(np.argmax(excess))
    worst_limit = min(1.0, COLUMN_TOLERANCE + noise[worst])
    mean, mean_limit = float(np.mean(distances)), min(1.0, MEAN_TOLERANCE + float(np.mean(noise)))
    sizes = f"{n_real} real rows, {n_synthetic} synthetic"
    return [
        CheckResult(
            name="marginal_fidelity",
            subject=group,
            passed=mean <= mean_limit,
            observed=mean,
            limit=mean_limit,
            message=f"mean distance of {len(columns)} columns is {mean:.3f}, allowed {mean_limit:.3f} ({sizes})",
        ),
        CheckResult(
            name="farthest_column",
            subject=group,
            passed=distances[worst] <= worst_limit,
            observed=distances[worst],
            limit=worst_limit,
            message=f"{columns[worst].name}: distance {distances[worst]:.3f}, allowed {worst_limit:.3f} ({sizes})",
        ),
    ]


def _refuse_empty(real: Any, synthetic: Any) -> None:
    if not len(real) or not len(synthetic):
        raise DataError(
            f"cannot compare {len(real)} real with {len(synthetic)} synthetic values. Both need at least one."
        )
