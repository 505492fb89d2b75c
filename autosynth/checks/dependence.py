"""Dependence: whether columns hang together within a group as they do among the real rows.

Rank scores of numbers, indicators of frequent categories and indicators of missing values are correlated with each
other.  Two columns are as far from the real rows as the correlation of their scores or indicators that differs most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from autosynth.checks.association import MAX_ROWS, Association, typical
from autosynth.checks.embedding import spread as evenly_spaced
from autosynth.checks.noise import Noise, level_of_each
from autosynth.checks.result import CheckResult, Offender

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.checks.family import Context
    from autosynth.checks.group_summary import GroupSummary

    Codes = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

MEAN_TOLERANCE = 0.12  # typical difference of correlations that is let pass beyond noise
PAIR_TOLERANCE = 0.5  # of the farthest pair of columns, likewise: only what clearly belongs together is missed
N_OFFENDERS = 5
LARGEST_GAP = 2.0  # from a correlation of 1 to one of -1


def check_dependence(context: Context, group_code: int) -> list[CheckResult]:
    """Return two checks of a group: the typical difference of correlations, and the farthest pair of columns."""
    summary, cells = context.reference.summaries[group_code], context.cells(group_code)
    if summary is None or summary.association is None:
        return []
    group, n_made = str(context.reference.groups[group_code]), len(cells)
    sizes = f"{summary.n_rows} real rows, {n_made} synthetic"
    n_needed = summary.association.n_needed
    if n_made < n_needed:
        why = f"{n_made} synthetic rows show no dependence, {n_needed} would"
        return [_skipped(name, group, why) for name in ("dependence", "farthest_pair")]
    level = level_of_each(len(context.reference.groups))
    comparison = Comparison.of(summary, summary.association, cells, level)
    return [_typical_check(comparison, group, sizes), _farthest_pair(comparison, group, sizes)]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Correlations of synthetic rows held against those of a group.

    Attributes
    ----------
    association : Association
        The correlations of the real rows.
    names : tuple of str
        The pairs of columns.
    gaps, limits : ndarray of float, shape (n_pairs,)
        How far the correlation of each pair of features is from the real one, and how far it may be.
    noise : Noise
        Of the typical difference.
    """

    association: Association
    names: tuple[str, ...]
    gaps: Floats
    limits: Floats
    noise: Noise

    @classmethod
    def of(cls, summary: GroupSummary, association: Association, cells: Codes, level: float) -> Comparison:
        """Compare the cells of synthetic rows, at most MAX_ROWS evenly spaced ones."""
        cells = cells[evenly_spaced(len(cells), MAX_ROWS)]
        columns, n_real = summary.columns, min(summary.n_rows, MAX_ROWS)
        return cls(
            association,
            tuple(f"{columns[one].name} × {columns[other].name}" for one, other in association.pairs.columns),
            association.gaps(cells, columns),
            PAIR_TOLERANCE + association.limits(n_real, len(cells), level),
            association.noise(n_real, len(cells), level),
        )

    @cached_property
    def distances(self) -> Floats:
        """The largest difference of each pair of columns, shape (n_blocks,)."""
        return self.association.pairs.largest(self.gaps)

    def worst(self) -> list[int]:
        """Return the pairs of features farthest beyond their limits, or nearest to them; one per pair of columns."""
        blocks, excess = self.association.pairs.blocks, self.gaps - self.limits
        order = np.argsort(-excess, kind="stable")
        _, first = np.unique(blocks[order], return_index=True)
        return [int(place) for place in order[np.sort(first)][:N_OFFENDERS]]


def _typical_check(comparison: Comparison, group: str, sizes: str) -> CheckResult:
    observed, limit = typical(comparison.distances), comparison.noise.limit(MEAN_TOLERANCE)
    n_left_out = comparison.association.n_left_out
    beyond = f"; {n_left_out} more numbers or categories are not looked at" if n_left_out else ""
    n_pairs = len(comparison.names)
    message = f"correlations of {n_pairs} pair{'s' * (n_pairs > 1)} of columns differ by {observed:.3f}"
    worst = np.argsort(-comparison.distances, kind="stable")[:N_OFFENDERS].tolist()
    return CheckResult(
        name="dependence",
        subject=group,
        passed=observed <= limit,
        observed=observed,
        limit=limit,
        message=f"{message}, allowed {limit:.3f} ({sizes}){beyond}",
        offenders=tuple(
            Offender(comparison.names[place], float(comparison.distances[place]), math.nan) for place in worst
        ),
        skipped=observed <= limit and limit >= 1,
    )


def _farthest_pair(comparison: Comparison, group: str, sizes: str) -> CheckResult:
    blocks = comparison.association.pairs.blocks
    offenders = tuple(
        Offender(comparison.names[blocks[place]], float(comparison.gaps[place]), float(comparison.limits[place]))
        for place in comparison.worst()
    )
    first = offenders[0]
    passed = first.observed <= first.limit
    return CheckResult(
        name="farthest_pair",
        subject=group,
        passed=passed,
        observed=first.observed,
        limit=first.limit,
        message=f"{first.name}: correlation differs by {first.observed:.3f}, allowed {first.limit:.3f} ({sizes})",
        offenders=offenders,
        skipped=passed and bool(comparison.limits.min() >= LARGEST_GAP),
    )


def _skipped(name: str, group: str, why: str) -> CheckResult:
    nan = math.nan
    return CheckResult(name=name, subject=group, passed=True, observed=nan, limit=nan, message=why, skipped=True)
