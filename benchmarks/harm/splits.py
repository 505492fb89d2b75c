"""Outer splits with test parts that share no row, so that the test rows of all splits can be pooled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from zlib import crc32

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

    from harm.sources import Setting

    Codes: TypeAlias = npt.NDArray[np.int64]

N_SPLITS = 3
MAX_TRAIN, MAX_TEST = 3_500, 4_000  # rows of a part at most, in the table's shares
FEWEST_TRAIN, FEWEST_TEST = 40, 20  # but so many rows of every class, or all there are


@dataclass(frozen=True, kw_only=True)
class Split:
    """One outer split: real training rows, and real test rows that nothing is fitted on.

    Attributes
    ----------
    name, index
        The setting, and the number of the split.
    train, test : DataFrame
        With the label in them and fresh indexes.
    label, group_by
        As :func:`autosynth.rebalance` takes them.
    classes, segments : tuple of str
        All classes and values of the group column (one empty text without it) of the table.
    """

    name: str
    index: int
    train: pd.DataFrame
    test: pd.DataFrame
    label: str
    group_by: str | None
    classes: tuple[str, ...]
    segments: tuple[str, ...]

    @property
    def features(self) -> list[str]:
        return [str(column) for column in self.train if column != self.label]

    def codes(self, rows: pd.DataFrame) -> Codes:
        """Return the class of every row, a position in ``classes``."""
        return pd.Index(self.classes).get_indexer(rows[self.label]).astype(np.int64)

    def segment_codes(self, rows: pd.DataFrame) -> Codes:
        """Return the segment of every row, all 0 without a group column."""
        if self.group_by is None:
            return np.zeros(len(rows), dtype=np.int64)
        return pd.Index(self.segments).get_indexer(rows[self.group_by].astype(str)).astype(np.int64)

    def group_codes(self, rows: pd.DataFrame) -> Codes:
        """Return the group of every row: one number per segment and class."""
        return self.segment_codes(rows) * len(self.classes) + self.codes(rows)

    def seed(self, *parts: object) -> int:
        """Return a seed that depends on the split and on ``parts`` alone, whatever ran before."""
        return crc32("/".join(map(str, (self.name, self.index, *parts))).encode())


def splits(setting: Setting) -> list[Split]:
    """Return the splits of a setting; a row is tested in one split at most."""
    frame, label, group_by = setting.frame, setting.label, setting.group_by
    classes = tuple(sorted(frame[label].unique()))
    segments = tuple(sorted(frame[group_by].astype(str).unique())) if group_by else ("",)
    whole = Split(
        name=setting.name, index=-1, train=frame, test=frame.iloc[:0], label=label, group_by=group_by,
        classes=classes, segments=segments,
    )  # fmt: skip
    rng = np.random.default_rng(whole.seed("splits"))
    groups = whole.group_codes(frame)
    parts = deal(groups, N_SPLITS, rng)
    found = []
    for index in range(N_SPLITS):
        train = _capped(np.flatnonzero(parts != index), groups, MAX_TRAIN, FEWEST_TRAIN, rng)
        test = _capped(np.flatnonzero(parts == index), groups, MAX_TEST, FEWEST_TEST, rng)
        found.append(
            Split(
                name=setting.name,
                index=index,
                train=frame.iloc[train].reset_index(drop=True),
                test=frame.iloc[test].reset_index(drop=True),
                label=label,
                group_by=group_by,
                classes=classes,
                segments=segments,
            )
        )
    return found


def deal(groups: Codes, n_parts: int, rng: np.random.Generator) -> Codes:
    """Return a part for every row: each group is shuffled and dealt out in turn; a group of one row gets part -1."""
    parts = np.full(len(groups), -1, dtype=np.int64)
    start = 0
    for group in np.unique(groups):
        rows = rng.permutation(np.flatnonzero(groups == group))
        if len(rows) > 1:
            parts[rows] = (start + np.arange(len(rows))) % n_parts
            start += len(rows)  # parts stay equally large over all groups
    return parts


def _capped(rows: Codes, groups: Codes, cap: int, fewest: int, rng: np.random.Generator) -> Codes:
    """Return at most about ``cap`` rows in the shares of the groups, and ``fewest`` of a group where there are."""
    if len(rows) <= cap:
        return rows
    kept = []
    for group in np.unique(groups[rows]):
        mine = rng.permutation(rows[groups[rows] == group])
        kept.append(mine[: max(fewest, round(cap * len(mine) / len(rows)))])
    return np.sort(np.concatenate(kept))
