"""How columns hang together within a group, as the check "dependence" sees it, the pairs that differ most first."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from autosynth.checks.association import MIN_ROWS
from autosynth.checks.dependence import Comparison
from autosynth.checks.group_summary import GroupSummary, cell_codes
from autosynth.checks.noise import level_of_each
from autosynth.checks.summary import frequent_levels

if TYPE_CHECKING:
    from autosynth.checks.evidence import Evidence
    from autosynth.table import Table

Floats: TypeAlias = npt.NDArray[np.float64]

MAX_GROUPS = 8  # those with the most synthetic rows
N_PAIRS = 40  # of a group that are kept, the largest differences


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two columns of a group, and how their correlation differs.

    Attributes
    ----------
    group : str
        The group.
    first, second : str
        What is correlated: a column, "age missing", or of a category the value that is meant, "ward = heart".
    real, synthetic : float
        The two correlations, -1 to 1.
    chance, limit : float
        Difference that all pairs of this group together rarely exceed by chance, and what the check allows.
    """

    group: str
    first: str
    second: str
    real: float
    synthetic: float
    chance: float
    limit: float

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
        Of two columns, the largest difference of correlations; 0 on the diagonal.
    pairs : tuple of Pair
        One per pair of columns, those farthest beyond their limits, or nearest to them, first; at most ``N_PAIRS``.
    """

    group: str
    columns: tuple[str, ...]
    differences: Floats
    pairs: tuple[Pair, ...]

    @property
    def mean(self) -> float:
        """Mean difference over all pairs."""
        n_pairs = len(self.columns) * (len(self.columns) - 1)
        return float(self.differences.sum() / n_pairs) if n_pairs else 0.0


def associations(evidence: Evidence) -> list[GroupAssociations]:
    """Return the groups that have enough rows on either side, those whose pairs differ most first."""
    table = evidence.table
    made = np.bincount(evidence.group_codes, minlength=len(table.groups))
    enough = (made >= MIN_ROWS) & (table.group_sizes >= MIN_ROWS)
    codes = [int(code) for code in np.argsort(-made, kind="stable") if enough[code]][:MAX_GROUPS]
    found = _compare_all(evidence, codes)
    return sorted(found, key=lambda group: group.pairs[0].limit - group.pairs[0].difference)


def _compare_all(evidence: Evidence, codes: Sequence[int]) -> Iterator[GroupAssociations]:
    """Compare groups just as the check does; the page must not tell of other numbers than the verdict."""
    table, levels = evidence.table, _levels(evidence.table)
    level = level_of_each(len(table.groups))
    for code in codes:
        summary = GroupSummary.of(table.frame.iloc[np.flatnonzero(table.group_codes == code)], table.schema, levels)
        rows = evidence.synthetic.iloc[np.flatnonzero(evidence.group_codes == code)]
        if summary is None or summary.association is None or len(rows) < summary.association.n_needed:
            continue
        cells = cell_codes(rows, table.schema, summary.columns)
        comparison = Comparison.of(summary, summary.association, cells, level)
        yield _group(str(table.groups[code]), comparison, [str(column.name) for column in summary.columns])


def _levels(table: Table) -> Mapping[Hashable, Sequence[Any]]:
    """Return the columns that are compared, and which values of each are told apart."""
    return {
        column.name: () if column.is_number_like else frequent_levels(table.frame[column.name])
        for column in table.schema.columns
        if column.name not in table.fixed_columns and column.kind != "text"
    }


def _group(group: str, comparison: Comparison, names: Sequence[str]) -> GroupAssociations:
    couples = np.array(comparison.association.pairs.columns)
    columns, places = np.unique(couples, return_inverse=True)
    first, second = places.reshape(couples.shape).T
    differences = np.zeros((len(columns), len(columns)))
    differences[first, second] = differences[second, first] = comparison.distances
    worst = comparison.farthest(comparison.gaps - comparison.limits, N_PAIRS)
    pairs = tuple(_pair(group, comparison, place) for place in worst)
    return GroupAssociations(group, tuple(names[place] for place in columns), differences, pairs)


def _pair(group: str, comparison: Comparison, place: int) -> Pair:
    first, second = comparison.names(place)
    return Pair(
        group=group,
        first=first,
        second=second,
        real=comparison.association.correlations[place],
        synthetic=float(comparison.made[place]),
        chance=float(comparison.chance[place]),
        limit=float(comparison.limits[place]),
    )
