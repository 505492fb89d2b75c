from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autosynth import CheckReport, CheckResult
from autosynth.checks.result import Offender
from autosynth.junit import junit_xml
from tests.core.test_check_text import ALL, ERROR, FAILED, PASSED, SKIPPED, WARNED

# The JUnit schema that Jenkins, GitLab and GitHub's actions read: element -> (attributes, elements inside).
SCHEMA = {
    "testsuites": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time", "timestamp"}, {"testcase"}),
    "testcase": ({"classname", "name", "time"}, {"failure", "error", "skipped", "system-out"}),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}


def suite_of(report: CheckReport, name: str = "gate") -> ET.Element:
    root = ET.fromstring(junit_xml(report, suite_name=name).encode())  # noqa: S314 - written by us
    (suite,) = root
    return suite


def cases(report: CheckReport) -> dict[tuple[str, str], list[ET.Element]]:
    return {(case.get("classname", ""), case.get("name", "")): list(case) for case in suite_of(report)}


def test_only_elements_and_attributes_of_the_usual_schema_are_used() -> None:
    root = ET.fromstring(junit_xml(ALL, suite_name="gate").encode())  # noqa: S314 - written by us
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, inside = SCHEMA[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= inside


def test_counts_are_those_of_the_elements() -> None:
    suite = suite_of(ALL)
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("gate", "6", "1")
    assert (suite.get("errors"), suite.get("skipped")) == ("1", "1")
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert suite.get(attribute) == str(len(list(suite.iter(tag))))


def test_a_failure_an_error_and_a_skip_are_what_junit_calls_so() -> None:
    found = cases(CheckReport((PASSED, FAILED, ERROR, SKIPPED)))
    assert found["limits", "age"] == []
    assert [child.tag for child in found["schema", "all rows"]] == ["failure"]
    assert found["schema", "all rows"][0].get("message") == "3 of 9 rows"
    assert [child.tag for child in found["coverage", "ill=yes"]] == ["error"]
    assert [child.tag for child in found["limits", "dose"]] == ["skipped"]


def test_warnings_pass_and_say_so() -> None:
    mild_error = CheckResult.not_run("detectability", "all rows", "no memory.", severity="warning")
    found = cases(CheckReport((WARNED, mild_error)))
    (output,) = found["near_copies", "all rows"]
    assert (output.tag, output.text) == ("system-out", "warning: 50 %")
    assert [child.tag for child in found["detectability", "all rows"]] == ["system-out"]
    strict = cases(CheckReport((WARNED, mild_error)).fail_on("warning"))
    assert [children[0].tag for children in strict.values()] == ["failure", "error"]


def test_a_failure_lists_its_worst_offenders() -> None:
    offenders = (Offender("dose, ward", 0.91234, 0.4), Offender("age", 0.5, float("nan")))
    result = CheckResult(
        name="dependence", subject="ill=yes", passed=False, observed=0.7, limit=0.3, message="far", offenders=offenders
    )
    (failure,) = cases(CheckReport((result,)))["dependence", "ill=yes"]
    assert (failure.text or "").splitlines() == [
        "far",
        "observed 0.7, allowed 0.3",
        "  dose, ward: 0.9123, allowed 0.4",
        "  age: 0.5",
    ]


def test_two_checks_of_one_family_and_subject_stay_apart() -> None:
    assert list(cases(CheckReport((PASSED, PASSED, PASSED)))) == [
        ("limits", "age"),
        ("limits", "age (2)"),
        ("limits", "age (3)"),
    ]


def test_equal_reports_give_equal_files_and_an_empty_one_is_valid() -> None:
    assert junit_xml(ALL, suite_name="gate") == junit_xml(ALL, suite_name="gate")
    assert suite_of(CheckReport()).get("tests") == "0"


@pytest.mark.parametrize("hostile", ["\x00", "\x1b[2J", "\ud800", "\ufffe", "]]>", "<failure/>", "&boom;", '"><x y="'])
def test_what_xml_forbids_is_escaped_and_markup_stays_text(hostile: str) -> None:
    result = CheckResult(
        name=f"n{hostile}", subject=f"s{hostile}", passed=False, observed=1.0, limit=0.0, message=f"m{hostile}"
    )
    suite = suite_of(CheckReport((result,)), name=f"suite{hostile}")
    assert len(list(suite.iter("failure"))) == 1
    shown = hostile if hostile.isprintable() else hostile.encode("unicode_escape").decode()
    assert suite[0].get("name", "").startswith("s" + shown[:2])
    assert suite[0][0].get("message", "").startswith("m" + shown[:2])


@given(st.text(st.characters(codec=None, categories=None)), st.text())
def test_any_name_and_message_give_xml_that_can_be_read(name: str, message: str) -> None:
    failed = CheckResult(name=name, subject=name, passed=False, observed=1.0, limit=0.0, message=message)
    assert len(suite_of(CheckReport((failed, failed)), name=name)) == 2
