"""GroupRow: one line of a group report, and the way from bootstrap draws to such lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.groups import Group
from autosynth.interval import (
    Interval,
    gap_interval,
    normal_interval,
    percentile_interval,
    pivotal_interval,
    widest_interval,
    wilson_interval,
    worst_interval,
)
from autosynth.risk import ranking_replicates

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.interval import Floats
    from autosynth.predictions import Target
    from autosynth.risk import Cells, MetricDraws

    Mask: TypeAlias = npt.NDArray[np.bool_]

__all__ = ["METRICS", "SUMMARY", "GroupRow", "RowMaker"]

METRICS = ("risk", "accuracy", "recall", "auc", "average_precision", "brier", "calibration_error")
RANKING_METRICS = ("auc", "average_precision")
SUMMARY = ("balanced_risk", "mean_risk", "worst_risk", "gap")


@dataclass(frozen=True)
class GroupRow:
    """One group or segment: how many rows it has, and every metric there (NaN where it is undefined).

    Attributes
    ----------
    group : Group
        The cell; without the label for a segment, empty for all rows.
    n_rows : int
    n_positive : int or None
        Rows of the positive class; None with more than two classes.
    is_small : bool
        True below ``small_group`` rows: read the interval rather than the value.
    risk : Interval
        Mean cross-entropy in nats.
    accuracy, recall : Interval
        Recall of the positive class, with more than two classes the mean over the classes.  Within a group, which
        holds one label, recall is accuracy.
    auc, average_precision : Interval
        With more than two classes the mean of one class against the rest.
    brier : Interval
        Mean squared error of the probability of the positive class; with more than two classes summed over them.
    calibration_error : Interval
        Expected calibration error in 15 bins of equal width; biased upwards in small segments, so see ``brier`` too.
    """

    group: Group
    n_rows: int
    n_positive: int | None
    is_small: bool
    risk: Interval
    accuracy: Interval
    recall: Interval
    auc: Interval
    average_precision: Interval
    brier: Interval
    calibration_error: Interval

    @property
    def name(self) -> str:
        return str(self.group) or "all rows"


@dataclass(frozen=True)
class RowMaker:
    """Turns draws of one model, or the difference of two models' draws, into rows and summary intervals."""

    target: Target
    cells: Cells
    segments: tuple[Group, ...]
    level: float
    small_group: int
    n_bootstrap: int
    is_difference: bool = False

    def group_rows(self, draws: MetricDraws) -> tuple[GroupRow, ...]:
        """Return one row per cell of label x group columns."""
        return tuple(
            self._row(group, np.arange(len(self.cells.label)) == cell, draws.cells, cell)
            for cell, group in enumerate(self.groups())
        )

    def segment_rows(self, draws: MetricDraws) -> tuple[GroupRow, ...]:
        """Return one row per combination of the group columns, and last one about all rows."""
        has_columns = bool(self.segments[0].cell)
        groups = (*self.segments, Group(())) if has_columns else (Group(()),)
        membership = self.cells.membership().astype(bool)
        last = membership.shape[1] - 1  # the only one where one combination is all rows
        return tuple(
            self._row(group, membership[:, min(segment, last)], draws.segments, min(segment, last))
            for segment, group in enumerate(groups)
        )

    def summary(self, draws: MetricDraws) -> dict[str, Interval]:
        """Return balanced risk, mean risk, worst risk and gap of one model."""
        risks = draws.cells["risk"] if self._all_cells_have_spread else draws.cells["risk"][:1]
        return {
            "balanced_risk": percentile_interval(risks.mean(axis=1), self.level),
            "mean_risk": percentile_interval(draws.segments["risk"][:, -1], self.level),
            "worst_risk": worst_interval(risks, self.level),
            "gap": gap_interval(risks, self.level),
        }

    def summary_difference(self, new: MetricDraws, baseline: MetricDraws) -> dict[str, Interval]:
        """Return the same four, new model minus baseline, from replicates that both share.

        The maxima of two models lean on the same noise, so most of its bias cancels; the hull of percentile and pivotal
        limits held the truth in 97 to 100 % of 400 simulated pairs at a nominal 95 %, but in 82 to 84 % where the
        baseline's groups were all alike and the new model's far apart.
        """
        n_draws = None if self._all_cells_have_spread else 1
        risks, before = new.cells["risk"][:n_draws], baseline.cells["risk"][:n_draws]
        mean = new.segments["risk"][:, -1] - baseline.segments["risk"][:, -1]
        return {
            "balanced_risk": percentile_interval((risks - before).mean(axis=1), self.level),
            "mean_risk": percentile_interval(mean, self.level),
            "worst_risk": widest_interval(risks.max(axis=1) - before.max(axis=1), self.level),
            "gap": widest_interval(np.ptp(risks, axis=1) - np.ptp(before, axis=1), self.level),
        }

    def groups(self) -> tuple[Group, ...]:
        """Return the label x group columns of every cell."""
        labels = (self.target.classes[label] for label in self.cells.label)
        segments = (self.segments[segment] for segment in self.cells.segment)
        return tuple(
            Group(((self.target.name, label), *segment.cell)) for label, segment in zip(labels, segments, strict=True)
        )

    def absent_groups(self) -> list[Group]:
        """Return the cells of a known class and a known segment that hold no row."""
        present = set(zip(self.cells.label, self.cells.segment, strict=True))
        return [
            Group(((self.target.name, value), *segment.cell))
            for position, segment in enumerate(self.segments)
            for label, value in enumerate(self.target.classes)
            if (label, position) not in present
        ]

    @property
    def _all_cells_have_spread(self) -> bool:
        """False if a cell has one row: how much another row would differ from it, nobody knows."""
        return bool(self.cells.sizes.min() > 1)

    def _row(self, group: Group, inside: Mask, draws: dict[str, Floats], column: int) -> GroupRow:
        """Return the row about the cells ``inside``, whose draws stand in ``column``."""
        sizes, labels = self.cells.sizes[inside], self.cells.label[inside]
        n_rows, n_positive = int(sizes.sum()), int(sizes[labels == self.target.positive].sum())
        # Accuracy is a share of these rows, recall of the positive ones; over several classes it is a mean of shares.
        share_of = {"accuracy": n_rows}
        if len(labels) == 1:
            share_of["recall"] = n_rows
        elif self.target.positive is not None:
            share_of["recall"] = n_positive
        has_spread = bool(sizes.min() > 1)
        metrics = {
            metric: self._interval(
                metric, draws[metric][:, column], n_rows, share_of.get(metric), has_spread=has_spread
            )
            for metric in METRICS
        }
        return GroupRow(
            group=group,
            n_rows=n_rows,
            n_positive=None if self.target.positive is None else n_positive,
            is_small=n_rows < self.small_group,
            **metrics,
        )

    def _interval(self, metric: str, draws: Floats, n_rows: int, share_of: int | None, *, has_spread: bool) -> Interval:
        value = float(draws[0])
        if self.n_bootstrap == 0 or math.isnan(value):
            return Interval(value)
        if share_of is not None and not self.is_difference:
            return wilson_interval(round(value * share_of), share_of, self.level)
        if not has_spread:
            return Interval(value)
        if metric in RANKING_METRICS and ranking_replicates(n_rows, self.n_bootstrap) < self.n_bootstrap:
            return normal_interval(draws, self.level, floor=-1.0 if self.is_difference else 0.0, ceiling=1.0)
        if metric == "calibration_error" and not self.is_difference:
            return pivotal_interval(draws, self.level, floor=0.0, ceiling=1.0)
        return percentile_interval(draws, self.level)
