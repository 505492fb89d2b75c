"""The picture of a scaling curve: risk against N, and its excess over the floor on two logarithmic axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.pages.figure import STYLE
from autosynth.pages.palette import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, SKY, VERMILLION
from autosynth.picture import check_picture, write_picture
from autosynth.scaling.findings import OVERSAMPLED
from autosynth.scaling.law import FALLS, FLAT, RISES
from autosynth.scaling.words import risk_title, short

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt
    from matplotlib.axes import Axes

    from autosynth.files import AnyPath
    from autosynth.scaling.curve import ScalingCurve
    from autosynth.scaling.points import Reference, ScalingPoint

    Floats: TypeAlias = npt.NDArray[np.float64]

__all__ = ["plot_curve"]

WIDTH, HEIGHT = 11.0, 4.6  # inches
N_DRAWN = 60  # places at which the law is drawn
BEYOND = 2.0  # the law goes on to this multiple of the largest size
NO_FLOOR = {RISES: "risk rises", FLAT: "no decay is seen"}
REFERENCE_TITLES = {"none": "plain training"}
LINES = ((MUTED, "--"), (ORANGE, ":"), (PURPLE, "-."), (SKY, (0, (5, 1, 1, 1, 1, 1))), (INK, (0, (1, 1))))


def plot_curve(curve: ScalingCurve, path: AnyPath) -> Path:
    """Draw a curve into a PNG or SVG file; the same curve gives the same bytes, and pyplot is left alone.

    Raises
    ------
    ConfigError
        If the name ends otherwise.
    OutputError
        If no file can be written there.
    """
    check_picture(path)
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()  # whatever style the caller has set
        mpl.rcParams.update({**STYLE, "svg.hashsalt": "scaling curve", "figure.facecolor": "white"})
        canvas = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        left, right = canvas.subplots(1, 2)
        _draw_risk(left, curve)
        _draw_excess(right, curve)
        handles, labels = left.get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside lower center", ncols=3)
        return write_picture(canvas, path)


def _draw_risk(axes: Axes, curve: ScalingCurve) -> None:
    """Draw points with their limits, the law with its band, the floor, and the lines to hold them against."""
    if curve.law.shape != RISES:
        _draw_law(axes, curve)
    _draw_points(axes, curve.points, VERMILLION, "o", f"{curve.generator}, N rows more per group", "none")
    if curve.real_points:
        _draw_points(axes, curve.real_points, GREEN, "s", "real rows instead of synthetic ones", "-")
    for reference, (colour, dash) in zip(curve.references, LINES, strict=False):
        axes.axhline(
            reference.risk.value, color=colour, linestyle=dash, linewidth=1.2, label=_reference_label(reference)
        )
    if curve.law.shape == FALLS:
        axes.axhline(curve.floor.value, color=BLUE, linestyle=(0, (1, 2)), linewidth=1.0)
    _size_axis(axes, curve)
    axes.set_ylabel(risk_title(curve.metric))
    axes.set_title("Risk on real rows")


def _draw_law(axes: Axes, curve: ScalingCurve) -> None:
    sizes = _drawn_sizes(curve)
    law = [curve.law.predict(float(n)) for n in sizes]
    lows, highs = [each.low for each in law], [each.high for each in law]
    axes.fill_between(sizes, lows, highs, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(sizes, [each.value for each in law], color=BLUE, label=_law_label(curve))


def _draw_excess(axes: Axes, curve: ScalingCurve) -> None:
    """Draw what lies over the fitted floor: a law of decay is a straight line here."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    _size_axis(axes, curve)
    axes.set_title("Excess over the fitted floor")
    if curve.law.shape != FALLS:
        axes.text(
            0.5,
            0.5,
            f"{NO_FLOOR[curve.law.shape]},\nso there is no floor to measure from",
            transform=axes.transAxes,
            ha="center",
            va="center",
            color=MUTED,
        )
        axes.set_yticks([])
        return
    floor, sizes = curve.floor.value, _drawn_sizes(curve)
    axes.set_yscale("log")
    axes.plot(sizes, [curve.law.predict(float(n)).value - floor for n in sizes], color=BLUE)
    errors = np.array(curve.law.standard_errors)
    _draw_excess_points(axes, curve.points, floor, errors, VERMILLION, "o")
    if curve.real_points:
        own = np.array([point.standard_error for point in curve.real_points])
        _draw_excess_points(axes, curve.real_points, floor, own, GREEN, "s")
    for reference, (colour, dash) in zip(curve.references, LINES, strict=False):
        if reference.name == OVERSAMPLED and reference.risk.value > floor:
            axes.axhline(reference.risk.value - floor, color=colour, linestyle=dash, linewidth=1.2)
    smallest = curve.law.predict(float(sizes[-1])).value - floor
    largest = max(point.risk.value for point in (*curve.points, *curve.real_points)) - floor
    axes.set_ylim(max(smallest / 5, 1e-4 * largest), 3 * largest)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda excess, _: f"{excess:.3g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel(f"risk − {short(floor)}")


def _draw_points(axes: Axes, points: Sequence[ScalingPoint], colour: str, marker: str, label: str, line: str) -> None:
    values = np.array([point.risk.value for point in points])
    limits = np.array([[point.risk.low, point.risk.high] for point in points])
    reach = np.nan_to_num(np.abs(limits - values[:, None]).T)
    axes.errorbar(
        [point.n for point in points],
        values,
        yerr=reach,
        color=colour,
        marker=marker,
        linestyle=line,
        elinewidth=0.9,
        capsize=2,
        label=label,
    )


def _draw_excess_points(
    axes: Axes, points: Sequence[ScalingPoint], floor: float, errors: Floats, colour: str, marker: str
) -> None:
    """Draw the excess with one standard error; below the floor there is nothing that a logarithm could show."""
    excess = np.array([point.risk.value for point in points]) - floor
    seen = excess > 0
    errors = np.nan_to_num(errors)
    below = np.minimum(errors[seen], 0.999 * excess[seen])
    axes.errorbar(
        np.array([point.n for point in points])[seen],
        excess[seen],
        yerr=[below, errors[seen]],
        color=colour,
        marker=marker,
        linestyle="none",
        elinewidth=0.9,
        capsize=2,
    )


def _size_axis(axes: Axes, curve: ScalingCurve) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    sizes = [point.n for point in curve.points]
    shown = sizes if len(sizes) <= 8 else sizes[:: math.ceil(len(sizes) / 8)]
    axes.set_xscale("log")
    axes.set_xlim(sizes[0] / 1.2, 1.1 * BEYOND * sizes[-1])
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
    axes.set_xlabel("N, rows more per group")


def _drawn_sizes(curve: ScalingCurve) -> Floats:
    return np.geomspace(curve.points[0].n, BEYOND * curve.points[-1].n, N_DRAWN)


def _law_label(curve: ScalingCurve) -> str:
    law = curve.law
    if law.shape != FALLS:
        return "no decay seen"
    return f"{short(law.a.value)} + {short(law.b.value)} · N^−{short(law.c.value)}"


def _reference_label(reference: Reference) -> str:
    return f"no augmentation: {REFERENCE_TITLES.get(reference.name, reference.name)}"
