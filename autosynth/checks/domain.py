"""Domain: numbers outside the range of the real rows, and missing values, more or less often than in fresh ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autosynth.checks.noise import Chance, level_of_each
from autosynth.checks.result import CheckResult

if TYPE_CHECKING:
    from autosynth.checks.family import Context

MISSING_TOLERANCE = 0.05  # share of rows, where the real rows hold missing values at all


def check_limits(context: Context) -> list[CheckResult]:
    """Return one check per number-like column: the share of synthetic values outside the real minimum and maximum.

    A fresh value of a continuous distribution lies beyond the largest of n earlier ones with probability 1 / (n + 1),
    by exchangeability, and likewise beyond the smallest.  So much is expected of every group that reaches a limit.
    """
    reference, batch = context.reference, context.batch
    tallies = [tally for tally in reference.tallies if tally.n_extreme]
    sizes = np.asarray(reference.group_sizes)
    results = []
    for tally in tallies:
        column = reference.schema[tally.name]
        present = ~np.isnan(column.to_float(batch.frame[column.name]))
        if not present.any() or column.minimum is None or column.maximum is None:
            continue
        n_outside, n_present = batch.count_outside(column)
        mix = np.bincount(batch.group_codes[present], minlength=len(sizes))
        n_real = sizes - np.asarray(tally.n_missing)
        n_expected = np.asarray(tally.n_extreme) if column.n_distinct > 1 else np.zeros(len(sizes))
        chance = Chance.of_mix(n_expected * n_real / (n_real + 1), n_real, mix)
        observed, limit = n_outside / n_present, chance.highest(n_present, level_of_each(len(tallies)))
        results.append(
            CheckResult(
                name="limits",
                subject=str(column.name),
                passed=observed <= limit,
                observed=observed,
                limit=limit,
                message=f"{n_outside} of {n_present} values ({observed:.1%}) lie outside the real minimum and maximum, "
                f"allowed {limit:.1%}",
                skipped=limit >= 1,
            )
        )
    return results


def check_missing_rates(context: Context) -> list[CheckResult]:
    """Return one check per column: the share of missing values, against that of real rows in the same mix of groups."""
    reference, batch = context.reference, context.batch
    if not batch.n_given:
        return []
    level = level_of_each(len(reference.tallies))
    results = []
    for tally in reference.tallies:
        allows_missing = reference.schema[tally.name].allows_missing
        n_missing, n_rows = batch.count_missing(reference.schema[tally.name])
        if not n_rows:
            continue
        chance = Chance.of_mix(tally.n_missing, reference.group_sizes, context.mix)
        tolerance = MISSING_TOLERANCE if allows_missing else 0.0
        low, high = chance.lowest(n_rows, level / 2, tolerance), chance.highest(n_rows, level / 2, tolerance)
        observed = n_missing / n_rows
        is_low = observed < low
        results.append(
            CheckResult(
                name="missing_rate",
                subject=str(tally.name),
                passed=low <= observed <= high,
                observed=observed,
                limit=low if is_low else high,
                message=f"{observed:.1%} of {n_rows} values are missing, of the real ones {chance.share:.1%}; allowed "
                f"are {max(low, 0.0):.1%} to {high:.1%}",
                skipped=low <= 0 and high >= 1,
            )
        )
    return results
