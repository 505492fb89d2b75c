"""The page of a TuningReport: the answer, the candidates, where the gain comes from, what failed, how to repeat it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from autosynth.pages.candidate_section import candidate_section
from autosynth.pages.elements import Part, Verdict, bullets, code, facts, paragraph
from autosynth.pages.gain_section import gain_section
from autosynth.pages.page import Page, Section
from autosynth.pages.table import table

if TYPE_CHECKING:
    from autosynth.tuning.report import TuningReport
    from autosynth.tuning.ways import ArmGains

__all__ = ["tuning_page"]

MOST_GAINS = 3


def tuning_page(report: TuningReport) -> Page:
    """Return the page of a report."""
    from autosynth.tuning.report import FLATTERED

    gains = _gains(report)
    sections = [_answer_section(report, FLATTERED), candidate_section(report)]
    if gains:
        sections.append(
            gain_section(
                {each.name: each.balanced for each in gains}, groups={each.name: each.groups for each in gains}
            )
        )
    if report.failed:
        sections.append(_failed_section(report))
    sections.append(_repeat_section(report))
    return Page(
        title="autosynth tune: whether to add rows, which, and how many",
        lead=_lead(report),
        sections=tuple(sections),
        summary=f"Chosen: {report.best.name}.",
        verdict=_verdict(report),
        tiles=(
            ("real rows", report.n_rows),
            ("candidates judged", len(report.scored)),
            ("folds", report.n_folds * report.n_repeats),
            (report.metric.title, f"{report.metric.score(report.best.pick.chosen.loss):.3f}"),
        ),
    )


def _lead(report: TuningReport) -> str:
    best = report.best
    if best.uses_synthetic:
        return f"Synthetic rows {'help' if _is_beyond_noise(report) else 'may help'}: {best.name}."
    if best.is_none:
        what = "plain training as it comes" if best.shift == "none" else "plain training with shifted probabilities"
        return f"No synthetic rows: {what} is as good as anything tried."
    return "No synthetic rows: class weights do as much."


def _is_beyond_noise(report: TuningReport) -> bool:
    """Whether the limits of the choice's difference rule out zero; the rule itself asks for less."""
    return next(line for line in report.lines if line.chosen).difference.excludes_zero


def _verdict(report: TuningReport) -> Verdict:
    if report.best.uses_synthetic:
        return (
            Verdict("synthetic rows help", "good") if _is_beyond_noise(report) else Verdict("synthetic rows may help")
        )
    return Verdict("do nothing" if report.best.is_none and report.best.shift == "none" else "no synthetic rows")


def _answer_section(report: TuningReport, flattered: str) -> Section:
    parts: list[Part] = [paragraph(report.best.reason)]
    arguments = report.best.rebalance_arguments
    if arguments:
        written = ", ".join(f"{name}={value!r}" for name, value in arguments.items() if value is not None)
        parts.append(code(f"autosynth.rebalance(train, label=..., {written})"))
    parts.append(paragraph(flattered))
    return Section(title="What to do", parts=tuple(parts))


def _gains(report: TuningReport) -> list[ArmGains]:
    """Return the gain of the choice, of the best arm with synthetic rows, and of class weights."""
    found = {} if report.best.gains is None else {report.best.gains.name: report.best.gains}
    challenge = report.best.pick.challenge
    wanted = [] if challenge is None else [challenge.champion.candidate.arm.name]
    for name in [*wanted, "class weights"]:
        if name in report.gains:
            found.setdefault(name, report.gains[name])
    return list(found.values())[:MOST_GAINS]


def _failed_section(report: TuningReport) -> Section:
    rows = [[outcome.arm.name, outcome.status, outcome.n_done, outcome.reason] for outcome in report.failed]
    return Section(
        title="What did not finish",
        parts=(table(["arm", "", "folds run", "why"], rows, caption="Arms that did not run all folds"),),
    )


def _repeat_section(report: TuningReport) -> Section:
    asked: dict[str, Any] = {
        "metric": report.metric.name,
        "folds": f"{report.n_folds} x {report.n_repeats} repeats",
        "replicates": report.n_bootstrap,
        "classes": ", ".join(map(str, report.classes)),
        "random_state": "not recorded" if report.random_state is None else str(report.random_state),
        **{name: _text(value) for name, value in report.settings.items()},
        **report.versions,
    }
    parts: list[Part] = [bullets(report.notes)] if report.notes else []
    return Section(title="Notes, and how to repeat it", parts=(*parts, facts(asked)))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
