"""A generator whose rows no gate should let through; importable by name, so that it reaches worker processes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from autosynth import Group, Table


class Collapsed:
    """Gives every row the largest value of each number.

    ``without`` limits that to tables that lack this row, ``only_above`` to those with more rows.
    """

    def __init__(self, *, without: Hashable | None = None, only_above: int = 0) -> None:
        self.without = without
        self.only_above = only_above

    def fit(self, table: Table, *, rng: np.random.Generator) -> Collapsed:
        self.table_ = table
        self.is_faulty_ = self.without not in table.frame.index and len(table) > self.only_above
        return self

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> Any:
        drawn = [rng.choice(self.table_.positions(group), size=count) for group, count in counts.items()]
        rows = self.table_.frame.iloc[np.concatenate([np.empty(0, dtype=np.int64), *drawn])]
        return rows.assign(**rows.select_dtypes("float").max().to_dict()) if self.is_faulty_ else rows
