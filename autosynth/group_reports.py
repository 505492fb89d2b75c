"""GroupReport: how well a model does on every group of real rows, with intervals, alone or against a baseline."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.baseline_gain import BaselineGain
from autosynth.exceptions import ConfigError, DataError
from autosynth.group_rows import METRICS, GroupRow, RowMaker
from autosynth.groups import Group
from autosynth.interval import Interval
from autosynth.notices import announce
from autosynth.plain_data import to_plain
from autosynth.predictions import check_same_rows, read_predictions, read_segments, read_target
from autosynth.reliability import Reliability, reliability_curves
from autosynth.risk import Cells, draw_metrics
from autosynth.seeding import RandomState, as_generator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from autosynth.files import AnyPath
    from autosynth.gains import Gain
    from autosynth.group_gains import GroupGain
    from autosynth.predictions import Predictions, Target
    from autosynth.risk import MetricDraws

__all__ = ["BaselineFigures", "GroupReport", "GroupRow", "ReportDifference", "group_report"]

MAX_LISTED = 5
MAX_GROUPS = 300  # beyond that cells hold a handful of rows, and nobody reads the table


@dataclass(frozen=True)
class ReportDifference:
    """New model minus baseline, from replicates that both share; below zero is better for risks, Brier, calibration.

    Rows stand in the order of the report's own.
    """

    groups: tuple[GroupRow, ...]
    segments: tuple[GroupRow, ...]
    balanced_risk: Interval
    mean_risk: Interval
    worst_risk: Interval
    gap: Interval


@dataclass(frozen=True)
class BaselineFigures:
    """What a report says of its baseline alone; rows stand in the order of the report's own."""

    groups: tuple[GroupRow, ...]
    segments: tuple[GroupRow, ...]
    balanced_risk: Interval
    mean_risk: Interval
    worst_group: str
    worst_risk: Interval
    gap: Interval


@dataclass(frozen=True)
class GroupReport:
    """What `group_report` found; prints as a table.

    Attributes
    ----------
    groups : tuple of GroupRow
        One per cell of label x group columns.
    segments : tuple of GroupRow
        One per combination of the group columns, the last one about all rows.
    balanced_risk : Interval
        Mean over the groups of their risk: every group counts the same.
    mean_risk : Interval
        Mean over the rows.
    worst_group : str
        The group with the highest risk, which is ``worst_risk``.
    gap : Interval
        Highest minus lowest risk of a group.
    difference : ReportDifference or None
        Against the baseline, if one was given.
    notes : tuple of str
        What a reader of the numbers must know about these rows.
    baseline : BaselineFigures or None
        The baseline by itself, if one was given.
    gain : Gain or None
        How much of the difference in balanced risk is a mere shift of the prior, and how much is more; None without a
        baseline, or when a class has too few rows to fit a shift (``notes`` says so then).
    group_gains : tuple of GroupGain
        The same for the risk of every group, in the order of ``groups``; empty where ``gain`` is None.
    reliability : Reliability or None
        How often each class occurs where a model gives it a certain probability, new model and baseline.
    random_state : int or None
        The seed of the bootstrap; None when a numpy Generator was given.
    """

    groups: tuple[GroupRow, ...]
    segments: tuple[GroupRow, ...]
    balanced_risk: Interval
    mean_risk: Interval
    worst_group: str
    worst_risk: Interval
    gap: Interval
    difference: ReportDifference | None
    classes: tuple[Any, ...]
    positive_class: Any
    confidence_level: float
    n_bootstrap: int
    small_group: int
    notes: tuple[str, ...]
    baseline: BaselineFigures | None = None
    gain: Gain | None = None
    reliability: Reliability | None = None
    random_state: int | None = None
    group_gains: tuple[GroupGain, ...] = ()

    def __str__(self) -> str:
        from autosynth.group_report_text import to_text

        return to_text(self)

    def to_frame(self) -> pd.DataFrame:
        """Return both tables as one, told apart by the column ``table`` ("groups" or "segments").

        A group column ``sex`` becomes ``group_sex``, the label ``label``; an interval becomes ``risk``, ``risk_low``
        and ``risk_high``; with a baseline ``risk_difference`` and its limits follow.  NaN stays NaN.
        """
        records = []
        for table in ("groups", "segments"):
            rows: tuple[GroupRow, ...] = getattr(self, table)
            changes: Sequence[GroupRow | None] = (
                getattr(self.difference, table) if self.difference else [None] * len(rows)
            )
            for row, change in zip(rows, changes, strict=True):
                has_label = table == "groups"
                cell = list(row.group.cell)
                record: dict[str, Any] = {"table": table, "name": row.name, "label": cell[0][1] if has_label else None}
                record |= {f"group_{column}": value for column, value in cell[has_label:]}
                record |= {"n_rows": row.n_rows, "n_positive": row.n_positive, "is_small": row.is_small}
                for metric in METRICS:
                    record |= _columns(metric, getattr(row, metric))
                    if change is not None:
                        record |= _columns(f"{metric}_difference", getattr(change, metric))
                records.append(record)
        return pd.DataFrame.from_records(records)

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return everything as strict JSON: NaN becomes null, a label that JSON does not know its text."""
        content = to_plain(self)
        for part in (content, content["difference"], content["baseline"]):
            for table in ("groups", "segments") if part else ():
                named = zip(getattr(self, table), part[table], strict=True)
                part[table] = [{"name": row.name, **entry} for row, entry in named]
        return json.dumps(content, indent=indent, allow_nan=False)

    def to_html(self, path: AnyPath) -> Path:
        """Write the report as one self-contained page that needs no network; every name and value is escaped."""
        from autosynth.pages.group_page import group_page
        from autosynth.pages.page import write_page

        return write_page(group_page(self), path)


def group_report(
    y_true: Any,
    y_proba: Any,
    *,
    groups: Any = None,
    baseline: Any = None,
    y_pred: Any = None,
    threshold: float | None = None,
    positive_class: Any = None,
    classes: Sequence[Any] | None = None,
    n_bootstrap: int = 1000,
    confidence_level: float = 0.95,
    small_group: int = 100,
    random_state: RandomState = 0,
) -> GroupReport:
    """Return how well class probabilities fit every group of rows: risk, balanced risk, worst group, gap, and more.

    A group is one cell of label x group columns, and its risk R^(g) the mean cross-entropy there.  Pass real rows that
    neither the model nor a generator has seen; then the intervals say how much other rows of these groups may differ.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels of any type; none may be missing.
    y_proba : array-like of shape (n_rows,) or (n_rows, n_classes)
        Probability of the positive class, or one column per class: a DataFrame whose columns are the classes, as
        AutoGluon's predict_proba gives, or an array together with ``classes``.
    groups : array-like, Series or DataFrame of n_rows rows, optional
        Group columns.  A missing value is a group of its own.  Without it the groups are the classes.
    baseline : like ``y_proba``, optional
        Probabilities of another model for the same rows; fills ``report.difference``.
    y_pred : array-like of shape (n_rows,), optional
        Predicted labels for accuracy and recall.  A baseline has none of its own then, so their differences are NaN.
    threshold : float in [0, 1], optional
        A probability above it predicts the positive class, for the baseline as well.  None stands for 0.5.
    positive_class : optional
        One of two classes.  None stands for the second, as in scikit-learn and AutoGluon.
    classes : sequence, optional
        The classes in the order of ``y_proba``'s columns; with one probability per row, the negative class first.
    n_bootstrap : int
        Replicates behind the intervals; 0 gives values without intervals.
    confidence_level : float in (0, 1)
        How often an interval should hold the truth, each taken by itself.
    small_group : int
        Groups and segments with fewer rows are marked.
    random_state : int, Generator or None
        Seed of the bootstrap; equal inputs and an equal int give equal reports.

    Returns
    -------
    GroupReport
        Frozen; ``print`` shows it, ``to_frame`` and ``to_json`` give the numbers.

    Raises
    ------
    ConfigError
        If an option is out of range or contradicts another.
    DataError
        If the rows cannot be used, such as missing labels, impossible probabilities or differing indexes.

    Notes
    -----
    Intervals come from a Poisson bootstrap within every cell.  Risks and Brier scores have percentile limits; shares
    (accuracy, recall of one class) Wilson's; the calibration error pivotal ones, as noise can only raise it; the worst
    group and the gap band limits (see autosynth/interval.py for the measured coverage).  AUC and average precision of
    segments with more than 20 million / ``n_bootstrap`` rows use fewer replicates, 200 at least, and then have limits
    of value +- z standard errors, as 200 are too few for percentiles.

    References
    ----------
    Nakada, Xu, Li, Zhang. Synthetic oversampling: theory and a practical approach using LLMs to address data imbalance.
    arXiv 2406.03628. Group risk and balanced risk.

    Examples
    --------
    >>> report = group_report(["no", "no", "yes", "yes"], [0.1, 0.4, 0.3, 0.8], n_bootstrap=0)
    >>> report.worst_group, round(report.balanced_risk.value, 3)
    ('label=yes', 0.511)
    """
    _check_options(n_bootstrap, confidence_level, small_group)
    rng = as_generator(random_state)
    n_rows = check_same_rows(y_true=y_true, y_proba=y_proba, groups=groups, baseline=baseline, y_pred=y_pred)
    target = read_target(y_true, y_proba, classes=classes, positive_class=positive_class)
    models = [read_predictions(y_proba, target, y_pred=y_pred, threshold=threshold)]
    if baseline is not None:
        other = read_predictions(baseline, target, name="baseline", threshold=threshold)
        models.append(other if y_pred is None else replace(other, hits=np.full(n_rows, np.nan)))
    segments, segment_codes = read_segments(groups, n_rows)
    cells = Cells.from_codes(target.codes, segment_codes)
    _check_number_of_groups(len(cells.label), n_rows)
    too_few = BaselineGain.too_few_rows(target) if baseline is not None else ""
    gains = [
        BaselineGain(models[0], other, target, cells, n_bootstrap=n_bootstrap) for other in models[1:] if not too_few
    ]
    draws = draw_metrics(models, target, cells, n_bootstrap=n_bootstrap, rng=rng, collectors=gains)
    maker = RowMaker(target, cells, segments, confidence_level, small_group, n_bootstrap)
    rows = maker.group_rows(draws[0])
    report = GroupReport(
        groups=rows,
        segments=maker.segment_rows(draws[0]),
        **maker.summary(draws[0]),
        worst_group=_worst(rows),
        difference=_difference(maker, *draws) if len(draws) == 2 else None,
        classes=target.classes,
        positive_class=None if target.positive is None else target.classes[target.positive],
        confidence_level=confidence_level,
        n_bootstrap=n_bootstrap,
        small_group=small_group,
        notes=(
            *_notes(maker, rows, no_baseline_labels=baseline is not None and y_pred is not None),
            *([too_few] if too_few else []),
        ),
        baseline=_baseline(maker, draws[1]) if len(draws) == 2 else None,
        gain=gains[0].finish(confidence_level) if gains else None,
        group_gains=gains[0].finish_groups(confidence_level, maker.groups()) if gains else (),
        reliability=_reliability(models, target, confidence_level),
        random_state=int(random_state) if isinstance(random_state, int | np.integer) else None,
    )
    announce("autosynth_reported", report=report)
    return report


def _baseline(maker: RowMaker, draws: MetricDraws) -> BaselineFigures:
    rows = maker.group_rows(draws)
    return BaselineFigures(
        groups=rows,
        segments=maker.segment_rows(draws),
        worst_group=_worst(rows),
        **maker.summary(draws),
    )


def _worst(rows: Sequence[GroupRow]) -> str:
    return max(rows, key=lambda row: row.risk.value).name


def _reliability(models: Sequence[Predictions], target: Target, level: float) -> Reliability:
    curves = [reliability_curves(model.probabilities, target, level=level) for model in models]
    return Reliability(new=curves[0], baseline=curves[1] if len(curves) == 2 else None)


def _difference(maker: RowMaker, new: MetricDraws, baseline: MetricDraws) -> ReportDifference:
    change, change_maker = new.minus(baseline), replace(maker, is_difference=True)
    return ReportDifference(
        groups=change_maker.group_rows(change),
        segments=change_maker.segment_rows(change),
        **maker.summary_difference(new, baseline),
    )


def _notes(maker: RowMaker, rows: tuple[GroupRow, ...], *, no_baseline_labels: bool) -> Iterator[str]:
    absent = maker.absent_groups()
    if absent:
        yield f"No rows, so no part in the balanced risk: {_list_groups(absent)}."
    single = [row.group for row in rows if row.n_rows == 1]
    if single and maker.n_bootstrap:
        yield (
            f"One row only: {_list_groups(single)}. What another row there would cost is unknown, so balanced risk, "
            "worst group and gap have no interval. Merge rare values to get one."
        )
    if no_baseline_labels:
        yield "y_pred is the new model's alone, so differences in accuracy and recall are undefined."


def _list_groups(groups: list[Group]) -> str:
    more = f"; and {len(groups) - MAX_LISTED} more" if len(groups) > MAX_LISTED else ""
    return "; ".join(str(group) for group in groups[:MAX_LISTED]) + more


def _check_options(n_bootstrap: int, confidence_level: float, small_group: int) -> None:
    for name, value in (("n_bootstrap", n_bootstrap), ("small_group", small_group)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise ConfigError(f"{name}={value!r} is no count. Use a whole number from 0 on.")
    is_number = isinstance(confidence_level, int | float | np.number) and not isinstance(confidence_level, bool)
    if not is_number or not 0 < confidence_level < 1:
        raise ConfigError(
            f"confidence_level={confidence_level!r} is no share. Use a number between 0 and 1, such as 0.95."
        )


def _check_number_of_groups(n_groups: int, n_rows: int) -> None:
    if n_groups > MAX_GROUPS:
        raise DataError(
            f"the label and the group columns make {n_groups} groups of {n_rows} rows; at most {MAX_GROUPS} can be "
            "told apart. Bin a continuous group column, for example with pandas.cut, or merge its rare values."
        )


def _columns(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
