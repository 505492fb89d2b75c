"""The two steps of a generator in a fold, as functions that another process can run without loading AutoGluon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from autosynth import Group, RowGenerator, Table
from autosynth.checks.rules import Rule
from autosynth.plugins import current_plugins
from autosynth.rebalancing import row_veto
from autosynth.synthesis import SyntheticRows, fit_generator, sample_rows


def fit_step(generator: RowGenerator, table: Table, name: str, rng: np.random.Generator) -> RowGenerator:
    """Return a fitted copy of the generator."""
    return fit_generator(generator, table, name=name, rng=rng)


def sample_step(
    fitted: RowGenerator,
    table: Table,
    counts: Mapping[Group, int],
    name: str,
    rng: np.random.Generator,
    filtered: bool,
    rules: Sequence[Rule] = (),
) -> SyntheticRows:
    """Return the rows asked for; ``filtered`` says whether the row filters of plugins apply.

    Rows that break one of the ``rules`` are refused and drawn again.
    """
    plugins = current_plugins()
    return sample_rows(
        fitted,
        table,
        counts,
        name=name,
        rng=rng,
        registry=plugins if filtered else None,
        veto=row_veto(rules),
        is_paid=plugins.is_remote(fitted),
    )
