"""Groups before and after: how many rows each has, and which of them are synthetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from autosynth.pages.elements import details, legend, note
from autosynth.pages.numbers import number_text
from autosynth.pages.page import Section
from autosynth.pages.table import NumberText, table
from autosynth.pages.template import fill
from autosynth.pages.words import shorten

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


def group_section(groups: Sequence[GroupRows], notes: Sequence[str] = ()) -> Section:
    """Return the section: a bar per group, the largest changes first where there are too many to draw."""
    has_augmented = any(group.n_augmented for group in groups)
    drawn, rest = _split(groups)
    keys = [("real", "real rows"), ("synthetic", "synthetic rows")]
    if has_augmented:
        keys = [*keys[:1], ("synthetic", "synthetic rows that balance"), ("augmented", "synthetic rows on top")]
    parts = [legend(keys), _bars(drawn, groups, has_augmented=has_augmented), *_rest(rest, has_augmented=has_augmented)]
    return Section(title="Groups before and after", parts=(*parts, *(note(text) for text in notes)))


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


def _bars(drawn: Sequence[GroupRows], groups: Sequence[GroupRows], *, has_augmented: bool) -> Markup:
    longest = max((group.total for group in groups), default=0) or 1
    rows = [
        [
            fill("bar.html", name=shorten(group.name), shares=_shares(group, longest)),
            group.n_real,
            NumberText(f"+{group.n_synthetic:,}" if group.n_synthetic else "0"),
            *([NumberText(f"+{group.n_augmented:,}")] if has_augmented else []),
            group.total,
        ]
        for group in drawn
    ]
    titles = (
        ["Group", "Real", "Balancing", "On top", "Total"] if has_augmented else ["Group", "Real", "Synthetic", "Total"]
    )
    return table(titles, rows, caption="Real and synthetic rows of each group", kind="wide")


def _shares(group: GroupRows, longest: int) -> list[tuple[str, str]]:
    return [(part, f"{100 * size / longest:.2f}") for part, size in zip(PARTS, group.parts, strict=True) if size]


def _rest(rest: Sequence[GroupRows], *, has_augmented: bool) -> list[Markup]:
    if not rest:
        return []
    titles = ["Group", "Real", "Synthetic", *(["On top"] if has_augmented else []), "Total"]
    shown = [
        [row.name, row.n_real, row.n_synthetic, *([row.n_augmented] if has_augmented else []), row.total]
        for row in rest[:MAX_ROWS]
    ]
    parts = [table(titles, shown, caption="The other groups")]
    if len(rest) > MAX_ROWS:
        parts.append(note(f"{len(rest) - MAX_ROWS:,} groups with smaller changes are not listed."))
    return [details(f"{len(rest):,} more groups, with smaller changes", *parts)]
