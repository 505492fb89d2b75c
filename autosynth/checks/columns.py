"""Columns: whether the cells are of the kind that the real rows hold, whatever their distribution."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from autosynth.checks.batch import NO_GROUP, label_classes
from autosynth.checks.noise import Chance, level_of_each
from autosynth.checks.result import CheckResult, Offender

if TYPE_CHECKING:
    from collections.abc import Hashable

    from autosynth.checks.family import Context
    from autosynth.checks.tally import ColumnTally
    from autosynth.conform import FaultKind

WRONG_KIND: dict[FaultKind, str] = {
    "type": "of another type",
    "text": "numbers written as text",
    "infinite": "infinite",
    "present": "values where the real rows hold none",
    "size": "too large for the dtype",
}
N_OFFENDERS = 5
MAX_SHOWN = 40  # characters of an example
GROUPS = "groups"  # subject of the check of group cells


def check_schema(context: Context) -> list[CheckResult]:
    """Return one check: there are rows, their columns are those of the real rows, and their cells of the same types."""
    batch = context.batch
    faults = Counter(
        {_fault_name(context, *fault): count for fault, count in batch.faults.items() if fault[1] in WRONG_KIND}
    )
    n_faults = max(faults.values(), default=0)  # rows that break it; at least as many as the worst column has
    if batch.misfit:
        n_faults, message = max(batch.n_given, 1), batch.misfit
    elif not batch.n_given:
        message = "there are 0 rows to check"
    elif faults:
        examples = {_fault_name(context, *fault): _example(value) for fault, value in batch.examples.items()}
        named = "; ".join(
            f"{name} ({count} rows){examples.get(name, '')}" for name, count in faults.most_common(N_OFFENDERS)
        )
        many = f"{n_faults} of {batch.n_given} rows{'' if n_faults == batch.n_given else ' or more'}"
        message = f"{many} hold cells of a wrong type: {named}{_text_for_numbers(context)}"
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


def _fault_name(context: Context, column: Hashable, kind: FaultKind) -> str:
    if kind == "type" and context.reference.schema[column].kind == "datetime":
        return f"{column}: not a point in time (ISO 8601)"
    return f"{column}: {WRONG_KIND.get(kind, kind)}"


def _example(value: Any) -> str:
    """Return how an example is shown: quoted and escaped where it is a text."""
    shown = repr(value) if isinstance(value, str) else str(value)
    return f", such as {shown if len(shown) <= MAX_SHOWN else shown[:MAX_SHOWN] + '...'}"


def _text_for_numbers(context: Context) -> str:
    """Return what is wrong where numbers came as texts: a CSV file has no types, so '01234' may be read as 1234."""
    columns = [column.name for column in context.reference.schema.columns if column.kind in ("numeric", "integer")]
    faults, examples = context.batch.faults, context.batch.examples
    is_text = any(
        faults[name, "text"] or (faults[name, "type"] and isinstance(examples.get((name, "type")), str))
        for name in columns
    )
    return ". The real column was read as numbers, the synthetic one holds text" if is_text else ""


def check_categories(context: Context) -> list[CheckResult]:
    """Return one check per category or boolean column, and one of the groups: the share of values no real row holds.

    Fresh real rows may hold some as well: about as often as a real row holds a value that no other real row has.  Not
    so the label: its classes are known, and a row of another one is of no use.
    """
    reference, batch = context.reference, context.batch
    if not batch.n_given:
        return []
    label = reference.schema.label if label_classes(reference) else None
    tallies = [tally for tally in reference.tallies if tally.n_single and tally.name != label]
    level = level_of_each(len(tallies) + 1)
    results = [
        _share_check(
            context,
            subject=str(tally.name),
            count=batch.faults[tally.name, "value"],
            chance=unseen_chance(context, tally),
            level=level,
            what="hold a value that no real row holds",
            offenders=_unseen_values(context, tally.name),
        )
        for tally in tallies
    ]
    what, n_outside = "fall into no group of the real rows", batch.refusals[NO_GROUP]
    results.append(_share_check(context, GROUPS, n_outside, unknown_group_chance(context), level, what))
    return results if label is None else [*results, _label_check(context, label)]


def unseen_chance(context: Context, tally: ColumnTally) -> Chance:
    """Return the share of fresh rows whose value no real row holds: about that of values that one real row holds.

    In a column that splits the groups, such rows are in a group that no real row is in, so that the mix of groups of
    the synthetic rows says nothing about them; there it is the share among all real rows.
    """
    sizes = context.reference.group_sizes
    if tally.name in context.reference.free_columns:
        return Chance.of_mix(tally.n_single, sizes, context.mix)
    return Chance(sum(tally.n_single) / sum(sizes), sum(sizes))


def unknown_group_chance(context: Context) -> Chance:
    """Return the share of fresh rows that fall into no group of the real rows: about that of groups of one row."""
    sizes = context.reference.group_sizes
    return Chance(sum(size == 1 for size in sizes) / sum(sizes), sum(sizes))


def _label_check(context: Context, label: Hashable) -> CheckResult:
    batch = context.batch
    n_unknown, offenders = batch.faults[label, "value"], _unseen_values(context, label)
    named = f", such as {offenders[0].name!r}" if offenders else ""
    return CheckResult(
        name="categories",
        subject=str(label),
        passed=not n_unknown,
        observed=n_unknown / batch.n_given,
        limit=0.0,
        message=f"{n_unknown} of {batch.n_given} rows have a label that no real row has{named}; allowed is none",
        offenders=offenders,
    )


def _unseen_values(context: Context, name: Hashable) -> tuple[Offender, ...]:
    """Return the most frequent values that no real row holds."""
    batch = context.batch
    if not batch.faults[name, "value"]:
        return ()
    classes = label_classes(context.reference)
    is_label = classes is not None and name == context.reference.schema.label
    known = set((classes.values if classes and is_label else context.reference.schema[name].values) or ())
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
    if limit >= 1 and count and subject != GROUPS and not chance.share:
        limit = 0.0  # so few rows could all be chance; yet no real row would have let anybody expect it
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
