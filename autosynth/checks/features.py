"""Features: numbers made of the cells of columns, so that columns of any kind can be correlated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from autosynth.checks.summary import ColumnSummary

    Codes = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

MAX_FEATURES = 60
MIN_INDICATOR_ROWS = 10  # with, and without, what is indicated
MIN_INDICATOR_SHARE = 0.05
MAX_VALUE = 40  # characters of a category in a name


@dataclass(frozen=True)
class Feature:
    """A number made of a cell: the rank score of a column, or whether it holds one certain cell.

    Attributes
    ----------
    column : int
        Position among the summarised columns.
    cell : int or None
        The cell indicated; None for rank scores.
    """

    column: int
    cell: int | None


def choose_features(columns: Sequence[ColumnSummary]) -> tuple[tuple[Feature, ...], int]:
    """Return what is correlated, and how much of it there would be beyond MAX_FEATURES.

    First the rank scores of all number-like columns, then where values are missing, then the most frequent category of
    each column, the second most frequent, and so on.
    """
    wanted: list[tuple[int, int, int | None]] = []  # (how soon, column, cell)
    for place, column in enumerate(columns):
        counts = np.asarray(column.counts)
        telling = _telling_cells(counts)
        missing = column.n_cells - 1
        if column.edges is not None and counts.sum() - counts[:-1].max() - counts[-1] >= _least(counts):
            wanted.append((0, place, None))
        if column.edges is not None:
            wanted += [(1, place, missing)] * (missing in telling)
        else:
            n_needed = np.count_nonzero(counts) - 1  # the last indicator follows from the others
            wanted += [(2 + rank, place, cell) for rank, cell in enumerate(telling[:n_needed])]
    wanted.sort(key=lambda entry: entry[:2])
    kept = sorted(wanted[:MAX_FEATURES], key=lambda entry: (entry[1], entry[0]))
    return tuple(Feature(place, cell) for _, place, cell in kept), max(0, len(wanted) - MAX_FEATURES)


def _telling_cells(counts: Codes) -> list[int]:
    """Return the cells that enough rows are in, and enough others are not, the most frequent first."""
    cells, least = np.argsort(-counts, kind="stable"), _least(counts)
    return [int(cell) for cell in cells if least <= counts[cell] <= counts.sum() - least]


def _least(counts: Codes) -> float:
    """Return how many rows have to differ from the others, lest a correlation hang on a handful of them."""
    return max(MIN_INDICATOR_ROWS, MIN_INDICATOR_SHARE * float(counts.sum()))


def feature_scores(codes: Codes, columns: Sequence[ColumnSummary], features: Sequence[Feature]) -> Floats:
    """Return the features of rows, shape (n_rows, n_features)."""
    scores = np.empty((len(codes), len(features)))
    for place, feature in enumerate(features):
        of_row = codes[:, feature.column]
        ranks = columns[feature.column].scores
        scores[:, place] = ranks[of_row] if feature.cell is None else of_row == feature.cell
    return scores


def feature_name(feature: Feature, columns: Sequence[ColumnSummary]) -> str:
    """Return what a feature says, for people: "age", "age missing" or "ward = heart"."""
    column = columns[feature.column]
    if feature.cell is None:
        return str(column.name)
    if feature.cell == column.n_cells - 1:
        return f"{column.name} missing"
    levels = column.levels or ()
    value = str(levels[feature.cell]) if feature.cell < len(levels) else "a rarer value"
    return f"{column.name} = {value if len(value) <= MAX_VALUE else value[: MAX_VALUE - 1] + '…'}"


def feature_variances(columns: Sequence[ColumnSummary], features: Sequence[Feature]) -> Floats:
    """Return p (1 - p) of each feature, where p is the share of its most frequent value, or 1/2 if that is less."""
    largest = []
    for feature in features:
        counts = np.asarray(columns[feature.column].counts) / columns[feature.column].n_rows
        share = counts.max() if feature.cell is None else max(counts[feature.cell], 1 - counts[feature.cell])
        largest.append(max(0.5, float(share)))
    return np.array([share * (1 - share) for share in largest])


@dataclass(frozen=True, eq=False)
class FeaturePairs:
    """All pairs of features of different columns.

    Attributes
    ----------
    first, second : ndarray of int, shape (n_pairs,)
        Positions of the features.
    blocks : ndarray of int, shape (n_pairs,)
        Which pair of columns each belongs to.
    columns : tuple of (int, int)
        Those pairs of columns.
    """

    first: Codes
    second: Codes
    blocks: Codes
    columns: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, features: Sequence[Feature]) -> FeaturePairs:
        """Return the pairs of some features."""
        owners = np.array([feature.column for feature in features], dtype=np.int64)
        first, second = np.triu_indices(len(features), k=1)
        apart = owners[first] != owners[second]
        first, second = first[apart], second[apart]
        couples = np.column_stack([owners[first], owners[second]])
        columns, blocks = np.unique(couples, axis=0, return_inverse=True)
        return cls(first, second, blocks.reshape(-1), tuple((int(one), int(other)) for one, other in columns))

    @property
    def n_blocks(self) -> int:
        """How many pairs of columns there are."""
        return len(self.columns)

    def take(self, matrix: Floats) -> Floats:
        """Return the entries of a matrix over features, shape (n_pairs,)."""
        return np.asarray(matrix[self.first, self.second])

    def largest(self, values: Floats) -> Floats:
        """Return the largest absolute value of each pair of columns, shape (n_blocks,)."""
        found = np.zeros(self.n_blocks)
        np.maximum.at(found, self.blocks, np.abs(values))
        return found
