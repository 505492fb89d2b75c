"""Reads results of Great Expectations as a report of checks; what is missing or raised is an error, never a pass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autosynth import CheckReport, CheckResult
from autosynth_gx.check_records import from_record
from autosynth_gx.expectations import FAMILY_OF_TYPE
from autosynth_gx.rendering import details_of, exception_message

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult

    from autosynth.checks.result import Severity


def read_report(validation: ExpectationSuiteValidationResult, n_expectations: int) -> CheckReport:
    """Return all results in the order of the suite, and an error where an expectation gave none."""
    results = [result for answer in validation.results for result in _results_of(answer)]
    n_missing = n_expectations - len(validation.results)
    if n_missing or not n_expectations:
        why = f"{n_missing} of {n_expectations} expectations gave no result"
        results.append(CheckResult.not_run("suite", "all rows", why))
    return CheckReport(tuple(results))


def _results_of(answer: Any) -> list[CheckResult]:
    config = answer.expectation_config
    family = FAMILY_OF_TYPE.get(config.type)
    name = config.type if family is None else family.name
    subject = str(config.kwargs.get("group") or config.kwargs.get("column") or "all rows")
    severity: Severity = "critical" if config.severity.value == "critical" else "warning"
    why = exception_message(answer)
    if why:
        return [CheckResult.not_run(name, subject, why, severity=severity)]
    records = details_of(answer).get("checks")
    if records is not None:
        return [from_record(record) for record in records]
    if family is not None:  # as the result format BOOLEAN_ONLY leaves it
        return [CheckResult.not_run(name, subject, "its result holds no details", severity=severity)]
    return [_foreign(answer, name, subject, severity)]


def _foreign(answer: Any, name: str, subject: str, severity: Severity) -> CheckResult:
    """Return the result of an expectation that the user added to the suite."""
    found = answer.result or {}
    observed = found.get("unexpected_percent", found.get("observed_value"))
    return CheckResult(
        name=name,
        subject=subject,
        passed=bool(answer.success),
        observed=float(observed) if isinstance(observed, int | float) else math.nan,
        limit=math.nan,
        severity=severity,
        message="met" if answer.success else "not met",
    )
