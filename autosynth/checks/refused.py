"""Refused: how many of the given rows no other check has looked at, since they do not fit the real table.

A fault in few rows of each of many columns passes every check of a column, and yet may spoil every row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autosynth.checks.batch import label_classes
from autosynth.checks.columns import unknown_group_chance, unseen_chance
from autosynth.checks.noise import Chance, level_of_each
from autosynth.checks.result import CheckResult, Offender

if TYPE_CHECKING:
    from autosynth.checks.family import Context

TOLERANCE = 0.05  # share of rows, beyond what fresh real rows would lose and noise
N_OFFENDERS = 5


def check_refused_rows(context: Context) -> list[CheckResult]:
    """Return one check: the share of all given rows that were refused, for whatever reason."""
    batch = context.batch
    if not batch.n_given:
        return []
    n_refused, chance = sum(batch.refusals.values()), expected_refusals(context)
    observed, limit = n_refused / batch.n_given, chance.highest(batch.n_given, level_of_each(1), TOLERANCE)
    return [
        CheckResult(
            name="refused_rows",
            subject="all rows",
            passed=observed <= limit,
            observed=observed,
            limit=limit,
            message=f"{n_refused} of {batch.n_given} rows ({observed:.1%}) do not fit the real table and are judged by "
            f"no other check; of fresh real rows at most {chance.share:.1%} would not, allowed {limit:.1%}",
            offenders=tuple(
                Offender(reason, count / batch.n_given, 0.0)
                for reason, count in batch.refusals.most_common(N_OFFENDERS)
            ),
            skipped=limit >= 1,
        )
    ]


def expected_refusals(context: Context) -> Chance:
    """Return the share of fresh real rows that would be refused: at most the sum of what each column would refuse.

    A column refuses values that no real row holds, and missing values where no real row lacks one.  How often fresh
    rows hold such a thing is not seen in the column itself; over all columns, it is about as often as a single real row
    holds it (Good and Turing).
    """
    reference = context.reference
    label = reference.schema.label if label_classes(reference) else None
    chances = [unseen_chance(context, tally) for tally in reference.tallies if tally.n_single and tally.name != label]
    chances.append(unknown_group_chance(context))
    n_real = sum(reference.group_sizes)
    n_alone = sum(sum(tally.n_missing) in (1, n_real - 1) for tally in reference.tallies)
    chances.append(Chance(n_alone / n_real, n_real))
    return Chance(
        min(1.0, sum(chance.share for chance in chances)),
        min((chance.n_real for chance in chances if chance.n_real >= 1), default=0.0),
    )
