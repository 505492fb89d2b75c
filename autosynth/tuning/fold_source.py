"""The rows of one generator for one fold: it learns once and is asked once, for all arms that share it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autosynth.exceptions import InsufficientRowsError
from autosynth.plan import SamplingPlan
from autosynth.synthesis import SyntheticRows, fit_generator, sample_rows

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.groups import Group
    from autosynth.plugins import PluginRegistry
    from autosynth.table import Table
    from autosynth.tuning.arm import Arm
    from autosynth.tuning.racer import Racer

__all__ = ["FoldRows", "draw_fold_rows", "fold_stream", "largest_counts", "plan_of"]


@dataclass(frozen=True)
class FoldRows:
    """Synthetic rows of one fold, group by group.

    Attributes
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        In the columns and dtypes of the real rows, index 0 to n_rows - 1.
    group_codes : ndarray of int, shape (n_rows,)
        The group of every row, a position in the table's groups; rising.
    notes : mapping of str to int
        What the generator reported.
    shortfall : str
        Why there are fewer rows than the largest arm asks for; empty when there are enough.
    """

    frame: pd.DataFrame
    group_codes: npt.NDArray[np.int64]
    notes: Mapping[str, int] = field(default_factory=dict)
    shortfall: str = ""

    def first(self, plan: SamplingPlan) -> FoldRows:
        """Return the first rows of every group, as many as a plan asks for: all arms share them.

        Raises
        ------
        InsufficientRowsError
            If there are fewer.
        """
        wanted = np.array([row.n_synthetic for row in plan.groups])
        have = np.bincount(self.group_codes, minlength=len(wanted))
        if (have < wanted).any():
            raise InsufficientRowsError(
                plan.counts,
                {row.group: int(n) for row, n in zip(plan.groups, have, strict=True)},
                reasons=self.shortfall,
                advice="Race smaller ratios or augment, or another generator.",
            )
        rank_in_group = pd.Series(self.group_codes).groupby(self.group_codes).cumcount().to_numpy()
        rows = np.flatnonzero(rank_in_group < wanted[self.group_codes])
        return FoldRows(self.frame.iloc[rows], self.group_codes[rows], self.notes)


def plan_of(arm: Arm, table: Table) -> SamplingPlan:
    """Return the rows that an arm with synthetic rows adds to the training rows of a fold, and their weights."""
    return SamplingPlan.make(
        table,
        strategy=float(arm.ratio),
        augment=arm.augment,
        alpha=arm.alpha,
        synthetic_weight=arm.synthetic_weight,
    )


def largest_counts(arms: Iterable[Arm], table: Table) -> dict[Group, int]:
    """Return the most rows that any of the arms asks for, per group that gets any."""
    most = np.zeros(len(table.groups), dtype=np.int64)
    for arm in arms:
        most = np.maximum(most, [row.n_synthetic for row in plan_of(arm, table).groups])
    return {group: int(n) for group, n in zip(table.groups, most, strict=True) if n}


def fold_stream(seed: int, racer: str, repeat: int, fold: int) -> np.random.Generator:
    """Return the random stream of a generator in a fold, whatever else races and in whatever order.

    Examples
    --------
    >>> int(fold_stream(0, "smote", 0, 1).integers(100)) == int(fold_stream(0, "smote", 0, 1).integers(100))
    True
    """
    return np.random.default_rng([seed, zlib.crc32(racer.encode()), repeat, fold])


def draw_fold_rows(
    racer: Racer, table: Table, counts: Mapping[Group, int], rng: np.random.Generator, registry: PluginRegistry
) -> FoldRows:
    """Fit a generator to the training rows of a fold, and draw rows from it.

    Rows of a group come in random order.  Where the generator cannot make all of them, those that it can make are drawn
    anew, for the arms that need fewer; not so where rows cost money.

    Raises
    ------
    GenerationError
        If the generator fails, or falls short and costs money.
    """
    fit_rng, first_rng, second_rng, order_rng = rng.spawn(4)
    fitted = fit_generator(racer.unfitted, table, name=racer.name, rng=fit_rng)

    def draw(wanted: Mapping[Group, int], sample_rng: np.random.Generator) -> SyntheticRows:
        is_paid = racer.is_remote
        return sample_rows(fitted, table, wanted, name=racer.name, rng=sample_rng, registry=registry, is_paid=is_paid)

    try:
        made, shortfall = draw(counts, first_rng), ""
    except InsufficientRowsError as error:
        fewer = {group: min(n, error.produced.get(group, 0)) for group, n in counts.items()}
        if racer.is_remote or not any(fewer.values()):
            raise
        made, shortfall = draw(fewer, second_rng), str(error)
    # Generators may sort their rows, by parent for instance; by chance, the first ones stand for all.
    order = np.lexsort((order_rng.permutation(len(made.frame)), made.group_codes))
    frame = made.frame.iloc[order].reset_index(drop=True)
    return FoldRows(frame, made.group_codes[order], dict(made.notes), shortfall)
