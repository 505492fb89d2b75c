"""A table cut into training rows and untouched test rows, with what a score needs to know about groups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.table import Table

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class Split:
    """Training and test rows of one table under one seed.

    Attributes
    ----------
    table : str
        Name of the table and its setting.
    minority, majority_cap : int
        Minority rows in training, and the cap that was put on the others; 0 where there was none.
    seed : int
        Position of the split, from 0.
    train, test : DataFrame
        Real rows, label included, unique index.
    label : str
    positive : object
        The label value whose probability is scored: the minority class, or 1 where groups are unbalanced instead.
    group_by : list or mapping, optional
        As :func:`autosynth.rebalance` takes it.
    recorded : DataFrame, optional
        Rows of a language model that were made for exactly these training rows.
    published : DataFrame, optional
        Every row that the public file holds, training and test rows among them.
    """

    table: str
    minority: int
    majority_cap: int
    seed: int
    train: pd.DataFrame
    test: pd.DataFrame
    label: str
    positive: Any
    group_by: Any = None
    recorded: pd.DataFrame | None = None
    published: pd.DataFrame | None = None

    @property
    def name(self) -> str:
        return f"{self.table}, {self.minority} minority rows, seed {self.seed}"

    def groups(self) -> Groups:
        return Groups.of(self)

    def fold(self, train_positions: npt.NDArray[np.int64], held_out: npt.NDArray[np.int64]) -> Split:
        """Return a split of the training rows themselves: the one that out-of-fold predictions come from."""
        return replace(self, train=self.train.iloc[train_positions], test=self.train.iloc[held_out])


@dataclass(frozen=True)
class Groups:
    """Groups of a split: their sizes in training, which are minorities, and the segment each belongs to.

    A segment is a value of the group columns; without group columns there is one.  Class priors differ by segment.
    """

    table: Table
    positive: Any

    @classmethod
    def of(cls, split: Split) -> Groups:
        return cls(Table.from_frame(split.train, label=split.label, group_by=split.group_by), split.positive)

    def codes(self, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Return the group of every row, shape (n_rows,)."""
        return self.table.grouping.codes(frame)

    def is_positive(self, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Return the target, 1 for the positive label, shape (n_rows,)."""
        return (frame[self.table.label] == self.positive).to_numpy(dtype="int64")

    @property
    def minorities(self) -> list[int]:
        """Positions of the minority groups: those of the positive class, or those below half of the largest group."""
        groups, sizes = self.table.groups, self.table.group_sizes
        if not self.table.group_by:
            return [code for code, group in enumerate(groups) if group.values[0] == self.positive]
        return [code for code, size in enumerate(sizes) if 2 * size < sizes.max()]

    @property
    def segments(self) -> npt.NDArray[np.int64]:
        """The segment of every group, shape (n_groups,)."""
        cells = [group.values[1:] for group in self.table.groups]
        return np.array([sorted(set(cells), key=str).index(cell) for cell in cells])

    def log_prior_odds(self) -> npt.NDArray[np.float64]:
        """Return the log odds of the positive label in training, per segment."""
        is_positive = np.array([group.values[0] == self.positive for group in self.table.groups])
        sizes, segments = self.table.group_sizes, self.segments
        positive, negative = (np.bincount(segments, weights=sizes * mask) for mask in (is_positive, ~is_positive))
        return np.log(np.maximum(positive, 0.5) / np.maximum(negative, 0.5))  # half a row where a segment has none


def halves(is_minority: npt.NDArray[np.bool_], seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the positions of a training pool and of a test set, each with half of the minority and of the others."""
    rng = np.random.default_rng([seed, 1])
    pool: list[npt.NDArray[np.int64]] = []
    test: list[npt.NDArray[np.int64]] = []
    for mask in (is_minority, ~is_minority):
        order = rng.permutation(np.flatnonzero(mask))
        pool.append(order[: len(order) // 2])
        test.append(order[len(order) // 2 :])
    return np.sort(np.concatenate(pool)), np.sort(np.concatenate(test))


def thin(is_minority: npt.NDArray[np.bool_], n_minority: int, n_majority: int, seed: int) -> npt.NDArray[np.int64]:
    """Return positions of ``n_minority`` minority rows and at most ``n_majority`` others, in their order.

    The rows of a smaller request are among those of a larger one, so levels differ by rows added, not by another draw.
    """
    rng = np.random.default_rng([seed, 2])
    minority = rng.permutation(np.flatnonzero(is_minority))
    if len(minority) < n_minority:
        raise ValueError(f"{n_minority} minority rows were asked for, and the pool holds {len(minority)}.")
    majority = rng.permutation(np.flatnonzero(~is_minority))
    return np.sort(np.concatenate([minority[:n_minority], majority[:n_majority]]))
