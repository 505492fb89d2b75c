from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autosynth import CheckReport, CheckResult
from autosynth.check_text import headline, outcome_of, print_report, printable, to_text, verdict_of

PASSED = CheckResult(name="limits", subject="age", passed=True, observed=0.0, limit=0.1, message="0 % lie outside")
SKIPPED = CheckResult(
    name="limits", subject="dose", passed=True, observed=0.0, limit=0.1, skipped=True, message="too few rows"
)
FAILED = CheckResult(name="schema", subject="all rows", passed=False, observed=3.0, limit=0.0, message="3 of 9 rows")
WARNED = CheckResult(
    name="near_copies", subject="all rows", passed=False, observed=0.5, limit=0.1, severity="warning", message="50 %"
)
ERROR = CheckResult.not_run("coverage", "ill=yes", "the real rows are not at hand.")
MILD_ERROR = CheckResult.not_run("detectability", "all rows", "no memory.", severity="warning")
ALL = CheckReport((PASSED, WARNED, SKIPPED, FAILED, ERROR, MILD_ERROR))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(report: CheckReport, monkeypatch: pytest.MonkeyPatch, *, verbose: bool = False, width: int = 80) -> str:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(width))
    terminal = Terminal()
    print_report(report, verbose=verbose, file=terminal)
    return terminal.getvalue()


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_failure_outweighs_an_error_and_warnings_weigh_nothing() -> None:
    assert verdict_of(ALL) == "failed"
    assert verdict_of(CheckReport((PASSED, ERROR))) == "error"
    assert verdict_of(CheckReport((PASSED, WARNED, MILD_ERROR, SKIPPED))) == "passed"
    assert verdict_of(CheckReport()) == "passed"
    assert verdict_of(CheckReport((MILD_ERROR,)).fail_on("warning")) == "error"
    assert [outcome_of(result) for result in ALL] == ["passed", "warned", "skipped", "failed", "error", "warned"]


def test_the_first_line_is_the_verdict_with_counts() -> None:
    assert headline(ALL) == (
        "failed: 1 critical check failed, 1 warning check could not run "
        "(6 checks: 1 passed, 1 warned, 1 failed, 2 could not run, 1 skipped for too few rows)"
    )
    assert headline(CheckReport((ERROR, ERROR))) == "error: 2 critical checks could not run (2 checks: 2 could not run)"
    assert headline(CheckReport((PASSED, MILD_ERROR))) == (
        "passed: no critical check failed, 1 warning check could not run (2 checks: 1 passed, 1 could not run)"
    )
    assert headline(CheckReport((PASSED,))) == "passed: no critical check failed (1 check: 1 passed)"
    assert headline(CheckReport()) == "passed: no critical check failed (0 checks)"


def test_plain_text_has_a_line_per_failure_and_a_table_of_families() -> None:
    assert to_text(ALL).splitlines() == [
        headline(ALL),
        "",
        "critical: schema of all rows: 3 of 9 rows",
        "critical: coverage of ill=yes: could not run: the real rows are not at hand.",
        "warning: near_copies of all rows: 50 %",
        "warning: detectability of all rows: could not run: no memory.",
        "",
        "family         passed  warned  failed  error  skipped",
        "limits              1       0       0      0        1",
        "near_copies         0       1       0      0        0",
        "schema              0       0       1      0        0",
        "coverage            0       0       0      1        0",
        "detectability       0       0       0      1        0",
    ]


def test_checks_that_one_reason_kept_from_running_share_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "no synthetic row is left to judge"
    errors = [CheckResult.not_run(name, "all rows", f"{why}.") for name in ("limits", "rules", "coverage")]
    report = CheckReport((FAILED, *errors))
    line = f"3 checks could not run: {why} (limits, rules, coverage)"
    assert f"critical: {line}" in to_text(report).splitlines()
    assert to_text(report).count(why) == 1
    assert f"  critical: {line}" in report.describe_failures().splitlines()
    shown = without_colours(on_terminal(report, monkeypatch, width=200))
    assert shown.count(why) == 1
    assert "limits, rules, coverage" in shown


def test_failures_stand_in_the_order_of_causes_before_symptoms() -> None:
    names = ["detectability", "dependence", "limits", "a plugin's", "exact_copies", "categories", "schema"]
    results = [CheckResult(name=name, subject="x", passed=False, observed=1.0, limit=0.0) for name in names]
    lines = [line.split()[1] for line in to_text(CheckReport(tuple(results))).splitlines()[2:8]]
    assert lines == ["schema", "categories", "exact_copies", "limits", "dependence", "detectability"]


def test_a_report_counts_skipped_checks_apart() -> None:
    assert str(CheckReport((PASSED, PASSED, SKIPPED))) == (
        "2 checks of the synthetic rows passed, 1 skipped for too few rows."
    )
    assert str(ALL).splitlines()[0] == (
        "2 of 6 checks of the synthetic rows failed, 2 could not run, 1 skipped for too few rows:"
    )
    assert str(CheckReport((ERROR, PASSED))).startswith("1 of 2 checks of the synthetic rows could not run:")


def test_verbose_shows_what_passed_or_was_skipped_as_well() -> None:
    added = set(to_text(ALL, verbose=True).splitlines()) - set(to_text(ALL).splitlines())
    assert added == {"passed: limits of age: 0 % lie outside", "skipped: limits of dose: too few rows"}


def test_a_pipe_gets_plain_text_even_where_colours_are_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    pipe = io.StringIO()
    print_report(ALL, verbose=True, file=pipe)
    assert pipe.getvalue() == to_text(ALL, verbose=True) + "\n"
    assert "\x1b" not in pipe.getvalue()


def test_a_terminal_gets_the_same_facts_in_tables_with_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = on_terminal(ALL, monkeypatch)
    assert "\x1b[" in shown
    plain = without_colours(shown)
    assert " ".join(plain.split()).startswith(headline(ALL))
    for text in ("schema", "coverage", "near_copies", "3 of 9 rows", "detectability"):
        assert text in plain
    assert "0 % lie outside" not in plain
    assert "0 % lie outside" in without_colours(on_terminal(ALL, monkeypatch, verbose=True))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_long_messages_and_names_wrap_and_lose_nothing(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    name = "c" * 150
    words = " ".join(f"word{number}" for number in range(40))
    long = CheckResult(name="limits", subject=name, passed=False, observed=1.0, limit=0.0, message=words)
    plain = without_colours(on_terminal(CheckReport((long,)), monkeypatch, width=width))
    assert max(map(len, plain.splitlines())) <= width
    assert plain.count("c") >= 150
    assert "word39" in re.sub(r"[^\w]", "", plain)


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x9b31m", "\x07", "\rpassed", "\npassed: all", "\u202e", "\ud800"])
def test_names_cannot_command_a_terminal_or_forge_a_line(monkeypatch: pytest.MonkeyPatch, hostile: str) -> None:
    result = CheckResult(
        name=f"limits{hostile}", subject=f"age{hostile}", passed=False, observed=1.0, limit=0.0, message=f"age{hostile}"
    )
    escaped = hostile.encode("unicode_escape").decode()
    for printed in (to_text(CheckReport((result,))), without_colours(on_terminal(CheckReport((result,)), monkeypatch))):
        assert hostile not in printed
        assert hostile[0] not in printed.replace("\n", "") or hostile[0] == "\n"
        assert escaped in printed
    assert len(to_text(CheckReport((result,))).splitlines()) == 6


def test_markup_in_names_is_printed_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "[red]:smile:[/red]"
    result = CheckResult(name=name, subject=name, passed=False, observed=1.0, limit=0.0, message=f"{name} {name}")
    assert without_colours(on_terminal(CheckReport((result,)), monkeypatch, width=200)).count(name) == 5


@given(st.text())
def test_printable_text_can_be_shown_and_is_the_same_when_made_again(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable() or all(not re.match(r"[\x00-\x1f\x7f-\x9f]", character) for character in shown)
    assert printable(shown) == shown
    shown.encode("utf-8")
    assert printable(text.replace("\n", "") + "\n", keep="\n").endswith("\n")


def test_letters_of_any_language_stay_as_they_are() -> None:
    for text in ("größe", "年齢", "возраст", "العمر", "age 👩‍⚕️", "a\\x1b"):
        assert printable(text) == text
