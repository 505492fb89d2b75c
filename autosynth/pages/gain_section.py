"""Where a gain comes from: a mere shift of the prior, class weights, better ranking, or noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from autosynth.gain_words import gain_parts, is_tiny, part_title, part_verdict
from autosynth.pages.dot_plot import WIDTH, fixed_axes, row_label, side_by_side
from autosynth.pages.elements import Part, Tone, Verdict, details, note, paragraph, subheading
from autosynth.pages.figure import figure, shorten
from autosynth.pages.group_gain_table import group_gains
from autosynth.pages.page import Section
from autosynth.pages.palette import BLUE, INK, MUTED, ORANGE, Look
from autosynth.pages.risk_section import interval_text
from autosynth.pages.table import Cell, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autosynth.gains import Gain, GainPart
    from autosynth.group_gains import GroupGain

ROW_HEIGHT, BAR_HEIGHT, AXIS_HEIGHT = 46, 17, 46
TONES: dict[str, Tone] = {"gain": "good", "loss": "bad", "mere shift": "warn"}
# Better ranking alone is a filled bar: a shift is no better model, however long its bar.
LOOKS = {
    "baseline_shift": Look(MUTED, "", "-", "////"),
    "class_weights": Look(ORANGE, "", "-", "...."),
    "ranking": Look(BLUE, "", "-", ""),
    "own_shift": Look(MUTED, "", "-", "\\\\\\\\"),
    "total": Look(INK, "", "-", ""),
}
INTRODUCTION = (
    "A lower balanced risk need not come from a better model. Moving the threshold, which is a shift of the prior, "
    "lowers it too, and plain training can have that for nothing. So the change is taken apart step by step; the steps "
    "add up to the whole."
)


def gain_section(
    gains: Mapping[str, Gain],
    *,
    groups: Mapping[str, Sequence[GroupGain]] | None = None,
    title: str = "Where the gain comes from",
) -> Section:
    """Return the section: a sentence and a figure for each model, the first one's at the top.

    Parameters
    ----------
    gains : mapping of str to Gain
        By the name of the model; at least one.
    groups : mapping of str to sequence of GroupGain, optional
        The gain of every group, by the name of the model.
    title : str
        Heading.
    """
    several = len(gains) > 1
    blocks = []
    for place, (name, gain) in enumerate(gains.items()):
        heading = subheading(name) if several else Markup("")
        blocks.append(Markup("").join([heading, paragraph(gain.sentence), _waterfall(gain, name, f"gain-{place}")]))
    first = next(iter(gains.values()))
    parts: list[Part] = [
        paragraph(INTRODUCTION),
        side_by_side(*blocks),
        details("The steps in numbers", *(part for name, gain in gains.items() for part in _tables(gain, name))),
        *([group_gains(groups)] if groups else []),
        note(f"Every shift is fitted on {first.fitted_on}. All intervals come from the same replicates of these rows."),
    ]
    return Section(title=title, parts=tuple(parts))


def _waterfall(gain: Gain, name: str, figure_name: str) -> Markup:
    parts = [*gain.steps, gain.total]
    starts = np.concatenate([[0.0], np.cumsum([part.nats.value for part in gain.steps])])[:-1]
    starts = np.append(starts, 0.0)
    height = ROW_HEIGHT * len(parts) + AXIS_HEIGHT

    def draw(canvas: Figure) -> None:
        axes = fixed_axes(canvas, height, top=4, bottom=AXIS_HEIGHT)
        for place, (part, start) in enumerate(zip(parts, starts, strict=True)):
            look, middle, end = LOOKS[part.name], place + 0.66, start + part.nats.value
            axes.barh(
                middle,
                part.nats.value,
                left=start,
                height=BAR_HEIGHT / ROW_HEIGHT,
                facecolor=look.colour if part.name == "ranking" else "none",
                edgecolor=look.colour,
                hatch=look.hatch,
                linewidth=1.6 if part.name == "total" else 1.0,
            )
            low, high = (limit + start for limit in (part.nats.low, part.nats.high))
            if np.isfinite([low, high]).all():
                axes.plot([low, high], [middle, middle], color=INK, linewidth=1.6, marker="|", markersize=7)
            if place < len(parts) - 1:
                axes.plot([end, end], [middle, place + 1.66], color=MUTED, linewidth=0.8, linestyle=":")
            row_label(axes, place + 0.24, _row_title(part, gain), max_characters=70)
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_ylim(len(parts), 0)
        axes.set_xlabel("nats of balanced risk gained")
        axes.margins(x=0.06)

    return figure(
        draw,
        name=figure_name,
        label=f"What the change of {shorten(name, 60)} is made of. {gain.sentence}",
        width=WIDTH,
        height=height,
    )


def _row_title(part: GainPart, gain: Gain) -> str:
    word = f"  {part_verdict(part, gain.total)}" if _tone(part, gain) == "none" else ""
    return f"{part_title(part)}: {interval_text(part.nats, signed=True)}{word}"


def _tone(part: GainPart, gain: Gain) -> Tone:
    return "none" if is_tiny(part, gain.total) else TONES.get(part.verdict, "none")


def _tables(gain: Gain, name: str) -> list[Part]:
    steps: list[list[Cell]] = [
        [
            part_title(part),
            interval_text(part.nats, signed=True),
            Verdict(part_verdict(part, gain.total), _tone(part, gain)),
        ]
        for part in gain_parts(gain)
    ]
    stages: list[list[Cell]] = [[stage.name, interval_text(stage.risk)] for stage in gain.stages]
    return [
        subheading(name),
        table(["step", "nats gained", ""], steps, caption=f"Steps of the gain of {name}"),
        table(["model", "balanced risk in nats"], stages, caption=f"Models on the way to {name}"),
    ]
