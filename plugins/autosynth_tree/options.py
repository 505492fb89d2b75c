"""The options of ``tree``, checked when they are built."""

from __future__ import annotations

from dataclasses import dataclass

from autosynth.options import check_number, check_whole


@dataclass(frozen=True, kw_only=True)
class TreeOptions:
    """Options of ``tree``.

    Attributes
    ----------
    max_bins : int
        Numbers with more distinct values are cut into about this many bins.  Time grows with it: every bin is a class.
    max_levels : int
        Categories with more levels are copied from a real row of the same group.
    n_copies : int
        How often each real row is shown on average, with other cells hidden every time.
    max_work : float
        Limit on the training, in cells visited: rows shown x columns x classes x rounds, summed over the models.  The
        rows shown are cut to it, down to 500 per model, so that wide tables may take longer.  One core does about 2e8
        in a second.
    n_rounds : int
        Boosting rounds; each adds one tree per class.
    max_depth : int
        Depth of a tree.
    learning_rate : float
        Shrinkage of every round, up to 1.
    subsample : float
        Share of the rows shown that each round sees, up to 1.
    reg_lambda : float
        Penalty on leaf weights, in units of real rows.  Models start from the shares of the group, so a strong penalty
        leads back to independent columns, which small tables need: held-out log-likelihood of tables of 50 to 100 rows
        is 0.13 nat per cell better with 10 than with 1, and within 0.004 from 300 rows on.
    columns_per_tree : int
        Columns that each tree may look at, drawn at random in wider tables; the group it sees nearly always.
    n_orders : int
        Rows are made in this many blocks, each with its own random order of columns.
    n_threads : int or None
        Models trained at once; None takes all cores that the process may use.  Rows do not depend on it.
    """

    max_bins: int = 16
    max_levels: int = 64
    n_copies: int = 20
    max_work: float = 1e9
    n_rounds: int = 20
    max_depth: int = 3
    learning_rate: float = 0.3
    subsample: float = 0.8
    reg_lambda: float = 10.0
    columns_per_tree: int = 32
    n_orders: int = 8
    n_threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_bins", "max_levels"):
            check_whole(name, getattr(self, name), minimum=2)
        for name in ("n_copies", "n_rounds", "max_depth", "columns_per_tree", "n_orders"):
            check_whole(name, getattr(self, name))
        for name in ("learning_rate", "subsample"):
            check_number(name, getattr(self, name), above=0, high=1)
        check_number("max_work", self.max_work, above=0)
        check_number("reg_lambda", self.reg_lambda, low=0)
        if self.n_threads is not None:
            check_whole("n_threads", self.n_threads)
