"""How to repeat a run: the call, its options, the plan, and the versions of what decides the rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from autosynth.hidden import plain_options
from autosynth.pages.elements import Part, bullets, code, details, facts, note, subheading
from autosynth.pages.numbers import number_text
from autosynth.pages.page import Section
from autosynth.pages.table import table as as_table
from autosynth.plugins import AUTO
from autosynth.report import PACKAGES
from autosynth.versions import versions_of

if TYPE_CHECKING:
    from autosynth.checks.result import CheckReport
    from autosynth.plan import SamplingPlan
    from autosynth.report import RebalanceReport
    from autosynth.table import Table

MAX_TARGETS = 40  # groups that a call names one by one


def repeat_section(report: RebalanceReport) -> Section:
    """Return the section for a run of ``rebalance``."""
    parts: list[Part] = [
        "With the same training rows, the same versions and this call, the same rows come out on a CPU.",
        code(call(report)),
        *_missing_seed(report),
        facts(_plan_facts(report)),
        *_options(report),
        details("Versions", facts(report.versions)),
        subheading("Refused rows and notes"),
        *_counted("Refused, and drawn again", report.refusals),
        *_counted("Noted by the generator", report.notes),
    ]
    if not report.refusals and not report.notes:
        parts.append("No row was refused, and the generator noted nothing.")
    return Section(title="To repeat it", parts=tuple(parts))


def check_repeat_section(report: CheckReport) -> Section:
    """Return the section for a verdict on rows of any origin."""
    parts: list[Part] = ["With the same rows and versions, the same verdict comes out."]
    if report.evidence is None or not len(report.evidence.synthetic):
        parts.append("Held-out rows and rules go in as well, where there were any.")
    if report.evidence is not None:
        said = {**_roles(report.evidence.table), **_held_out(report), **_rules(report)}
        parts.append(code(_written("check", ["real", "synthetic"], said)))
    return Section(title="To repeat it", parts=(*parts, facts(versions_of(PACKAGES))))


def _held_out(report: CheckReport) -> dict[str, str]:
    names = {result.name for result in report.results if not result.error}
    return {"holdout": "holdout"} if any(name.startswith("held_out_") for name in names) else {}


def _rules(report: CheckReport) -> dict[str, str]:
    rules = [result.subject for result in report.results if result.name == "rules" and not result.error]
    return {"rules": repr(rules)} if rules else {}


def call(report: RebalanceReport) -> str:
    """Return the Python call that repeats a run, as far as the report knows it."""
    arguments: dict[str, str] = {
        **_columns(report),
        "generator": repr(report.generator),
        "generator_options": repr(_changed(report.options)),
        "strategy": _strategy(report),
        "augment": repr(report.plan.augment),
        "alpha": _alpha(report.plan),
        "synthetic_weight": repr(report.plan.synthetic_weight),
        "copies": repr(report.copies),
        "rules": repr(list(report.rules)),
        "holdout": "holdout" if report.n_held_out else "None",
        "random_state": "..." if report.random_state is None else repr(int(report.random_state)),
    }
    defaults = {
        "generator_options": "{}",
        "strategy": "'balance'",
        "augment": "0",
        "alpha": "None",
        "synthetic_weight": "1.0",
        "copies": "'keep'",
        "rules": "[]",
        "holdout": "None",
    }
    said = {name: value for name, value in arguments.items() if defaults.get(name) != value}
    return _written("rebalance", ["train"], said)


def _written(function: str, rows: list[str], said: Mapping[str, str]) -> str:
    lines = [*rows, *(f"{name}={value}" for name, value in said.items())]
    return "\n".join([f"autosynth.{function}(", *(f"    {line}," for line in lines), ")"])


def _columns(report: RebalanceReport) -> dict[str, str]:
    """Return the label and the group columns: as the rows compared tell, or else as the groups are named."""
    if report.checks.evidence is not None:
        return _roles(report.checks.evidence.table)
    if not report.plan.groups:
        return {"label": "..."}
    label, *group_by = report.plan.groups[0].group
    return {"label": repr(label), **({"group_by": repr(group_by)} if group_by else {})}


def _roles(table: Table) -> dict[str, str]:
    """Return the label and the group columns; those that are cut into bins with the edges of these."""
    edges = {
        axis.column.name: None if axis.edges is None else list(axis.edges[1:-1])
        for axis in table.grouping.axes
        if axis.column.name in table.group_by
    }
    if not edges:
        return {"label": repr(table.label)}
    return {"label": repr(table.label), "group_by": repr(edges if any(edges.values()) else list(edges))}


def _strategy(report: RebalanceReport) -> str:
    """Return the strategy by the totals that it gave: "balance" where all are the largest, or a race gave none."""
    plan = report.plan
    if report.generator == AUTO:
        return "'balance'"
    totals = [row.n_real + row.n_oversample for row in plan.groups]
    if not totals or set(totals) == {max(row.n_real for row in plan.groups)}:
        return "'balance'"
    grown = [(row.group.values, total) for row, total in zip(plan.groups, totals, strict=True) if row.n_oversample]
    if len(grown) > MAX_TARGETS:
        return "{...}"
    return repr({(values if len(values) > 1 else values[0]): total for values, total in grown})


def _alpha(plan: SamplingPlan) -> str:
    n_max = max((row.n_real for row in plan.groups), default=0)
    is_default = not plan.augment or plan.alpha == plan.augment / (n_max + plan.augment)
    return "None" if is_default else repr(plan.alpha)


def _changed(options: Any) -> dict[str, Any]:
    """Return the options that are not at their defaults."""
    plain = plain_options(options) or {}
    defaults = {
        field.name: field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        for field in (dataclasses.fields(options) if plain else ())
    }
    return {name: value for name, value in plain.items() if not _equal(value, defaults.get(name))}


def _equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except (TypeError, ValueError):  # arrays, and what else answers otherwise
        return False


def _missing_seed(report: RebalanceReport) -> list[Markup]:
    if report.random_state is not None:
        return []
    return [note("The caller gave a numpy Generator; its state at the time is not known. Give an int to repeat a run.")]


def _plan_facts(report: RebalanceReport) -> dict[str, Any]:
    plan, weights = report.plan, report.plan.part_weights()
    said: dict[str, Any] = {
        "generator": report.generator,
        "seed (random_state)": "unknown" if report.random_state is None else str(int(report.random_state)),
        "synthetic rows": plan.n_synthetic,
    }
    if report.is_declined:
        return {**said, "copies of real rows": report.copies, "time": f"{report.seconds:.1f} s"}
    said["rows on top of every group"] = plan.augment
    said["weight of a real row"] = number_text(weights[0])
    said["weight of a synthetic row that balances"] = number_text(weights[1])
    if plan.augment:
        said["weight of a row on top"] = f"{number_text(weights[2])} (α = {number_text(plan.alpha)})"
    said["copies of real rows"] = report.copies
    said["sampling rounds"] = report.n_rounds
    said["time"] = f"{report.seconds:.1f} s"
    return said


def _options(report: RebalanceReport) -> list[Markup]:
    plain = plain_options(report.options)
    if not plain:
        return [note("The generator has no options, or keeps them to itself.")]
    rows = [[name, repr(value)] for name, value in plain.items()]
    whose = "settings of the race" if report.is_declined else "options of the generator"
    return [details(f"All {len(rows)} {whose}", as_table(["Option", "Value"], rows, caption="Options"))]


def _counted(title: str, reasons: Mapping[str, int]) -> list[Part]:
    if not reasons:
        return []
    return [f"{title}:", bullets(f"{reason}: {count:,} rows" for reason, count in reasons.items())]
