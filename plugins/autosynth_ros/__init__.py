"""Random over-sampling: copies of real rows.  The baseline to beat, and the example to copy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import autosynth
from autosynth import Group, SampledRows, Table
from autosynth.generator import NoOptions


class RandomOverSampler:
    """Draws real rows of the group with replacement; there is nothing to set."""

    def __init__(self, options: NoOptions | None = None) -> None:
        self.options = options

    def fit(self, table: Table, *, rng: np.random.Generator) -> RandomOverSampler:  # noqa: ARG002 - nothing is random here
        self.table_ = table
        return self

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> SampledRows:
        drawn = [rng.choice(self.table_.positions(group), size=count) for group, count in counts.items()]
        parents = np.concatenate([np.empty(0, dtype=np.int64), *drawn])
        return SampledRows(self.table_.frame.iloc[parents], parents=parents[:, None])


@autosynth.hookimpl
def autosynth_register_generators(register: autosynth.Register) -> None:
    register(
        "ros",
        RandomOverSampler,
        summary="random copies of real rows: the baseline to beat",
        copies=True,
        quick=True,
    )
