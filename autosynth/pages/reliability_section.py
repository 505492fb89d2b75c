"""Reliability before and after: how often a class occurs where a model gives it a certain probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from autosynth.pages.dot_plot import side_by_side
from autosynth.pages.elements import Part, note, paragraph
from autosynth.pages.figure import figure, shorten
from autosynth.pages.page import Section
from autosynth.pages.palette import MUTED, SERIES, Look
from autosynth.pages.risk_section import interval_text
from autosynth.pages.table import Cell, folded_table

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from autosynth.reliability import ReliabilityCurve

WIDTH, HEIGHT = 380, 400
MAX_CLASSES = 6
RARE = 0.15  # below this share of a class, most bins crowd near 0 on even axes
TICKS = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0)
INTRODUCTION = (
    "Each marker is a bin of rows with neighbouring probabilities, about as many rows in each. On the diagonal a class "
    "occurs as often as the model says; below it the model says it too often."
)
EVEN_GROUPS = (
    "These rows are counted as they are. A model made for even groups says a rare class more often than it occurs "
    "among them: its markers lie below the diagonal, and that is no fault as long as one knows it."
)


def reliability_section(
    models: Mapping[str, Sequence[ReliabilityCurve]],
    *,
    title: str = "Reliability before and after",
    looks: Mapping[str, Look] | None = None,
) -> Section:
    """Return the section: a figure per class, with the curves of all models.

    Parameters
    ----------
    models : mapping of str to sequence of ReliabilityCurve
        By name, each with the same classes in the same order.
    title : str
        Heading.
    looks : mapping of str to Look, optional
        Colour and marker of every model, where other figures of the page show the same ones.
    """
    looks = looks or dict(zip(models, SERIES, strict=False))
    by_class = list(zip(*models.values(), strict=True))
    drawn = by_class[:MAX_CLASSES]
    stretched = any(_is_rare(curves[0]) for curves in drawn)
    parts: list[Part] = [
        paragraph(INTRODUCTION),
        side_by_side(
            *(
                _reliability_figure(
                    dict(zip(models, curves, strict=True)), looks, f"reliability-{place}", stretched=stretched
                )
                for place, curves in enumerate(drawn)
            )
        ),
    ]
    if stretched:
        parts.append(note("Both axes are stretched near 0 and 1, where the probabilities of rare classes lie."))
    if len(by_class) > len(drawn):
        parts.append(note(f"{len(drawn)} of {len(by_class)} classes are drawn; the table holds all."))
    parts += [note(EVEN_GROUPS), _bins_table(models)]
    return Section(title=title, parts=tuple(parts))


def _is_rare(curve: ReliabilityCurve) -> bool:
    n_rows = sum(each.n_rows for each in curve.bins)
    share = sum(each.observed.value * each.n_rows for each in curve.bins) / n_rows
    return min(share, 1 - share) < RARE


def _reliability_figure(
    curves: Mapping[str, ReliabilityCurve], looks: Mapping[str, Look], name: str, *, stretched: bool
) -> Markup:
    label = next(iter(curves.values())).label

    def draw(canvas: Figure) -> None:
        axes = canvas.add_subplot()
        _scale(axes, stretched=stretched)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--")
        for model, curve in curves.items():
            look = looks[model]
            predicted = np.array([each.predicted for each in curve.bins])
            observed = np.array([each.observed.value for each in curve.bins])
            reach = [
                observed - [each.observed.low for each in curve.bins],
                [each.observed.high for each in curve.bins] - observed,
            ]
            axes.errorbar(
                predicted,
                observed,
                yerr=np.clip(reach, 0, None),
                fmt=look.marker,
                color=look.colour,
                label=shorten(model, 50),
                linestyle=look.dash,
                linewidth=1.2,
                elinewidth=1.2,
                markersize=6,
                clip_on=False,
                markeredgewidth=2 if look.marker == "x" else 0.8,
            )
        axes.set_xlabel("probability that the model gives")
        axes.set_ylabel("share of rows that are so")
        canvas.legend(loc="outside upper left", ncols=1, handletextpad=0.5, borderaxespad=0.1, labelspacing=0.3)

    return figure(
        draw,
        name=name,
        label=f"Reliability for class {shorten(label, 60)}: observed share against probability, of {_list(curves)}.",
        width=WIDTH,
        height=HEIGHT,
        title=f"class {label}",
    )


def _list(names: Mapping[str, object]) -> str:
    return " and ".join(shorten(name, 40) for name in names)


def _scale(axes: Axes, *, stretched: bool) -> None:
    """Let both axes run from 0 to 1, on demand by the angle whose squared sine is the share."""
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    if not stretched:
        return
    for scale, ticks in ((axes.set_xscale, axes.set_xticks), (axes.set_yscale, axes.set_yticks)):
        scale("function", functions=(_angle, _share))
        ticks(TICKS, labels=[f"{tick:g}" for tick in TICKS])
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.minorticks_off()


def _angle(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.arcsin(np.sqrt(np.clip(share, 0.0, 1.0))))


def _share(angle: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.sin(np.clip(angle, 0.0, np.pi / 2)) ** 2)


def _bins_table(models: Mapping[str, Sequence[ReliabilityCurve]]) -> Markup:
    body: list[list[Cell]] = [
        [model, str(curve.label), each.predicted, interval_text(each.observed), each.n_rows]
        for model, curves in models.items()
        for curve in curves
        for each in curve.bins
    ]
    titles = ["model", "class", "probability", "observed share", "rows"]
    return folded_table("All bins in numbers", titles, body, caption="Reliability in bins of equal counts")
