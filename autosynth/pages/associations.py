"""How columns hang together within a group, real against synthetic, the pairs that differ most first; numbers only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from autosynth.checks.distance import RankScale
from autosynth.pages.thinning import thin

if TYPE_CHECKING:
    from autosynth.checks.evidence import Evidence
    from autosynth.schema import ColumnSchema

Floats: TypeAlias = npt.NDArray[np.float64]

MIN_ROWS = 20  # on either side, for a correlation to mean anything
MAX_ROWS = 2_000  # of a group, on either side
MAX_GROUPS = 8  # those with the most synthetic rows
MAX_COLUMNS = 120
MAX_LEVELS = 4  # of a category column, the most frequent ones
N_PAIRS = 40  # of a group that are kept, the largest differences
FALSE_ALARM_RATE = 0.05  # over all pairs of a group together


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two columns of a group whose correlation differs.

    Attributes
    ----------
    group : str
        The group.
    first, second : str
        The columns; of a category, with the value that is meant: "ward = heart".
    real, synthetic : float
        Correlation of ranks, or of whether the value is the one named, -1 to 1.
    chance : float
        Difference that all pairs of this group together rarely exceed by chance.
    """

    group: str
    first: str
    second: str
    real: float
    synthetic: float
    chance: float

    @property
    def difference(self) -> float:
        """Absolute difference of the two correlations, 0 to 2."""
        return abs(self.synthetic - self.real)


@dataclass(frozen=True)
class GroupAssociations:
    """The differences of one group.

    Attributes
    ----------
    group : str
        The group.
    columns : tuple of str
        Names of the columns compared.
    differences : ndarray of shape (n_columns, n_columns)
        Of the features of two columns, the largest difference of correlations; 0 on the diagonal.
    pairs : tuple of Pair
        The pairs of columns, largest difference first; at most ``N_PAIRS``.
    chance : float
        See :class:`Pair`.
    """

    group: str
    columns: tuple[str, ...]
    differences: Floats
    pairs: tuple[Pair, ...]
    chance: float

    @property
    def mean(self) -> float:
        """Mean difference over all pairs."""
        n_pairs = len(self.columns) * (len(self.columns) - 1)
        return float(self.differences.sum() / n_pairs) if n_pairs else 0.0


def associations(evidence: Evidence) -> list[GroupAssociations]:
    """Return the groups that have enough rows on either side, those whose pairs differ most beyond chance first."""
    table = evidence.table
    columns = [
        column
        for column in table.schema.columns
        if column.name not in table.fixed_columns and column.kind != "text" and column.n_distinct > 1
    ][:MAX_COLUMNS]
    made = np.bincount(evidence.group_codes, minlength=len(table.groups))
    enough = (made >= MIN_ROWS) & (table.group_sizes >= MIN_ROWS)
    codes = [int(code) for code in np.argsort(-made, kind="stable") if enough[code]][:MAX_GROUPS]
    if len(columns) < 2:
        return []
    found = [_compare(evidence, columns, code) for code in codes]
    return sorted(found, key=lambda group: group.chance - float(group.differences.max()))


@dataclass(frozen=True)
class _Features:
    """Numbers that stand for columns, several for one column where it holds categories.

    Attributes
    ----------
    names : list of str
        What each number means.
    starts : list of int
        Where the numbers of each column begin.
    real, synthetic : ndarray of shape (n_features, n_features)
        Their correlations.
    """

    names: list[str]
    starts: list[int]
    real: Floats
    synthetic: Floats

    @classmethod
    def of(cls, real: pd.DataFrame, synthetic: pd.DataFrame, columns: Sequence[ColumnSchema]) -> _Features:
        found = [_features(real[column.name], synthetic[column.name], column) for column in columns]
        sizes = [len(features) for features in found]
        flat = [feature for features in found for feature in features]
        names = [f"{column.name}{end}" for column, some in zip(columns, found, strict=True) for end, *_ in some]
        sides = [_correlations(np.column_stack([feature[side] for feature in flat])) for side in (1, 2)]
        return cls(names, (np.cumsum(sizes) - sizes).tolist(), *sides)

    def differences(self) -> Floats:
        """Return the largest difference between the features of any two columns, shape (n_columns, n_columns)."""
        apart = np.abs(self.synthetic - self.real)
        largest = np.maximum.reduceat(np.maximum.reduceat(apart, self.starts, axis=0), self.starts, axis=1)
        np.fill_diagonal(largest, 0.0)
        return np.asarray(largest)

    def pair(self, first: int, second: int, group: str, chance: float) -> Pair:
        """Return the two features of two columns whose correlation differs most."""
        ends = [*self.starts[1:], len(self.names)]
        rows, places = slice(self.starts[first], ends[first]), slice(self.starts[second], ends[second])
        apart = np.abs(self.synthetic[rows, places] - self.real[rows, places])
        row, place = np.unravel_index(int(apart.argmax()), apart.shape)
        one, other = rows.start + int(row), places.start + int(place)
        return Pair(
            group=group,
            first=self.names[one],
            second=self.names[other],
            real=float(self.real[one, other]),
            synthetic=float(self.synthetic[one, other]),
            chance=chance,
        )


def _compare(evidence: Evidence, columns: Sequence[ColumnSchema], code: int) -> GroupAssociations:
    real = evidence.table.frame.iloc[_some(evidence.table.group_codes, code)]
    made = evidence.synthetic.iloc[_some(evidence.group_codes, code)]
    features = _Features.of(real, made, columns)
    differences = features.differences()
    group = str(evidence.table.groups[code])
    chance = _chance(len(real), len(made), len(columns) * (len(columns) - 1) // 2)
    pairs = tuple(features.pair(first, second, group, chance) for first, second in _largest(differences))
    return GroupAssociations(group, tuple(str(column.name) for column in columns), differences, pairs, chance)


def _some(group_codes: npt.NDArray[np.int64], code: int) -> npt.NDArray[np.int64]:
    positions = np.flatnonzero(group_codes == code)
    return positions[thin(np.zeros(len(positions), dtype=np.int64), MAX_ROWS)]


def _features(
    real: pd.Series[Any], synthetic: pd.Series[Any], column: ColumnSchema
) -> list[tuple[str, Floats, Floats]]:
    """Return what stands for a column: its rank, or whether it holds each of its frequent values.

    Each is the end of a name, and the numbers of the real and of the synthetic rows.
    """
    if column.is_number_like:
        numbers = column.to_float(real), column.to_float(synthetic)
        scale = RankScale.fit(numbers[0])
        ranks = [np.where(np.isnan(values), 0.5, np.clip(scale(values), 0, 1)) for values in numbers]
        return [("", ranks[0], ranks[1])]
    common = real.astype(object).value_counts().index[:MAX_LEVELS]
    codes = [common.get_indexer(pd.Index(values.astype(object), dtype=object)) for values in (real, synthetic)]
    named = list(enumerate(common[:1] if len(common) == 2 else common))  # of two, the second says what the first does
    return [
        (f" = {level}", *((side == place).astype(np.float64) for side in codes))
        for place, level in named or [(-1, "missing")]
    ]


def _correlations(features: Floats) -> Floats:
    """Return the correlations of columns; those of a constant one are 0."""
    centred = features - features.mean(axis=0)
    lengths = np.sqrt((centred**2).sum(axis=0))
    scaled = centred / np.where(lengths < 1e-9, np.inf, lengths)
    return np.asarray(scaled.T @ scaled)


def _chance(n_real: int, n_synthetic: int, n_pairs: int) -> float:
    from scipy.special import ndtri

    return float(ndtri(1 - FALSE_ALARM_RATE / 2 / max(1, n_pairs))) * math.sqrt(1 / n_real + 1 / n_synthetic)


def _largest(differences: Floats) -> list[tuple[int, int]]:
    first, second = np.triu_indices(len(differences), 1)
    order = np.argsort(-differences[first, second], kind="stable")[:N_PAIRS]
    return [(int(first[place]), int(second[place])) for place in order]
