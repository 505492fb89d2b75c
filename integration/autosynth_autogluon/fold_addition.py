"""What is asked of a fold's synthesis, and what a model gets: rows to add, or weights for the real ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from autosynth import SamplingPlan, Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class FoldAddition:
    """The rows to add to one fold.

    Attributes
    ----------
    X, y : DataFrame and Series
        Encoded features and labels in the dtypes of the fold.
    group_codes : ndarray of shape (n_added,)
        Position of each row's group in ``plan.groups``.
    is_augmented : ndarray of bool, shape (n_added,)
        Which rows belong to the augmented part.
    real_codes : ndarray of shape (n_real,)
        The group of every real row of the fold; -1 for a row that could not be traced.
    plan : SamplingPlan
        What was planned.
    table : Table
        The fold as the generator sees it.
    seen : ndarray of bool, shape (n_real,)
        Which real rows of the fold ``table`` holds.
    facts : mapping
        What ``predictor.info()`` shows.
    group_weights : ndarray of shape (n_real,), or None
        What each real row is to count where a race answers class weights instead of rows.
    """

    X: pd.DataFrame
    y: pd.Series[Any]
    group_codes: npt.NDArray[np.int64]
    is_augmented: npt.NDArray[np.bool_]
    real_codes: npt.NDArray[np.int64]
    plan: SamplingPlan
    table: Table
    seen: npt.NDArray[np.bool_]
    facts: Mapping[str, Any]
    group_weights: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Amounts:
    """How much to add; a hyperparameter search may vary it, and families without weights get it as row counts."""

    ratio: float
    synthetic_weight: float
    weights_as_counts: bool
    max_rows: int | None = None

    def rows(self, plan: SamplingPlan) -> SamplingPlan:
        """Return the plan in the rows to ask for: scaled where rows stand for weights, and cut to ``max_rows``."""
        real, oversampled, augmented = plan.part_weights()
        shares = (oversampled / real, augmented / real) if self.weights_as_counts else (1.0, 1.0)
        total = sum(row.n_oversample * shares[0] + row.n_augment * shares[1] for row in plan.groups)
        room = total if self.max_rows is None else max(0, self.max_rows - plan.n_real)
        cut = min(1.0, room / total) if total else 1.0
        rounding = round if cut == 1.0 else math.floor  # rows that were rounded up could exceed the limit
        groups = tuple(
            replace(
                row,
                n_oversample=int(rounding(row.n_oversample * shares[0] * cut)),
                n_augment=int(rounding(row.n_augment * shares[1] * cut)),
            )
            for row in plan.groups
        )
        return replace(plan, groups=groups)
