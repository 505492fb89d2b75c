"""How the expectations read in Data Docs: a sentence, the status in words, what was seen, and the worst offenders.

Great Expectations puts texts into its pages as they are, so each text that may hold a value or a column name is escaped
here.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from great_expectations.render import (
    CollapseContent,
    LegacyDiagnosticRendererType,
    LegacyRendererType,
    RenderedStringTemplateContent,
    RenderedTableContent,
)
from great_expectations.render.renderer.renderer import renderer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from autosynth.checks.family import Family

MARKS = {"failed": "✘", "error": "!", "warned": "▲", "skipped": "–", "passed": "✔"}
WORDS = {"error": "could not run"}  # all others are their own
OUTCOME = "autosynth_outcome"  # in the meta of a configuration: all that the renderer of the sentence sees of a result
MAX_FIGURES = 3  # of as many checks the figures are shown one by one


class Rendered:
    """The renderers of an expectation; its class says ``family()``."""

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(cls, configuration: Any = None, **_: Any) -> list[Any]:
        family: Family = cls.family()  # type: ignore[attr-defined]
        group = configuration.kwargs.get("group")
        where = [_block(f"Group {group}:", "autosynth-group")] if group else []
        severity = configuration.severity.value
        is_wish = (configuration.meta or {}).get(OUTCOME) in ("failed", "warned")
        sentence = f"Wanted: {family.sentence}" if is_wish else family.sentence
        return [*where, _block(sentence), _block(severity, f"autosynth-severity autosynth-{severity}")]

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.STATUS_ICON)
    def _diagnostic_status_icon_renderer(cls, result: Any = None, **_: Any) -> Any:
        status = status_of(result)
        return _block(f"{MARKS[status]} {WORDS.get(status, status)}", f"autosynth-status autosynth-{status}")

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)
    def _diagnostic_observed_value_renderer(cls, result: Any = None, **_: Any) -> str:
        details = details_of(result)
        if not details:
            return "not measured"
        lines = _figures(_checks(result)) or ["nothing to measure"]
        return "<br>".join([*map(html.escape, lines), _rows(details)])

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.UNEXPECTED_STATEMENT)
    def _diagnostic_unexpected_statement_renderer(cls, result: Any = None, **_: Any) -> list[Any]:
        if status_of(result) == "error":
            return [_block(f"Could not run: {exception_message(result)}", "autosynth-message autosynth-error")]
        return _messages(_shown(result))

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.UNEXPECTED_TABLE)
    def _diagnostic_unexpected_table_renderer(cls, result: Any = None, **_: Any) -> list[Any] | None:
        shown = _shown(result)
        blocks = _offenders(shown)
        others = [check for check in _checks(result) if check not in shown]
        folded = _messages(others) + _offenders(others)
        if folded:
            blocks.append(CollapseContent(collapse_toggle_link="More", collapse=folded))
        return blocks or None


def _checks(result: Any) -> list[dict[str, Any]]:
    return list(details_of(result).get("checks", []))


def _shown(result: Any) -> list[dict[str, Any]]:
    """Return the checks that ended like the expectation as a whole, unless it passed: what passed is folded away."""
    status = "failed" if status_of(result) == "warned" else status_of(result)
    return [check for check in _checks(result) if check["status"] == status != "passed"]


def _figures(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what was observed, with its limit: of each of a few checks by name, else of one that did not pass."""
    measured = [check for check in checks if check["observed"] is not None]
    if len(measured) > 1 and len(checks) <= MAX_FIGURES:
        return [f"{_name(check, checks)}: {_observed(check)}" for check in measured]
    worst = [check for check in measured if check["status"] == "failed"] or measured
    return [_observed(check) for check in worst[:1]]


def _name(check: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]) -> str:
    """Return what tells a check from the others of its expectation."""
    return str(check["name"] if len({each["subject"] for each in checks}) == 1 else check["subject"])


def _observed(check: Mapping[str, Any]) -> str:
    return f"{_figure(check['observed'])} (limit {_figure(check['limit'])})"


def _messages(checks: Iterable[dict[str, Any]]) -> list[Any]:
    return [
        _block(
            f"{check['name']} of {check['subject']}: {check['message']}",
            f"autosynth-message autosynth-{_outcome(check)}",
        )
        for check in checks
        if check["message"]
    ]


def _outcome(check: Mapping[str, Any]) -> str:
    is_warning = check["status"] == "failed" and check["severity"] != "critical"
    return "warned" if is_warning else str(check["status"])


def _offenders(checks: Iterable[dict[str, Any]]) -> list[Any]:
    """Return the worst things that checks looked at as a table, in a list; an empty one when there are none."""
    rows = [
        [check["name"], offender["name"], _figure(offender["observed"]), _figure(offender["limit"])]
        for check in checks
        for offender in check["offenders"]
    ]
    if not rows:
        return []
    table = RenderedTableContent(
        content_block_type="table",
        header_row=["Check", "Worst", "Observed", "Limit"],
        table=[[html.escape(str(cell)) for cell in row] for row in rows],
        styling={"body": {"classes": ["autosynth-offenders"]}},
    )
    return [table]


def status_of(result: Any) -> str:
    """Return the outcome of an expectation in one word."""
    if exception_message(result):
        return "error"
    status = details_of(result).get("status")
    outcome = str(status) if status in MARKS else "passed" if result.success else "failed"
    return "warned" if outcome == "failed" and not _is_critical(result) else outcome


def _is_critical(result: Any) -> bool:
    """Return whether what failed is critical: as the checks say, or the expectation where it has none of ours."""
    failed = [check for check in _checks(result) if check["status"] == "failed"]
    severities = {check["severity"] for check in failed} or {result.expectation_config.severity.value}
    return "critical" in severities


def details_of(result: Any) -> dict[str, Any]:
    """Return what our expectation reported; empty for another one, or where it raised."""
    details = (getattr(result, "result", None) or {}).get("details")
    return details if isinstance(details, dict) and "checks" in details else {}


def exception_message(result: Any) -> str:
    """Return what an expectation raised, of either shape in which Great Expectations says so; empty when nothing."""
    info = getattr(result, "exception_info", None) or {}
    found = [info] if "raised_exception" in info else list(info.values())
    raised = [one for one in found if one.get("raised_exception")]
    return str(raised[0].get("exception_message") or "an exception without a message") if raised else ""


def _block(text: str, classes: str = "") -> Any:
    """Return a text as a block: escaped, and not in need of parameters, whose values a template would look for."""
    return RenderedStringTemplateContent(
        content_block_type="string_template",
        string_template={"template": html.escape(text), "params": {}, "styling": {"classes": classes.split()}},
    )


def _rows(details: dict[str, Any]) -> str:
    seen, total = details["n_rows"], details["n_total"]
    return f"{total:,} rows" if seen == total else f"{seen:,} of {total:,} rows"


def _figure(number: Any) -> str:
    return "–" if number is None else f"{round(number, 9):.4g}"
