"""Distance: where rows of mixed columns lie, so that the nearest of many real rows is found in microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from scipy.spatial import cKDTree

    from autosynth.schema import ColumnSchema

    Floats = npt.NDArray[np.float64]
    Hashes = npt.NDArray[np.uint64]

FARTHEST = 10.0  # ranks; beyond that, it does not matter how far a number lies outside the real ones


def row_hashes(rows: pd.DataFrame) -> Hashes:
    """Return one 64-bit hash per row over all columns; equal rows in equal dtypes have equal hashes."""
    if not rows.shape[1]:
        return np.zeros(len(rows), dtype=np.uint64)
    columns = {place: _hashable(rows[name]) for place, name in enumerate(rows.columns)}
    return np.asarray(pd.util.hash_pandas_object(pd.DataFrame(columns), index=False), dtype=np.uint64)


def _hashable(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return values that pandas hashes alike just where they are equal: 0 has no sign, and 1 is not the text "1"."""
    if values.dtype.kind == "f":
        return values + 0.0
    if not isinstance(values.dtype, pd.CategoricalDtype | pd.StringDtype) and values.dtype != object:
        return values
    codes, distinct = pd.factorize(values)
    named = [_printable(f"{'text' if isinstance(value, str) else 'other'}:{value}") for value in distinct]
    hashes = pd.util.hash_array(np.array([*named, "missing"], dtype=object), categorize=False)
    return pd.Series(hashes[codes], index=values.index)  # the code of a missing value is -1, so it gets the last hash


def _printable(text: str) -> str:
    """Return a text that has bytes: half of a surrogate pair, which texts cut in the middle hold, has none."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass(frozen=True)
class RankScale:
    """A number line measured in ranks: from 0 at the smallest real value to 1 at the largest.

    Ranks need no unit and do not let one heavy tail outweigh all other columns.  Between two real values the scale is
    straight; outside the real limits it goes on in units of the whole range.

    Examples
    --------
    >>> scale = RankScale.fit(np.array([1.0, 2.0, 2.0, 100.0]))
    >>> scale(np.array([1.0, 2.0, 51.0, 100.0, 199.0])).round(2).tolist()
    [0.0, 0.5, 0.75, 1.0, 2.0]
    """

    values: Floats
    ranks: Floats

    @classmethod
    def fit(cls, numbers: Floats) -> RankScale:
        """Learn the scale from real numbers; NaN is left out."""
        values, counts = np.unique(numbers[~np.isnan(numbers)], return_counts=True)
        middles = np.cumsum(counts) - (counts + 1) / 2
        span = middles[-1] - middles[0] if len(values) > 1 else 1.0
        return cls(values, (middles - middles[:1]) / span)

    def __call__(self, numbers: Floats) -> Floats:
        """Return the ranks of numbers; NaN becomes 0, since missing values are told apart elsewhere."""
        if not len(self.values):
            return np.zeros(len(numbers))
        present = np.where(np.isnan(numbers), self.values[0], numbers)
        inside = np.clip(present, self.values[0], self.values[-1])
        with np.errstate(over="ignore", invalid="ignore"):  # a range of one value, or of the largest floats
            span = (self.values[-1] - self.values[0]) or 1.0
            outside = np.nan_to_num(np.clip((present - inside) / span, -FARTHEST, FARTHEST))
        return np.asarray(self._between(inside) + outside)

    def _between(self, numbers: Floats) -> Floats:
        """Return the ranks of numbers inside the real limits.

        Not by ``np.interp``: its slope, ranks per unit, is infinite where two values differ by less than 1e-308.
        """
        if len(self.values) == 1:
            return np.zeros(len(numbers))
        above = np.searchsorted(self.values[1:-1], numbers, side="right") + 1
        low, high = self.values[above - 1], self.values[above]
        with np.errstate(over="ignore"):  # the largest floats differ by infinity, their halves do not
            unit = np.where(np.isinf(high - low), 0.5, 1.0)
        share = (numbers * unit - low * unit) / (high * unit - low * unit)
        start, end = self.ranks[above - 1], self.ranks[above]
        return np.asarray(np.minimum(start + share * (end - start), end))


@dataclass(frozen=True)
class RowSpace:
    """Rows as points, comparable where all categories and missing values agree; then the ranks of their numbers are.

    Attributes
    ----------
    columns : tuple of ColumnSchema
        The columns compared.
    scales : tuple of RankScale
        One per number-like column.
    """

    columns: tuple[ColumnSchema, ...]
    scales: tuple[RankScale, ...]

    @classmethod
    def fit(cls, real: pd.DataFrame, columns: Sequence[ColumnSchema]) -> RowSpace:
        """Learn the scales of the number-like ones of ``columns`` from real rows."""
        numbers = [column.to_float(real[column.name]) for column in columns if column.is_number_like]
        return cls(tuple(columns), tuple(RankScale.fit(values) for values in numbers))

    def place(self, rows: pd.DataFrame) -> RowPoints:
        """Return the points of rows that have the columns and dtypes of the real ones."""
        numbers = [column.to_float(rows[column.name]) for column in self.columns if column.is_number_like]
        ranks = [scale(values) for scale, values in zip(self.scales, numbers, strict=True)]
        kinds: dict[Any, Any] = {f"gap{i}": np.isnan(values) for i, values in enumerate(numbers)}
        kinds |= {f"kind{i}": rows[c.name].to_numpy(object) for i, c in enumerate(self.columns) if not c.is_number_like}
        blocks = row_hashes(pd.DataFrame(kinds, index=rows.index)) if kinds else np.zeros(len(rows), dtype=np.uint64)
        keys = row_hashes(rows[[column.name for column in self.columns]])
        return RowPoints(keys, blocks, np.column_stack(ranks) if ranks else np.zeros((len(rows), 0)))


@dataclass(frozen=True)
class RowPoints:
    """Rows as points.

    Attributes
    ----------
    keys : ndarray of uint64, shape (n_rows,)
        Equal for rows that are equal in every column.
    blocks : ndarray of uint64, shape (n_rows,)
        Equal for rows that agree in all categories and in which numbers are missing.
    ranks : ndarray of float, shape (n_rows, n_numbers)
        Where the numbers lie among those of the real rows; a missing one is 0.
    """

    keys: Hashes
    blocks: Hashes
    ranks: Floats

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, rows: npt.NDArray[Any]) -> RowPoints:
        return RowPoints(self.keys[rows], self.blocks[rows], self.ranks[rows])

    def distinct(self) -> RowPoints:
        """Return every point once."""
        return self[np.unique(self.keys, return_index=True)[1]]

    @staticmethod
    def join(first: RowPoints, second: RowPoints) -> RowPoints:
        """Return the points of both."""
        return RowPoints(
            np.concatenate([first.keys, second.keys]),
            np.concatenate([first.blocks, second.blocks]),
            np.concatenate([first.ranks, second.ranks]),
        )


@dataclass(frozen=True)
class NeighbourIndex:
    """Finds the nearest of some distinct points: the summed difference of ranks, within a block.

    Examples
    --------
    >>> from autosynth.schema import infer_column
    >>> real = pd.DataFrame({"x": [0.0, 1.0, 2.0], "colour": ["red", "red", "blue"]})
    >>> space = RowSpace.fit(real, [infer_column(real[name]) for name in real])
    >>> index = NeighbourIndex(space.place(real))
    >>> distances, positions = index.nearest(space.place(real.assign(x=0.25)), n_nearest=1, within=1.0)
    >>> distances.ravel().tolist(), positions.ravel().tolist()
    ([0.125, 0.125, 0.875], [0, 0, 2])
    """

    points: RowPoints

    @cached_property
    def _blocks(self) -> pd.Index:
        return pd.Index(np.unique(self.points.blocks))

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(self._coordinates(self.points))

    def nearest(self, points: RowPoints, *, n_nearest: int, within: float) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Return distances and positions of the nearest points, both of shape (n_rows, n_nearest).

        Where there are fewer within the given distance, the distance is infinite and the position ``len(self.points)``.
        """
        if not len(self.points) or not len(points):
            shape = (len(points), n_nearest)
            return np.full(shape, np.inf), np.full(shape, len(self.points), dtype=np.int64)
        distances, positions = self._tree.query(
            self._coordinates(points), k=list(range(1, n_nearest + 1)), p=1, distance_upper_bound=within
        )
        return distances, positions.astype(np.int64)

    def _coordinates(self, points: RowPoints) -> Floats:
        """Put the block in front of the ranks, so far from the next one that no distance spans two blocks."""
        apart = 10.0 * (1 + points.ranks.shape[1])
        return np.column_stack([apart * self._blocks.get_indexer(pd.Index(points.blocks)), points.ranks])
