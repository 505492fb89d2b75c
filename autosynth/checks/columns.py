"""Columns: whether the cells are of the kind that the real rows hold, whatever their distribution."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from autosynth.checks.batch import NO_GROUP
from autosynth.checks.noise import Chance, level_of_each
from autosynth.checks.result import CheckResult, Offender

if TYPE_CHECKING:
    from collections.abc import Hashable

    from autosynth.checks.family import Context
    from autosynth.conform import FaultKind

WRONG_KIND: dict[FaultKind, str] = {
    "type": "of another type",
    "text": "numbers written as text",
    "infinite": "infinite",
    "present": "values where the real rows hold none",
    "size": "too large for the dtype",
}
N_OFFENDERS = 5
GROUPS = "groups"  # subject of the check of group cells


def check_schema(context: Context) -> list[CheckResult]:
    """Return one check: there are rows, their columns are those of the real rows, and their cells of the same types."""
    batch = context.batch
    faults = Counter(
        {f"{column}: {WRONG_KIND[kind]}": count for (column, kind), count in batch.faults.items() if kind in WRONG_KIND}
    )
    n_faults = max(faults.values(), default=0)  # rows that break it; at least as many as the worst column has
    if batch.misfit:
        n_faults, message = max(batch.n_given, 1), batch.misfit
    elif not batch.n_given:
        message = "there are 0 rows to check"
    elif faults:
        named = "; ".join(f"{name} ({count} rows)" for name, count in faults.most_common(N_OFFENDERS))
        message = f"{n_faults} of {batch.n_given} rows or more hold cells of a wrong type: {named}"
    else:
        n_columns = len(context.reference.schema.columns)
        message = f"all {n_columns} columns are there, and {batch.n_given} rows hold cells of their types"
    return [
        CheckResult(
            name="schema",
            subject="all rows",
            passed=not n_faults and batch.n_given > 0,
            observed=float(n_faults),
            limit=0.0,
            message=message,
            offenders=tuple(Offender(name, float(count), 0.0) for name, count in faults.most_common(N_OFFENDERS)),
        )
    ]


def check_categories(context: Context) -> list[CheckResult]:
    """Return one check per category or boolean column, and one of the groups: the share of values no real row holds.

    Fresh real rows may hold some as well: about as often as a real row holds a value that no other real row has.
    """
    reference, batch = context.reference, context.batch
    if not batch.n_given:
        return []
    tallies = [tally for tally in reference.tallies if tally.n_single]
    level = level_of_each(len(tallies) + 1)
    results = [
        _share_check(
            context,
            subject=str(tally.name),
            count=batch.faults[tally.name, "value"],
            chance=Chance.of_mix(tally.n_single, reference.group_sizes, context.mix),
            level=level,
            what="hold a value that no real row holds",
            offenders=_unseen_values(context, tally.name),
        )
        for tally in tallies
    ]
    n_single = [int(size == 1) for size in reference.group_sizes]
    chance = Chance.of_mix(n_single, reference.group_sizes, context.mix)
    what, n_outside = "fall into no group of the real rows", batch.refusals[NO_GROUP]
    return [*results, _share_check(context, GROUPS, n_outside, chance, level, what)]


def _unseen_values(context: Context, name: Hashable) -> tuple[Offender, ...]:
    """Return the most frequent values that no real row holds."""
    batch = context.batch
    if not batch.faults[name, "value"]:
        return ()
    known = set(context.reference.schema[name].values or ())
    counts = Counter(str(value) for value in batch.given[name].dropna().astype(object) if value not in known)
    return tuple(Offender(value, count / len(batch.given), 0.0) for value, count in counts.most_common(N_OFFENDERS))


def check_whole_numbers(context: Context) -> list[CheckResult]:
    """Return one check per integer column: that every value is whole."""
    batch = context.batch
    columns = [column for column in context.reference.schema.columns if column.kind == "integer"]
    results = []
    for column in columns if batch.n_given else []:
        n_broken = batch.faults[column.name, "fraction"]
        share = n_broken / batch.n_given
        message = f"{n_broken} of {batch.n_given} rows hold no whole number"
        results.append(
            CheckResult(
                name="whole_numbers",
                subject=str(column.name),
                passed=not n_broken,
                observed=share,
                limit=0.0,
                message=message,
            )
        )
    return results


def _share_check(
    context: Context,
    subject: str,
    count: int,
    chance: Chance,
    level: float,
    what: str,
    offenders: tuple[Offender, ...] = (),
) -> CheckResult:
    n_rows = context.batch.n_given
    observed, limit = count / n_rows, chance.highest(n_rows, level)
    named = f", such as {offenders[0].name!r}" if offenders else ""
    return CheckResult(
        name="categories",
        subject=subject,
        passed=observed <= limit,
        observed=observed,
        limit=limit,
        message=f"{count} of {n_rows} rows ({observed:.1%}) {what}{named}; allowed {limit:.1%}",
        offenders=offenders,
        skipped=limit >= 1,
    )
