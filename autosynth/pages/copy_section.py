"""Copies: how many synthetic rows equal a real one, nearly or exactly, known to the generator or held out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from autosynth.pages.check_section import verdict_of
from autosynth.pages.elements import Part, described, note
from autosynth.pages.numbers import percent_text
from autosynth.pages.page import Section
from autosynth.pages.table import NumberText, table

if TYPE_CHECKING:
    from autosynth.checks.result import CheckReport, CheckResult

KINDS = {
    "exact_copies": "equal a training row",
    "near_copies": "nearly equal a training row",
    "held_out_exact_copies": "equal a held-out row",
    "held_out_near_copies": "nearly equal a held-out row",
    "held_out_copies": "equal a held-out row",
    "repeated_rows": "equal another synthetic row",
}
TREATMENT = {
    "keep": "Copies were kept.",
    "drop_exact": "Rows that equal a real one were refused and drawn again.",
    "drop_near": "Rows that equal a real one, or nearly so, were refused and drawn again.",
}


def copy_sections(
    report: CheckReport, treatment: str = "", refusals: Mapping[str, int] | None = None
) -> tuple[Section, ...]:
    """Return the section; none where no copies could be looked for, and nothing was done about them.

    Parameters
    ----------
    report : CheckReport
        Its checks of copies are shown.
    treatment : str
        What the run did with copies: "keep", "drop_exact" or "drop_near"; empty when nobody knows.
    refusals : mapping of str to int, optional
        Rows refused by reason, those of copies among them.
    """
    results = [result for result in report.results if result.name in KINDS]
    parts = _table(results) if any(not result.error for result in results) else []
    if treatment in TREATMENT:
        parts.append(TREATMENT[treatment])
    dropped = {reason: count for reason, count in (refusals or {}).items() if "copy" in reason or "copies" in reason}
    parts += [f"{count:,} rows were refused: {reason}." for reason, count in dropped.items()]
    return (Section(title="Copies of real rows", parts=tuple(parts)),) if parts else ()


def _table(results: list[CheckResult]) -> list[Part]:
    rows = [
        [
            described(_kind(result), result.message),
            NumberText(percent_text(result.observed)),
            NumberText(percent_text(result.limit)),
            verdict_of(result),
        ]
        for result in results
    ]
    titles = ["Synthetic rows that …", "Share", "Limit", "Verdict"]
    return [
        table(titles, rows, caption="Copies among the synthetic rows"),
        note("A copy is no wrong row, only no new one. A limit is what chance explains, plus a tolerance."),
    ]


def _kind(result: CheckResult) -> str:
    return KINDS[result.name] + ("" if result.subject == "all rows" else f", {result.subject}")
