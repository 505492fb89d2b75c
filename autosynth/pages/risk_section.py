"""Risk by group: every model's dots with intervals, and what changed against the baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from markupsafe import Markup

from autosynth.pages.dot_plot import MAX_NAME, Dots, dot_plot, side_by_side
from autosynth.pages.elements import Part, Verdict, note, subheading
from autosynth.pages.figure import shorten
from autosynth.pages.numbers import ABSENT
from autosynth.pages.page import Section
from autosynth.pages.palette import INK, SERIES, Look
from autosynth.pages.table import Cell, NumberText, folded_table, table

if TYPE_CHECKING:
    from autosynth.group_reports import ReportDifference
    from autosynth.group_rows import GroupRow
    from autosynth.interval import Interval

MAX_DRAWN = 30
SMALL_MARK = " *"
DIFFERENCE = (Look(INK, "D", "-", ""),)
SUMMARY = {
    "balanced_risk": "balanced risk",
    "mean_risk": "mean risk",
    "worst_risk": "worst group",
    "gap": "gap",
}


class Figures(Protocol):
    """What a section needs to know of a model; a GroupReport has it, and so has its baseline."""

    @property
    def groups(self) -> tuple[GroupRow, ...]: ...
    @property
    def balanced_risk(self) -> Interval: ...
    @property
    def mean_risk(self) -> Interval: ...
    @property
    def worst_group(self) -> str: ...
    @property
    def worst_risk(self) -> Interval: ...
    @property
    def gap(self) -> Interval: ...


def risk_section(
    models: Mapping[str, Figures],
    *,
    difference: ReportDifference | None = None,
    against: str = "",
    title: str = "Risk by group",
    name: str = "risk",
    introduction: Sequence[Part] = (),
    small_group: int = 100,
    looks: Mapping[str, Look] | None = None,
    mere_shift: bool = False,
) -> Section:
    """Return the section.

    Parameters
    ----------
    models : mapping of str to Figures
        By name, with their groups in one and the same order; the last one is what the section is about.
    difference : ReportDifference, optional
        Of the last model, in the same order of groups.
    against : str
        What the difference is against.
    title, name : str
        Heading, and what the names of its figures begin with; both unique on the page.
    introduction : sequence of Markup or str
        Said first.
    small_group : int
        Groups with fewer rows are marked.
    looks : mapping of str to Look, optional
        Colour and marker of every model, where other figures of the page show the same ones.
    mere_shift : bool
        The difference is a shift of the prior and no better model: then a lower risk is called lower, not better.
    """
    about = list(models)[-1]
    rows = models[about].groups
    order = sorted(range(len(rows)), key=lambda place: -rows[place].risk.value)
    drawn = order[:MAX_DRAWN]
    marks = any(row.is_small for row in rows)
    parts: list[Part] = [
        *introduction,
        _summary_table(models, difference, against, mere_shift=mere_shift),
        _summary_note(models),
        subheading("Group by group, worst first"),
        side_by_side(
            _risk_figure(models, drawn, name, looks),
            *([_difference_figure(difference, rows, drawn, name, (about, against), len(models))] if difference else []),
        ),
    ]
    if len(order) > len(drawn):
        parts.append(note(f"The {len(drawn)} groups with the highest risk of {len(order)} are drawn."))
    if marks:
        parts.append(note(f"{SMALL_MARK.strip()} fewer than {small_group} rows: read the interval, not the value."))
    parts.append(_group_table(models, difference, order, mere_shift=mere_shift))
    return Section(title=title, parts=tuple(parts))


def group_name(row: GroupRow) -> str:
    """Return the name of a group as figures and tables show it, with a mark when it is small."""
    return row.name + _mark(row)


def _drawn_name(row: GroupRow) -> str:
    """Return the name of a group, without the names of its columns where it would have to be cut."""
    if len(row.name) <= MAX_NAME:
        return row.name
    return ", ".join("missing" if value is None else str(value) for value in row.group.values)


def _mark(row: GroupRow) -> str:
    return SMALL_MARK if row.is_small else ""


def interval_text(interval: Interval, *, signed: bool = False) -> NumberText:
    """Return a value with its limits, as a cell of numbers."""
    if math.isnan(interval.value):
        return NumberText(ABSENT)
    sign = "+" if signed else ""
    text = f"{interval.value:{sign}.3f}"
    if not math.isnan(interval.low):
        text += f" [{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"
    return NumberText(text.replace("-", "−"))


def change_verdict(change: Interval, *, mere_shift: bool = False) -> Verdict:
    """Return in a word what a difference in risk says; that of a mere shift is neither good nor bad."""
    if mere_shift and change.excludes_zero:
        return Verdict("lower" if change.high < 0 else "higher", "none")
    if math.isnan(change.low):
        return Verdict("no interval", "none")
    if change.high < 0:
        return Verdict("better", "good")
    return Verdict("worse", "bad") if change.low > 0 else Verdict("within noise", "none")


def _summary_table(
    models: Mapping[str, Figures], difference: ReportDifference | None, against: str, *, mere_shift: bool
) -> Markup:
    models = _last_first(models)
    titles = ["nats", *(["", f"difference from {against}"] if difference else []), *models]
    body = []
    for key, title in SUMMARY.items():
        row: list[Cell] = [title]
        if difference:
            change: Interval = getattr(difference, key)
            row += [change_verdict(change, mere_shift=mere_shift), interval_text(change, signed=True)]
        body.append([*row, *(interval_text(getattr(model, key)) for model in models.values())])
    return table(titles, body, caption="Balanced risk, mean risk, worst group and gap")


def _last_first(models: Mapping[str, Figures]) -> dict[str, Figures]:
    """Return the model that the section is about first: a narrow screen shows the first columns."""
    return dict([*list(models.items())[-1:], *list(models.items())[:-1]])


def _summary_note(models: Mapping[str, Figures]) -> Markup:
    worst = "; ".join(f"{name}: {model.worst_group}" for name, model in models.items())
    return note(
        "Risk is the mean cross-entropy, in nats: lower is better. Balanced risk counts every group alike, mean risk "
        f"every row; the gap lies between the worst and the best group. The worst group is, for {worst}."
    )


def _risk_figure(
    models: Mapping[str, Figures], drawn: Sequence[int], name: str, looks: Mapping[str, Look] | None
) -> Markup:
    rows = next(iter(models.values())).groups
    looks = looks or dict(zip(models, SERIES, strict=False))
    shown = [title for title in models if title in looks]
    series = [Dots(title, [models[title].groups[place].risk for place in drawn]) for title in shown]
    return dot_plot(
        [(_drawn_name(rows[place]), f"{_mark(rows[place])} ({rows[place].n_rows:,})") for place in drawn],
        series,
        name=f"{name}-groups",
        label="Risk of each group with its interval, one marker for each model; the table below holds the numbers.",
        axis="risk in nats; the number of rows in brackets",
        looks=[looks[title] for title in shown],
    )


def _difference_figure(
    difference: ReportDifference,
    rows: Sequence[GroupRow],
    drawn: Sequence[int],
    name: str,
    pair: tuple[str, str],
    n_lines: int,
) -> Markup:
    changes = [difference.groups[place].risk for place in drawn]
    n_lower = sum(change.high < 0 for change in changes)
    n_higher = sum(change.low > 0 for change in changes)
    return dot_plot(
        [(_drawn_name(rows[place]), _mark(rows[place])) for place in drawn],
        [Dots(f"{shorten(pair[0], 22)} minus {shorten(pair[1], 22)}", changes)],
        name=f"{name}-difference",
        label=f"Difference in risk of each group: {n_lower} lower, {n_higher} higher, the others within noise.",
        axis="← lower · difference in nats · higher →",
        zero_line=True,
        looks=DIFFERENCE,
        n_lines=n_lines,
    )


def _group_table(
    models: Mapping[str, Figures], difference: ReportDifference | None, order: Sequence[int], *, mere_shift: bool
) -> Markup:
    models = _last_first(models)
    rows = next(iter(models.values())).groups
    body = []
    for place in order:
        cells: list[Cell] = [group_name(rows[place])]
        if difference:
            change = difference.groups[place].risk
            cells += [change_verdict(change, mere_shift=mere_shift), interval_text(change, signed=True)]
        cells += [interval_text(model.groups[place].risk) for model in models.values()]
        body.append([*cells, rows[place].n_rows])
    titles = ["group", *(["", "difference"] if difference else []), *models, "rows"]
    return folded_table(f"The {len(order)} groups in numbers", titles, body, caption="Risk of every group in nats")
