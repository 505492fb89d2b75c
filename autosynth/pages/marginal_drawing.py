"""Draws one column, real against synthetic: numbers and dates as a histogram, categories as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autosynth.pages.figure import name_rows
from autosynth.pages.palette import REAL, SYNTHETIC
from autosynth.pages.scale import as_days, date_ticks, duration_unit, number_ticks, percent_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from autosynth.pages.marginals import Floats, Marginal

MIN_BINS, MAX_BINS = 8, 24
MAX_LEVELS = 6
LARGEST = 1e300  # beyond, differences of two numbers may be infinite
TAIL = 0.005  # of the rows at either end go into the outermost bin, so that one far value does not flatten the rest
DASH = (0, (4, 2))


def draw_marginal(canvas: Figure, pair: Marginal) -> None:
    """Draw the values of a column, real and synthetic: bars per value, or a histogram of numbers and dates."""
    axes = canvas.subplots()
    if pair.levels:
        _draw_levels(axes, pair)
    else:
        _draw_numbers(axes, pair)


def _draw_levels(axes: Axes, pair: Marginal) -> None:
    """Draw two bars per value, the most common values first."""
    n_levels = len(pair.levels)
    shares = np.array(
        [
            np.bincount(codes.astype(np.int64) + 1, minlength=n_levels + 1) / len(codes)
            for codes in (pair.real, pair.synthetic)
        ]
    )
    names = ["missing", *map(str, pair.levels)]
    order = [int(place) for place in np.argsort(-shares.max(axis=0), kind="stable") if shares[:, place].any()]
    shown, rest = (order, []) if len(order) <= MAX_LEVELS else (order[: MAX_LEVELS - 1], order[MAX_LEVELS - 1 :])
    values = [*shares[:, shown].T, *([shares[:, rest].sum(axis=1)] if rest else [])]
    labels = [names[place] for place in shown] + ([f"{len(rest)} others"] if rest else [])
    places = np.arange(len(values))
    axes.barh(places - 0.19, [value[0] for value in values], height=0.34, color=REAL.colour)
    axes.barh(
        places + 0.19,
        [value[1] for value in values],
        height=0.34,
        facecolor="none",
        edgecolor=SYNTHETIC.colour,
        hatch=SYNTHETIC.hatch,
    )
    name_rows(axes, labels, max_characters=16)
    percent_ticks(axes.xaxis)


def _draw_numbers(axes: Axes, pair: Marginal) -> None:
    """Draw the share of rows per bin: real as an area, synthetic as a dashed line."""
    real, synthetic = (values[~np.isnan(values)].astype(np.float64) for values in (pair.real, pair.synthetic))
    numbers = np.concatenate([real, synthetic])
    if not len(numbers):
        _say(axes, "all values are missing")
        return
    if np.abs(numbers).max() > LARGEST:
        _say(axes, "the values are too large to draw")
        return
    edges = _edges(numbers, pair.column.resolution, _n_bins(len(real), len(synthetic)))
    along, unit = _axis(edges, pair)
    if len(real):
        heights = _heights(real, edges)
        axes.stairs(heights, along, fill=True, color=REAL.colour, alpha=0.35, linewidth=0)
        axes.stairs(heights, along, color=REAL.colour, linewidth=1.2)
    if len(synthetic):
        axes.stairs(_heights(synthetic, edges), along, color=SYNTHETIC.colour, linestyle=DASH, linewidth=1.8)
    _finish(axes, along, unit, is_date=pair.column.kind == "datetime")


def _heights(numbers: Floats, edges: Floats) -> Floats:
    """Return the share of rows per bin of average width: bins of whole steps may differ by one step."""
    counts, _ = np.histogram(np.clip(numbers, edges[0], edges[-1]), edges)
    widths = np.diff(edges)
    return np.asarray(counts / len(numbers) * (widths.mean() / widths))


def _finish(axes: Axes, along: Floats, unit: str, *, is_date: bool) -> None:
    axes.set_xlim(along[0], along[-1])
    axes.set_ylim(bottom=0)
    if is_date:
        date_ticks(axes)
    else:
        number_ticks(axes, float(along[0]), float(along[-1]))
    if unit:
        axes.set_xlabel(unit)
    percent_ticks(axes.yaxis)
    axes.grid(visible=False, axis="x")


def _say(axes: Axes, words: str) -> None:
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes)
    axes.set_axis_off()


def _axis(edges: Floats, pair: Marginal) -> tuple[Floats, str]:
    """Return the edges as the axis measures them, and its unit."""
    if pair.column.kind == "datetime":
        return np.asarray(as_days(edges), dtype=np.float64), ""
    if pair.column.kind == "timedelta":
        length, unit = duration_unit(float(np.abs(edges).max()))
        return edges / length, unit
    return edges, ""


def _n_bins(n_real: int, n_synthetic: int) -> int:
    """Return how many bins the smaller sample can fill without looking ragged (Rice's rule)."""
    return int(np.clip(round(2 * min(n_real, n_synthetic) ** (1 / 3)), MIN_BINS, MAX_BINS))


def _edges(numbers: Floats, resolution: float | None, n_most: int) -> Floats:
    """Return the edges of bins over the middle 99 % of some numbers; a bin holds whole steps of their resolution."""
    low, high = np.quantile(numbers, [TAIL, 1 - TAIL])
    if high <= low:
        low, high = float(numbers.min()), float(numbers.max())
    if resolution and (high - low) / resolution < 4 * MAX_BINS:
        n_steps = round((high - low) / resolution) + 1
        steps = np.round(np.linspace(0, n_steps, min(n_most, n_steps) + 1))
        return np.asarray(low + resolution * (steps - 0.5), dtype=np.float64)
    if high <= low:
        width = abs(low) * 0.05 or 1.0
        return np.array([low - width, low + width])
    return np.linspace(low, high, n_most + 1)
