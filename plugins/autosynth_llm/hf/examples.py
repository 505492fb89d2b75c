"""What a training step reads: rows as tokens in random orders of columns, padded to a rectangle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autosynth_llm.hf.row_text import RowText

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

POOLED_ROWS = 5.0  # what all groups together count for in the frequencies of one group
MIN_HOLDOUT_ROWS = 40  # a smaller table trains on all its rows, for all epochs


@dataclass(frozen=True)
class Batch:
    """Rows as tokens, with the decisions in them.

    Attributes
    ----------
    tokens, mask : ndarray of shape (n_rows, longest)
        Padded on the right.
    rows, positions : ndarray of shape (n_decisions,)
        Where the model is asked: the position *before* the token that decides.
    nodes, branches : ndarray of shape (n_decisions,)
        What the grammar allows there, and what the row has.
    """

    tokens: Ints
    mask: Ints
    rows: Ints
    positions: Ints
    nodes: Ints
    branches: Ints


@dataclass(frozen=True)
class Examples:
    """Real rows in the codec's tokens, ready to be written.

    Attributes
    ----------
    text : RowText
        How they are written.
    cells : ndarray of shape (n_rows, n_columns)
        The codec's tokens.
    group_codes : ndarray of shape (n_rows,)
        Their groups.
    """

    text: RowText
    cells: Ints
    group_codes: Ints

    def __len__(self) -> int:
        return len(self.group_codes)

    def take(self, positions: Ints) -> Examples:
        """Return some of the rows."""
        return Examples(self.text, self.cells[positions], self.group_codes[positions])

    def written(self, column: int) -> Ints:
        """Return one column of ``cells`` as it is written: tokens with the same text as one."""
        by_group = [cell.written_as for cell in self.text.cells[column]]
        tokens = zip(self.group_codes.tolist(), self.cells[:, column].tolist(), strict=True)
        return np.array([by_group[group][token] for group, token in tokens], dtype=np.int64)

    def split(self, holdout_share: float, rng: np.random.Generator) -> tuple[Examples, Examples]:
        """Return rows to train on, and rows to judge the training by: the same share of every group, rounded down."""
        n_held = (np.bincount(self.group_codes) * holdout_share).astype(np.int64)
        if len(self) < MIN_HOLDOUT_ROWS:
            n_held[:] = 0
        shuffled = rng.permutation(len(self))
        order = shuffled[np.argsort(self.group_codes[shuffled], kind="stable")]
        groups = self.group_codes[order]
        rank = np.arange(len(order)) - np.searchsorted(groups, groups)
        is_held = rank < n_held[groups]
        return self.take(np.sort(order[~is_held])), self.take(np.sort(order[is_held]))

    def draw_epoch(self, rng: np.random.Generator) -> Ints:
        """Draw as many rows as there are with weights n_g^-1/2, so that rare groups are seen more often."""
        weights = np.bincount(self.group_codes)[self.group_codes] ** -0.5
        return rng.choice(len(self), size=len(self), p=weights / weights.sum()).astype(np.int64)

    def batches(self, positions: Ints, batch_size: int, rng: np.random.Generator) -> list[Batch]:
        """Return rows in batches, each row in an order of columns of its own."""
        starts = range(0, len(positions), batch_size)
        return [self._batch(positions[start : start + batch_size], rng) for start in starts]

    def _batch(self, positions: Ints, rng: np.random.Generator) -> Batch:
        written = [
            self.text.write(self.cells[at], int(self.group_codes[at]), self.text.draw_order(rng)) for at in positions
        ]
        return assemble([tokens for tokens, _ in written], [decisions for _, decisions in written])


def assemble(tokens: Sequence[Sequence[int]], decisions: Sequence[Sequence[tuple[int, int, int]]]) -> Batch:
    """Return a batch of written rows."""
    lengths = np.array([len(row) for row in tokens])
    mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
    padded = np.zeros(mask.shape, dtype=np.int64)
    padded[mask == 1] = np.concatenate([np.asarray(row, dtype=np.int64) for row in tokens])
    rows = np.repeat(np.arange(len(tokens)), [len(row) for row in decisions])
    made = np.array([entry for row in decisions for entry in row], dtype=np.int64).reshape(-1, 3)
    return Batch(padded, mask, rows, made[:, 0] - 1, made[:, 1], made[:, 2])


def independent_nats(training: Examples, held_out: Examples) -> npt.NDArray[np.float64]:
    """Return what each held-out row costs, in nats, when its columns are drawn independently from its group.

    The frequencies of a group are pulled towards those of all rows, as a rare group needs it.  A model that does not
    fall below this has learned no dependence between columns.

    Returns
    -------
    ndarray of shape (n_held_out,)
    """
    nats = np.zeros(len(held_out))
    for column in (*training.text.first_columns, *training.text.other_columns):
        seen, asked = training.written(column), held_out.written(column)
        for group in np.unique(held_out.group_codes):
            n_values = len(set(training.text.cells[column][group].written_as.values()))
            of_group = seen[training.group_codes == group]
            counts = np.bincount(of_group, minlength=seen.max() + asked.max() + 1)
            pooled = (np.bincount(seen, minlength=len(counts)) + 1.0) / (len(seen) + n_values)
            shares = (counts + POOLED_ROWS * pooled) / (len(of_group) + POOLED_ROWS)
            is_asked = held_out.group_codes == group
            nats[is_asked] -= np.log(shares[asked[is_asked]])
    return nats
