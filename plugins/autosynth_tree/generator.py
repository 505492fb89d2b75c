"""Rows drawn cell by cell with gradient-boosted trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from autosynth import Group, SampledRows, Table
from autosynth.cells import CellCodec
from autosynth_tree.options import TreeOptions
from autosynth_tree.row_model import RowModel

if TYPE_CHECKING:
    from typing_extensions import Self


class TreeGenerator:
    """Any-order autoregression over table cells, with one XGBoost classifier per column.

    Cells are tokens: levels of a category, numbers with few values, bins of other numbers, missing.  Each model learns
    its column from the group and whatever part of the other cells is known, and rows are drawn one cell after another
    in random orders of columns.  So every group is drawn from directly, also one that holds a few rows only: its model
    is that of the whole table, with the group among the inputs.

    The idea is that of UnmaskingTrees; bins in place of its trees of binary splits, the group's role, its weights and
    the budget are ours.

    Columns that the codec copies (texts, categories with more than ``max_levels`` levels) come from one real row of the
    group, which then is the row's parent; other rows have none.

    Parameters
    ----------
    options : TreeOptions, optional
        All settings.

    References
    ----------
    McCarter. Unmasking Trees for Tabular Data. arXiv 2407.05593, 2024.
    """

    def __init__(self, options: TreeOptions | None = None) -> None:
        self.options = options or TreeOptions()

    def fit(self, table: Table, *, rng: np.random.Generator) -> Self:
        """Learn the cells of the table and train one model per column."""
        self.groups_ = table.groups
        self.codec_ = CellCodec.learn(table, max_bins=self.options.max_bins, max_levels=self.options.max_levels)
        tokens = self.codec_.encode(table.frame, table.group_codes).tokens
        self.model_ = RowModel.fit(tokens, table.group_codes, table.grouping.axis_codes, self.options, rng)
        return self

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> SampledRows:
        """Make exactly ``counts[group]`` rows of every group, all groups in one go."""
        codes = [np.full(count, self.groups_.index(group), dtype=np.int64) for group, count in counts.items()]
        groups = np.concatenate([np.empty(0, dtype=np.int64), *codes])
        tokens = self.model_.draw(groups, self.options.n_orders, rng)
        return self.codec_.decode(tokens, groups, rng=rng)
