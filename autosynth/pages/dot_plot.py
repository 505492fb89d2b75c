"""Dots with intervals, one block of rows per group, drawn so narrow that a phone shows them whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from autosynth.pages.elements import Part, as_markup
from autosynth.pages.figure import figure, keep_whole_name, shorten
from autosynth.pages.palette import INK, SERIES, Look
from autosynth.pages.template import fill

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from autosynth.interval import Interval

WIDTH = 380
NAME_HEIGHT, DOT_HEIGHT, GAP_HEIGHT = 15, 13, 7  # pixels per group: its name, each series, the space below
AXIS_HEIGHT, LEGEND_LINE, MARGIN = 44, 17, 15
MAX_NAME = 56
MAX_TICKS = 6


@dataclass(frozen=True)
class Dots:
    """One series: a value with its interval for every group, in the order of the groups."""

    name: str
    intervals: Sequence[Interval]


def dot_plot(
    groups: Sequence[tuple[str, str]],
    series: Sequence[Dots],
    *,
    name: str,
    label: str,
    axis: str,
    zero_line: bool = False,
    looks: Sequence[Look] = SERIES,
    n_lines: int = 0,
    caption: str = "",
) -> Markup:
    """Return a figure with the name of every group above its dots.

    Parameters
    ----------
    groups : sequence of (str, str)
        Names from the data, from top to bottom, each with what follows it and is never cut.
    series : sequence of Dots
        As many as there are looks, at most.
    name, label, caption
        As in :func:`autosynth.pages.figure.figure`.
    axis : str
        What the horizontal axis shows, with its unit.
    zero_line : bool
        Draw a line at zero, for differences; otherwise the axis begins at zero.
    looks : sequence of Look
        Colour and marker of each series.
    n_lines : int
        Leave room for so many series, so that two figures stand side by side with their groups in line.
    """
    n_lines = max(n_lines, len(series))
    block = NAME_HEIGHT + DOT_HEIGHT * n_lines + GAP_HEIGHT
    legend = LEGEND_LINE * n_lines + 8
    height = legend + block * len(groups) + AXIS_HEIGHT

    def draw(canvas: Figure) -> None:
        axes = fixed_axes(canvas, height, top=legend, bottom=AXIS_HEIGHT)
        for place, each in enumerate(series):
            slot = place + (n_lines - len(series)) / 2
            heights = np.arange(len(groups), dtype=np.float64) * block + NAME_HEIGHT + DOT_HEIGHT * (slot + 0.5)
            draw_dots(axes, each, heights, looks[place])
        for place, group in enumerate(groups):
            row_label(axes, place * block + NAME_HEIGHT / 2 + 1, *group)
        axes.set_ylim(len(groups) * block, 0)
        axes.set_xlabel(axis)
        if zero_line:
            axes.axvline(0, color=INK, linewidth=1)
        else:
            axes.set_xlim(left=0)
        top_legend(canvas)

    return figure(draw, name=name, label=label, width=WIDTH, height=height, caption=caption)


def side_by_side(*parts: Part) -> Markup:
    """Return figures of this width in two columns where there is room, and one below the other elsewhere."""
    return fill("pair.html", parts=as_markup(parts))


def fixed_axes(canvas: Figure, height: int, *, top: int, bottom: int) -> Axes:
    """Return axes that fill a figure of the usual width but for margins in pixels; rows need no axis to the left."""
    canvas.set_layout_engine("none")
    box = (MARGIN / WIDTH, bottom / height, 1 - 2 * MARGIN / WIDTH, 1 - (top + bottom) / height)
    axes = canvas.add_axes(box)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=MAX_TICKS)
    return axes


def row_label(axes: Axes, height: float, name: str, more: str = "", max_characters: int = MAX_NAME) -> None:
    """Write the name of a row above its dots, from the left edge on; a long one is seen whole when pointed at."""
    shown = f"{shorten(name, max_characters - len(more))}{more}"
    text = axes.text(0.006, height, shown, transform=axes.get_yaxis_transform(), fontsize=10.5, va="center")
    if shown != f"{name}{more}":
        keep_whole_name(text, name)


def top_legend(canvas: Figure) -> None:
    """Say in the upper left corner what each marker is, one below the other."""
    canvas.legend(loc="upper left", ncols=1, handletextpad=0.4, borderaxespad=0.1, borderpad=0.1, labelspacing=0.3)


def draw_dots(axes: Axes, dots: Dots, heights: npt.NDArray[np.float64], look: Look) -> None:
    """Draw values as markers and their limits as lines; a value without limits stands alone."""
    values = np.array([each.value for each in dots.intervals])
    below = np.array([each.value - each.low for each in dots.intervals])
    above = np.array([each.high - each.value for each in dots.intervals])
    reach = np.nan_to_num(np.array([below, above])).clip(min=0)
    axes.errorbar(
        values,
        heights,
        xerr=reach,
        fmt=look.marker,
        color=look.colour,
        markersize=6,
        markeredgewidth=2 if look.marker == "x" else 0.8,
        elinewidth=1.6,
        label=shorten(dots.name, MAX_NAME),
    )
