"""The page of a GroupReport: verdict, risk by group, where the gain comes from, reliability, how to repeat it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autosynth.gain_words import gain_verdict
from autosynth.pages.elements import Part, Tone, Verdict, bullets, facts, paragraph
from autosynth.pages.gain_section import gain_section
from autosynth.pages.page import Page, Section
from autosynth.pages.reliability_section import reliability_section
from autosynth.pages.risk_section import Figures, change_verdict, interval_text, risk_section
from autosynth.pages.table import Cell, table
from autosynth.versions import versions_of

if TYPE_CHECKING:
    from markupsafe import Markup

    from autosynth.group_reports import GroupReport
    from autosynth.group_rows import GroupRow

NEW, BASELINE = "new model", "baseline"
MERE_SHIFT = Verdict("a mere shift of the prior", "warn")
TONES: dict[str, Tone] = {
    "better ranking": "good",
    "better ranking, but a worse prior": "warn",
    MERE_SHIFT.word: MERE_SHIFT.tone,
    "worse ranking": "bad",
    "a worse prior": "bad",
}
PACKAGES = ("autosynth", "numpy", "pandas")
SCORES = (  # in tables that fit on paper
    {"auc": "AUC", "average_precision": "average precision", "recall": "recall"},
    {"accuracy": "accuracy", "brier": "Brier score", "calibration_error": "calibration error"},
)


def group_page(report: GroupReport) -> Page:
    """Return the page of a report."""
    models: dict[str, Figures] = {NEW: report}
    if report.baseline:
        models = {BASELINE: report.baseline, NEW: report}
    verdict = _verdict(report)
    sections = [
        risk_section(
            models,
            difference=report.difference,
            against=BASELINE,
            small_group=report.small_group,
            mere_shift=verdict == MERE_SHIFT,
        )
    ]
    if report.gain:
        sections.append(gain_section({NEW: report.gain}, groups={NEW: report.group_gains}))
    if report.reliability:
        curves = {NEW: report.reliability.new}
        if report.reliability.baseline:
            curves = {BASELINE: report.reliability.baseline, NEW: report.reliability.new}
        title = "Reliability before and after" if report.reliability.baseline else "Reliability"
        sections.append(reliability_section(curves, title=title))
    sections += [_segment_section(report), _repeat_section(report)]
    overall = report.segments[-1]
    return Page(
        title="autosynth: risk by group",
        lead=_lead(report),
        sections=tuple(sections),
        verdict=verdict,
        tiles=(
            ("real rows", overall.n_rows),
            ("groups", len(report.groups)),
            ("balanced risk in nats", report.balanced_risk.value),
            *([("difference from the baseline", _signed(report))] if report.difference else []),
        ),
    )


def _lead(report: GroupReport) -> str:
    if report.gain:
        return report.gain.sentence
    if report.difference:
        change = report.difference.balanced_risk
        return f"Balanced risk changes by {interval_text(change, signed=True)} nats against the baseline."
    return (
        f"Balanced risk is {report.balanced_risk.value:.3f} nats; the worst group, {report.worst_group}, has "
        f"{report.worst_risk.value:.3f}."
    )


def _verdict(report: GroupReport) -> Verdict | None:
    if report.gain:
        word = gain_verdict(report.gain)
        return Verdict(word, TONES.get(word, "none"))
    return change_verdict(report.difference.balanced_risk) if report.difference else None


def _signed(report: GroupReport) -> str:
    assert report.difference is not None  # noqa: S101 - the caller has looked
    return f"{report.difference.balanced_risk.value:+.3f}".replace("-", "−")


def _segment_section(report: GroupReport) -> Section:
    rows = [(row.name + (" *" if row.is_small else ""), row) for row in report.segments]
    if report.baseline:
        rows.append(("all rows, baseline", report.baseline.segments[-1]))
    parts: list[Part] = [
        paragraph("What a threshold and the order of the rows give, for each combination of the group columns."),
        *(_score_table(rows, titles) for titles in SCORES),
    ]
    return Section(title="Other scores", parts=tuple(parts))


def _score_table(rows: list[tuple[str, GroupRow]], titles: dict[str, str]) -> Markup:
    body: list[list[Cell]] = [
        [name, *(interval_text(getattr(row, metric)) for metric in titles), row.n_rows] for name, row in rows
    ]
    return table(["", *titles.values(), "rows"], body, caption=f"{', '.join(titles.values())} by segment")


def _repeat_section(report: GroupReport) -> Section:
    limits = f"{100 * report.confidence_level:g} %, {report.n_bootstrap:,} replicates" if report.n_bootstrap else "none"
    asked = {
        "classes": ", ".join(map(str, report.classes)),
        "positive class": "none" if report.positive_class is None else str(report.positive_class),
        "intervals": limits,
        "random_state": "a numpy Generator" if report.random_state is None else str(report.random_state),
        **versions_of(PACKAGES),
    }
    parts: list[Part] = [_notes(report.notes)] if report.notes else []
    return Section(title="Notes, and how to repeat it", parts=(*parts, facts(asked)))


def _notes(notes: tuple[str, ...]) -> Markup:
    return bullets(notes)
