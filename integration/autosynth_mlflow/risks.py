"""Records of risks: what a model costs every group of real rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autosynth import GroupReport
from autosynth.files import write_table, write_text
from autosynth_mlflow.record import Record, limits, smallest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autosynth import Group
    from autosynth.group_reports import GroupRow
    from autosynth_mlflow.record import Name

__all__ = ["group_record"]

SUMMARY = ("balanced_risk", "mean_risk", "worst_risk", "gap")
RANKING = ("auc", "average_precision", "brier", "calibration_error", "accuracy", "recall")


def group_record(report: GroupReport) -> Record:
    """Return the risk of every group, their mean, worst and gap, and what has changed against a baseline."""
    metrics: dict[Name, float] = {("groups",): len(report.groups), ("rows",): report.segments[-1].n_rows}
    for name in SUMMARY:
        metrics |= limits(name, getattr(report, name))
    return Record(
        kind="group_report",
        verdict=_verdict(report),
        params={
            ("worst_group",): report.worst_group,
            ("classes",): ", ".join(map(str, report.classes)),
            ("positive_class",): report.positive_class,
            ("confidence_level",): report.confidence_level,
            ("n_bootstrap",): report.n_bootstrap,
            ("random_state",): report.random_state,
        },
        metrics={**metrics, **_by_group(report), **_against_baseline(report)},
        files={
            "groups.csv": lambda path: write_table(report.to_frame(), path),
            "report.json": lambda path: write_text(report.to_json(), path),
            "report.html": report.to_html,
        },
    )


def _verdict(report: GroupReport) -> str:
    worst, balanced = report.worst_risk.value, report.balanced_risk.value
    lines = [f"worst group {report.worst_group}: risk {worst:.3f}, against {balanced:.3f} in the mean over groups."]
    if report.gain is not None:
        lines.append(report.gain.sentence)
    return "\n".join([*lines, *report.notes])


def _sizes(rows: Iterable[GroupRow]) -> dict[Group, int]:
    return {row.group: row.n_rows for row in rows}


def _by_group(report: GroupReport) -> dict[Name, float]:
    """Return risk and rows of every group, and how well each segment, which holds several classes, is ranked."""
    shown = smallest(_sizes(report.groups))
    metrics: dict[Name, float] = {}
    for row in report.groups:
        if row.group in shown:
            metrics["group_risk", row.name] = row.risk.value
            metrics["group_rows", row.name] = row.n_rows
    *segments, everyone = report.segments
    shown = {*smallest(_sizes(segments)), everyone.group}
    for row in report.segments:
        if row.group in shown:
            metrics |= {(f"segment_{name}", row.name): getattr(row, name).value for name in RANKING}
    return metrics


def _against_baseline(report: GroupReport) -> dict[Name, float]:
    """Return new model minus baseline, and which part of a gain is more than a shift of the prior."""
    change = report.difference
    if change is None:
        return {}
    metrics: dict[Name, float] = {}
    for name in SUMMARY:
        metrics |= limits(f"{name}_difference", getattr(change, name))
    shown = smallest(_sizes(report.groups))
    for row in change.groups:
        if row.group in shown:
            metrics["group_risk_difference", row.name] = row.risk.value
    if report.gain is not None:
        parts = (*report.gain.steps, report.gain.total)
        metrics |= {("gain_nats", part.name): part.nats.value for part in parts}
    return metrics
