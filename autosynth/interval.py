"""Interval: a value with the limits it may lie in, and the ways from bootstrap draws to those limits.

Draws are arrays whose row 0 is the value on the rows as they are and whose other rows are bootstrap replicates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]

__all__ = [
    "Interval",
    "gap_interval",
    "normal_interval",
    "percentile_interval",
    "pivotal_interval",
    "widest_interval",
    "wilson_interval",
    "worst_interval",
]


@dataclass(frozen=True)
class Interval:
    """A measured value and its confidence limits; NaN where the value or the limits are undefined.

    Examples
    --------
    >>> print(Interval(0.25, 0.2, 0.3125))
    0.250 [0.200, 0.312]
    """

    value: float
    low: float = math.nan
    high: float = math.nan

    @property
    def excludes_zero(self) -> bool:
        """True when both limits lie on the same side of zero; False when they are undefined."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def percentile_interval(draws: Floats, level: float) -> Interval:
    """Return the central share ``level`` of the replicates; replicates that are NaN are left out."""
    replicates = draws[1:][np.isfinite(draws[1:])]
    if len(replicates) < 2:
        return Interval(float(draws[0]))
    low, high = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(draws[0]), float(low), float(high))


def pivotal_interval(draws: Floats, level: float, *, floor: float = -math.inf, ceiling: float = math.inf) -> Interval:
    """Return the percentile limits mirrored at the value: undoes the bias of a statistic that noise can only raise.

    The value lies within them: where the bias exceeds the spread, the limit that would pass it stops there.  For a
    calibration error of 0.03 to 0.07 on 150 to 3000 rows, 200 simulated tables each, nominal 95 % limits held the truth
    in 83 to 93 % of tables and percentile limits in 0 to 92 %; for a perfectly calibrated model in 52 % against none.

    References
    ----------
    Davison, Hinkley. Bootstrap Methods and their Application, 1997. Section 5.2.1, the basic bootstrap limits.
    """
    interval = percentile_interval(draws, level)
    if math.isnan(interval.low):
        return interval
    value = interval.value
    low, high = min(value, 2 * value - interval.high), max(value, 2 * value - interval.low)
    return Interval(value, _clip(low, floor, ceiling), _clip(high, floor, ceiling))


def widest_interval(draws: Floats, level: float) -> Interval:
    """Return the hull of the percentile and the pivotal limits, for a difference of two maxima."""
    percentile, pivotal = percentile_interval(draws, level), pivotal_interval(draws, level)
    return Interval(percentile.value, min(percentile.low, pivotal.low), max(percentile.high, pivotal.high))


def normal_interval(draws: Floats, level: float, *, floor: float = -math.inf, ceiling: float = math.inf) -> Interval:
    """Return value +- z * spread of the replicates: steadier than percentiles when replicates are few."""
    replicates = draws[1:][np.isfinite(draws[1:])]
    if len(replicates) < 2:
        return Interval(float(draws[0]))
    reach = _normal_quantile(level) * float(replicates.std(ddof=1))
    value = float(draws[0])
    return Interval(value, _clip(value - reach, floor, ceiling), _clip(value + reach, floor, ceiling))


def wilson_interval(n_hits: int, n_rows: int, level: float) -> Interval:
    """Return a share with Wilson's limits, which stay honest where a bootstrap of twelve hits in twelve has no width.

    References
    ----------
    Wilson. Probable inference, the law of succession, and statistical inference. JASA 22, 1927.

    Examples
    --------
    >>> print(wilson_interval(12, 12, 0.95))
    1.000 [0.758, 1.000]
    """
    if n_rows == 0:
        return Interval(math.nan)
    z = _normal_quantile(level)
    share = n_hits / n_rows
    centre = (share + z**2 / (2 * n_rows)) / (1 + z**2 / n_rows)
    reach = z / (1 + z**2 / n_rows) * math.sqrt(share * (1 - share) / n_rows + z**2 / (4 * n_rows**2))
    # Rounding must not push a limit past the share itself at 0 and at 1.
    return Interval(share, max(0.0, min(centre - reach, share)), min(1.0, max(centre + reach, share)))


# Why the worst group and the gap have intervals of their own.  They are maxima, so noise in any small cell can only
# raise them: every replicate adds noise to values that hold noise already, and percentile limits lie too high.
# Coverage of nominal 95 % limits, 400 simulated tables each, losses skewed like cross-entropy:
#                                                    worst group                        gap
#                                           percentile  pivotal  BC    band   percentile  pivotal  band
#   4 cells x 40 rows, equal risks             0.57      0.96    0.82  1.00      0.00      0.85    0.97
#   2000/400/60/30 rows, equal risks           0.59      0.99    0.74  1.00      0.00      0.91    0.93
#   2000/400/60/30 rows, smallest cell worst   0.95      0.89    0.91  0.98      0.96      0.89    0.99
#   4 cells x 1000 rows, one clearly worst     0.95      0.95    0.95  0.97      0.95      0.95    0.97
# Bias-corrected (BC) limits move to the edge of the replicates and still miss.  The band is the only one that never
# falls far below its level, at the price of limits 11 to 46 % wider.
# `tests/core/test_interval.py` repeats the first line.


def worst_interval(draws: Floats, level: float) -> Interval:
    """Return the largest column's value with band limits that noise in small cells does not push upwards.

    The lower limit is the largest of simultaneous lower limits, one per cell, as any cell may look worst by chance.
    The upper limit is the largest of the cells' own upper limits, which holds as the truly worst cell is below its own.

    Parameters
    ----------
    draws : array of shape (1 + n_replicates, n_cells)
        Risks of the cells; row 0 on the rows as they are.
    level : float
        Confidence level in (0, 1); the limits hold at least that often, up to the error of the bootstrap.
    """
    values, replicates = draws[0], draws[1:]
    value = float(values.max())
    if len(replicates) < 2 or not np.isfinite(replicates).all():
        return Interval(value)
    spread = replicates.std(axis=0, ddof=1)
    excess = _standardised(replicates - values, spread).max(axis=1)
    reach = max(0.0, float(np.quantile(excess, (1 + level) / 2)))
    high = np.quantile(replicates, (1 + level) / 2, axis=0).max()
    return Interval(value, float((values - reach * spread).max()), max(value, float(high)))


def gap_interval(draws: Floats, level: float) -> Interval:
    """Return largest minus smallest column with band limits, as in `worst_interval`, over all pairs of cells.

    The lower limit is 0 where the cells cannot be told apart.
    """
    values, replicates = draws[0], draws[1:]
    value = float(values.max() - values.min())
    if len(replicates) < 2 or not np.isfinite(replicates).all():
        return Interval(value)
    excess = np.zeros(len(replicates))
    spreads = np.empty((len(values), len(values)))
    high = value
    for cell in range(len(values)):  # one cell against all others at a time keeps memory at the size of the draws
        differences = replicates[:, [cell]] - replicates
        spreads[cell] = differences.std(axis=0, ddof=1)
        standardised = _standardised(differences - (values[cell] - values), spreads[cell])
        np.maximum(excess, standardised.max(axis=1), out=excess)
        high = max(high, float(np.quantile(differences, (1 + level) / 2, axis=0).max()))
    reach = float(np.quantile(excess, (1 + level) / 2))
    low = float((values[:, None] - values - reach * spreads).max())
    return Interval(value, max(0.0, low), high)


def _standardised(deviations: Floats, spread: Floats) -> Floats:
    return np.divide(deviations, spread, out=np.zeros_like(deviations), where=spread > 0)


def _normal_quantile(level: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf((1 + level) / 2)


def _clip(number: float, floor: float, ceiling: float) -> float:
    return min(max(number, floor), ceiling)
