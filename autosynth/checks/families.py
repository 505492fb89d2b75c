"""Families: every question that the gate asks of synthetic rows, in the order of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autosynth.checks.columns import check_categories, check_schema, check_whole_numbers
from autosynth.checks.coverage import check_coverage
from autosynth.checks.dependence import check_dependence
from autosynth.checks.detectability import check_detectability
from autosynth.checks.domain import check_limits, check_missing_rates
from autosynth.checks.family import Family
from autosynth.checks.fidelity import check_marginals
from autosynth.checks.label_fidelity import check_label_fidelity
from autosynth.checks.memorization import (
    check_exact_copies,
    check_held_out_exact_copies,
    check_held_out_near_copies,
    check_near_copies,
)
from autosynth.checks.refused import check_refused_rows
from autosynth.checks.repetition import check_repeated_rows
from autosynth.checks.rounding import check_rounding
from autosynth.checks.rule_record import check_rules

if TYPE_CHECKING:
    from autosynth.checks.family import Context
    from autosynth.checks.result import CheckResult


_ALL = (
    Family(
        name="schema",
        sentence="The columns are those of the real rows, and hold cells of the same types.",
        run=check_schema,
    ),
    Family(
        name="categories",
        sentence="Categories and groups are values that the real rows hold.",
        run=check_categories,
    ),
    Family(
        name="refused_rows",
        sentence="Hardly any row is refused: what is wrong in few rows of each column may be wrong in most rows.",
        run=check_refused_rows,
    ),
    Family(
        name="whole_numbers",
        sentence="Columns of whole numbers hold whole numbers.",
        run=check_whole_numbers,
    ),
    Family(
        name="limits",
        sentence="Numbers and dates lie between the real minimum and maximum as often as fresh real rows do.",
        run=check_limits,
    ),
    Family(
        name="missing_rate",
        sentence="Values are missing as often as among the real rows of the same groups.",
        run=check_missing_rates,
    ),
    Family(
        name="rounding",
        sentence="Numbers are rounded like the real ones, neither coarser nor finer; dates lie on the same steps.",
        run=check_rounding,
    ),
    Family(
        name="rules",
        sentence="Rows keep the rules between columns as well as the real rows do.",
        run=check_rules,
    ),
    Family(
        name="marginal_fidelity",
        sentence="Within the group, columns are distributed like the real ones: on average, and the farthest one.",
        run=check_marginals,
        scope="group",
    ),
    Family(
        name="dependence",
        sentence="Within the group, columns hang together like the real ones: on average, and the farthest pair.",
        run=check_dependence,
        scope="group",
    ),
    Family(
        name="coverage",
        sentence="Within the group, rows are as varied as the real ones: no real row is far from all of them.",
        run=check_coverage,
        scope="group",
        needs="rows",
    ),
    Family(
        name="label_fidelity",
        sentence="A model of the real rows finds the label that was asked for as probable as it does for real rows.",
        run=check_label_fidelity,
        needs="rows",
        is_quick=False,
    ),
    Family(
        name="detectability",
        sentence="A classifier can hardly tell the rows from real ones.",
        run=check_detectability,
        needs="rows",
        severity="warning",
        is_quick=False,
    ),
    Family(
        name="exact_copies",
        sentence="Rows equal a training row no more often than training rows equal each other.",
        run=check_exact_copies,
    ),
    Family(
        name="near_copies",
        sentence="Rows nearly equal a training row no more often than training rows do each other.",
        run=check_near_copies,
        needs="rows",
    ),
    Family(
        name="held_out_exact_copies",
        sentence="Rows equal a held-out row no more often than fresh real rows do.",
        run=check_held_out_exact_copies,
    ),
    Family(
        name="held_out_near_copies",
        sentence="Rows nearly equal a held-out row no more often than fresh real rows do.",
        run=check_held_out_near_copies,
    ),
    Family(
        name="repeated_rows",
        sentence="Rows repeat each other no more often than real rows do.",
        run=check_repeated_rows,
        severity="warning",
    ),
)

FAMILIES: dict[str, Family] = {family.name: family for family in _ALL}


def run_families(context: Context, *, quick_only: bool = False) -> list[CheckResult]:
    """Return the results of all families; what cannot run is a result that says so.

    Parameters
    ----------
    context : Context
        What is known of the real rows, and the synthetic ones.
    quick_only : bool
        Whether to leave out those that take longer than a fold should wait.
    """
    families = [family for family in FAMILIES.values() if family.is_quick or not quick_only]
    return [result for family in families for result in family.ask_all(context)]
