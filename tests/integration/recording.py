"""Generators for the AutoGluon tests: importable by name, so that they reach worker processes and saved predictors."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from autosynth import Group, SampledRows, Table


class RecordingCopies:
    """Copies real rows of the group, and writes down which rows it was fitted on: one file per fit."""

    def __init__(self, folder: str, *, fit_seconds: float = 0.0) -> None:
        self.folder = folder
        self.fit_seconds = fit_seconds

    def fit(self, table: Table, *, rng: np.random.Generator) -> RecordingCopies:
        time.sleep(self.fit_seconds)
        name = f"fit-{rng.integers(2**62)}-{time.time_ns()}.txt"
        (Path(self.folder) / name).write_text("\n".join(map(str, table.frame.index)))
        self.table_ = table
        return self

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> SampledRows:
        drawn = [rng.choice(self.table_.positions(group), size=count) for group, count in counts.items()]
        parents = np.concatenate([np.empty(0, dtype=np.int64), *drawn])
        return SampledRows(self.table_.frame.iloc[parents], parents=parents[:, None])


class Marked(RecordingCopies):
    """Copies real rows with the column ``mark`` set to its largest value, which real minority rows do not have."""

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> SampledRows:
        rows = super().sample(counts, rng=rng)
        highest = self.table_.frame["mark"].max()
        return SampledRows(rows.frame.assign(mark=highest), parents=rows.parents)
