"""The page of a CheckReport: the verdict on synthetic rows, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autosynth.pages.check_section import check_section, count_words
from autosynth.pages.copy_section import copy_sections
from autosynth.pages.dependence_section import dependence_section
from autosynth.pages.group_section import group_section, groups_of_evidence
from autosynth.pages.map_section import map_section
from autosynth.pages.marginal_section import marginal_section
from autosynth.pages.page import Page, Section
from autosynth.pages.repeat_section import check_repeat_section
from autosynth.pages.verdict_words import sentence, verdict

if TYPE_CHECKING:
    from typing import Any

    from autosynth.checks.result import CheckReport

NO_ROWS = Section(
    title="Pictures",
    parts=("The checks saw summaries of the real rows and not the rows themselves, so there is nothing to draw.",),
)


NOT_DRAWN = Section(title="Pictures", parts=("not drawn: no synthetic row fits the columns of the real table",))


def check_page(report: CheckReport) -> Page:
    """Return the page."""
    evidence = report.evidence
    has_rows = evidence is not None and len(evidence.synthetic) > 0
    groups = (group_section(groups_of_evidence(evidence), are_added=False),) if evidence and has_rows else ()
    return Page(
        title="Synthetic rows against real rows",
        lead=sentence(report),
        verdict=verdict(report),
        tiles=(*_rows(report), *check_tiles(report)),
        sections=(
            check_section(report),
            *groups,
            *picture_sections(report),
            *copy_sections(report),
            check_repeat_section(report),
        ),
    )


def picture_sections(report: CheckReport) -> tuple[Section, ...]:
    """Return the sections that need the rows; where there are none, the one that says so."""
    if not report.results:
        return ()
    if report.evidence is None:
        return (NO_ROWS,)
    if not len(report.evidence.synthetic):
        return (NOT_DRAWN,)
    return tuple(section(report.evidence) for section in (marginal_section, dependence_section, map_section))


def check_tiles(report: CheckReport) -> tuple[tuple[str, Any], ...]:
    """Return the number of checks that passed, that were skipped, and that did not pass."""
    if not report.results:
        return ()
    n_skipped = len(report.skipped)
    failures = f"checks not passed: {count_words(report.failures)}" if report.failures else "checks not passed"
    return (
        ("checks passed", sum(result.passed for result in report.results) - n_skipped),
        *([("checks skipped for too few rows", n_skipped)] if n_skipped else []),
        (failures, len(report.failures)),
    )


def _rows(report: CheckReport) -> tuple[tuple[str, Any], ...]:
    evidence = report.evidence
    if evidence is None:
        return ()
    n_fitting, real = len(evidence.synthetic), ("real rows", len(evidence.table))
    if evidence.n_given is None or evidence.n_given == n_fitting:  # with no row left, none may be what came, or not
        return (real, ("synthetic rows", n_fitting)) if n_fitting or evidence.n_given == 0 else (real,)
    return real, ("synthetic rows", evidence.n_given), ("of them fit the real table", n_fitting)
