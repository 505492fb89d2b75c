"""One group as the points of a space, and the search for partners in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autosynth_smote.family import Family, interpolate, vote
from autosynth_smote.metric import ValueDifferenceMetric
from autosynth_smote.neighbours import nearest, places

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from autosynth import Group
    from autosynth_smote.encoding import EncodedRows, EncodedTable
    from autosynth_smote.metric import MixedMetric


@dataclass(frozen=True)
class GroupSpace:
    """The rows of one group, the table around them, and the distance that the group defines."""

    encoded: EncodedTable
    group: Group
    rows: EncodedRows
    metric: MixedMetric | ValueDifferenceMetric

    def breed(
        self,
        bases: npt.NDArray[np.int64],
        references: EncodedRows,
        k: int,
        rng: np.random.Generator,
        notes: Mapping[str, int],
    ) -> Family:
        """Return one child per base row, of that row and one of its ``k`` nearest neighbours among the references.

        A neighbour with another label is approached by less than half of the way (Han et al. 2005, borderline-SMOTE2).
        """
        drawn, row_of_child = np.unique(bases, return_inverse=True)
        parents = self.rows.take(drawn)
        found = nearest(
            self.metric.points(parents),
            self.metric.points(references),
            k,
            own_place=places(parents.positions, references.positions),
        )[row_of_child]  # (n_children, k)
        base = self.rows.take(bases)
        chosen = found[np.arange(len(bases)), rng.integers(k, size=len(bases))]
        partner = references.take(chosen)
        is_other = self.encoded.labels[partner.positions] != self.encoded.label(self.group)
        gap = rng.random(len(bases)) * np.where(is_other, 0.5, 1.0)
        return Family(
            parents=np.column_stack([base.positions, partner.positions]),
            numbers=interpolate(base.numbers, partner.numbers, gap),
            donors=self._donors(base, references, found, rng),
            notes=notes,
        )

    def _donors(
        self, base: EncodedRows, references: EncodedRows, found: npt.NDArray[np.int64], rng: np.random.Generator
    ) -> npt.NDArray[np.int64]:
        """Return the position of the row that gives each category cell, shape (n_children, n_category_columns)."""
        voters = references.positions[found]
        ballots = references.codes
        base_votes = isinstance(self.metric, ValueDifferenceMetric)
        donors = np.empty(base.codes.shape, dtype=np.int64)
        for place in range(base.codes.shape[1]):
            own = base.codes[:, place]
            votes = ballots[:, place][found]
            if base_votes:  # the row itself counts among its neighbours in SMOTE-N
                votes = np.column_stack([votes, own])
            winner = vote(own, votes, rng)
            keeps_own = (winner < 0) | (winner == voters.shape[1])
            donors[:, place] = np.where(
                keeps_own, base.positions, voters[np.arange(len(own)), np.where(keeps_own, 0, winner)]
            )
        return donors
