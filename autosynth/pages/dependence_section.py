"""Dependence: which pairs of columns hang together otherwise among synthetic rows than among real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from autosynth.checks.association import MIN_ROWS
from autosynth.checks.dependence import PAIR_TOLERANCE
from autosynth.pages.associations import GroupAssociations, Pair, associations
from autosynth.pages.elements import Part, Verdict, details, group_markup, note
from autosynth.pages.figure import figure, keep_whole_name
from autosynth.pages.numbers import fixed_text
from autosynth.pages.page import Section
from autosynth.pages.palette import BLUE, INK
from autosynth.pages.table import NumberText, table
from autosynth.pages.words import group_words, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from autosynth.checks.evidence import Evidence

MAX_COLUMNS_DRAWN = 30
MAX_COLUMNS_WRITTEN = 14  # with more, the numbers in the cells would not fit
MAX_LETTERS = 6  # of a name that fits below a cell
MIN_SHOWN = 4
MAX_ROWS = 12
MAX_FOLDED = 60
STEPS = 8
SQUARE = 0.94 * np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
TITLES = ["Pair of columns", "Real", "Synthetic", "Difference", "By chance", "Limit", "Verdict", "Group"]


def dependence_section(evidence: Evidence) -> Section:
    """Return the section: the worst pairs in words, and a map of the group in which columns differ most."""
    title = "Dependence between columns"
    groups = associations(evidence)
    if not groups:
        reason = (
            f"It takes two columns that vary and at least {MIN_ROWS} rows on either side of a group, more where a "
            "category is rare, to compare correlations."
        )
        return Section(title=title, parts=(reason,))
    pairs = sorted((pair for group in groups for pair in group.pairs), key=lambda pair: pair.limit - pair.difference)
    rows = [_row(pair) for pair in pairs[: MAX_ROWS + MAX_FOLDED]]
    n_shown = min(MAX_ROWS, max(MIN_SHOWN, sum(pair.difference > pair.chance for pair in pairs)))
    parts: list[Part] = [
        _lead(pairs[0], len(groups)),
        table(TITLES, rows[:n_shown], caption="Pairs of columns, the largest differences first"),
        *_more(rows[n_shown:]),
        *_map(groups[0]),
        note(
            "Correlations are those of ranks; of categories, of whether the value is the one named; of gaps, of "
            "whether a value is missing. By chance: what all pairs of a group together rarely exceed at its row "
            f"counts. Limit: {PAIR_TOLERANCE:g} more than that, which is what the check allows a single pair."
        ),
    ]
    return Section(title=title, parts=tuple(parts))


def _row(pair: Pair) -> list[Any]:
    numbers = (pair.real, pair.synthetic, pair.difference, pair.chance, pair.limit)
    return [
        f"{pair.first} × {pair.second}",
        *[NumberText(fixed_text(number)) for number in numbers],
        _verdict(pair),
        group_markup(pair.group),
    ]


def _verdict(pair: Pair) -> Verdict:
    if pair.difference > pair.limit:
        return Verdict("beyond the limit", "warn")
    return Verdict("tolerated" if pair.difference > pair.chance else "within noise")


def _lead(worst: Pair, n_groups: int) -> str:
    if worst.difference <= worst.chance:
        return f"No pair of columns differs by more than chance explains, in {n_groups:,} groups compared."
    end = (
        "" if worst.difference > worst.limit else " That is more than chance explains, and less than the check allows."
    )
    return (
        f"The pair that differs most is {shorten(worst.first, 50)} and {shorten(worst.second, 50)} in "
        f"{shorten(group_words(worst.group), 60)}: their correlation is {fixed_text(worst.real)} among real rows and "
        f"{fixed_text(worst.synthetic)} among synthetic ones.{end}"
    )


def _more(rows: list[list[Any]]) -> list[Markup]:
    return [details(f"{len(rows):,} more pairs", table(TITLES, rows, caption="More pairs"))] if rows else []


def _map(group: GroupAssociations) -> list[Part]:
    n_columns = len(group.columns)
    if n_columns > MAX_COLUMNS_DRAWN:
        return [note(f"A map of {n_columns:,} columns would be too fine to read, so there is none.")]
    cell = 46 if n_columns <= MAX_COLUMNS_WRITTEN else 20
    drawn = figure(
        lambda canvas: _draw(canvas, group),
        name="dependence",
        label=f"Differences of correlations between {n_columns} columns in {group_words(group.group)}: the stronger "
        f"the colour, the larger. Their mean is {fixed_text(group.mean)}.",
        width=min(720, 120 + cell * n_columns),
        height=70 + (26 if n_columns <= MAX_COLUMNS_WRITTEN else 18) * n_columns,
        title=f"Difference of correlations in {group_words(group.group)}",
        subtitle="absolute, from 0 (faint) to 1 and more (strong)",
    )
    return [drawn]


def _draw(canvas: Figure, group: GroupAssociations) -> None:
    n_columns = len(group.columns)
    axes = canvas.subplots()
    axes.set_xlim(-0.5, n_columns - 1.5)
    axes.set_ylim(n_columns - 0.5, -0.5)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    is_written = n_columns <= MAX_COLUMNS_WRITTEN
    _cells(axes, group.differences, strongest=0.55 if is_written else 0.9)  # numbers have to stand out
    if is_written:
        for row in range(n_columns):
            for column in range(row):
                text = f"{group.differences[row, column]:.2f}"
                axes.text(column, row, text, ha="center", va="center", fontsize=10, color=INK)
    _name_axis(axes, group.columns)


def _cells(axes: Axes, differences: np.ndarray[Any, Any], *, strongest: float) -> None:
    """Draw the cells below the diagonal, all of one shade as one path."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    shades = np.ceil(np.clip(differences, 0, 1) * STEPS).astype(int)
    for shade in range(1, STEPS + 1):
        places = [(row, column) for row, column in np.argwhere(shades == shade).tolist() if column < row]
        if not places:
            continue
        corners = [SQUARE + np.array([column - 0.47, row - 0.47]) for row, column in places]
        codes = [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY] * len(places)
        path = Path(np.vstack(corners), codes)
        axes.add_patch(PathPatch(path, facecolor=BLUE, alpha=strongest * shade / STEPS, linewidth=0))


def _name_axis(axes: Axes, names: tuple[str, ...]) -> None:
    """Name the rows; the columns too where all names are short, or else by the numbers that stand before the names."""
    is_numbered = max(map(len, names)) > MAX_LETTERS or len(names) > MAX_COLUMNS_WRITTEN
    rows = [f"{f'{place}. ' if is_numbered else ''}{shorten(name, 20)}" for place, name in enumerate(names, 1)]
    columns = [str(place) if is_numbered else name for place, name in enumerate(names, 1)]
    axes.set_yticks(range(len(names)), labels=rows)
    axes.set_xticks(range(len(names) - 1), labels=columns[:-1])
    labels = [*axes.get_yticklabels(), *axes.get_xticklabels()]
    for text, name in zip(labels, [*names, *names[:-1]], strict=True):
        keep_whole_name(text, name)
