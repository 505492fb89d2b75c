from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

import autosynth
from autosynth import CheckReport, CheckResult
from autosynth.commands.options import parse_options
from autosynth.exceptions import ConfigError, InsufficientRowsError
from autosynth.files import read_table, write_table
from autosynth.plugins import PluginRegistry, use_plugins
from autosynth.toy import shortcut_table

pytestmark = pytest.mark.filterwarnings("default::autosynth.AutosynthWarning")


Run = Callable[..., Any]


@pytest.fixture
def run(command: Run) -> Run:
    """Run the command line in this process, in an empty folder."""
    return command


@pytest.fixture
def train(frame: pd.DataFrame, tmp_path: Path) -> Path:
    return write_table(frame, tmp_path / "train.csv")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def rebalance(*more: object, train: object = "train.csv", generator: str = "ros") -> list[object]:
    return ["rebalance", train, "--label", "ill", "--out", "out.csv", "--generator", generator, *more]


def test_generators_are_listed_with_owner_and_options(run: Run) -> None:
    answer = run("generators")
    assert answer.code == 0
    assert "random copies of real rows" in answer.out
    assert "from autosynth (plugin 'ros')" in answer.out
    listed = json.loads(run("generators", "--json").out)
    assert {"ros", "rows"} <= {row["name"] for row in listed["generators"]}
    assert listed["broken"] == {}


def test_a_missing_package_is_listed_with_the_pip_command(
    run: Run, registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    deep = plugin(
        autosynth_register_generators=lambda register: register(
            "deep", lambda options: options, requires=("no_such_package",), extra="sdv"
        )
    )
    registry.register(deep, name="deep", distribution="autosynth")
    assert "needs no_such_package" in run("generators").out
    assert "install: pip install 'autosynth[sdv]'" in run("generators").out


def test_rebalance_replaces_no_table_that_it_reads(run: Run, train: Path, tmp_path: Path) -> None:
    before = train.read_bytes()
    for spelt in (train.name, f"./{train.name}", str(train)):
        answer = run("rebalance", str(train), "--label", "ill", "--out", spelt)
        assert answer.code == 2
        assert "is a table that is read. Give another name." in answer.err
    assert train.read_bytes() == before


def test_rebalance_writes_marked_rows_and_prints_the_report(run: Run, train: Path, tmp_path: Path) -> None:
    answer = run(*rebalance("--group-by", "hospital", "--report", "report.html"))
    assert answer.code == 0, answer.err
    assert "synthetic rows by 'ros' for 4 groups" in answer.out
    assert "Wrote out.csv" in answer.err
    assert "Wrote" not in answer.out
    rows = read_table(tmp_path / "out.csv")
    assert rows.groupby(["ill", "hospital"]).size().nunique() == 1
    assert rows["is_synthetic"].tolist() == [False] * 120 + [True] * (len(rows) - 120)
    assert rows["weight"].mean() == pytest.approx(1)
    pd.testing.assert_frame_equal(rows.iloc[:120, :7], read_table(train))
    assert names(tmp_path) == ["out.csv", "report.html", "train.csv"]


def test_options_ratio_augment_and_weights_reach_the_run(run: Run, train: Path, tmp_path: Path) -> None:
    more = ["--option", "k_neighbors=3", "--strategy", "0.5", "--augment", "10", "--alpha", "0.3"]
    answer = run(*rebalance(*more, "--synthetic-weight", "0.5", "--json", "--report", "r.json", generator="smote"))
    assert answer.code == 0, answer.err
    report = json.loads(answer.out)
    assert report["options"]["k_neighbors"] == 3
    assert (report["plan"]["augment"], report["plan"]["alpha"], report["plan"]["synthetic_weight"]) == (10, 0.3, 0.5)
    assert [row["total"] for row in report["plan"]["groups"]] == [100, 55]
    assert json.loads((tmp_path / "r.json").read_text()) == report


def test_parquet_and_only_synthetic(run: Run, frame: pd.DataFrame, tmp_path: Path) -> None:
    write_table(frame.astype({"ward": "category"}), tmp_path / "train.parquet")
    answer = run(
        "rebalance", "train.parquet", "--label", "ill", "--out", "s.parquet", "--generator", "ros", "--only-synthetic"
    )
    assert answer.code == 0
    rows = read_table(tmp_path / "s.parquet")
    assert rows["ill"].unique().tolist() == ["yes"]
    assert rows["ward"].dtype == "category"


def test_equal_seeds_write_equal_files(run: Run, train: Path, tmp_path: Path) -> None:
    files = []
    for seed in (1, 1, 2):
        assert run(*rebalance("--seed", seed)).code == 0
        files.append((tmp_path / "out.csv").read_bytes())
    assert files[0] == files[1] != files[2]


def test_options_read_as_json_or_as_text() -> None:
    assert parse_options(["a=3", "b=0.5", "c=true", "d=[1]", "e=x=y", "f=a.csv"]) == {
        "a": 3,
        "b": 0.5,
        "c": True,
        "d": [1],
        "e": "x=y",
        "f": "a.csv",
    }
    with pytest.raises(ConfigError, match="--option 'k' is not of the form name=value"):
        parse_options(["k"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda frame: frame.drop(columns="ill"), "label='ill' is not a column of the table"),
        (lambda frame: frame.assign(ill="no"), "label 'ill' has the same value in all 120 rows"),
        (lambda frame: frame.assign(ill=np.nan), "label 'ill' is missing in all 120 rows"),
        (
            lambda frame: frame.assign(ill=frame["ill"].where(frame.index > 4)),
            "label 'ill' is missing in 5 of 120 rows",
        ),
        (lambda frame: frame.assign(ill=[f"p{number}" for number in range(120)]), "120 different texts"),
        (lambda frame: frame.assign(age=frame["age"].astype(float).replace(88, np.inf)), "column 'age' holds"),
        (lambda frame: frame.set_axis([0] * 120), "the index holds 119 duplicate labels"),
        (lambda frame: frame.head(0), "the table has 0 rows"),
        (lambda frame: frame.assign(weight=1), r"the table has columns named \['weight'\] already"),
    ],
)
def test_a_table_that_cannot_be_used_is_exit_code_two_and_no_file(
    run: Run, frame: pd.DataFrame, tmp_path: Path, spoil: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    write_table(spoil(frame), tmp_path / "train.parquet")
    answer = run(*rebalance(train="train.parquet"))
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert re.search(message, answer.err), answer.err
    assert names(tmp_path) == ["train.parquet"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--label", "il"], "Did you mean 'ill'?"),
        (["--group-by", "hopital"], "Did you mean 'hospital'?"),
        (["--generator", "smoke"], "Did you mean 'smote'?"),
        (["--generator", "smote", "--option", "k_neighbours=3"], "Did you mean 'k_neighbors'?"),
        (["--option", "k"], "is not of the form name=value"),
        (["--strategy", "balanced"], "strategy='balanced' is unknown"),
        (["--strategy", "1.5"], "strategy=1.5 is unknown"),
        (["--augment", "-1"], "augment=-1"),
        (["--alpha", "0.5"], "alpha=0.5 weighs augmented rows"),
        (["--check", "loud"], "check='loud' is unknown"),
        (["--copies", "drop"], "copies='drop' is unknown"),
        (["--holdout", "none.csv"], "none.csv"),
        (["--seed", "-1"], "random_state=-1 is negative"),
        (["--out", "out.xlsx"], "ends in none of"),
        (["--out", "none/out.csv"], "'none' is not a folder"),
        (["--report", "report.pdf"], "--report 'report.pdf' does not end in .html or .json"),
        (["--report", "none/report.html"], "'none' is not a folder"),
    ],
)
def test_wrong_usage_is_exit_code_two_and_no_file(
    run: Run, train: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    answer = run(*rebalance(*arguments))
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert names(tmp_path) == ["train.csv"]


def test_where_to_write_is_checked_before_any_row_is_made(
    run: Run, train: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosynth, "rebalance", lambda *_, **__: pytest.fail("rows were made in vain"))
    assert run(*rebalance("--out", "none/out.csv")).code == 2
    assert run(*rebalance("--report", "none/report.html")).code == 2


@pytest.mark.parametrize("arguments", [["bogus"], ["rebalance"], ["rebalance", "train.csv"], ["check", "--nope"]])
def test_unknown_commands_and_missing_options_are_exit_code_two(run: Run, arguments: list[str]) -> None:
    answer = run(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert "Usage" in answer.err


def test_a_failed_check_is_exit_code_one_and_no_file(
    run: Run, train: Path, frame: pd.DataFrame, tmp_path: Path
) -> None:
    spoiled = pd.concat([frame.assign(severity=frame["severity"].max(), age=frame["age"].max())] * 4)
    made = write_table(spoiled, tmp_path / "made.csv")
    answer = run(*rebalance("--option", f"path={made}", "--check", "raise", generator="rows"))
    assert (answer.code, answer.out) == (1, "")
    assert "critical: farthest_column of ill=yes" in answer.err
    assert names(tmp_path) == ["made.csv", "train.csv"]
    warned = run(*rebalance("--option", f"path={made}", generator="rows"))
    assert warned.code == 0
    assert "warning: " in warned.err


def test_check_is_exit_code_zero_or_one(run: Run, train: Path, frame: pd.DataFrame, tmp_path: Path) -> None:
    copied = run("check", "train.csv", "train.csv", "--label", "ill", "--group-by", "hospital")
    assert copied.code == 1
    assert "critical: exact_copies of all rows" in copied.out
    good = run("check", "train.csv", "train.csv", "--label", "ill", "--only-warn", "exact_copies")
    assert good.code == 0
    assert "warning: exact_copies of all rows" in good.out
    typo = run("check", "train.csv", "train.csv", "--label", "ill", "--only-warn", "exact_copy")
    assert typo.code == 2
    assert "Did you mean 'exact_copies'" in typo.err
    write_table(frame.assign(ward="attic"), tmp_path / "bad.csv")
    bad = run("check", "train.csv", "bad.csv", "--label", "ill", "--json")
    assert (bad.code, bad.err) == (1, "real: train.csv (120 rows), synthetic: bad.csv (120 rows)\n")
    verdict = json.loads(bad.out)
    assert verdict["passed"] is False
    assert [check["name"] for check in verdict["checks"] if check["status"] == "failed"] == [
        "categories",
        "refused_rows",
    ]
    write_table(frame[["ill"]], tmp_path / "narrow.csv")
    narrow = run("check", "train.csv", "narrow.csv", "--label", "ill")
    assert narrow.code == 1
    assert "critical: schema of all rows" in narrow.out
    for arguments in (["none.csv"], ["train.csv", "--label", "il"], ["train.csv", "--holdout", "narrow.csv"]):
        assert run("check", "train.csv", *arguments[:1], "--label", "ill", *arguments[1:]).code == 2


def test_check_takes_the_synthetic_rows_of_what_rebalance_wrote(run: Run, train: Path) -> None:
    assert run(*rebalance(generator="smote")).code == 0
    verdict = json.loads(run("check", "train.csv", "out.csv", "--label", "ill", "--json").out)
    assert {check["name"]: check["passed"] for check in verdict["checks"]}["schema"]


def test_marks_that_are_no_truth_values_are_exit_code_two(run: Run, train: Path, frame: pd.DataFrame) -> None:
    write_table(frame.assign(is_synthetic="no"), train.parent / "odd.csv")
    answer = run("check", "train.csv", "odd.csv", "--label", "ill")
    assert (answer.code, answer.out) == (2, "")
    assert "'is_synthetic' of the synthetic rows holds values other than True and False" in answer.err


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """Rows of the same distribution, which pass."""
    return write_table(shortcut_table(120, minority_share=0.25, random_state=1), tmp_path / "fresh.csv")


@pytest.fixture
def foreign(frame: pd.DataFrame, tmp_path: Path) -> Path:
    """Rows with a category that no real row has, which fail."""
    return write_table(frame.assign(ward="attic"), tmp_path / "foreign.csv")


def gate(synthetic: str, *more: object) -> list[object]:
    return ["check", "train.csv", synthetic, "--label", "ill", *more]


def answering(plugin: Callable[..., ModuleType], registry: PluginRegistry, *results: CheckResult) -> dict[str, Any]:
    """Register a plugin that runs suites with these results, and return what it was asked with."""
    asked: dict[str, Any] = {}

    def run_suite(
        suite: Any, real: Any, synthetic: Any, label: Any, group_by: Any, holdout: Any, rules: Any, data_docs: Any
    ) -> CheckReport:
        asked.update(locals())
        return CheckReport(results)

    registry.register(plugin(autosynth_run_suite=run_suite), name="suites")
    return asked


def result(*, passed: bool, severity: Any = "critical", name: str = "limits", **facts: Any) -> CheckResult:
    given = {"subject": "age", "observed": 0.0, "limit": 0.0, "message": "seen", **facts}
    return CheckResult(name=name, passed=passed, severity=severity, **given)


NOT_RUN = CheckResult.not_run("coverage", "ill=yes", "the rows are not at hand.")


def test_the_verdict_comes_first_then_failures_then_families(run: Run, train: Path, foreign: Path, fresh: Path) -> None:
    good = run(*gate("fresh.csv"))
    assert (good.code, good.err) == (0, "real: train.csv (120 rows), synthetic: fresh.csv (120 rows)\n")
    assert good.out.startswith("passed: no critical check failed (")
    assert "\nfamily " in good.out
    assert "\npassed: " not in good.out
    assert "\npassed: schema of all rows: " in run(*gate("fresh.csv", "-v")).out
    bad = run(*gate("foreign.csv"))
    assert bad.code == 1
    assert bad.out.startswith("failed: ")
    assert bad.out.index("critical: ") < bad.out.index("\nfamily ")
    assert "\x1b" not in good.out + bad.out


def test_a_check_that_could_not_run_is_exit_code_two_unless_another_failed(
    run: Run, train: Path, fresh: Path, registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    for results, code, verdict in (
        ([result(passed=True)], 0, "passed"),
        ([result(passed=True), NOT_RUN], 2, "error"),
        ([result(passed=False), NOT_RUN], 1, "failed"),
        ([result(passed=False, severity="warning")], 0, "passed"),
    ):
        module = plugin(autosynth_run_suite=lambda given=results: CheckReport(tuple(given)))
        with use_plugins(PluginRegistry()) as inner:
            inner.register(module, name="suites")
            answer = run(*gate("fresh.csv", "--data-docs", "docs", "--json"))
        assert answer.code == code
        found = json.loads(answer.out)
        assert (found["verdict"], found["exit_code"]) == (verdict, code)
        assert found["autosynth"] == autosynth.__version__
        assert len(found["checks"]) == len(results)


def test_warnings_fail_where_they_are_asked_to(
    run: Run, train: Path, fresh: Path, registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    answering(plugin, registry, result(passed=False, severity="warning"))
    assert run(*gate("fresh.csv", "--data-docs", "docs")).code == 0
    strict = run(*gate("fresh.csv", "--data-docs", "docs", "--fail-on", "warning", "--junit", "gate.xml"))
    assert strict.code == 1
    assert "critical: limits of age: seen" in strict.out
    assert "<failure" in Path("gate.xml").read_text()


def test_junit_is_written_for_good_and_bad_rows(run: Run, train: Path, foreign: Path, fresh: Path) -> None:
    for rows, code in (("fresh.csv", 0), ("foreign.csv", 1)):
        answer = run(*gate(rows, "--junit", "gate.xml", "--json"))
        assert answer.code == code
        assert answer.err.splitlines()[1:] == ["Wrote gate.xml"]
        suite = ET.parse("gate.xml").getroot()[0]  # noqa: S314 - written by us
        assert (int(suite.get("failures", "")) > 0) == bool(code)
        assert int(suite.get("tests", "")) == len(json.loads(answer.out)["checks"])


def test_a_page_is_written_in_which_names_are_text(run: Run, frame: pd.DataFrame, tmp_path: Path) -> None:
    hostile = frame.rename(columns={"ward": "<script>alert(1)</script>"})
    write_table(hostile, tmp_path / "train.csv")
    write_table(hostile.assign(**{hostile.columns[3]: "<b>attic</b>"}), tmp_path / "made.csv")
    answer = run(*gate("made.csv", "--html", "gate.html"))
    assert answer.code == 1
    page = (tmp_path / "gate.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_rules_reach_the_checks(run: Run, frame: pd.DataFrame, tmp_path: Path) -> None:
    days = np.random.default_rng(0).integers(0, 300, len(frame))
    write_table(frame.assign(start=days, end=days + 3), tmp_path / "train.csv")
    write_table(frame.assign(start=days, end=days - 3), tmp_path / "backwards.csv")
    kept = run(
        *gate("train.csv", "--rule", "start <= end", "--rule", "age >= 0", "--json", "--only-warn", "exact_copies")
    )
    assert kept.code == 0
    broken = run(*gate("backwards.csv", "--rule", "start <= end", "--rule", "age >= 0", "--json"))
    assert broken.code == 1
    failed = [check for check in json.loads(broken.out)["checks"] if check["name"] == "rules" and not check["passed"]]
    assert len(failed) == 1
    assert "start <= end" in failed[0]["subject"] + failed[0]["message"]
    for wrong in ("end < start", "age <= ward", "starts <= end"):
        refused = run(*gate("train.csv", "--rule", wrong))
        assert (refused.code, refused.out) == (2, ""), wrong


def test_a_suite_is_run_by_a_plugin_with_all_that_was_given(
    run: Run, train: Path, fresh: Path, tmp_path: Path, registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    asked = answering(plugin, registry, result(passed=True))
    (tmp_path / "suite.json").write_text("{}")
    more = ["--group-by", "hospital", "--holdout", "fresh.csv", "--rule", "age > 0", "--data-docs", "docs"]
    answer = run(*gate("fresh.csv", "--suite", "suite.json", *more))
    assert answer.code == 0, answer.err
    assert (asked["suite"], asked["data_docs"]) == (Path("suite.json"), Path("docs"))
    assert (asked["label"], asked["group_by"]) == ("ill", ["hospital"])
    assert [str(rule) for rule in asked["rules"]] == ["age > 0"]
    pd.testing.assert_frame_equal(asked["real"], read_table(train))
    pd.testing.assert_frame_equal(asked["synthetic"], read_table(fresh))
    pd.testing.assert_frame_equal(asked["holdout"], read_table(fresh))
    assert "Wrote docs" in answer.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fresh.csv", "--label", "il"], "is not a column"),
        (["none.csv", "--label", "ill"], "'none.csv' is not a file"),
        (["fresh.csv", "--label", "ill", "--rule", "start"], "cannot be read"),
        (["fresh.csv", "--label", "ill", "--holdout", "none.csv"], "'none.csv' is not a file"),
        (["fresh.csv", "--label", "ill", "--fail-on", "never"], "is unknown"),
        (["fresh.csv", "--label", "ill", "--only-warn", "exact_copy"], "no check is called"),
    ],
)
def test_an_error_takes_the_place_of_the_verdict_of_an_earlier_run(
    run: Run, train: Path, fresh: Path, arguments: list[str], message: str
) -> None:
    targets = ["--junit", "gate.xml", "--html", "gate.html", "--json"]
    assert run(*gate("fresh.csv", *targets)).code == 0
    assert 'errors="0"' in Path("gate.xml").read_text()
    answer = run("check", "train.csv", *arguments, *targets)
    assert answer.code == 2
    told = json.loads(answer.out)
    assert (told["verdict"], told["exit_code"]) == ("error", 2)
    assert message in told["error"]
    assert f"error: {told['error']}" in answer.err
    suite = ET.parse("gate.xml").getroot()[0]  # noqa: S314 - written by us
    assert (suite.get("tests"), suite.get("errors"), suite.get("failures")) == ("1", "1", "0")
    assert message in suite[0][0].get("message", "")
    assert not Path("gate.html").exists()


def test_errors_about_where_to_write_touch_no_file(run: Run, train: Path, fresh: Path) -> None:
    Path("gate.xml").write_text("<old />")
    Path("gate.html").write_text("old")
    for wrong in (
        ["--html", "none/gate.html"],
        ["--html", "gate.htm"],
        ["--suite", "none.json", "--html", "gate.html"],
    ):
        answer = run(*gate("fresh.csv", "--junit", "gate.xml", *wrong, "--json"))
        assert answer.code == 2
        assert json.loads(answer.out)["verdict"] == "error"
        assert (Path("gate.xml").read_text(), Path("gate.html").read_text()) == ("<old />", "old")


def test_an_error_that_cannot_be_recorded_is_told_all_the_same(
    run: Run, train: Path, fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_text", full_disk)
    answer = run(*gate("none.csv", "--junit", "gate.xml"))
    assert answer.code == 2
    assert "warning: 'gate.xml' could not be written" in answer.err
    assert "error: 'none.csv' is not a file" in answer.err


def test_without_rows_to_judge_no_weakened_check_opens_the_gate(run: Run, train: Path, frame: pd.DataFrame) -> None:
    write_table(frame.drop(columns="age"), train.parent / "narrow.csv")
    answer = run(*gate("narrow.csv", "--only-warn", "schema"))
    assert answer.code == 2
    assert "no synthetic row is left to judge" in answer.out


@pytest.mark.parametrize("name", ["train.csv", "train.parquet"])
def test_codes_that_look_like_numbers_survive_the_way_through_csv(
    run: Run, frame: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    zips = np.where(np.arange(120) % 3, "01234", "00777").astype(object)
    write_table(frame.assign(zip=zips, unit=np.where(np.arange(120) % 2, "a", "7")), tmp_path / name)
    assert run(*rebalance("--only-synthetic", train=name, generator="smote")).code == 0
    frame.assign(zip=zips, unit="7").iloc[:30].to_csv("holdout.csv", index=False)
    answer = run("check", name, "out.csv", "--label", "ill", "--json", "--holdout", "holdout.csv")
    checks = json.loads(answer.out)["checks"]
    assert {check["status"] for check in checks if check["name"] in ("schema", "categories")} <= {"passed", "skipped"}
    told = run(*rebalance("--holdout", "holdout.csv", train=name, generator="smote"))
    assert told.code == 0, told.err


def test_numbers_against_texts_are_named(run: Run, frame: pd.DataFrame, tmp_path: Path) -> None:
    zips = np.where(np.arange(120) % 3, "11234", "10777").astype(object)
    write_table(frame.assign(zip=zips), tmp_path / "train.csv")
    write_table(frame.assign(zip=zips), tmp_path / "made.parquet")
    answer = run(*gate("made.parquet"))
    assert answer.code == 1
    assert "The real column was read as numbers, the synthetic one holds text" in answer.out


def test_swapped_arguments_and_joined_group_columns_are_named(run: Run, train: Path) -> None:
    assert run(*rebalance(generator="smote")).code == 0
    swapped = run("check", "out.csv", "train.csv", "--label", "ill")
    assert (swapped.code, swapped.out) == (2, "")
    assert "Were the arguments swapped?" in swapped.err
    for command in (gate("out.csv"), rebalance(), ["probe", "train.csv", "--label", "ill", "--generator", "ros"]):
        joined = run(*command, "--group-by", "hospital,smoker")
        assert (joined.code, joined.out) == (2, "")
        assert "Repeat --group-by for several: --group-by hospital --group-by smoker" in joined.err


def test_rebalance_keeps_rules(run: Run, frame: pd.DataFrame, tmp_path: Path) -> None:
    days = np.random.default_rng(0).integers(0, 300, len(frame))
    write_table(frame.assign(start=days, end=days + 3), tmp_path / "train.csv")
    backwards = frame.assign(start=days, end=np.maximum(days - 3, 3))
    made = write_table(pd.concat([frame.assign(start=days, end=days + 3), backwards] * 4), tmp_path / "made.csv")
    answer = run(*rebalance("--rule", "start <= end", "--option", f"path={made}", "--json", generator="rows"))
    assert answer.code == 0, answer.err
    assert any("start <= end" in reason for reason in json.loads(answer.out)["refusals"])
    rows = read_table(tmp_path / "out.csv")
    assert (rows["start"] <= rows["end"]).all()
    for wrong in ("start <= ende", "end < start"):
        refused = run(*rebalance("--rule", wrong))
        assert (refused.code, refused.out) == (2, ""), wrong


def test_suites_and_pages_without_a_plugin_name_the_extra(
    run: Run, train: Path, fresh: Path, registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    registry.register(plugin(autosynth_run_suite=lambda: None), name="passes")
    Path("suite.json").write_text("{}")
    for option in (["--suite", "suite.json"], ["--data-docs", "docs"]):
        answer = run(*gate("fresh.csv", *option))
        assert (answer.code, answer.out) == (2, "")
        assert "pip install 'autosynth[gx]'" in answer.err
    registry.register(plugin(autosynth_run_suite=lambda: [result(passed=True)]), name="wrong")
    wrong = run(*gate("fresh.csv", "--data-docs", "docs"))
    assert wrong.code == 2
    assert "plugin 'wrong' answered autosynth_run_suite with" in wrong.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fail-on", "warnings"], "--fail-on='warnings' is unknown. Did you mean 'warning'?"),
        (["--rule", "start"], "rule 'start' cannot be read"),
        (["--suite", "none.json"], "--suite 'none.json' is not a file"),
        (["--junit", "train.csv"], "--junit 'train.csv' does not end in .xml"),
        (["--junit", "none/gate.xml"], "'none' is not a folder"),
        (["--html", "gate.htm"], "--html 'gate.htm' does not end in .html"),
        (["--html", "none/gate.html"], "'none' is not a folder"),
        (["--data-docs", "train.csv"], "--data-docs 'train.csv' is a file"),
        (["--data-docs", "none/docs"], "'none' is not a folder"),
    ],
)
def test_a_gate_that_is_used_wrongly_is_exit_code_two_before_any_work(
    run: Run, train: Path, fresh: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.setattr("autosynth.files.read_table", lambda *_, **__: pytest.fail("read in vain"))
    answer = run(*gate("fresh.csv", *arguments))
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert names(train.parent) == ["fresh.csv", "train.csv"]


def test_a_gate_that_breaks_down_does_not_look_like_a_failed_check(
    run: Run, train: Path, fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosynth, "check", lambda *_, **__: 1 / 0)
    answer = run(*gate("fresh.csv", "--junit", "gate.xml"))
    assert (answer.code, answer.out) == (2, "")
    assert "ZeroDivisionError" in answer.err
    assert "Please report it" in answer.err
    assert names(train.parent) == ["fresh.csv", "gate.xml", "train.csv"]
    assert "division by zero" in Path("gate.xml").read_text()


def test_a_full_disk_leaves_no_half_written_result_of_the_gate(
    run: Run, train: Path, fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_text", full_disk)
    answer = run(*gate("fresh.csv", "--junit", "gate.xml"))
    assert (answer.code, answer.out) == (2, "")
    assert "No space left on device" in answer.err
    assert names(train.parent) == ["fresh.csv", "train.csv"]


def test_a_file_without_rows_fails_the_gate(run: Run, train: Path, frame: pd.DataFrame) -> None:
    write_table(frame.head(0), train.parent / "none.csv")
    answer = run(*gate("none.csv"))
    assert answer.code == 1
    assert "critical: schema of all rows" in answer.out


@pytest.mark.parametrize("option", ["--label", "--group-by", "--rule"])
def test_names_in_errors_cannot_command_a_terminal(run: Run, train: Path, fresh: Path, option: str) -> None:
    answer = run(*gate("fresh.csv", option, "age\x1b[2J\x9b1m"))
    assert answer.code == 2
    assert "\x1b" not in answer.err
    assert "\x9b" not in answer.err
    assert "x1b[2J" in answer.err


def test_names_from_files_cannot_command_a_terminal(run: Run, frame: pd.DataFrame, tmp_path: Path) -> None:
    hostile = frame.rename(columns={"ward": "ward\x1b[2J\x9b1m"})
    write_table(hostile, tmp_path / "train.csv")
    write_table(hostile.assign(**{hostile.columns[3]: "attic\x07", "age": 900}), tmp_path / "made.csv")
    printed = [run(*gate("made.csv", *more)) for more in ([], ["-v"], ["--json"])]
    printed.append(run(*gate("made.csv", "--label", "il")))
    printed.append(run(*rebalance("--group-by", hostile.columns[3])))
    for answer in printed:
        for character in "\x1b\x9b\x07":
            assert character not in answer.out + answer.err
    assert "x1b[2J" in printed[3].err + printed[1].out


def test_names_that_the_terminal_cannot_show_do_not_fail_the_gate(frame: pd.DataFrame, tmp_path: Path) -> None:
    write_table(frame.rename(columns={"ward": "病棟"}), tmp_path / "train.csv")
    command = [sys.executable, "-m", "autosynth", *gate("train.csv", "-v", "--only-warn", "exact_copies")]
    told = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert told.returncode == 0, told.stderr


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal of its own needs a Unix system")
def test_a_real_terminal_gets_tables(train: Path, foreign: Path) -> None:
    controller, terminal = os.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "autosynth", *map(str, gate("foreign.csv"))]
    with subprocess.Popen(command, stdout=terminal, stderr=terminal, cwd=train.parent, env=environment) as process:
        os.close(terminal)
        shown = b""
        with suppress(OSError):  # Linux answers so when the other side has closed
            while chunk := os.read(controller, 65_536):
                shown += chunk
    os.close(controller)
    assert process.returncode == 1
    assert b"\x1b[" in shown
    assert "┃" in shown.decode()


def test_none_is_an_option_value() -> None:
    assert parse_options(["a=None", "b=null", "c=none", "d=3"]) == {"a": None, "b": None, "c": "none", "d": 3}


def test_copies_of_held_out_rows_fail_check_and_rebalance(run: Run, train: Path, tmp_path: Path) -> None:
    known = shortcut_table(240, minority_share=0.5, random_state=9)
    write_table(known.drop(columns="ill"), tmp_path / "test.csv")
    write_table(known, tmp_path / "made.csv")
    common = ["--label", "ill", "--holdout", "test.csv"]
    failed = run("check", "train.csv", "made.csv", *common)
    assert failed.code == 1
    assert (
        "critical: held_out_exact_copies of all rows: synthetic rows that equal a held-out row: 240 of 240"
        in failed.out
    )
    more = ["--option", "path=made.csv", "--holdout", "test.csv"]
    stopped = run(*rebalance(*more, "--check", "raise", generator="rows"))
    assert stopped.code == 1
    assert "held_out_exact_copies" in stopped.err
    dropped = run(*rebalance(*more, "--copies", "drop_exact", generator="rows"))
    assert dropped.code == 2
    assert "an exact copy of a held-out row" in dropped.err
    assert names(tmp_path) == ["made.csv", "test.csv", "train.csv"]


def test_probe_is_exit_code_zero_when_clean_one_when_contaminated_and_two_on_wrong_usage(
    run: Run,
    train: Path,
    frame: pd.DataFrame,
    registry: PluginRegistry,
    plugin: Callable[..., ModuleType],
    scripted: Any,
) -> None:
    def recites(table: Any, counts: Any, rng: np.random.Generator) -> pd.DataFrame:
        return pd.concat([frame[frame["ill"] == group["ill"]].head(count) for group, count in counts.items()])

    offer = plugin(autosynth_register_generators=lambda register: register("llm", lambda options: scripted(recites)))
    registry.register(offer, name="llm")
    clean = run("probe", "train.csv", "--label", "ill", "--generator", "fake", "--rows", 40)
    assert (clean.code, clean.err) == (0, "")
    assert "clean: 'fake' copies hidden rows no more often" in clean.out
    caught = run("probe", "train.csv", "--label", "ill", "--generator", "llm", "--rows", 40, "--json")
    assert caught.code == 1
    assert json.loads(caught.out)["passed"] is False
    for wrong in (["--hidden-share", 2], ["--option", "k"], ["--option", "k=1"], ["--generator", "lm"], ["--seed", -1]):
        answer = run("probe", "train.csv", "--label", "ill", "--generator", "fake", *wrong)
        assert (answer.code, answer.out) == (2, "")
        assert "error: " in answer.err
    assert run("probe", "train.csv", "--label", "ill").code == 2


def test_report_prints_risk_per_group(run: Run, frame: pd.DataFrame, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    predictions = frame.assign(p=rng.random(120), q=rng.random(120))
    write_table(predictions.assign(no=1 - predictions["p"]), tmp_path / "test.csv")
    common = ["report", "test.csv", "--label", "ill", "--positive-class", "yes"]
    text = run(*common, "--proba", "p", "--group-by", "hospital", "--baseline", "q")
    assert text.code == 0, text.err
    assert "hospital=north" in text.out
    by_column = run(*common, "--proba", "p", "--json")
    by_class = run(*common, "--proba", "no=no", "--proba", "yes=p", "--json")
    risks = [[row["risk"]["value"] for row in json.loads(answer.out)["groups"]] for answer in (by_column, by_class)]
    assert risks[0] == pytest.approx(risks[1])
    wrong = run(*common, "--proba", "pp")
    assert (wrong.code, wrong.out) == (2, "")
    assert "'pp' is not a column of the file. Did you mean" in wrong.err
    mixed = run(*common, "--proba", "p", "--proba", "no=no")
    assert mixed.code == 2
    assert "mixes forms" in mixed.err


def full_disk(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_exit_code_two_and_leaves_the_old_file(
    run: Run, train: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.csv").write_text("old")
    monkeypatch.setattr(pd.DataFrame, "to_csv", full_disk)
    answer = run(*rebalance())
    assert answer.code == 2
    assert "error: 'out.csv' could not be written" in answer.err
    assert "No space left on device" in answer.err
    assert (tmp_path / "out.csv").read_text() == "old"
    assert names(tmp_path) == ["out.csv", "train.csv"]


def test_an_interrupt_is_exit_code_130_and_leaves_the_old_file(
    run: Run, train: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_then_interrupt(frame: pd.DataFrame, path: Path, **_: Any) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    (tmp_path / "out.csv").write_text("old")
    monkeypatch.setattr(pd.DataFrame, "to_csv", half_then_interrupt)
    answer = run(*rebalance())
    assert answer.code == 130
    assert "interrupted; no half-written file was left." in answer.err
    assert (tmp_path / "out.csv").read_text() == "old"
    assert names(tmp_path) == ["out.csv", "train.csv"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda table, counts, rng: 1 / 0, "failed while it sampled: ZeroDivisionError"),
        (lambda table, counts, rng: table.frame.head(0), "too few valid synthetic rows (ill=yes: 0 of 60)"),
        (lambda table, counts, rng: pd.concat([table.frame] * 9), "Fewer may come back, more never"),
        (lambda table, counts, rng: table.frame.assign(extra=1), "missing: none; unexpected: extra"),
        (lambda table, counts, rng: table.frame[["ill"]], "missing: age, "),
        (lambda table, counts, rng: table.frame.assign(ward="attic"), "ward: a value that the real rows do not hold"),
    ],
)
def test_a_generator_that_breaks_its_promises_is_exit_code_two_and_no_file(
    run: Run,
    train: Path,
    tmp_path: Path,
    registry: PluginRegistry,
    plugin: Callable[..., ModuleType],
    scripted: Callable[..., Any],
    answer: Any,
    message: str,
) -> None:
    offer = plugin(autosynth_register_generators=lambda register: register("bad", lambda options: scripted(answer)))
    registry.register(offer, name="bad")
    told = run(*rebalance(generator="bad"))
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("error: ")
    assert message in told.err
    assert names(tmp_path) == ["train.csv"]


@pytest.mark.parametrize("hook", ["autosynth_keep_rows", "autosynth_check_rows"])
def test_a_plugin_that_raises_is_exit_code_two_by_name_and_no_file(
    run: Run,
    train: Path,
    tmp_path: Path,
    registry: PluginRegistry,
    plugin: Callable[..., ModuleType],
    hook: str,
) -> None:
    registry.register(plugin(**{hook: lambda: 1 / 0}), name="bad")
    answer = run(*rebalance(generator="fake"))
    assert (answer.code, answer.out) == (2, "")
    assert f"error: plugin 'bad' raised in {hook}: ZeroDivisionError" in answer.err
    assert names(tmp_path) == ["train.csv"]


def test_a_broken_plugin_is_said_on_stderr_while_the_others_work(
    run: Run, train: Path, registry: PluginRegistry
) -> None:
    registry.broken["bad"] = autosynth.exceptions.PluginLoadError("plugin 'bad' of bad-dist could not be imported: no")
    answer = run(*rebalance("--json", generator="fake"))
    assert answer.code == 0
    assert "warning: plugin 'bad' of bad-dist could not be imported" in answer.err
    assert json.loads(answer.out)["generator"] == "fake"


def test_a_plugin_that_cannot_add_its_commands_takes_none_from_the_others(
    run: Run, registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    def add(app: Any) -> None:
        @app.command("wave")
        def wave() -> None:
            sys.stdout.write("hello\n")

    for name, hook in (("aaa", lambda: 1 / 0), ("mid", add), ("zzz", lambda: 1 / 0)):
        registry.register(plugin(autosynth_register_commands=hook), name=name)
    answer = run("wave")
    assert (answer.code, answer.out) == (0, "hello\n")
    assert "warning: plugin 'aaa' raised in autosynth_register_commands" in answer.err
    assert "warning: plugin 'zzz' raised in autosynth_register_commands" in answer.err


def test_plugins_add_commands(run: Run, registry: PluginRegistry, plugin: Callable[..., ModuleType]) -> None:
    def add(app: Any) -> None:
        @app.command("refuse")
        def refuse() -> None:
            raise InsufficientRowsError({}, {}, reasons="none.", advice="Go on.")

    registry.register(plugin(autosynth_register_commands=add), name="commands")
    answer = run("refuse")
    assert answer.code == 2
    assert "error: too few valid synthetic rows" in answer.err


def shell(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autosynth", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_a_real_process_answers_with_codes_and_streams(train: Path, tmp_path: Path) -> None:
    good = shell(*rebalance("--json"), folder=tmp_path)
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["plan"]["groups"][1]["total"] == 90
    failed = shell("check", "train.csv", "train.csv", "--label", "il", folder=tmp_path)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.splitlines()[1].startswith("error: label='il' is not a column")
    assert names(tmp_path) == ["out.csv", "train.csv"]


def test_a_real_process_fails_a_check_with_code_one(frame: pd.DataFrame, train: Path, tmp_path: Path) -> None:
    write_table(frame.assign(ward="attic"), tmp_path / "bad.csv")
    failed = shell("check", "train.csv", "bad.csv", "--label", "ill", folder=tmp_path)
    assert failed.returncode == 1
    assert "critical: categories of ward" in failed.stdout
    assert failed.stderr == "real: train.csv (120 rows), synthetic: bad.csv (120 rows)\n"


def test_a_reader_that_goes_away_changes_no_exit_code(train: Path, fresh: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "autosynth", *map(str, gate("fresh.csv", "-v"))]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
        assert process.wait(60) == 0
    assert "Traceback" not in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_an_error_of_output(train: Path, fresh: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "autosynth", *map(str, gate("fresh.csv", "--json"))]
    with Path("/dev/full").open("w") as full:
        told = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert told.returncode == 2
    assert "error: the answer cannot be printed" in told.stderr
