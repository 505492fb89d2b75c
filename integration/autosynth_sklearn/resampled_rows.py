"""Real rows and the synthetic ones made for them, with weights and parents."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autosynth import AutosynthWarning, RebalanceReport, RebalanceResult, rebalance
from autosynth.notices import unannounced
from autosynth_sklearn.grouped_rows import GroupedRows

NOTHING_TO_ADD = "the plan adds no row"


@dataclass(frozen=True, kw_only=True)
class ResampledRows:
    """All rows, real ones first, and what was done.

    Attributes
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Features, group columns and targets; index 0 to n_rows - 1.
    n_real : int
        How many of them are real.
    weights : ndarray of shape (n_rows,)
        What rows count in training: a real row what the user says, by default 1; a synthetic one its part's share of
        the mean of the real rows of its group.
    parents : ndarray of int, shape (n_rows - n_real, n_parents)
        Positions of the real rows behind each synthetic one, -1 where there is none; no columns when the generator
        cannot tell.
    report : RebalanceReport
        Plan, checks and refusals, without any row.
    """

    frame: pd.DataFrame
    n_real: int
    weights: npt.NDArray[np.float64]
    parents: npt.NDArray[np.int64]
    report: RebalanceReport

    @classmethod
    def make(
        cls, rows: GroupedRows, user_weights: npt.NDArray[np.float64] | None, options: Mapping[str, Any]
    ) -> ResampledRows:
        """Rebalance the rows; ``options`` are those of :func:`autosynth.rebalance`."""
        table = rows.table
        with warnings.catch_warnings(), unannounced():  # trackers would hear of every fold of a cross-validation
            warnings.filterwarnings("ignore", message=NOTHING_TO_ADD, category=AutosynthWarning)
            result = rebalance(table.frame, label=table.label, group_by=rows.group_by or None, **options)
        # what the checks compared is left out: a model is no place for training rows
        checks = dataclasses.replace(result.checks, evidence=None)
        report = _shown(dataclasses.replace(result.report, checks=checks), rows)
        return cls(
            frame=result.data,
            n_real=len(table),
            weights=_weights(result, rows, user_weights),
            parents=_parents(result),
            report=report,
        )

    @property
    def synthetic(self) -> pd.DataFrame:
        """The synthetic rows alone."""
        return self.frame.iloc[self.n_real :]


def _weights(
    result: RebalanceResult, rows: GroupedRows, user_weights: npt.NDArray[np.float64] | None
) -> npt.NDArray[np.float64]:
    """Return the plan's weights times the user's; synthetic rows inherit the mean of their group."""
    table = rows.table
    weights = result.weights.to_numpy(dtype="float64")
    real = weights[: len(table)]
    if (real == real[0]).all():
        weights = weights / real[0]
    if user_weights is not None:
        means = np.bincount(table.group_codes, user_weights) / table.group_sizes
        inherited = means[table.grouping.codes(result.synthetic)]
        weights = weights * np.concatenate([user_weights, inherited])
    return np.asarray(weights, dtype="float64")


def _parents(result: RebalanceResult) -> npt.NDArray[np.int64]:
    """Return the parents of synthetic rows as positions: the index of the table counts its rows."""
    families = result.provenance["parents"].tolist()
    parents = np.full((len(families), max(map(len, families), default=0)), -1, dtype=np.int64)
    for row, family in zip(parents, families, strict=True):
        row[: len(family)] = family
    return parents


def _shown(report: RebalanceReport, rows: GroupedRows) -> RebalanceReport:
    """Return the report without a label that only names the cell of the group columns."""
    if rows.table.label in rows.targets:
        return report
    plan, bins = report.plan, rows.table.grouping.describe_bins()
    strategy = plan.strategy
    if isinstance(strategy, Mapping):
        strategy = {rows.shown(group): total for group, total in strategy.items()}
    groups = tuple(dataclasses.replace(part, group=rows.shown(part.group)) for part in plan.groups)
    names = {str(group): str(rows.shown(group)) for group in rows.table.groups}
    results = (dataclasses.replace(each, subject=names.get(each.subject, each.subject)) for each in report.checks)
    return dataclasses.replace(
        report,
        label=None,
        plan=dataclasses.replace(plan, groups=groups, strategy=strategy, notes=(bins,) if bins else ()),
        checks=dataclasses.replace(report.checks, results=tuple(results)),
    )
