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
from autosynth.checks.features import feature_name
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
    features : tuple of str
        What is correlated, such as "age", "age missing" or "ward = heart".
    made : ndarray of float, shape (n_pairs,)
        The correlation of each pair of features among the synthetic rows.
    chance : ndarray of float, shape (n_pairs,)
        How far it is from the real one by chance, which all pairs together rarely exceed.
    noise : Noise
        Of the typical difference.
    """

    association: Association
    features: tuple[str, ...]
    made: Floats
    chance: Floats
    noise: Noise

    @classmethod
    def of(cls, summary: GroupSummary, association: Association, cells: Codes, level: float) -> Comparison:
        """Compare the cells of synthetic rows, at most MAX_ROWS evenly spaced ones."""
        cells = cells[evenly_spaced(len(cells), MAX_ROWS)]
        columns, n_real = summary.columns, min(summary.n_rows, MAX_ROWS)
        return cls(
            association,
            tuple(feature_name(feature, columns) for feature in association.features),
            association.of_rows(cells, columns),
            association.limits(n_real, len(cells), level),
            association.noise(n_real, len(cells), level),
        )

    @cached_property
    def gaps(self) -> Floats:
        """How far the correlation of each pair of features is from the real one, shape (n_pairs,)."""
        return np.asarray(np.abs(self.made - np.asarray(self.association.correlations)))

    @cached_property
    def limits(self) -> Floats:
        """How far it may be, shape (n_pairs,)."""
        return PAIR_TOLERANCE + self.chance

    @cached_property
    def distances(self) -> Floats:
        """The largest difference of each pair of columns, shape (n_blocks,)."""
        return self.association.pairs.largest(self.gaps)

    def names(self, place: int) -> tuple[str, str]:
        """Return what the two features of a pair are."""
        pairs = self.association.pairs
        return self.features[pairs.first[place]], self.features[pairs.second[place]]

    def farthest(self, excess: Floats, n_most: int) -> list[int]:
        """Return the pairs of features whose excess is largest; one per pair of columns."""
        order = np.argsort(-excess, kind="stable")
        _, first = np.unique(self.association.pairs.blocks[order], return_index=True)
        return [int(place) for place in order[np.sort(first)][:n_most]]

    def offender(self, place: int, limit: float) -> Offender:
        """Return a pair of features with both of its correlations."""
        name = f"{' × '.join(self.names(place))} ({self.both_sides(place)})"
        return Offender(name, float(self.gaps[place]), limit)

    def both_sides(self, place: int) -> str:
        """Return the correlations of a pair of features, in words."""
        real, made = (round(float(side[place]), 2) + 0.0 for side in (self.association.correlations, self.made))
        return f"{real:.2f} among real, {made:.2f} among synthetic rows"


def _typical_check(comparison: Comparison, group: str, sizes: str) -> CheckResult:
    observed, limit = typical(comparison.distances), comparison.noise.limit(MEAN_TOLERANCE)
    n_left_out = comparison.association.n_left_out
    beyond = f"; {n_left_out} more numbers or categories are not looked at" if n_left_out else ""
    n_pairs = comparison.association.pairs.n_blocks
    message = f"correlations of {n_pairs} pair{'s' * (n_pairs > 1)} of columns differ by {observed:.3f}"
    worst = comparison.farthest(comparison.gaps, N_OFFENDERS)
    return CheckResult(
        name="dependence",
        subject=group,
        passed=observed <= limit,
        observed=observed,
        limit=limit,
        message=f"{message}, allowed {limit:.3f} ({sizes}){beyond}",
        offenders=tuple(comparison.offender(place, math.nan) for place in worst),
        skipped=observed <= limit and limit >= 1,
    )


def _farthest_pair(comparison: Comparison, group: str, sizes: str) -> CheckResult:
    worst = comparison.farthest(comparison.gaps - comparison.limits, N_OFFENDERS)
    offenders = tuple(comparison.offender(place, float(comparison.limits[place])) for place in worst)
    observed, limit = offenders[0].observed, offenders[0].limit
    passed = observed <= limit
    seen = f"{' × '.join(comparison.names(worst[0]))}: {comparison.both_sides(worst[0])}"
    return CheckResult(
        name="farthest_pair",
        subject=group,
        passed=passed,
        observed=observed,
        limit=limit,
        message=f"{seen}; the correlation differs by {observed:.3f}, allowed {limit:.3f} ({sizes})",
        offenders=offenders,
        skipped=passed and bool(comparison.limits.min() >= LARGEST_GAP),
    )


def _skipped(name: str, group: str, why: str) -> CheckResult:
    nan = math.nan
    return CheckResult(name=name, subject=group, passed=True, observed=nan, limit=nan, message=why, skipped=True)
