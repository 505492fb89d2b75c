"""Summary: the distribution of every column within a group of real rows, without the rows.

A column is cut into cells; for categories, the most frequent values have one each, for numbers see
:mod:`autosynth.checks.cuts`.  What is kept is how many rows fall into each cell.  From that, the Kolmogorov-Smirnov
distance is exact where every value has a cell of its own, and otherwise a lower bound that misses less than the share
of the fullest cell between two edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.checks.cuts import MIN_CELL_ROWS, cut_edges
from autosynth.checks.noise import (
    Noise,
    kolmogorov_deviations,
    level_noise,
    mean_level_noise,
    mean_number_noise,
    number_noise,
    spread,
)
from autosynth.checks.parts import Parts
from autosynth.exceptions import DataError
from autosynth.schema import plain
from autosynth.state import value_from_state, value_to_state

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import numpy.typing as npt

    from autosynth.schema import ColumnSchema

    Codes = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

N_SPLITS = 60  # of the real rows into random halves
MAX_LEVELS = 50
MIN_LEVEL_ROWS = MIN_CELL_ROWS  # in the whole table; rarer values are taken together
MIN_GROUP_ROWS = 5  # of fewer rows, a summary would show the rows themselves, and could show no fault


@dataclass(frozen=True)
class ColumnSummary:
    """How many rows of a group fall into each cell of a column.

    Attributes
    ----------
    name : Hashable
        The column.
    edges : tuple of float, or None
        Number-like columns: rising numbers on the number line of the schema, each either a value that many rows hold or
        a cut between two values.  With k of them there are 2 k + 1 cells: below the first, at the first, between the
        first and the second, and so on.
    levels : tuple, or None
        Other columns: the values that have a cell of their own; one more cell takes all others.
    counts : tuple of int
        Rows in each cell; the last number counts missing values.

    Examples
    --------
    >>> from autosynth.schema import infer_column
    >>> values = pd.Series([1.0] * 5 + [2.0] * 10 + [None] * 5, name="x")
    >>> summary = ColumnSummary.of(values, infer_column(values))
    >>> summary.edges, summary.counts
    ((1.0, 2.0), (0, 5, 0, 10, 0, 5))
    >>> round(summary.distance(summary.count(pd.Series([2.0, 2.5, 3.0, None]), infer_column(values))), 3)
    0.667
    """

    name: Hashable
    edges: tuple[float, ...] | None
    levels: tuple[Any, ...] | None
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: pd.Series[Any], column: ColumnSchema, levels: Sequence[Any] = ()) -> ColumnSummary:
        """Summarise a column of a group; the levels are those of :func:`frequent_levels`."""
        if column.is_number_like:
            numbers = column.to_float(values)
            empty = cls(column.name, cut_edges(numbers[~np.isnan(numbers)]), None, ())
        else:
            empty = cls(column.name, None, tuple(levels), ())
        return replace(empty, counts=tuple(empty.count(values, column).tolist()))

    @property
    def is_number(self) -> bool:
        """Whether the column is number-like."""
        return self.edges is not None

    @property
    def n_cells(self) -> int:
        """How many cells there are, the one of missing values among them."""
        return 2 * len(self.edges) + 2 if self.edges is not None else len(self.levels or ()) + 2

    @property
    def n_rows(self) -> int:
        """How many rows were summarised."""
        return sum(self.counts)

    def codes(self, values: pd.Series[Any], column: ColumnSchema) -> Codes:
        """Return the cell of every value, shape (n_rows,)."""
        if self.edges is None:
            found = pd.Index(list(self.levels or ()), dtype=object).get_indexer(
                pd.Index(values.astype(object), dtype=object)
            )
            found = np.where(found < 0, self.n_cells - 2, found)
            return np.where(values.isna().to_numpy(dtype=bool), self.n_cells - 1, found).astype(np.int64)
        numbers = column.to_float(values)
        edges = np.asarray(self.edges)
        places = np.searchsorted(edges, numbers, side="left") + np.searchsorted(edges, numbers, side="right")
        return np.where(np.isnan(numbers), self.n_cells - 1, places).astype(np.int64)

    def count(self, values: pd.Series[Any], column: ColumnSchema) -> Codes:
        """Return how many values fall into each cell."""
        return np.bincount(self.codes(values, column), minlength=self.n_cells)

    def distance(self, counts: npt.ArrayLike) -> float:
        """Return how far other rows are from these, 0 to 1; see :func:`autosynth.checks.fidelity.column_distance`."""
        pair = (np.asarray(some, dtype=np.int64)[None] for some in (self.counts, counts))
        return float(cell_distances(*pair, is_number=self.is_number)[0])

    def gaps(self, counts: Codes) -> list[ColumnGap]:
        """Return what the distance is made of: for numbers, that of the present values and that of the missing rates.

        Each rests on other rows: where most values are missing, few are left to tell a difference.
        """
        if not self.is_number:
            return [ColumnGap(self, self.distance(counts), self.n_rows, int(counts.sum()))]
        real, made = (np.asarray(some, dtype=np.int64)[None] for some in (self.counts, counts))
        n_real, n_made = int(real.sum()), int(made.sum())
        missing = int(real[0, -1]), int(made[0, -1])
        found = []
        if missing[0] < n_real and missing[1] < n_made:
            distance = float(present_distances(real, made)[0])
            found.append(ColumnGap(self, distance, n_real - missing[0], n_made - missing[1]))
        if any(missing):
            distance = abs(missing[0] / n_real - missing[1] / n_made)
            found.append(ColumnGap(self, distance, n_real, n_made, of_missing=True))
        return found

    def noise(self, n_real: float, n_made: float, level: float) -> Noise:
        """Return the noise of a distance that rests on so many rows."""
        if self.edges is not None:
            return number_noise(n_real, n_made, level)
        return level_noise(n_real, n_made, 1 + sum(count > 0 for count in self.counts), level)

    @property
    def weight(self) -> float:
        """How much the distance counts in a mean: less where few numbers are present, in proportion to its noise.

        Five values among 200 rows would otherwise outshout every full column.
        """
        return math.sqrt(self._present_share) if self.is_number else 1.0

    @property
    def _present_share(self) -> float:
        return 1 - self.counts[-1] / max(self.n_rows, 1)

    def n_telling(self, n_rows: int) -> float:
        """Return how many of some rows the distance rests on: of numbers, those present, by the real rows' share."""
        return max(1.0, n_rows * self._present_share) if self.is_number else n_rows

    def mean_noise(self, n_real: int, n_made: int) -> float:
        """Return about how far samples of these sizes are apart on average."""
        if self.is_number:
            return mean_number_noise(self.n_telling(n_real), self.n_telling(n_made))
        return mean_level_noise(np.asarray(self.counts) / max(self.n_rows, 1), n_real, n_made)

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain data for JSON."""
        return {
            "name": value_to_state(self.name),
            "edges": None if self.edges is None else list(self.edges),
            "levels": None if self.levels is None else [value_to_state(level) for level in self.levels],
            "counts": list(self.counts),
        }

    @classmethod
    def from_dict(cls, state: Any) -> ColumnSummary:
        """Return the summary that :meth:`to_dict` wrote.

        Raises
        ------
        DataError
            If it is none.
        """
        parts = Parts(state, of="the summary of a column")
        edges = None if parts.part("edges") is None else parts.numbers("edges")
        levels = parts.optional("levels", lambda some: tuple(value_from_state(level) for level in some))
        if (edges is None) == (levels is None) or list(edges or ()) != sorted(set(edges or ())):
            raise DataError("the summary of a column is damaged: it needs either rising edges or levels.")
        empty = cls(value_from_state(parts.part("name")), edges, levels, ())
        return replace(empty, counts=parts.wholes("counts", empty.n_cells))

    @property
    def scores(self) -> Floats:
        """The mean rank of each cell, 0 to 1, shape (n_cells,); a missing value has the mean of all."""
        present = np.asarray(self.counts[:-1], dtype=np.float64)
        ranks = (np.cumsum(present) - present / 2) / max(present.sum(), 1.0)
        return np.append(ranks, 0.5)


def frequent_levels(values: pd.Series[Any]) -> tuple[Any, ...]:
    """Return the values that are frequent enough to be counted one by one, the most frequent first."""
    codes, distinct = pd.factorize(values.astype(object))
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    named = [
        (-count, type(value).__name__, str(value), value)
        for count, value in zip(counts.tolist(), distinct, strict=True)
    ]
    named.sort(key=lambda entry: entry[:3])
    return tuple(plain(entry[3]) for entry in named[:MAX_LEVELS] if -entry[0] >= MIN_LEVEL_ROWS)


def cell_distances(first: npt.NDArray[Any], second: npt.NDArray[Any], *, is_number: bool) -> Floats:
    """Return the distances of pairs of columns from their counts per cell.

    Parameters
    ----------
    first, second : ndarray of shape (n_pairs, n_cells)
        Rows in each cell, those with a missing value last; at least one row each.
    is_number : bool
        Whether the cells are in order.

    Returns
    -------
    ndarray of float, shape (n_pairs,)
    """
    shares = [counts / counts.sum(axis=1, keepdims=True) for counts in (first, second)]
    if not is_number:
        return np.asarray(np.abs(shares[0] - shares[1]).sum(axis=1) / 2)
    missing_gap = np.abs(shares[0][:, -1] - shares[1][:, -1])
    return np.asarray(np.maximum(missing_gap, present_distances(first, second)))


def present_distances(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> Floats:
    """Return the Kolmogorov-Smirnov distances of the values that are present, 0 where one side has none."""
    n_present = [counts[:, :-1].sum(axis=1, keepdims=True) for counts in (first, second)]
    below = [
        np.cumsum(counts[:, :-1], axis=1) / np.maximum(n_rows, 1)
        for counts, n_rows in zip((first, second), n_present, strict=True)
    ]
    is_known = (n_present[0] > 0).ravel() & (n_present[1] > 0).ravel()
    return np.asarray(np.where(is_known, np.abs(below[0] - below[1]).max(axis=1), 0.0))


@dataclass(frozen=True)
class ColumnGap:
    """A difference between a column and other rows, and the rows on both sides that it rests on.

    Attributes
    ----------
    column : ColumnSummary
        The column.
    distance : float
        0 to 1.
    n_real, n_made : int
        At least 1.
    of_missing : bool
        Whether it is that of the missing rates.
    """

    column: ColumnSummary
    distance: float
    n_real: int
    n_made: int
    of_missing: bool = False

    @property
    def name(self) -> str:
        """The column, and what of it."""
        return f"{self.column.name} (missing)" if self.of_missing else str(self.column.name)

    def noise(self, level: float) -> Noise:
        """Return the noise of the distance."""
        return self.column.noise(self.n_real, self.n_made, level)


@dataclass(frozen=True)
class NullDistance:
    """A distance between random halves of the real rows.

    Attributes
    ----------
    mean, sd : float
        Over the halves.
    n_first, n_second : int
        Rows of the halves.
    """

    mean: float
    sd: float
    n_first: int
    n_second: int

    @classmethod
    def of(cls, distances: Sequence[float] | Floats, n_first: int, n_second: int) -> NullDistance:
        """Summarise the distances between halves of so many rows."""
        return cls(float(np.mean(distances)), float(np.std(distances, ddof=1)), n_first, n_second)

    def noise(self, n_real: int, n_made: int, level: float, mean_noise: Callable[[int, int], float]) -> Noise:
        """Return the noise of the distance between samples of other sizes.

        The mean goes with the sizes as ``mean_noise(n_first, n_second)`` does, the spread with the root of 1/n + 1/m.
        The tail is taken to be as heavy as that of a single Kolmogorov-Smirnov distance, as it is where all columns
        hang together.
        """
        growth = mean_noise(n_real, n_made) / max(mean_noise(self.n_first, self.n_second), 1e-12)
        scale = math.sqrt(spread(n_real, n_made) / spread(self.n_first, self.n_second))
        return Noise(self.mean * growth, kolmogorov_deviations(level) * self.sd * scale)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain data for JSON."""
        return {"mean": self.mean, "sd": self.sd, "n_first": self.n_first, "n_second": self.n_second}

    @classmethod
    def from_dict(cls, state: Any) -> NullDistance:
        """Return what :meth:`to_dict` wrote."""
        parts = Parts(state, of="the distance between halves")
        sizes = [parts.whole(name, low=1) for name in ("n_first", "n_second")]
        return cls(parts.number("mean", low=0), parts.number("sd", low=0), *sizes)
