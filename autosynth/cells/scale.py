"""The scale on which a number is cut into bins and compared with other numbers: its place among the real rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

MAX_KNOTS = 2_048  # values that carry the curve; more would be stored without making rows better
MIN_SPIKE_ROWS = 3
JUMP = 1e-9  # width on the share axis of the step from a spike to its neighbour


@dataclass(frozen=True)
class Scale:
    """A rising curve through the observed values: value against the weighted share of rows below it.

    Attributes
    ----------
    values, shares : ndarray of shape (n_knots,)
        The curve; between knots it is straight, and flat in ``shares`` nowhere.  A value that many rows share (a
        spike) takes two knots with the same value.
    observed, middles : ndarray of shape (n_observed,)
        Observed values and the share at the middle of each.
    edges : ndarray of shape (n_bins + 1,)
        Bins as shares, from 0 to 1; a spike fills a bin of its own.
    points : ndarray of shape (n_bins,)
        The middle of a bin that holds a spike, as a share; NaN for the other bins.
    """

    values: Floats
    shares: Floats
    observed: Floats
    middles: Floats
    edges: Floats
    points: Floats

    @classmethod
    def learn(cls, numbers: Floats, weights: Floats, *, max_bins: int, one_bin_per_value: bool = False) -> Scale:
        """Fit the curve and the bins.

        Parameters
        ----------
        numbers : ndarray of shape (n_rows,)
            Without missing values; at least one.
        weights : ndarray of shape (n_rows,)
            What each row counts; above 0.
        max_bins : int
            Bins of equal weight, spikes aside.
        one_bin_per_value : bool
            A bin for every distinct value instead.
        """
        observed, position, counts = np.unique(numbers, return_inverse=True, return_counts=True)
        mass = np.bincount(position, weights=weights) / weights.sum()
        is_spike = (mass >= 1.0 / max_bins) & (counts >= MIN_SPIKE_ROWS) | one_bin_per_value
        upper = np.cumsum(mass)
        upper[-1] = 1.0
        lower = np.concatenate([[0.0], upper[:-1]])
        ends = _bin_ends(mass, upper, is_spike, max_bins)
        edges = np.concatenate([[0.0], upper[ends]])
        kept = _thinned(is_spike)
        middles = (lower + upper) / 2
        values, shares = _curve(observed[kept], lower[kept], middles[kept], upper[kept], is_spike[kept])
        points = np.where(is_spike[ends], middles[ends], np.nan)
        return cls(values, shares, observed[kept], middles[kept], edges, points)

    @property
    def n_bins(self) -> int:
        """How many bins there are."""
        return len(self.edges) - 1

    @property
    def score_edges(self) -> Floats:
        """The edges as normal scores, from minus to plus infinity."""
        return np.asarray(ndtri(self.edges), dtype=np.float64)

    @property
    def score_points(self) -> Floats:
        """The points as normal scores."""
        return np.asarray(ndtri(self.points), dtype=np.float64)

    def to_shares(self, numbers: Floats) -> Floats:
        """Return the place of every number, above 0 and below 1."""
        return np.interp(numbers, self.observed, self.middles)

    def to_scores(self, numbers: Floats) -> Floats:
        """Return normal scores: the standard normal quantile of every number's place."""
        return np.asarray(ndtri(self.to_shares(numbers)), dtype=np.float64)

    def to_bins(self, numbers: Floats) -> npt.NDArray[np.int64]:
        """Return the bin of every number."""
        return np.searchsorted(self.edges[1:-1], self.to_shares(numbers), side="right").astype(np.int64)

    def to_numbers(self, bins: npt.NDArray[np.int64], shares: Floats) -> Floats:
        """Return the number at every place, moved into its bin where it lies outside."""
        low, high = self.edges[bins], self.edges[bins + 1]
        margin = np.minimum(2 * JUMP, (high - low) / 4)  # to stay on this side of a spike's step
        return np.interp(np.clip(shares, low + margin, high - margin), self.shares, self.values)

    def draw_shares(self, bins: npt.NDArray[np.int64], rng: np.random.Generator) -> Floats:
        """Return a random place inside every bin."""
        low, high = self.edges[bins], self.edges[bins + 1]
        return np.asarray(low + (high - low) * rng.random(len(bins)), dtype=np.float64)


def shares_of(scores: Floats) -> Floats:
    """Return the places of normal scores."""
    return np.asarray(ndtr(scores), dtype=np.float64)


def _bin_ends(mass: Floats, upper: Floats, is_spike: npt.NDArray[np.bool_], max_bins: int) -> npt.NDArray[np.int64]:
    """Return the position of the last value of every bin: each spike alone, the runs between them in equal parts."""
    run = np.cumsum(is_spike | np.concatenate([[False], is_spike[:-1]]))  # a number for every spike and every run
    run -= run[0]
    run_mass = np.bincount(run, weights=mass)[run]
    run_start = np.cumsum(mass) - mass
    run_start = run_start[np.searchsorted(run, run)]
    n_parts = np.where(is_spike, 1, np.maximum(1, np.round(run_mass * max_bins))).astype(np.int64)
    inside = (upper - mass / 2 - run_start) / run_mass
    part = np.minimum((inside * n_parts).astype(np.int64), n_parts - 1)
    is_last = np.concatenate([(np.diff(run) != 0) | (np.diff(part) != 0), [True]])
    return np.flatnonzero(is_last)


def _thinned(is_spike: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the positions of the values that carry the curve: spikes, the ends, and evenly many others."""
    n_values = len(is_spike)
    if n_values <= MAX_KNOTS:
        return np.arange(n_values)
    even = np.linspace(0, n_values - 1, MAX_KNOTS).round().astype(np.int64)
    spikes = np.flatnonzero(is_spike)
    beside = np.concatenate([spikes - 1, spikes, spikes + 1])  # no value may appear between a spike and its neighbour
    return np.unique(np.concatenate([even, np.clip(beside, 0, n_values - 1)]))


def _curve(
    observed: Floats, lower: Floats, middles: Floats, upper: Floats, is_spike: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return the knots: the middle of every value, both ends of a spike, and a step next to it."""
    after_spike = np.concatenate([[False], is_spike[:-1]]) & ~is_spike
    before_spike = np.concatenate([is_spike[1:], [False]]) & ~is_spike
    blocks = [
        (observed[after_spike], lower[after_spike] + JUMP),
        (observed[~is_spike], middles[~is_spike]),
        (observed[before_spike], upper[before_spike] - JUMP),
        (observed[is_spike], lower[is_spike] + JUMP),
        (observed[is_spike], upper[is_spike] - JUMP),
    ]
    values = np.concatenate([block[0] for block in blocks])
    shares = np.concatenate([block[1] for block in blocks])
    order = np.argsort(shares, kind="stable")
    return values[order], shares[order]
