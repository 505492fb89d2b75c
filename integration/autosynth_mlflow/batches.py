"""Records of synthetic rows: what was made, for which groups, and what the checks said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from autosynth import CheckReport, MemorizationProbe, RebalanceReport
from autosynth.files import write_table
from autosynth.hidden import plain_options
from autosynth_mlflow.races import tuning_record
from autosynth_mlflow.record import Record, smallest, write_json

if TYPE_CHECKING:
    from autosynth import CheckResult, Group, SamplingPlan
    from autosynth_mlflow.record import Name

__all__ = ["check_record", "probe_record", "rebalance_record"]


def rebalance_record(report: RebalanceReport) -> Record:
    """Return what a run was asked for, the rows of every group, and the verdict on them."""
    plan, checks = report.plan, report.checks
    sizes = {row.group: row.n_real for row in plan.groups}
    options = plain_options(report.options) or {}
    record = Record(
        kind="rebalance",
        verdict=_verdict(report),
        params={
            **_columns(report.label, report.group_by),
            ("generator",): report.generator,
            **{("options", str(name)): value for name, value in options.items()},
            ("strategy",): plan.strategy,
            ("augment",): plan.augment,
            ("alpha",): plan.alpha,
            ("synthetic_weight",): plan.synthetic_weight,
            ("copies",): report.copies,
            ("rules",): "; ".join(report.rules),
            ("random_state",): report.random_state,
            ("versions",): ", ".join(f"{package} {version}" for package, version in report.versions.items()),
        },
        metrics={
            **_rows(plan, smallest(sizes)),
            ("rows_refused",): sum(report.refusals.values()),
            ("rounds",): report.n_rounds,
            ("seconds",): report.seconds,
            **(_outcomes(checks, sizes) if checks.results else {}),
        },
        files={
            "plan.csv": lambda path: write_table(plan.to_frame(), path),
            "checks.csv": lambda path: write_table(checks.to_frame(), path),
            "report.json": lambda path: write_json(_content(report), path),
            "report.html": report.to_html,
        },
    )
    return record if report.tuning is None else record.with_part("race", tuning_record(report.tuning))


def check_record(report: CheckReport) -> Record:
    """Return the verdict on rows of any origin, and how far they are from the real ones."""
    params: dict[Name, object] = {}
    rows: dict[Name, float] = {}
    sizes: dict[Group, int] = {}
    if report.evidence is not None:
        table = report.evidence.table
        params = _columns(table.label, table.group_by)
        rows = {("rows_real",): len(table), ("rows_synthetic",): len(report.evidence.synthetic)}
        sizes = dict(zip(table.groups, table.group_sizes.tolist(), strict=True))
    return Record(
        kind="check",
        verdict=report.describe_failures(),
        params=params,
        metrics={**rows, **_outcomes(report, sizes)},
        files={
            "checks.csv": lambda path: write_table(report.to_frame(), path),
            "report.json": lambda path: write_json(report.to_dict(), path),
            "report.html": report.to_html,
        },
    )


def probe_record(probe: MemorizationProbe) -> Record:
    """Return how often a generator made rows that it had not been shown."""
    metrics: dict[Name, float] = {("passed",): probe.passed, ("rows_synthetic",): probe.n_rows}
    for whose, shares in (("hidden", probe.hidden), ("shown", probe.shown)):
        for kind, share in shares.items():
            facts = share.to_dict()
            metrics |= {(f"copies_of_{whose}", f"{kind} {fact}"): facts[fact] for fact in ("share", "limit", "chance")}
    return Record(
        kind="probe_memorization",
        verdict=probe.verdict,
        params={
            ("generator",): probe.generator,
            ("rows_shown",): probe.n_shown,
            ("rows_hidden",): probe.n_hidden,
            ("random_state",): probe.random_state,
        },
        metrics=metrics,
        files={
            "copies.csv": lambda path: write_table(probe.to_frame(), path),
            "report.json": lambda path: write_json(probe.to_dict(), path),
        },
    )


def _verdict(report: RebalanceReport) -> str:
    headline = str(report).splitlines()[0]
    reason = [] if report.tuning is None else [str(report.tuning.best)]
    return "\n".join([headline, *reason, report.checks.describe_failures()])


def _content(report: RebalanceReport) -> dict[str, Any]:
    race = {} if report.tuning is None else {"tuning": report.tuning.to_dict()}
    return {**report.to_dict(), **race}


def _columns(label: object, group_by: Iterable[object]) -> dict[Name, object]:
    return {("label",): label, ("group_by",): ", ".join(map(str, group_by))}


def _rows(plan: SamplingPlan, shown: Collection[Group]) -> dict[Name, float]:
    """Return real and synthetic rows, of all groups together and of each."""
    metrics: dict[Name, float] = {
        ("groups",): len(plan.groups),
        ("rows_real",): plan.n_real,
        ("rows_synthetic",): plan.n_synthetic,
    }
    for row in plan.groups:
        if row.group in shown:
            metrics["real", str(row.group)] = row.n_real
            metrics["synthetic", str(row.group)] = row.n_synthetic
    return metrics


def _outcomes(report: CheckReport, sizes: Mapping[Group, int]) -> dict[Name, float]:
    """Return the verdict in numbers, and what was observed: in every group, or in what else fared worst.

    Parameters
    ----------
    report : CheckReport
        The verdict.
    sizes : mapping of Group to int
        Real rows of the groups; empty where nobody knows them.
    """
    failed = [result for result in report.failures if not result.error]
    metrics: dict[Name, float] = {
        ("passed",): report.passed,
        ("checks",): len(report.results),
        ("checks_failed",): sum(result.severity == "critical" for result in failed),
        ("checks_warned",): sum(result.severity == "warning" for result in failed),
        ("checks_not_run",): len(report.errors),
        ("checks_skipped",): len(report.skipped),
    }
    groups, shown = ({str(group) for group in some} for some in (sizes, smallest(sizes)))
    ran = [result for result in report if not result.skipped and not result.error]
    for result in sorted(ran, key=_standing):
        if result.subject not in groups:
            metrics.setdefault(("observed", result.name), result.observed)
        elif result.subject in shown:
            metrics["by_group", result.name, result.subject] = result.observed
    return metrics


def _standing(result: CheckResult) -> tuple[bool, float]:
    """Return what puts the worst result first: failures by how far they are off, then those closest to their limit."""
    margin = abs(result.observed - result.limit)
    return result.passed, margin if result.passed else -margin
