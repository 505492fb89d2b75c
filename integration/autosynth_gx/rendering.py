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
    from collections.abc import Iterable

    from autosynth.checks.family import Family

MARKS = {"passed": "✔", "failed": "✘", "error": "!", "skipped": "–"}


class Rendered:
    """The renderers of an expectation; its class says ``family()``."""

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(cls, configuration: Any = None, **_: Any) -> list[Any]:
        family: Family = cls.family()  # type: ignore[attr-defined]
        group = configuration.kwargs.get("group")
        where = [_block(f"Group {group}:", "autosynth-group")] if group else []
        severity = configuration.severity.value
        return [*where, _block(family.sentence), _block(severity, f"autosynth-severity autosynth-{severity}")]

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.STATUS_ICON)
    def _diagnostic_status_icon_renderer(cls, result: Any = None, **_: Any) -> Any:
        status = status_of(result)
        return _block(f"{MARKS[status]} {status}", f"autosynth-status autosynth-{status}")

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)
    def _diagnostic_observed_value_renderer(cls, result: Any = None, **_: Any) -> str:
        details = details_of(result)
        if not details:
            return "not measured"
        observed, limit = result.result.get("observed_value"), details["limit"]
        figures = "" if observed is None else f"{_figure(observed)} (limit {_figure(limit)})"
        return html.escape(figures or "nothing to measure") + f"<br>{_rows(details)}"

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
    status = status_of(result)
    return [check for check in _checks(result) if check["status"] == status != "passed"]


def _messages(checks: Iterable[dict[str, Any]]) -> list[Any]:
    return [
        _block(
            f"{check['name']} of {check['subject']}: {check['message']}",
            f"autosynth-message autosynth-{check['status']}",
        )
        for check in checks
        if check["message"]
    ]


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
    return status if status in MARKS else "passed" if result.success else "failed"


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
