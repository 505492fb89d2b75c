"""Synthetic rows that another tool wrote to a file, checked like all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import autosynth
from autosynth.conform import conform
from autosynth.exceptions import ConfigError
from autosynth.files import read_table

if TYPE_CHECKING:
    from autosynth import Group, SampledRows, Table


@dataclass(frozen=True, kw_only=True)
class RowsOptions:
    """Where the rows are.

    Attributes
    ----------
    path : str
        A CSV or Parquet file with the columns of the table.
    """

    path: str = ""

    def __post_init__(self) -> None:
        if not self.path:
            raise ConfigError("generator 'rows' needs a file: generator_options={'path': 'synthetic.csv'}.")


class RowsFromFile:
    """Hands out the valid rows of a file, each at most once.

    It learns nothing: whether validation rows fathered the rows in the file cannot be known.  So it is refused inside
    the folds of an AutoML run, where every generator must be fitted anew.
    """

    def __init__(self, options: RowsOptions) -> None:
        self.options = options

    def fit(self, table: Table, *, rng: np.random.Generator) -> RowsFromFile:
        rows, _, self.refusals_ = conform(read_table(self.options.path), table.schema, owner="rows")
        self.rows_ = rows.iloc[rng.permutation(len(rows))].reset_index(drop=True)
        self.groups_ = table.groups
        self.codes_ = table.grouping.codes(self.rows_) if len(rows) else np.empty(0, dtype=np.int64)
        self.taken_ = np.zeros(len(rows), dtype=bool)
        return self

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> SampledRows:  # noqa: ARG002 - shuffled in fit
        chosen = [
            np.flatnonzero((self.codes_ == self.groups_.index(group)) & ~self.taken_)[:count]
            for group, count in counts.items()
        ]
        positions = np.concatenate([np.empty(0, dtype=np.int64), *chosen])
        self.taken_[positions] = True
        notes = {f"rows of the file refused, {reason}": count for reason, count in self.refusals_.items()}
        self.refusals_.clear()  # reported once
        return autosynth.SampledRows(self.rows_.iloc[positions], notes=notes)


@autosynth.hookimpl
def autosynth_register_generators(register: autosynth.Register) -> None:
    register(
        "rows",
        RowsFromFile,
        options=RowsOptions,
        summary="synthetic rows from a CSV or Parquet file that another tool made",
        refits=False,
        copies=False,
    )
