"""Noise for numbers: how far a drawn number may move, and which numbers must stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autosynth_independent.donors import Codes

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth import ColumnSchema

    Numbers = npt.NDArray[np.float64]

MAX_LEVELS = 20  # a number with no more distinct values than this is a code or a count, and stays as it is
MIN_ROWS_PER_LEVEL = 5  # fewer rows per distinct value do not prove that the values between them do not occur
MAX_OCCUPANCY = 0.1  # of the steps between minimum and maximum; values that repeat but fill fewer are codes
SPIKE_SHARE = 0.05  # of the rows; a value with fewer is no spike
SPIKE_FACTOR = 5.0  # nor is one with fewer rows than this many times the average of a value
MIN_ROWS_FOR_SPREAD = 5  # a group with fewer numbers takes the spread of the whole table


@dataclass(frozen=True)
class Kernel:
    """The numbers of the real rows with the noise that each may get.

    Attributes
    ----------
    numbers : ndarray of float, shape (n_rows,)
        On the number line of the column; NaN where the value is missing.
    widths : ndarray of float, shape (n_rows,)
        Standard deviation of the noise; 0 for a value that must stay.
    low, high : ndarray of float, shape (n_rows,)
        Limits that the noise does not cross.
    """

    numbers: Numbers
    widths: Numbers
    low: Numbers
    high: Numbers

    @classmethod
    def learn(
        cls, numbers: Numbers, column: ColumnSchema, groups: Codes, leagues: Codes, jitter: float
    ) -> Kernel | None:
        """Find bandwidths, spikes and limits; None where no number of the column may move.

        Parameters
        ----------
        numbers : ndarray of float, shape (n_rows,)
            The column, NaN where missing.
        column : ColumnSchema
            Gives the resolution.
        groups, leagues : ndarray of int, shape (n_rows,)
            The group of every row, for the bandwidth, and its league, for the limits: numbers stay within what was
            observed in it, apart from its spikes.
        jitter : float
            Factor on the bandwidth.
        """
        moves = ~np.isnan(numbers)
        for classes in (np.zeros_like(groups), groups):
            moves &= ~is_spike(numbers, classes)
        if jitter == 0 or is_discrete(numbers[moves], column.resolution):
            return None
        widths = np.zeros(len(numbers))
        widths[moves] = jitter * bandwidths(numbers[moves], groups[moves])[groups[moves]]
        by_league = pd.Series(numbers[moves]).groupby(leagues[moves])
        low, high = (by_league.agg(name).reindex(leagues).to_numpy() for name in ("min", "max"))
        return cls(numbers, widths, low, high)

    def draw(self, donors: Codes, rng: np.random.Generator) -> Numbers:
        """Return the numbers of the donors with noise, reflected at the limits so that none piles up there."""
        drawn, widths = self.numbers[donors], self.widths[donors]
        moved = np.flatnonzero((widths > 0) & ~np.isnan(drawn))
        low, high = self.low[donors[moved]], self.high[donors[moved]]
        noisy = drawn[moved] + widths[moved] * rng.normal(size=len(moved))
        noisy = np.where(noisy < low, 2 * low - noisy, noisy)
        noisy = np.where(noisy > high, 2 * high - noisy, noisy)
        drawn[moved] = np.clip(noisy, low, high)
        return drawn


def is_spike(numbers: Numbers, classes: Codes) -> npt.NDArray[np.bool_]:
    """Return which numbers are a spike of their class: far more frequent in it than its other values, such as a zero.

    Parameters
    ----------
    numbers : ndarray of float, shape (n_rows,)
        A missing one (NaN) is no spike.
    classes : ndarray of int, shape (n_rows,)
        Where to look: the group of every row, or 0 for the whole table.

    Examples
    --------
    >>> amounts = np.concatenate([np.zeros(50), np.linspace(10, 90, 30)])
    >>> int(is_spike(amounts, np.zeros(80, dtype=np.int64)).sum())
    50
    """
    spikes = np.zeros(len(numbers), dtype=bool)
    present = np.flatnonzero(~np.isnan(numbers))
    if not len(present):
        return spikes
    values, distinct = pd.factorize(numbers[present])
    cells, of_row = np.unique(classes[present] * len(distinct) + values, return_inverse=True)
    n_equal = np.bincount(of_row)[of_row]
    n_rows, n_values = np.bincount(classes[present]), np.bincount(cells // len(distinct))
    own = classes[present]
    is_common = n_equal >= SPIKE_SHARE * n_rows[own]
    spikes[present] = is_common & (n_equal >= SPIKE_FACTOR * n_rows[own] / n_values[own])
    return spikes


def is_discrete(numbers: Numbers, resolution: float | None) -> bool:
    """Return whether values between the observed ones are not to be expected: flags, counts, grades, codes.

    Parameters
    ----------
    numbers : ndarray of float, shape (n_rows,)
        Without missing values and spikes.
    resolution : float or None
        Step on which the numbers lie; None for continuous ones.

    Examples
    --------
    >>> is_discrete(np.array([0.0, 1.0, 1.0]), 1.0), is_discrete(np.arange(18.0, 90.0), 1.0)
    (True, False)
    """
    n_distinct = len(np.unique(numbers))
    if n_distinct <= 2:
        return True
    repeats = len(numbers) >= MIN_ROWS_PER_LEVEL * n_distinct
    if n_distinct <= MAX_LEVELS and (repeats or resolution is not None):
        return True
    n_steps = (numbers.max() - numbers.min()) / resolution + 1 if resolution else np.inf
    return bool(repeats and n_distinct <= MAX_OCCUPANCY * n_steps)


def bandwidths(numbers: Numbers, groups: Codes) -> Numbers:
    """Return Silverman's robust bandwidth 0.9 min(s, IQR / 1.34) n^(-1/5) of every group up to the last one.

    A group with too few numbers to tell its spread takes the spread of the whole table, at its own n.

    Parameters
    ----------
    numbers : ndarray of float, shape (n_rows,)
        Without missing values.
    groups : ndarray of int, shape (n_rows,)
        The group of every row.

    Returns
    -------
    ndarray of float, shape (groups.max() + 1,)
        In the unit of the numbers.

    References
    ----------
    Silverman. Density Estimation for Statistics and Data Analysis, 1986. Equation 3.31.
    """
    n_numbers = np.bincount(groups)
    by_group = pd.Series(numbers).groupby(groups)
    spread = _spread(by_group.std(), by_group.quantile(0.75) - by_group.quantile(0.25))
    overall = pd.Series(numbers)
    of_all = _spread(pd.Series([overall.std()]), pd.Series([overall.quantile(0.75) - overall.quantile(0.25)])).iloc[0]
    spread = spread.reindex(range(len(n_numbers))).where(n_numbers >= MIN_ROWS_FOR_SPREAD, of_all)
    return 0.9 * spread.to_numpy() * np.maximum(n_numbers, 1) ** -0.2


def _spread(deviation: pd.Series[float], quartile_range: pd.Series[float]) -> pd.Series[float]:
    robust = quartile_range / 1.34
    return deviation.where((robust == 0) | (deviation < robust), robust)
