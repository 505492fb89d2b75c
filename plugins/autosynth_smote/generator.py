"""SMOTE, ADASYN and borderline SMOTE as generators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from autosynth import SampledRows
from autosynth_smote.encoding import ColumnRoles, EncodedTable
from autosynth_smote.family import Family, copies, to_frame
from autosynth_smote.hardness import judge, spread
from autosynth_smote.metric import MixedMetric, ValueDifferenceMetric, column_moments
from autosynth_smote.options import AdasynOptions, BorderlineSmoteOptions, SmoteOptions
from autosynth_smote.space import GroupSpace

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    from typing_extensions import Self

    from autosynth import Group, Table
    from autosynth_smote.encoding import EncodedRows


class Interpolator(ABC):
    """Puts new rows between a real row of the group and one of its k nearest neighbours.

    The three generators differ in how they draw the base rows, and in where they look for neighbours.

    - Numbers, dates and durations lie at one random share of the way from the base row to the neighbour, in every
      column the same.
    - A category is the most frequent one among the k neighbours, ties at random, as in SMOTE-NC; in tables without
      any number-like feature the base row votes too, as in SMOTE-N.
    - Texts are the base row's.
    - A cell is missing exactly where the base row's is.  Where only the neighbour's is missing, the base row's value
      stays, and a missing category does not vote.  With base rows drawn uniformly, the group keeps its rates of
      missing values in expectation.
    - A label that is a quantity is interpolated like a feature and left out of the distance (Torgo et al. 2013).

    A group of one row is copied, and a small one brings fewer neighbours (one in a group of two): both are counted in
    the notes.  Parents are the base row and the neighbour drawn; neighbours that only voted are not listed.
    """

    sees_other_groups = False

    def __init__(self, options: SmoteOptions | AdasynOptions | BorderlineSmoteOptions) -> None:
        self.options = options

    @property
    @abstractmethod
    def n_neighbours(self) -> int:
        """Neighbours that a base row may be interpolated with."""

    @abstractmethod
    def draw_bases(
        self, space: GroupSpace, count: int, rng: np.random.Generator, notes: Counter[str]
    ) -> npt.NDArray[np.int64]:
        """Return ``count`` places in the group, one per new row."""

    def candidates(self, space: GroupSpace) -> EncodedRows:
        """Return the rows among which neighbours are searched."""
        return space.rows

    def fit(self, table: Table, *, rng: np.random.Generator) -> Self:  # noqa: ARG002 - nothing is random here
        """Keep the table: neighbours are searched when rows are asked for, and only for the base rows drawn."""
        self.table_ = table
        self.roles_ = ColumnRoles.of(table)
        self.std_ = _table_std(table, self.roles_) if self.options.scale == "std" else None
        return self

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> SampledRows:
        """Make exactly ``counts[group]`` rows of every group."""
        encoded = EncodedTable(self.table_, self.roles_)
        has_numbers = self.roles_.has_number_features(self.table_.label)
        nominal = None if has_numbers else ValueDifferenceMetric.of(encoded)
        families = [self._family(encoded, nominal, group, count, rng) for group, count in counts.items() if count > 0]
        if not families:
            return SampledRows(self.table_.frame.iloc[:0])
        notes: Counter[str] = Counter()
        for family in families:
            notes.update(family.notes)
        parents = np.concatenate([family.parents for family in families])
        return SampledRows(to_frame(self.table_, self.roles_, families), parents=parents, notes=notes)

    def _family(
        self,
        encoded: EncodedTable,
        nominal: ValueDifferenceMetric | None,
        group: Group,
        count: int,
        rng: np.random.Generator,
    ) -> Family:
        rows = encoded.rows(group, whole_table=self.sees_other_groups or nominal is not None)
        reason = self._reason_to_copy(rows, group)
        if reason:
            return copies(rows, rng.integers(len(rows), size=count), {f"copies, because {reason}": count})
        space = GroupSpace(encoded, group, rows, nominal or MixedMetric.of(rows, encoded, self.std_))
        notes: Counter[str] = Counter()
        bases = self.draw_bases(space, count, rng, notes)
        candidates = self.candidates(space)
        references = _subsample(candidates, self.options.max_reference_rows, rng)
        if len(references) < len(candidates):
            notes[f"rows with neighbours among {len(references)} of {len(candidates)} real rows, for {group}"] = count
        k = min(self.n_neighbours, len(references) - 1)
        if k < self.n_neighbours:
            notes[f"rows from {k} instead of {self.n_neighbours} neighbours, because {_size(rows, group)}"] = count
        return space.breed(bases, references, k, rng, notes)

    def _reason_to_copy(self, rows: EncodedRows, group: Group) -> str:
        if len(rows) == 1:
            return _size(rows, group)
        if not self.roles_.interpolated and not self.roles_.voted:
            return "the table has no column to interpolate or to vote on"
        return ""


class SmoteGenerator(Interpolator):
    """SMOTE, SMOTE-NC and SMOTE-N: base rows drawn uniformly, neighbours within the group.

    References
    ----------
    Chawla, Bowyer, Hall, Kegelmeyer. SMOTE: Synthetic Minority Over-sampling Technique. JAIR 16, 2002.
    """

    options: SmoteOptions

    def __init__(self, options: SmoteOptions | None = None) -> None:
        super().__init__(options or SmoteOptions())

    @property
    def n_neighbours(self) -> int:
        return self.options.k_neighbors

    def draw_bases(
        self,
        space: GroupSpace,
        count: int,
        rng: np.random.Generator,
        notes: Counter[str],  # noqa: ARG002 - nothing to report
    ) -> npt.NDArray[np.int64]:
        return rng.integers(len(space.rows), size=count)


class AdasynGenerator(Interpolator):
    """ADASYN: more new rows around real rows whose neighbours carry other labels.

    Hardness is the share of other labels among the K nearest rows of the whole table, whatever their group columns:
    the paper knows classes only, and a row is hard to classify because of rows with another label.  The count of a
    group is spread over its rows in proportion, exact in total; rows with hardness 0 father none.  Where no row is
    hard, base rows are drawn uniformly, which the notes count.  Missing rates follow the hard rows.

    References
    ----------
    He, Bai, Garcia, Li. ADASYN: Adaptive Synthetic Sampling Approach for Imbalanced Learning. IJCNN 2008.
    """

    options: AdasynOptions
    sees_other_groups = True

    def __init__(self, options: AdasynOptions | None = None) -> None:
        super().__init__(options or AdasynOptions())

    @property
    def n_neighbours(self) -> int:
        return self.options.n_neighbors

    def draw_bases(
        self, space: GroupSpace, count: int, rng: np.random.Generator, notes: Counter[str]
    ) -> npt.NDArray[np.int64]:
        judged, hardness = judge(space, self.options.n_neighbors, self.options.max_reference_rows, rng)
        if not hardness.any():
            notes[
                f"rows around uniformly drawn ones, because no row of {space.group} has a neighbour of another label"
            ] = count
            return rng.integers(len(space.rows), size=count)
        return judged[spread(hardness, count, rng)]


class BorderlineSmoteGenerator(Interpolator):
    """Borderline SMOTE: new rows only around real rows in danger.

    A row is in danger when at least half, but not all, of its m nearest rows in the whole table carry another label,
    whatever their group columns; with all it counts as noise.  Base rows are drawn uniformly among those in danger,
    or among all rows of the group where none is, which the notes count.  Neighbours are searched within the group
    ("borderline-1"), or among all rows of the same cell of the group columns ("borderline-2"), so that the new row
    stays in its group.  Missing rates follow the rows in danger.

    References
    ----------
    Han, Wang, Mao. Borderline-SMOTE: A New Over-Sampling Method in Imbalanced Data Sets Learning. ICIC 2005.
    """

    options: BorderlineSmoteOptions
    sees_other_groups = True

    def __init__(self, options: BorderlineSmoteOptions | None = None) -> None:
        super().__init__(options or BorderlineSmoteOptions())

    @property
    def n_neighbours(self) -> int:
        return self.options.k_neighbors

    def candidates(self, space: GroupSpace) -> EncodedRows:
        if self.options.kind == "borderline-1":
            return space.rows
        return space.encoded.all_rows.take(space.encoded.cell(space.group))

    def draw_bases(
        self, space: GroupSpace, count: int, rng: np.random.Generator, notes: Counter[str]
    ) -> npt.NDArray[np.int64]:
        judged, share = judge(space, self.options.m_neighbors, self.options.max_reference_rows, rng)
        in_danger = judged[(share >= 0.5) & (share < 1)]
        if len(in_danger) == 0:
            notes[f"rows around uniformly drawn ones, because no row of {space.group} is in danger"] = count
            return rng.integers(len(space.rows), size=count)
        return rng.choice(in_danger, size=count)


def _size(rows: EncodedRows, group: Group) -> str:
    return f"{group} has {len(rows)} real row{'s' if len(rows) > 1 else ''}"


def _subsample(rows: EncodedRows, max_rows: int, rng: np.random.Generator) -> EncodedRows:
    if len(rows) <= max_rows:
        return rows
    return rows.take(np.sort(rng.choice(len(rows), size=max_rows, replace=False)))


def _table_std(table: Table, roles: ColumnRoles) -> npt.NDArray[np.float64]:
    stds = [column_moments(column.to_float(table.frame[column.name])[:, None])[1][0] for column in roles.numbers]
    return np.array(stds, dtype=np.float64)
