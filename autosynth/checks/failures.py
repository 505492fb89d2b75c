"""Failures in the order of reading: causes before symptoms, and checks that could not run for one reason together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autosynth.checks.result import CheckResult

# What is wrong with single cells and rows shows in every distribution; whoever mends it first sees what is left.
CAUSES_FIRST = (
    "schema",
    "categories",
    "whole_numbers",
    "refused_rows",
    "exact_copies",
    "near_copies",
    "held_out_exact_copies",
    "held_out_near_copies",
    "repeated_rows",
    "missing_rate",
    "rounding",
    "limits",
    "rules",
    "marginal_fidelity",
    "farthest_column",
    "dependence",
    "farthest_pair",
    "coverage",
    "label_fidelity",
    "detectability",
)
PLACES = {name: place for place, name in enumerate(CAUSES_FIRST)}


def in_order(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Return critical results first, failed ones before those that could not run, and causes before symptoms."""
    return tuple(
        sorted(
            results,
            key=lambda result: (
                result.severity != "critical",
                bool(result.error),
                PLACES.get(result.name, len(PLACES)),
            ),
        )
    )


def joined(results: Iterable[CheckResult]) -> list[tuple[CheckResult, ...]]:
    """Return results one by one, but those of a severity that could not run for the same reason together.

    Examples
    --------
    >>> from autosynth import CheckResult
    >>> absent = [CheckResult.not_run(name, "all rows", "no row is left.") for name in ("limits", "rules")]
    >>> [[result.name for result in some] for some in joined(absent)]
    [['limits', 'rules']]
    """
    found: dict[object, list[CheckResult]] = {}
    for place, result in enumerate(results):
        found.setdefault((result.severity, result.error) if result.error else place, []).append(result)
    return [tuple(some) for some in found.values()]


def not_run_words(results: Sequence[CheckResult]) -> str:
    """Return what kept some checks from running, and which ones they are."""
    return f"{len(results):,} checks could not run: {results[0].error.rstrip('.')} ({', '.join(names_of(results))})"


def names_of(results: Iterable[CheckResult]) -> list[str]:
    """Return the names of checks, each once."""
    return list(dict.fromkeys(result.name for result in results))
