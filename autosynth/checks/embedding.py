"""Embedding: rows of mixed columns as numbers, for distances and for trees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.checks.distance import RankScale, row_hashes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from autosynth.schema import ColumnSchema

    Floats = npt.NDArray[np.float64]
    Positions = npt.NDArray[np.int64]

MAX_LEVELS = 30  # of a category; the rarer ones count as one
# Squared, two ranks differ by 1/6 on average.  So do two values of a category that is spread over two levels.
INDICATOR = math.sqrt(1 / 6)


@dataclass(frozen=True)
class ColumnEmbedding:
    """One column as numbers: ranks among the real values, or which level; a text counts by its length.

    Attributes
    ----------
    column : ColumnSchema
        The column.
    scale : RankScale or None
        Of numbers, and of the lengths of texts.
    levels : Index or None
        Of a category, the most frequent first.
    """

    column: ColumnSchema
    scale: RankScale | None
    levels: pd.Index | None

    @classmethod
    def fit(cls, values: pd.Series[Any], column: ColumnSchema) -> ColumnEmbedding:
        """Learn ranks or levels from real values."""
        if column.values is not None:
            counts = values.astype(object).value_counts()
            return cls(column, None, pd.Index(counts.index[:MAX_LEVELS], dtype=object))
        return cls(column, RankScale.fit(_as_numbers(values, column)), None)

    def positions(self, values: pd.Series[Any]) -> Floats:
        """Return one number per value: a rank, or the position of the level; -1 where it is missing."""
        missing = values.isna().to_numpy(dtype=bool)
        if self.scale is not None:
            return np.where(missing, -1.0, self.scale(_as_numbers(values, self.column)))
        assert self.levels is not None  # noqa: S101 - one of the two is there
        codes = self.levels.get_indexer(pd.Index(values.astype(object), dtype=object))
        return np.where(missing, -1.0, np.where(codes < 0, len(self.levels), codes))

    def coordinates(self, values: pd.Series[Any]) -> Floats:
        """Return the values as points, shape (n_rows, n_coordinates)."""
        positions = self.positions(values)
        missing = positions < 0 if self.scale is None else values.isna().to_numpy(dtype=bool)
        indicators = [missing] if self.column.allows_missing else []
        if self.levels is not None:
            indicators += [positions == code for code in range(len(self.levels) + 1)]
            return np.asarray(INDICATOR * np.column_stack(indicators))
        numbers = np.where(missing, 0.5, positions)
        return np.column_stack([numbers, *(INDICATOR * flags for flags in indicators)])


@dataclass(frozen=True)
class Embedding:
    """The columns of rows as numbers.

    Examples
    --------
    >>> from autosynth.schema import infer_column
    >>> real = pd.DataFrame({"x": [1.0, 2.0, 4.0], "colour": ["red", "red", "blue"]})
    >>> embedding = Embedding.fit(real, [infer_column(real[name]) for name in real])
    >>> embedding.features(real).tolist()
    [[0.0, 0.0], [0.5, 0.0], [1.0, 1.0]]
    """

    columns: tuple[ColumnEmbedding, ...]

    @classmethod
    def fit(cls, real: pd.DataFrame, columns: Sequence[ColumnSchema]) -> Embedding:
        """Learn ranks and levels of some columns from real rows."""
        return cls(tuple(ColumnEmbedding.fit(real[column.name], column) for column in columns))

    @property
    def names(self) -> list[str]:
        """Names of the columns, for people."""
        return [str(part.column.name) for part in self.columns]

    def coordinates(self, rows: pd.DataFrame) -> Floats:
        """Return rows as points whose Euclidean distances mean something, shape (n_rows, n_coordinates)."""
        parts = [part.coordinates(rows[part.column.name]) for part in self.columns]
        return np.column_stack(parts) if parts else np.zeros((len(rows), 0))

    def features(self, rows: pd.DataFrame) -> Floats:
        """Return rows as trees like them, one number per column, shape (n_rows, n_columns)."""
        parts = [part.positions(rows[part.column.name]) for part in self.columns]
        return np.column_stack(parts) if parts else np.zeros((len(rows), 0))


def spread(n_rows: int, at_most: int) -> Positions:
    """Return the positions of all rows, or of so many evenly spaced ones.

    Examples
    --------
    >>> spread(10, 4).tolist()
    [0, 3, 6, 9]
    """
    if n_rows <= at_most:
        return np.arange(n_rows, dtype=np.int64)
    return np.linspace(0, n_rows - 1, at_most).round().astype(np.int64)


def spread_by_content(rows: pd.DataFrame, at_most: int) -> Positions:
    """Return the positions of all rows, or of so many: the same rows, whatever order they come in.

    Examples
    --------
    >>> rows = pd.DataFrame({"x": range(10)})
    >>> chosen, again = (set(some["x"].iloc[spread_by_content(some, 4)]) for some in (rows, rows[::-1]))
    >>> len(chosen), chosen == again
    (4, True)
    """
    chosen = spread(len(rows), at_most)
    return chosen if len(rows) <= at_most else np.argsort(row_hashes(rows), kind="stable")[chosen]


def spread_over_groups(group_codes: Positions, at_most: int) -> Positions:
    """Return positions of rows, all of small groups and evenly spaced ones of large ones, in rising order.

    Examples
    --------
    >>> spread_over_groups(np.array([0, 0, 0, 0, 0, 0, 1, 1]), 6).tolist()
    [0, 2, 3, 5, 6, 7]
    """
    sizes = np.bincount(group_codes)
    quota = _fair_quota(sizes, at_most)
    chosen = [np.flatnonzero(group_codes == code)[spread(size, quota)] for code, size in enumerate(sizes.tolist())]
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, dtype=np.int64)


def _fair_quota(sizes: Positions, at_most: int) -> int:
    """Return the largest number of rows per group with which no more than so many rows are taken in all."""
    low, high = 1, max(int(sizes.max(initial=1)), 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if np.minimum(sizes, middle).sum() <= at_most else (low, middle - 1)
    return low


def _as_numbers(values: pd.Series[Any], column: ColumnSchema) -> Floats:
    """Return numbers, or the lengths of texts, with NaN where missing."""
    if column.is_number_like:
        return column.to_float(values)
    lengths = [len(value) if isinstance(value, str) else np.nan for value in values]
    return np.array(lengths, dtype=np.float64)
