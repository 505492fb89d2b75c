"""The command line: a suite is saved, and rows are checked with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("autosynth_gx.gate", reason="needs great_expectations", exc_type=ImportError)

from autosynth.files import write_table
from autosynth.toy import shortcut_table

Run = Callable[..., Any]


@pytest.fixture
def run(command: Run, tmp_path: Path) -> Run:
    """Run the command line in this process, in a folder that holds tables."""
    for name, rows in {
        "real": shortcut_table(300),
        "fresh": shortcut_table(300, random_state=1),
        "bad": shortcut_table(300, random_state=1).assign(severity=9.0),
        "holdout": shortcut_table(80, random_state=2),
    }.items():
        write_table(rows, tmp_path / f"{name}.csv")
    return command


@pytest.fixture
def suite(run) -> Path:
    answer = run("suite", "real.csv", "--label", "ill", "--out", "s.json", "--no-self-test")
    assert (answer.code, answer.out) == (0, ""), answer.err
    assert "Wrote s.json: 18 expectations" in answer.err
    return Path("s.json")


@pytest.mark.parametrize(("rows", "code"), [("fresh", 0), ("bad", 1)])
def test_rows_are_checked_with_a_saved_suite(run, suite, rows, code):
    answer = run("check", "real.csv", f"{rows}.csv", "--label", "ill", "--suite", suite, "--json")
    plain = run("check", "real.csv", f"{rows}.csv", "--label", "ill", "--json")
    assert answer.code == plain.code == code
    checks = [
        {check["name"]: check["observed"] for check in json.loads(each.out)["checks"]} for each in (answer, plain)
    ]
    assert checks[0] == checks[1]


def test_pages_are_written_without_a_suite_too(run):
    answer = run("check", "real.csv", "fresh.csv", "--label", "ill", "--data-docs", "docs")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("passed:")
    assert len(list(Path("docs/runs").glob("*.html"))) == 1


def test_a_damaged_suite_is_wrong_input_and_no_failed_check(run, suite):
    suite.write_text(suite.read_text(encoding="utf-8").replace('"severity": "warning"', '"severity": "critical"'))
    answer = run("check", "real.csv", "fresh.csv", "--label", "ill", "--suite", suite)
    assert answer.code == 2
    assert "was changed since it was saved" in answer.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fresh.csv", "fresh.csv", "--label", "ill"], "not those that the suite was built from"),
        (["real.csv", "fresh.csv", "--label", "ward"], "was built for 'ill'"),
        (["real.csv", "fresh.csv", "--label", "ill", "--group-by", "ward"], "was built for []"),
        (["real.csv", "fresh.csv", "--label", "ill", "--rule", "age > 1"], "brings its own rules"),
        (["real.csv", "fresh.csv", "--label", "ill", "--holdout", "holdout.csv"], "built without any"),
    ],
)
def test_what_the_suite_was_not_built_for_is_wrong_usage(run, suite, arguments, message):
    answer = run("check", *arguments, "--suite", suite)
    assert answer.code == 2
    assert message in answer.err


def test_a_suite_with_rules_held_out_rows_and_a_folder_of_rows_is_saved_and_run(run):
    Path("rows").mkdir()
    options = ["--group-by", "hospital", "--rule", "age >= 18", "--holdout", "holdout.csv", "--rows-dir", "rows"]
    assert run("suite", "real.csv", "--label", "ill", "--out", "s.json", *options).code == 0
    assert len(list(Path("rows").glob("*.parquet"))) == 2
    answer = run("check", "real.csv", "fresh.csv", "--label", "ill", "--suite", "s.json", "--holdout", "holdout.csv")
    assert answer.code == 0, answer.out
    assert run("check", "real.csv", "fresh.csv", "--label", "ill", "--suite", "s.json").code == 2  # held-out rows


def test_a_suite_that_cannot_be_written_is_refused_before_any_work(run):
    assert run("suite", "real.csv", "--label", "ill", "--out", "s.yml").code == 2
    assert run("suite", "real.csv", "--label", "ill", "--out", "absent/s.json").code == 2
    answer = run("suite", "real.csv", "--label", "ill", "--out", "s.json", "--on-noisy", "maybe")
    assert (answer.code, Path("s.json").exists()) == (2, False)
