"""Columns, real against synthetic: the worst ones drawn, within the group in which they are farthest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from autosynth.checks.fidelity import COLUMN_TOLERANCE
from autosynth.pages.elements import Part, details, grid, group_markup, legend, note
from autosynth.pages.figure import figure
from autosynth.pages.marginal_drawing import draw_marginal
from autosynth.pages.marginals import MAX_ROWS as MAX_ROWS_LOOKED_AT
from autosynth.pages.marginals import Marginal, Marginals
from autosynth.pages.numbers import fixed_text, percent_text
from autosynth.pages.page import Section
from autosynth.pages.table import NumberText, table
from autosynth.pages.words import group_words, shorten

if TYPE_CHECKING:
    from autosynth.checks.evidence import Evidence

MAX_PANELS = 12
MAX_ROWS = 100


def marginal_section(evidence: Evidence) -> Section:
    """Return the section: panels of the worst columns, and a table of more."""
    found = Marginals.of(evidence)
    title = "Columns, real against synthetic"
    if not found.pairs:
        return Section(title=title, parts=("There is no synthetic row, or no column that a generator fills.",))
    worst = found.worst_of_each_column
    drawn = worst[:MAX_PANELS]
    parts: list[Part] = [
        _lead(worst),
        legend([("real-area", "real rows"), ("synthetic-line", "synthetic rows")]),
        grid(*[_panel(pair, place) for place, pair in enumerate(drawn)]),
        note(_how_to_read(found, len(drawn), len(worst))),
        _all(found),
    ]
    return Section(title=title, parts=tuple(parts))


def _lead(worst: list[Marginal]) -> str:
    apart = [pair for pair in worst if pair.excess > 0]
    if not apart:
        return f"No column is farther from the real rows than chance explains ({len(worst):,} columns, in every group)."
    first = apart[0]
    return (
        f"{len(apart):,} of {len(worst):,} columns are farther from the real rows than chance explains, in some group "
        f"at least. The worst is {shorten(first.column.name, 60)} in {shorten(group_words(first.group), 80)}. Such a "
        f"column may still pass: the check allows each one about {COLUMN_TOLERANCE:g} more than chance explains."
    )


def _how_to_read(found: Marginals, n_drawn: int, n_columns: int) -> str:
    words = [
        "Worst first, each column in the group where it is farthest. Distance: 0 means the same distribution, 1 no "
        "overlap; the number behind it is what chance explains at these row counts. "
        "Axes in per cent count rows of the group; the outermost bars hold the rows beyond them."
    ]
    if n_columns > n_drawn:
        words.append(f"{n_columns - n_drawn:,} columns that are closer are not drawn.")
    if found.n_groups_left_out:
        words.append(f"{found.n_groups_left_out:,} groups with the fewest synthetic rows are not compared here.")
    if found.is_thinned:
        words.append(f"Of the real and of the synthetic rows, {MAX_ROWS_LOOKED_AT:,} each are looked at.")
    if found.text_columns:
        words.append(f"Free text has no distribution to draw: {shorten(', '.join(found.text_columns), 200)}.")
    return " ".join(words)


def _all(found: Marginals) -> Markup:
    rows = [
        [
            str(pair.column.name),
            NumberText(fixed_text(pair.distance)),
            NumberText(fixed_text(pair.chance)),
            *[NumberText(percent_text(share)) for share in pair.missing],
            group_markup(pair.group),
        ]
        for pair in found.pairs[:MAX_ROWS]
    ]
    titles = ["Column", "Distance", "By chance", "Missing, real", "Missing, synthetic", "Group"]
    parts = [table(titles, rows, caption="Distance of each column in each group, worst first")]
    left_out = len(found.pairs) - MAX_ROWS
    if left_out > 0:
        parts.append(note(f"{left_out:,} closer ones are not listed."))
    return details(f"Distances of {len(rows):,} columns within groups, worst first", *parts)


def _panel(pair: Marginal, place: int) -> Markup:
    missing = pair.missing
    words = f"distance {fixed_text(pair.distance)}, by chance up to {fixed_text(pair.chance)}"
    if any(missing):
        words += f"; missing {percent_text(missing[0])} → {percent_text(missing[1])}"
    label = f"Distribution of {pair.column.name} in {group_words(pair.group)}, real against synthetic: {words}."
    return figure(
        lambda canvas: draw_marginal(canvas, pair),
        name=f"marginal-{place}",
        label=label,
        width=310,
        height=175,
        title=str(pair.column.name),
        subtitle=f"{group_words(pair.group)} · {words}",
    )
