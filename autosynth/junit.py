"""A check report as JUnit XML, which CI servers show as tests."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from autosynth.check_text import outcome_of
from autosynth.printable import printable

if TYPE_CHECKING:
    from autosynth.checks.result import CheckReport, CheckResult


def junit_xml(report: CheckReport, *, suite_name: str = "autosynth check") -> str:
    """Return the report as one JUnit test suite, with one test case per check.

    The family of the check is the class, and what it looked at is the test.  Critical failures are failures and
    critical checks that could not run are errors.  Warnings pass, with their message as output, since CI should not
    break on them.  Nothing in it depends on the time, so equal reports give equal files.

    Parameters
    ----------
    report : CheckReport
        What to write.
    suite_name : str
        The name that the CI server shows.

    Returns
    -------
    str
        Well-formed XML 1.0; characters that it forbids, and others that a terminal would obey, are written as escapes.

    Examples
    --------
    >>> from autosynth import CheckReport, CheckResult
    >>> passed = CheckResult(name="schema", subject="all rows", passed=True, observed=0.0, limit=0.0)
    >>> print(junit_xml(CheckReport((passed,))))
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
      <testsuite name="autosynth check" tests="1" failures="0" errors="0" skipped="0">
        <testcase classname="schema" name="all rows" />
      </testsuite>
    </testsuites>
    """
    outcomes = Counter(outcome_of(result) for result in report)
    counts = {
        "tests": len(report.results),
        "failures": outcomes["failed"],
        "errors": outcomes["error"],
        "skipped": outcomes["skipped"],
    }
    suites = ET.Element("testsuites")
    attributes = {"name": printable(suite_name), **{name: str(count) for name, count in counts.items()}}
    suite = ET.SubElement(suites, "testsuite", attributes)
    seen: Counter[tuple[str, str]] = Counter()
    for result in report:
        key = (result.name, result.subject)
        seen[key] += 1
        _add_case(suite, result, occurrence=seen[key])
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _add_case(suite: ET.Element, result: CheckResult, *, occurrence: int) -> None:
    """Add a test case; a name that was there before gets a number, since CI servers would join the two."""
    name = printable(result.subject) + (f" ({occurrence})" if occurrence > 1 else "")
    case = ET.SubElement(suite, "testcase", {"classname": printable(result.name), "name": name})
    message = printable(result.message)
    outcome = outcome_of(result)
    if outcome in ("failed", "error"):
        tag = "failure" if outcome == "failed" else "error"
        child = ET.SubElement(case, tag, {"message": message, "type": printable(result.name)})
        child.text = "\n".join([message, *_offender_lines(result)])
    elif outcome == "warned":
        ET.SubElement(case, "system-out").text = f"warning: {message}"
    elif outcome == "skipped":
        ET.SubElement(case, "skipped", {"message": message})


def _offender_lines(result: CheckResult) -> list[str]:
    return [
        _measured("observed", result.observed, result.limit),
        *(
            _measured(f"  {printable(offender.name)}:", offender.observed, offender.limit)
            for offender in result.offenders
        ),
    ]


def _measured(what: str, observed: float, limit: float) -> str:
    allowed = "" if math.isnan(limit) else f", allowed {limit:.4g}"
    return f"{what} {'-' if math.isnan(observed) else f'{observed:.4g}'}{allowed}"
