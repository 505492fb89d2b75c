"""The verdict of a report in one word and in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autosynth.pages.elements import Verdict
from autosynth.pages.words import shorten

if TYPE_CHECKING:
    from autosynth.checks.result import CheckReport


def verdict(report: CheckReport) -> Verdict:
    """Return the verdict in a word or a few."""
    if not report.results:
        return Verdict("not checked")
    if not report.passed:
        is_failed = any(not result.error for result in report.failures if result.severity == "critical")
        return Verdict("failed", "bad") if is_failed else Verdict("could not be judged", "bad")
    if report.failures:
        return Verdict(f"passed with {_counted(len(report.failures), 'warning')}", "warn")
    return Verdict("passed", "good")


def sentence(report: CheckReport) -> str:
    """Return what the checks say, in one sentence.

    Examples
    --------
    >>> from autosynth.checks.result import CheckReport, CheckResult
    >>> sentence(CheckReport((CheckResult(name="limits", subject="age", passed=True, observed=0, limit=0),)))
    'The synthetic rows passed the only check.'
    """
    n_checks = len(report.results)
    if not n_checks:
        return "The synthetic rows were not checked."
    critical = [result for result in report.failures if result.severity == "critical"]
    failed = [result for result in critical if not result.error]
    if failed:
        kinds = list(dict.fromkeys(shorten(result.name.replace("_", " "), 60) for result in failed))
        named = ", ".join(kinds[:3]) + (" and others" if len(kinds) > 3 else "")
        return f"The synthetic rows failed {len(failed):,} of {_counted(n_checks, 'check')}: {named}."
    if critical:
        n_not_run = f"{len(critical):,} of {_counted(n_checks, 'check')}"
        return f"{n_not_run} could not run, so nobody knows whether these rows are good."
    if report.failures:
        return (
            f"The synthetic rows passed all critical checks, and {_counted(len(report.failures), 'warning')} of "
            f"{_counted(n_checks, 'check')} deserve{'s' * (len(report.failures) == 1)} a look."
        )
    return (
        "The synthetic rows passed the only check."
        if n_checks == 1
        else f"The synthetic rows passed all {n_checks:,} checks."
    )


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' * (number != 1)}"
