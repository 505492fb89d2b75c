"""The models of all columns: training within a budget, and drawing rows cell by cell."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autosynth.seeding import integer_seed, spread_uniforms
from autosynth_tree.column_model import ColumnModel
from autosynth_tree.masking import TokenRows, context_of

if TYPE_CHECKING:
    from autosynth_tree.masking import Codes
    from autosynth_tree.options import TreeOptions

MIN_SHOWN = 500  # rows that every model sees, whatever the budget


@dataclass(frozen=True)
class RowModel:
    """One model per column; together they give a row, one cell after another, in any order of columns."""

    columns: tuple[ColumnModel, ...]
    axes: Codes  # (n_groups, n_axes): what models see of each group

    @classmethod
    def fit(cls, tokens: Codes, groups: Codes, axes: Codes, options: TreeOptions, rng: np.random.Generator) -> RowModel:
        """Train the models.

        Parameters
        ----------
        tokens : ndarray of int, shape (n_rows, n_columns)
            Real rows as tokens.
        groups : ndarray of int, shape (n_rows,)
            The group of every row.
        axes : ndarray of int, shape (n_groups, n_axes)
            The codes of every group.
        options : TreeOptions
            All settings.
        rng : numpy.random.Generator
            Gives every model a seed of its own.
        """
        rows = TokenRows(tokens, groups, axes)
        n_shown = rows_within_budget(tokens, axes.shape[1], options)
        seeds = [integer_seed(rng) for _ in range(tokens.shape[1])]
        with ThreadPoolExecutor(options.n_threads or _usable_cores()) as pool:
            columns = pool.map(
                lambda column: ColumnModel.fit(rows, column, n_shown, options, seeds[column]), range(len(seeds))
            )
            return cls(tuple(columns), axes)

    def draw(self, groups: Codes, n_orders: int, rng: np.random.Generator) -> Codes:
        """Return the tokens of one row for every entry of ``groups``, shape (n_rows, n_columns)."""
        n_columns = len(self.columns)
        tokens = np.full((len(groups), n_columns), np.nan, dtype=np.float32)
        orders = np.array([rng.permutation(n_columns) for _ in range(n_orders)])
        blocks = rng.integers(n_orders, size=len(groups))
        for step in range(n_columns):
            turns = orders[blocks, step]
            for column in np.unique(turns):
                rows = np.flatnonzero(turns == column)
                asked = groups[rows]
                context = context_of(self.axes[asked], tokens[rows], column)
                tokens[rows, column] = self.columns[column].draw(context, asked, spread_uniforms(asked, rng))
        return tokens.astype(np.int64)


def rows_within_budget(tokens: Codes, n_axes: int, options: TreeOptions) -> int:
    """Return how many masked rows each model is shown.

    Parameters
    ----------
    tokens : ndarray of int, shape (n_rows, n_columns)
        The real rows.
    n_axes : int
        Label and group columns.
    options : TreeOptions
        ``n_copies`` and ``max_work`` limit the number; ``MIN_SHOWN`` rows are shown however many columns there are.
    """
    n_rows, n_columns = tokens.shape
    n_features = min(n_columns - 1, options.columns_per_tree) + n_axes
    n_classes = sum(len(np.unique(column)) for column in tokens.T)
    affordable = options.max_work / max(1, n_features * n_classes * options.n_rounds)
    return int(min(n_rows * options.n_copies, max(MIN_SHOWN, affordable)))


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
