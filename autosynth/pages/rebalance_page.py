"""The page of a RebalanceReport: what was made, whether it is good, and how to make it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autosynth.pages.candidate_section import candidate_section
from autosynth.pages.check_page import check_tiles, picture_sections
from autosynth.pages.check_section import check_section
from autosynth.pages.copy_section import copy_sections
from autosynth.pages.elements import Verdict, note
from autosynth.pages.group_section import group_section, groups_of_plan, imbalance
from autosynth.pages.page import Page, Section
from autosynth.pages.repeat_section import repeat_section
from autosynth.pages.verdict_words import sentence, verdict

if TYPE_CHECKING:
    from autosynth.report import RebalanceReport
    from autosynth.tuning.report import TuningReport


def rebalance_page(report: RebalanceReport) -> Page:
    """Return the page; where a race of ``generator="auto"`` made no rows, without checks of them."""
    plan, checks, tuning = report.plan, report.checks, report.tuning
    sizes = [row.n_real for row in plan.groups]
    after = [row.n_real + row.n_synthetic for row in plan.groups]
    groups = group_section(groups_of_plan(plan), plan.notes)
    race = () if tuning is None else _race_sections(tuning)
    if report.is_declined:
        return Page(
            title="Rebalancing by auto",
            lead="No synthetic row was added: a race on these rows advises against it.",
            summary=_what_was_made(report),
            verdict=Verdict("no synthetic rows"),
            tiles=(("real rows", plan.n_real), ("largest to smallest group, real rows", imbalance(sizes))),
            sections=(*race, groups, repeat_section(report)),
        )
    return Page(
        title=f"Rebalancing by {report.generator}",
        lead=sentence(checks),
        summary=_what_was_made(report),
        verdict=verdict(checks),
        tiles=(
            ("real rows", plan.n_real),
            ("synthetic rows added", plan.n_synthetic),
            ("largest to smallest group, real rows", imbalance(sizes)),
            ("largest to smallest group, all rows", imbalance(after)),
            *check_tiles(checks),
        ),
        sections=(
            *race,
            groups,
            check_section(checks),
            *picture_sections(checks),
            *copy_sections(checks, report.copies, report.refusals),
            repeat_section(report),
        ),
    )


def _race_sections(tuning: TuningReport) -> tuple[Section, ...]:
    how = (
        "Generators and models learned inside cross-validation folds and were judged on real rows that they never saw. "
        "report.tuning.to_html(path) writes the whole race, with where the gain comes from."
    )
    answer = Section(title="What the race on these rows says", parts=(str(tuning.best), note(how)))
    return answer, candidate_section(tuning)


def _what_was_made(report: RebalanceReport) -> str:
    plan = report.plan
    if report.is_declined:
        return f"The table holds its {plan.n_real:,} real rows and nothing else, after {report.seconds:.1f} s."
    if not plan.n_synthetic:
        return "Every group already had the rows asked for, so none was added."
    n_grown = sum(row.n_synthetic > 0 for row in plan.groups)
    n_groups = len(plan.groups)
    some = f"all {n_groups:,}" if n_grown == n_groups else f"{n_grown:,} of {n_groups:,}"
    return (
        f"{plan.n_synthetic:,} synthetic rows were added to {some} groups of {plan.n_real:,} real rows, in "
        f"{report.seconds:.1f} s."
    )
