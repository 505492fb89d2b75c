"""The candidates of a race side by side: a picture of their differences, and all numbers in a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from autosynth.pages.dot_plot import (
    AXIS_HEIGHT,
    DOT_HEIGHT,
    GAP_HEIGHT,
    LEGEND_LINE,
    NAME_HEIGHT,
    WIDTH,
    Dots,
    draw_dots,
    fixed_axes,
    row_label,
    top_legend,
)
from autosynth.pages.elements import Part, Verdict, note, paragraph
from autosynth.pages.figure import figure
from autosynth.pages.page import Section
from autosynth.pages.palette import BLUE, INK, VERMILLION, Look
from autosynth.pages.risk_section import interval_text
from autosynth.pages.table import Cell, folded_table, table
from autosynth.tuning.window import mark_beyond, window

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autosynth.interval import Interval
    from autosynth.tuning.lines import CandidateLine
    from autosynth.tuning.report import TuningReport

__all__ = ["candidate_section"]

MOST_DRAWN = 30
BLOCK = NAME_HEIGHT + DOT_HEIGHT + GAP_HEIGHT
LOOKS = {
    "chosen": Look(INK, "D", "-", ""),
    "without synthetic rows": Look(BLUE, "o", "-", ""),
    "with synthetic rows": Look(VERMILLION, "x", "--", ""),
}

SIDE = {
    "roc_auc": "AUC",
    "average_precision": "average precision",
    "balanced_risk": "balanced risk",
    "worst_group_risk": "worst group",
    "log_loss": "log loss",
}


def candidate_section(report: TuningReport) -> Section:
    """Return the section: candidates that ran all folds, then those that left the race early."""
    ranked = [line for line in report.lines if line.rank is not None]
    partial = [line for line in report.lines if line.rank is None and line.scored is not None]
    reference = report.best.pick.reference
    parts: list[Part] = [_introduction(report)]
    if reference is not None:
        drawn = _drawn(ranked, report)
        parts.append(_figure(drawn, report))
        if len(drawn) < len(ranked):
            parts.append(note(f"The best {len(drawn)} of {len(ranked)} candidates are drawn."))
    parts += [
        _score_table(ranked, report),
        _side_table(ranked),
        note("Risks are cross-entropies in nats; AUC and average precision are means over the folds."),
        folded_table(
            f"{len(partial)} candidates that left the race early, on the folds that they ran",
            ["candidate", "folds", "score", "difference"],
            [
                [line.name, line.outcome.n_done, interval_text(line.score), _difference(line.difference)]
                for line in partial
            ],
            caption="Candidates that left the race early",
        ),
    ]
    return Section(title="Candidates side by side", parts=tuple(part for part in parts if part))


def _introduction(report: TuningReport) -> Markup:
    better = "higher" if report.metric.greater_is_better else "lower"
    reference = report.best.pick.reference
    against = "" if reference is None else (
        f" Differences are to the best candidate without synthetic rows, {reference.name}, from replicates that all "
        "candidates share."
    )  # fmt: skip
    return paragraph(
        f"Judged by {report.metric.title} on {report.n_rows:,} real rows that the models left out; {better} is better."
        f"{against}"
    )


def _drawn(ranked: Sequence[CandidateLine], report: TuningReport) -> list[CandidateLine]:
    wanted = [line for line in ranked[MOST_DRAWN:] if line.chosen or line.scored is report.best.pick.reference]
    return [*ranked[: MOST_DRAWN - len(wanted)], *wanted]


def _kind(line: CandidateLine) -> str:
    if line.chosen:
        return "chosen"
    return "with synthetic rows" if line.outcome.arm.is_synthetic else "without synthetic rows"


def _figure(drawn: Sequence[CandidateLine], report: TuningReport) -> Markup:
    kinds = [kind for kind in LOOKS if kind in map(_kind, drawn)]
    legend = LEGEND_LINE * len(kinds) + 8
    height = legend + BLOCK * len(drawn) + AXIS_HEIGHT
    heights = np.arange(len(drawn), dtype=np.float64) * BLOCK + NAME_HEIGHT + DOT_HEIGHT / 2
    better = "right" if report.metric.greater_is_better else "left"

    def draw(canvas: Figure) -> None:
        axes = fixed_axes(canvas, height, top=legend, bottom=AXIS_HEIGHT)
        differences = [line.difference for line in drawn]
        axes.set_xlim(*window(differences, greater_is_better=report.metric.greater_is_better))
        for kind in kinds:
            places = [place for place, line in enumerate(drawn) if _kind(line) == kind]
            draw_dots(axes, Dots(kind, [differences[place] for place in places]), heights[places], LOOKS[kind])
        mark_beyond(axes, differences, heights.tolist(), fontsize=10.5)
        for place, line in enumerate(drawn):
            row_label(axes, place * BLOCK + NAME_HEIGHT / 2 + 1, line.name)
        axes.set_ylim(len(drawn) * BLOCK, 0)
        axes.set_xlabel(f"difference in {report.metric.title}; {better} is better")
        axes.axvline(0, color=INK, linewidth=1)
        top_legend(canvas)

    return figure(
        draw,
        name="candidates",
        label=f"Difference of {len(drawn)} candidates to the best one without synthetic rows, with limits. Chosen: "
        f"{report.best.name}.",
        width=WIDTH,
        height=height,
    )


def _score_table(ranked: Sequence[CandidateLine], report: TuningReport) -> Markup:
    body: list[list[Cell]] = [
        [
            _name(line),
            interval_text(line.score),
            _difference(line.difference),
            _verdict(line, greater_is_better=report.metric.greater_is_better),
            round(line.outcome.n_synthetic),
        ]
        for line in ranked
    ]
    titles = ["candidate", report.metric.title, "difference", "", "rows added"]
    return table(titles, body, caption="All candidates that ran all folds, best first")


def _side_table(ranked: Sequence[CandidateLine]) -> Markup:
    body: list[list[Cell]] = []
    for line in ranked:
        record = line.record()
        body.append([_name(line), *(record[metric] for metric in SIDE)])
    return folded_table("Other metrics", ["candidate", *SIDE.values()], body, caption="Other metrics of all candidates")


def _name(line: CandidateLine) -> str:
    return f"{line.name} (chosen)" if line.chosen else line.name


def _difference(interval: Interval) -> Cell:
    is_reference = interval.value == interval.low == interval.high == 0
    return None if math.isnan(interval.value) or is_reference else interval_text(interval, signed=True)


def _verdict(line: CandidateLine, *, greater_is_better: bool) -> Verdict:
    """Return in a word how a candidate stands to the best one without synthetic rows; only rows can be better."""
    change = line.difference
    if not change.excludes_zero:
        return Verdict("within noise" if change.value else "the one to beat")
    is_better = (change.low > 0) == greater_is_better
    return Verdict("better", "good") if is_better else Verdict("worse", "bad")
