"""Groups before and after: how many rows each has, and which of them are synthetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from autosynth.pages.elements import details, group_markup, legend, note
from autosynth.pages.numbers import number_text
from autosynth.pages.page import Section
from autosynth.pages.table import NumberText, table
from autosynth.pages.template import fill

if TYPE_CHECKING:
    from autosynth.checks.evidence import Evidence
    from autosynth.plan import SamplingPlan

MAX_BARS = 24
MAX_ROWS = 400
PARTS = ("real", "synthetic", "augmented")  # classes of the style sheet


@dataclass(frozen=True, kw_only=True)
class GroupRows:
    """Rows of one group: real ones, synthetic ones that balance it, and those that every group gets on top."""

    name: str
    n_real: int
    n_synthetic: int
    n_augmented: int = 0

    @property
    def total(self) -> int:
        return self.n_real + self.n_synthetic + self.n_augmented

    @property
    def parts(self) -> tuple[int, int, int]:
        return self.n_real, self.n_synthetic, self.n_augmented


def groups_of_plan(plan: SamplingPlan) -> list[GroupRows]:
    """Return the groups of a plan."""
    return [
        GroupRows(name=str(row.group), n_real=row.n_real, n_synthetic=row.n_oversample, n_augmented=row.n_augment)
        for row in plan.groups
    ]


def groups_of_evidence(evidence: Evidence) -> list[GroupRows]:
    """Return the groups of rows that were compared; how many each was meant to get is not known."""
    import numpy as np

    groups = evidence.table.groups
    made = np.bincount(evidence.group_codes, minlength=len(groups))
    sizes = zip(groups, evidence.table.group_sizes.tolist(), made.tolist(), strict=True)
    return [GroupRows(name=str(group), n_real=n_real, n_synthetic=n_made) for group, n_real, n_made in sizes]


def group_section(groups: Sequence[GroupRows], notes: Sequence[str] = (), *, are_added: bool = True) -> Section:
    """Return the section: a bar per group, the largest changes first where there are too many to draw.

    Parameters
    ----------
    groups : sequence of GroupRows
        The rows of each group.
    notes : sequence of str
        What the plan notes.
    are_added : bool
        Whether the synthetic rows go to the real ones, so that their sum means something.
    """
    columns = _Columns(are_added, are_added and any(group.n_augmented for group in groups))
    drawn, rest = _split(groups)
    keys = [("real", "real rows"), ("synthetic", "synthetic rows")]
    if columns.has_augmented:
        keys = [*keys[:1], ("synthetic", "synthetic rows that balance"), ("augmented", "synthetic rows on top")]
    parts = [legend(keys), _bars(drawn, groups, columns), *_rest(rest, columns)]
    title = "Groups before and after" if are_added else "Real and synthetic rows of each group"
    return Section(title=title, parts=(*parts, *(note(text) for text in notes)))


@dataclass(frozen=True)
class _Columns:
    """Which numbers are shown of a group: whether the sum, and whether rows on top apart from balancing ones."""

    are_added: bool
    has_augmented: bool

    @property
    def titles(self) -> list[str]:
        if not self.are_added:
            return ["Group", "Real", "Synthetic"]
        return ["Group", "Real", *(["Balancing", "On top"] if self.has_augmented else ["Synthetic"]), "Total"]

    def numbers(self, group: GroupRows) -> list[int | NumberText]:
        if not self.are_added:
            return [group.n_real, group.n_synthetic]
        made = [group.n_synthetic, *([group.n_augmented] if self.has_augmented else [])]
        return [group.n_real, *(NumberText(f"+{size:,}" if size else "0") for size in made), group.total]


def imbalance(sizes: Sequence[int]) -> str:
    """Return how many times as large the largest group is as the smallest.

    Examples
    --------
    >>> imbalance([900, 30]), imbalance([50, 50])
    ('30 : 1', '1 : 1')
    """
    if not sizes or not min(sizes):
        return "∞ : 1" if sizes and max(sizes) else "–"
    return f"{number_text(float(f'{max(sizes) / min(sizes):.2g}'))} : 1"


def _split(groups: Sequence[GroupRows]) -> tuple[list[GroupRows], list[GroupRows]]:
    if len(groups) <= MAX_BARS:
        return list(groups), []
    ordered = sorted(groups, key=lambda group: group.n_real - group.total)
    return ordered[:MAX_BARS], ordered[MAX_BARS:]


def _bars(drawn: Sequence[GroupRows], groups: Sequence[GroupRows], columns: _Columns) -> Markup:
    longest = max((group.total for group in groups), default=0) or 1
    rows = [
        [fill("bar.html", name=group_markup(group.name), shares=_shares(group, longest)), *columns.numbers(group)]
        for group in drawn
    ]
    return table(columns.titles, rows, caption="Real and synthetic rows of each group", kind="wide")


def _shares(group: GroupRows, longest: int) -> list[tuple[str, str]]:
    return [(part, f"{100 * size / longest:.2f}") for part, size in zip(PARTS, group.parts, strict=True) if size]


def _rest(rest: Sequence[GroupRows], columns: _Columns) -> list[Markup]:
    if not rest:
        return []
    shown = [[group_markup(row.name), *columns.numbers(row)] for row in rest[:MAX_ROWS]]
    parts = [table(columns.titles, shown, caption="The other groups")]
    fewer = "smaller changes" if columns.are_added else "fewer synthetic rows"
    if len(rest) > MAX_ROWS:
        parts.append(note(f"{len(rest) - MAX_ROWS:,} groups with {fewer} are not listed."))
    return [details(f"{len(rest):,} more groups, with {fewer}", *parts)]
