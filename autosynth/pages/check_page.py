"""The page of a CheckReport: the verdict on synthetic rows, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autosynth.pages.check_section import check_section, count_words
from autosynth.pages.copy_section import copy_section
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


def check_page(report: CheckReport) -> Page:
    """Return the page."""
    evidence = report.evidence
    groups = () if evidence is None else (group_section(groups_of_evidence(evidence)),)
    return Page(
        title="Synthetic rows against real rows",
        lead=sentence(report),
        verdict=verdict(report),
        tiles=(*_rows(report), *check_tiles(report)),
        sections=(
            check_section(report),
            *groups,
            *picture_sections(report),
            copy_section(report),
            check_repeat_section(report),
        ),
    )


def picture_sections(report: CheckReport) -> tuple[Section, ...]:
    """Return the sections that need the rows; where there are none, the one that says so."""
    if not report.results:
        return ()
    if report.evidence is None:
        return (NO_ROWS,)
    return tuple(section(report.evidence) for section in (marginal_section, dependence_section, map_section))


def check_tiles(report: CheckReport) -> tuple[tuple[str, Any], ...]:
    """Return the number of checks and of those not passed."""
    if not report.results:
        return ()
    return ("checks: " + count_words(report), len(report.results)), ("checks not passed", len(report.failures))


def _rows(report: CheckReport) -> tuple[tuple[str, Any], ...]:
    evidence = report.evidence
    if evidence is None:
        return ()
    return ("real rows", len(evidence.table)), ("synthetic rows", len(evidence.synthetic))
