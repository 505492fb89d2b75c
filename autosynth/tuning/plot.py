"""The picture of a race: every candidate's difference to the best one without synthetic rows, with its limits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.pages.figure import shorten
from autosynth.pages.palette import BLUE, INK, MUTED, VERMILLION
from autosynth.picture import check_picture, write_picture
from autosynth.tuning.window import mark_beyond, window

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from autosynth.files import AnyPath
    from autosynth.tuning.lines import CandidateLine
    from autosynth.tuning.report import TuningReport

__all__ = ["write_plot"]

MOST_SHOWN = 30
ROW_INCHES, MARGIN_INCHES, WIDTH_INCHES = 0.24, 1.6, 8.0
MAX_NAME = 60
FAINT = 0.45  # of candidates that did not run all folds


def write_plot(report: TuningReport, path: AnyPath) -> Path:
    """Write the picture as PNG or SVG, beside the target first; see :meth:`TuningReport.plot`."""
    check_picture(path)
    import matplotlib as mpl
    from matplotlib.figure import Figure

    lines = _shown_lines(report)
    with mpl.rc_context({"svg.hashsalt": "autosynth", "text.parse_math": False}):
        height = MARGIN_INCHES + ROW_INCHES * max(len(lines), 4)
        canvas = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
        axes = canvas.add_subplot()
        _draw_candidates(axes, lines, greater_is_better=report.metric.greater_is_better)
        axes.set_yticks(range(len(lines)), labels=[_name(line) for line in lines], fontsize=8)
        axes.set_xlabel(_zero_title(report), fontsize=8)
        axes.set_title(f"Chosen: {shorten(report.best.name, MAX_NAME)}", loc="left", fontsize=10)
        axes.tick_params(axis="x", labelsize=8)
        canvas.legend(handles=_legend(lines), loc="outside lower center", ncols=2, fontsize=8, frameon=False)
        return write_picture(canvas, path)


def _shown_lines(report: TuningReport) -> list[CandidateLine]:
    """Return the candidates that a picture shows: the best ones, the chosen one and the one to beat."""
    lines = [line for line in report.lines if line.scored is not None and not math.isnan(line.difference.value)]
    wanted = [line for line in lines[MOST_SHOWN:] if line.chosen or line.scored is report.best.pick.reference]
    return [*lines[: MOST_SHOWN - len(wanted)], *wanted]


def _draw_candidates(axes: Axes, lines: list[CandidateLine], *, greater_is_better: bool) -> None:
    """Draw one row per candidate from the top: with synthetic rows filled, without hollow, the chosen one a diamond."""
    if lines:
        axes.set_xlim(*window([line.difference for line in lines], greater_is_better=greater_is_better))
    for place, line in enumerate(lines):
        assert line.scored is not None  # noqa: S101 - _shown_lines leaves the others out
        is_synthetic = line.outcome.arm.is_synthetic
        colour = VERMILLION if is_synthetic else BLUE
        value, low, high = line.difference.value, line.difference.low, line.difference.high
        if np.isfinite([low, high]).all():
            axes.plot([low, high], [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
        axes.plot(
            [value],
            [place],
            marker="D" if line.chosen else "o",
            markersize=8 if line.chosen else 5.5,
            markerfacecolor=colour if is_synthetic else "white",
            markeredgecolor=INK if line.chosen else colour,
            alpha=1.0 if line.rank is not None else FAINT,
            linestyle="none",
        )
    mark_beyond(axes, [line.difference for line in lines], range(len(lines)), fontsize=7)
    axes.axvline(0, color=MUTED, linewidth=1, linestyle="--")
    axes.set_ylim(len(lines) - 0.5, -0.5)


def _legend(lines: list[CandidateLine]) -> list[Line2D]:
    """Return the looks of the markers that are drawn, with what they stand for."""
    from matplotlib.lines import Line2D

    def marker(label: str, look: str = "o", **colours: Any) -> Line2D:
        return Line2D([], [], marker=look, linestyle="none", label=label, **colours)

    kinds = {line.outcome.arm.is_synthetic for line in lines}
    handles = [marker("chosen", "D", markerfacecolor="white", markeredgecolor=INK)]
    if False in kinds:
        handles.append(marker("without synthetic rows", markerfacecolor="white", markeredgecolor=BLUE))
    if True in kinds:
        handles.append(marker("with synthetic rows", color=VERMILLION))
    if any(line.rank is None for line in lines):
        handles.append(marker("left early: on the folds that it ran", color=VERMILLION, alpha=FAINT))
    return handles


def _zero_title(report: TuningReport) -> str:
    """Return what the horizontal axis shows."""
    better = "right is better" if report.metric.greater_is_better else "left is better"
    reference = report.best.pick.reference
    against = "the best without synthetic rows" if reference is None else shorten(reference.name, MAX_NAME)
    return f"{report.metric.title}: difference to {against}; {better}"


def _name(line: CandidateLine) -> str:
    left = "" if line.rank is not None else f" ({line.outcome.n_done} of {line.outcome.n_folds} folds)"
    return shorten(line.name, MAX_NAME) + left
