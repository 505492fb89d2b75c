"""What is done to the training rows of a case: nothing, weights, or rows of a generator, of GPT-4, or of reality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

import numpy as np
import pandas as pd
from quality.distances import equal_rows
from quality.learners import FittedLearner, fit_learner

from autosynth.plugins import current_plugins
from autosynth.synthesis import fit_generator, sample_rows

if TYPE_CHECKING:
    from quality.splits import Groups, Split

    from autosynth.generator import RowGenerator
    from autosynth.groups import Group

GENERATORS = ("ros", "smote", "adasyn", "independent", "tree", "transformer")
OPTIONS: dict[str, dict[str, Any]] = {"tree": {"n_threads": 1}, "transformer": {"n_threads": 1}}
# A fold's rows come from one network instead of three, to save time: each row comes from one of them in any case.
OPTIONS_IN_FOLDS = OPTIONS | {"transformer": {"n_threads": 1, "members": 1}}
Counts = Mapping["Group", int]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to train.

    Attributes
    ----------
    source : str
        Where added rows come from: "none", "class weights", a registered generator, "gpt4", "gpt4 clean" or "real".
    augmented : bool
        Whether every group gets N more rows after the small ones were filled up.
    """

    source: str
    augmented: bool = False

    @property
    def name(self) -> str:
        return f"{self.source} + N" if self.augmented else self.source

    @property
    def makes_rows(self) -> bool:
        return self.source not in ("none", "class weights")


class RowSource(Protocol):
    """Something that gives rows by group, the same first rows however many are asked for."""

    def rows(self, counts: Counts) -> pd.DataFrame: ...


@dataclass(frozen=True)
class PoolOfRows:
    """Rows that are there already: recorded ones of GPT-4, or real ones."""

    pool: pd.DataFrame
    groups: Groups

    def rows(self, counts: Counts) -> pd.DataFrame:
        """Return the first rows of every group, and fewer than asked for where the pool is short."""
        codes = self.groups.codes(self.pool)
        wanted = {self.groups.table.groups.index(group): count for group, count in counts.items()}
        return self.pool.iloc[first_of_groups(codes, wanted)].reset_index(drop=True)


@dataclass
class GeneratedRows:
    """Rows of a registered generator, drawn once for the most that any arm asks for: arms share their rows."""

    name: str
    fitted: RowGenerator
    groups: Groups
    most: Counts
    seed: int
    drawn: pd.DataFrame | None = field(default=None)

    @classmethod
    def fit(cls, name: str, split: Split, groups: Groups, most: Counts, options: Mapping[str, Any]) -> GeneratedRows:
        rng = np.random.default_rng([split.seed, crc32(name.encode()), 0])
        fitted = fit_generator(current_plugins().build(name, options), groups.table, name=name, rng=rng)
        return cls(name, fitted, groups, most, split.seed)

    def rows(self, counts: Counts) -> pd.DataFrame:
        if self.drawn is None:
            rng = np.random.default_rng([self.seed, crc32(self.name.encode()), 1])
            self.drawn = sample_rows(self.fitted, self.groups.table, self.most, name=self.name, rng=rng).frame
        return PoolOfRows(self.drawn, self.groups).rows(counts)


def source_of(
    name: str, split: Split, groups: Groups, most: Counts, *, reserve: pd.DataFrame, options: Mapping[str, Any]
) -> RowSource:
    """Return what gives the rows of an arm of a case or of one of its folds; ``reserve`` holds further real rows."""
    if name == "gpt4":
        return PoolOfRows(recorded_rows(split), groups)
    if name == "gpt4 clean":
        return PoolOfRows(clean_rows(split), groups)
    if name == "real":
        return PoolOfRows(reserve, groups)
    return GeneratedRows.fit(name, split, groups, most, options)


def recorded_rows(split: Split) -> pd.DataFrame:
    """Return GPT-4's rows of a case in the recorded order and the dtypes of the real ones, less unreadable ones."""
    if split.recorded is None:
        raise ValueError(f"no rows of GPT-4 were recorded for {split.table}")
    return split.recorded.dropna().astype(split.train.dtypes.to_dict()).reset_index(drop=True)


def clean_rows(split: Split) -> pd.DataFrame:
    """Return GPT-4's rows less those that equal a test row, or a public row that is not in the training table."""
    rows = recorded_rows(split)
    if split.published is None:
        return rows
    known = equal_rows(rows, split.published) & ~equal_rows(rows, split.train)
    return rows[~(known | equal_rows(rows, split.test))].reset_index(drop=True)


def first_of_groups(codes: np.ndarray, wanted: Mapping[int, int]) -> np.ndarray:
    """Return positions of the first ``wanted[group]`` rows of every group."""
    found = [np.flatnonzero(codes == group)[:count] for group, count in wanted.items()]
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def fill_counts(groups: Groups, augment: int = 0) -> dict[Group, int]:
    """Return the rows that bring every group to the size of the largest, and ``augment`` more for every group."""
    sizes = groups.table.group_sizes
    return {group: int(sizes.max() - size) + augment for group, size in zip(groups.table.groups, sizes, strict=True)}


@dataclass(frozen=True)
class Trained:
    """A learner trained on one arm's rows.

    ``trained_odds`` are the log odds of the positive label among the weighted training rows, per segment.
    """

    learner: FittedLearner
    n_added: int
    trained_odds: np.ndarray

    @classmethod
    def fit(cls, split: Split, groups: Groups, source: str, added: pd.DataFrame | None, learner: str) -> Trained:
        real = split.train
        rows = real if added is None or added.empty else pd.concat([real, added[real.columns]], ignore_index=True)
        codes = groups.codes(rows)
        weights = np.ones(len(rows))
        if source == "class weights":
            weights = (1.0 / np.bincount(codes))[codes]
            weights /= weights.mean()
        y, segments = groups.is_positive(rows), groups.segments[codes]
        n_segments = int(groups.segments.max()) + 1
        mass = np.array(
            [np.bincount(segments[y == label], weights[y == label], minlength=n_segments) for label in (0, 1)]
        )
        mass = np.maximum(mass, 0.5)  # half a row where a segment never showed a class
        fitted = fit_learner(learner, real, groups.table.schema, rows, y, weights)
        return cls(fitted, len(rows) - len(real), np.log(mass[1]) - np.log(mass[0]))
