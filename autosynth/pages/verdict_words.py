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
    n_errors = len(report.errors)
    n_warnings = len(report.failures) - n_errors
    if report.failures:
        words = [_counted(n_warnings, "warning")] * bool(n_warnings) + [f"{n_errors:,} not run"] * bool(n_errors)
        return Verdict(f"passed with {' and '.join(words)}", "warn")
    if len(report.skipped) == len(report.results):
        return Verdict("too few rows to judge")
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
        return _with_warnings(report)
    n_skipped = len(report.skipped)
    if n_skipped == n_checks:
        return "Nothing can be said of the synthetic rows: every check was skipped for too few rows."
    if n_skipped:
        n_passed = _counted(n_checks - n_skipped, "check")
        return f"The synthetic rows passed {n_passed}; {n_skipped:,} {_were(n_skipped)} skipped for too few rows."
    return (
        "The synthetic rows passed the only check."
        if n_checks == 1
        else f"The synthetic rows passed all {n_checks:,} checks."
    )


def _with_warnings(report: CheckReport) -> str:
    n_errors = len(report.errors)
    n_warnings = len(report.failures) - n_errors
    said = []
    if n_warnings:
        deserve = "deserves" if n_warnings == 1 else "deserve"
        n_checks = _counted(len(report.results), "check")
        said.append(f"{_counted(n_warnings, 'warning')} of {n_checks} {deserve} a look")
    if n_errors:
        said.append(f"{_counted(n_errors, 'check')} that would only warn could not run")
    return f"No critical check failed, but {', and '.join(said)}."


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' * (number != 1)}"
