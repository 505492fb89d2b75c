"""The gate: its verdicts are those of autosynth.check, and it leaves everything around it as it was."""

from __future__ import annotations

import gc
import json
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("autosynth_gx.gate", reason="needs great_expectations", exc_type=ImportError)

import great_expectations as gx
from great_expectations.data_context.data_context.context_factory import project_manager
from great_expectations.exceptions import DataContextRequiredError

import autosynth
from autosynth.checks.families import FAMILIES
from autosynth.exceptions import CheckFailedError, ConfigError
from autosynth.toy import shortcut_table
from autosynth_gx import build_suite, export_suite, load_suite, run_gate, save_suite
from autosynth_gx.engine_rows import EngineRows, held_rows
from autosynth_gx.gate import copy_of
from tests.integration.clinic import clinic


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    return shortcut_table(300)


@pytest.fixture(scope="module")
def fresh() -> pd.DataFrame:
    return shortcut_table(300, random_state=1)


@pytest.fixture(scope="module")
def suite(real) -> Any:
    return build_suite(real, label="ill", self_test=False)


@pytest.fixture(autouse=True)
def _without_a_current_context() -> Any:
    project_manager.set_project(None)
    yield
    project_manager.set_project(None)


@pytest.fixture
def broken(monkeypatch) -> Any:
    """Make a family raise: ``broken("limits")``."""

    def breaks(*families: str) -> None:
        def fail(*_: Any) -> Any:
            raise RuntimeError("out of order")

        for name in families:
            object.__setattr__(FAMILIES[name], "run", fail)

    before = {name: family.run for name, family in FAMILIES.items()}
    yield breaks
    for name, family in FAMILIES.items():
        object.__setattr__(family, "run", before[name])


def current_context() -> Any:
    try:
        return project_manager.get_current_project()
    except DataContextRequiredError:
        return None


def shown(report: Any) -> list[str]:
    """Return every check in words, to the last digit, so that NaN equals NaN."""
    names = ("name", "subject", "status", "severity", "observed", "limit", "message", "offenders")
    return sorted(repr([getattr(check, name) for name in names]) for check in report)


TABLES = {
    "toy by class": (shortcut_table(300), shortcut_table(300, random_state=1), {"label": "ill"}),
    "toy by class and group": (
        shortcut_table(300),
        shortcut_table(300, random_state=1).assign(severity=1.0),
        {"label": "ill", "group_by": "hospital", "rules": ["age >= 18", "severity <= pressure"]},
    ),
    "all kinds of columns": (clinic(), clinic(random_state=1), {"label": "ill", "group_by": ["smoker"]}),
    "binned groups, rows held out": (
        shortcut_table(300),
        shortcut_table(300, random_state=1),
        {"label": "ill", "group_by": {"age": 3}, "holdout": shortcut_table(90, random_state=2)},
    ),
    "copies": (shortcut_table(300), shortcut_table(300).iloc[:100], {"label": "ill"}),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_gate_finds_what_check_finds(name):
    real, synthetic, question = TABLES[name]
    gate = run_gate(build_suite(real, **question, self_test=False), synthetic)
    want = autosynth.check(real, synthetic, **question)
    absent = [check for check in gate.report if "holds no rows of this group" in check.message]
    assert shown(check for check in gate.report if check not in absent) == shown(want)
    assert gate.report.passed == want.passed


def test_good_rows_pass_and_bad_rows_fail(suite, fresh):
    good, bad = run_gate(suite, fresh), run_gate(suite, fresh.assign(severity=9.0))
    assert (good.status, good.exit_code, good.passed) == ("passed", 0, True)
    assert (bad.status, bad.exit_code, bad.passed) == ("failed", 1, False)
    good.raise_if_failed()
    with pytest.raises(CheckFailedError, match="farthest_column of ill=no") as caught:
        bad.raise_if_failed()
    assert caught.value.report is bad.report
    assert json.loads(json.dumps(bad.to_dict()))["exit_code"] == 1
    assert str(bad).startswith("failed:")


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(lambda fresh: fresh.drop(columns="age"), id="a column less"),
        pytest.param(lambda fresh: fresh.assign(more=1), id="a column more"),
        pytest.param(lambda fresh: fresh.iloc[:0], id="no rows"),
        pytest.param(lambda fresh: fresh.assign(age=[[1]] * len(fresh)), id="cells that are lists"),
        pytest.param(lambda fresh: fresh.assign(ill="perhaps"), id="an unknown label"),
        pytest.param(lambda fresh: fresh.set_axis(["age"] * 7, axis=1), id="one name for all columns"),
    ],
)
def test_rows_that_do_not_fit_fail_and_do_not_err(suite, fresh, rows):
    assert run_gate(suite, rows(fresh)).exit_code == 1


@pytest.mark.parametrize("rows", [lambda fresh: fresh.drop(columns="age"), lambda fresh: fresh.iloc[:0]])
def test_where_no_row_is_left_to_judge_nothing_passes_though_what_says_why_is_demoted(real, fresh, rows):
    own = build_suite(real, label="ill", rules=["age >= 18"], self_test=False)
    for expectation in own.expectations:
        if expectation.expectation_type == "expect_synthetic_schema":
            expectation.severity = type(expectation.severity)("info")
    result = run_gate(own, rows(fresh))
    assert (result.status, result.exit_code) == ("error", 2)
    assert not [check for check in result.report if check.passed]
    assert {check.name for check in result.report.errors} >= set(FAMILIES) - {"schema", *held_out_families()}
    assert all("no synthetic row is left to judge" in check.error for check in result.report.errors)


def held_out_families() -> set[str]:
    return {name for name in FAMILIES if name.startswith("held_out")}


def test_a_demoted_check_that_could_not_run_is_named_in_the_verdict(fresh, tmp_path):
    named = "coverage", "label_fidelity", "detectability", "near_copies"
    own = build_suite(shortcut_table(250), label="ill", self_test=False)
    for expectation in own.expectations:
        if expectation.family().name in named:
            expectation.severity = type(expectation.severity)("warning")
    path = save_suite(own, tmp_path / "suite.json")
    del own, expectation
    gc.collect()  # and with the suite the real rows, which those checks need
    result = run_gate(load_suite(path), fresh)
    assert result.exit_code == 0
    assert {check.name for check in result.report.errors} == set(named)
    assert "5 warning checks could not run" in str(result).splitlines()[0]
    assert not any(check.passed for check in result.report.errors)


def test_a_group_without_rows_is_skipped(suite, fresh):
    result = run_gate(suite, fresh[fresh["ill"] == "no"])
    skipped = {(check.name, check.status) for check in result.report if check.subject == "ill=yes"}
    assert ("marginal_fidelity", "skipped") in skipped
    assert {status for _, status in skipped} == {"skipped"}


def test_a_check_that_errs_is_an_error_and_no_pass(suite, fresh, broken):
    broken("limits")
    result = run_gate(suite, fresh)
    assert (result.status, result.exit_code) == ("error", 2)
    (error,) = result.report.errors
    assert (error.name, error.subject, error.error) == ("limits", "all rows", "RuntimeError: out of order")


def test_a_failure_beats_an_error(suite, fresh, broken):
    broken("limits")
    assert run_gate(suite, fresh.assign(severity=9.0)).exit_code == 1


def test_what_may_not_fail_the_run_does_not(suite, fresh, broken):
    broken("repeated_rows")
    result = run_gate(suite, fresh)
    assert result.exit_code == 0
    assert [check.severity for check in result.report.errors] == ["warning"]
    assert run_gate(suite, fresh, fail_on="warning").exit_code == 2


def test_the_severity_of_an_expectation_is_that_of_its_checks(suite, real, fresh):
    own = build_suite(real, label="ill", self_test=False)
    for expectation in own.expectations:
        expectation.severity = type(expectation.severity)("warning")
    result = run_gate(own, fresh.assign(severity=9.0))
    assert result.exit_code == 0
    assert {check.severity for check in result.report} == {"warning"}


def test_fewer_results_than_expectations_are_an_error(suite, fresh, monkeypatch):
    from great_expectations.datasource.fluent.interfaces import Batch

    def validate(self: Batch, *args: Any, **options: Any) -> Any:
        answer = plain(self, *args, **options)
        answer.results.pop()
        return answer

    plain = Batch.validate
    monkeypatch.setattr(Batch, "validate", validate)
    result = run_gate(suite, fresh)
    assert result.exit_code == 2
    assert f"1 of {len(suite.expectations)} expectations gave no result" in str(result)


def test_a_suite_without_expectations_is_refused(suite, fresh, real):
    empty = build_suite(real, label="ill", self_test=False)
    empty.expectations.clear()
    with pytest.raises(ConfigError, match=r"lacks expect_synthetic_categories, .* now"):
        run_gate(empty, fresh)


def test_what_is_no_suite_and_what_are_no_rows_is_refused(suite, fresh):
    with pytest.raises(ConfigError, match="is a str"):
        run_gate("suite.json", fresh)
    with pytest.raises(ConfigError, match="not built by autosynth"):
        run_gate(gx.ExpectationSuite(name="another"), fresh)
    with pytest.raises(ConfigError, match="synthetic rows are a dict"):
        run_gate(suite, {"age": [1]})
    with pytest.raises(ConfigError, match="fail_on='never'"):
        run_gate(suite, fresh, fail_on="never")


def test_given_rows_and_the_suite_stay_as_they_were(suite, fresh):
    rows, before = fresh.copy(), json.dumps(suite.to_json_dict())
    run_gate(suite, rows)
    pd.testing.assert_frame_equal(rows, fresh)
    assert json.dumps(suite.to_json_dict()) == before


@pytest.mark.parametrize("with_one", [False, True])
def test_the_current_context_is_put_back_even_after_an_exception(suite, fresh, with_one, monkeypatch):
    mine = gx.get_context(mode="ephemeral") if with_one else None
    project_manager.set_project(mine)
    run_gate(suite, fresh)
    assert current_context() is mine
    monkeypatch.setattr("autosynth_gx.gate.read_report", None)
    with pytest.raises(TypeError):
        run_gate(suite, fresh)
    assert current_context() is mine


def test_a_context_of_the_caller_is_used_and_left_as_it_was(suite, fresh):
    mine = gx.get_context(mode="ephemeral")
    batch_definition = (
        mine.data_sources.add_pandas("mine").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    )
    bars = mine.variables.progress_bars
    batch = batch_definition.get_batch(batch_parameters={"dataframe": fresh})
    want = shown(run_gate(suite, fresh).report)
    assert shown(run_gate(suite, batch, context=mine).report) == want
    assert [*mine.suites.all(), *mine.checkpoints.all(), *mine.validation_definitions.all()] == []
    assert mine.variables.progress_bars == bars


def test_rows_in_a_file_are_read_by_great_expectations(suite, fresh, tmp_path):
    fresh.to_parquet(tmp_path / "rows.parquet")
    batch = gx.get_context(mode="ephemeral").data_sources.pandas_default.read_parquet(tmp_path / "rows.parquet")
    assert shown(run_gate(suite, batch).report) == shown(run_gate(suite, fresh).report)


def test_a_project_folder_runs_the_same_suite_by_itself(real, fresh, tmp_path):
    context = gx.get_context(mode="file", project_root_dir=tmp_path)
    built = build_suite(real, label="ill", name="rows", self_test=False)
    export_suite(built, tmp_path)
    export_suite(built, tmp_path)  # replaces the former one
    context = gx.get_context(mode="file", project_root_dir=tmp_path)
    stored = load_suite(context.suites.get("rows"))
    asset = context.data_sources.add_pandas("synthetic").add_dataframe_asset("rows")
    definition = gx.ValidationDefinition(
        name="rows", data=asset.add_batch_definition_whole_dataframe("all"), suite=stored
    )
    answer = context.validation_definitions.add(definition).run(batch_parameters={"dataframe": fresh})
    want = run_gate(built, fresh)
    assert len(answer.results) == len(built.expectations)
    assert answer.success == all(check.passed for check in want.report)
    assert shown(run_gate(stored, fresh, real=real).report) == shown(want.report)


def test_a_folder_without_a_project_is_refused(suite, tmp_path):
    with pytest.raises(ConfigError, match="holds no project"):
        export_suite(suite, tmp_path)


def test_threads_get_their_own_verdicts(suite, fresh):
    good, bad = fresh, fresh.assign(severity=9.0)
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda rows: run_gate(suite, rows).exit_code, [good, bad, good, bad]))
    assert codes == [0, 1, 0, 1]
    assert current_context() is None


def test_a_gate_lets_go_of_the_rows(suite, fresh):
    rows, before = fresh.copy(), held_rows()
    seen = weakref.ref(rows)
    result = run_gate(suite, rows)
    assert all(held.frame is None for held in held_rows() - before)
    result = result.report.passed
    del rows
    gc.collect()
    assert seen() is None
    assert result


def test_rows_are_read_once_for_all_expectations(suite, fresh, monkeypatch):
    from autosynth.checks.batch import Batch

    reads = []
    plain = Batch.read.__func__
    monkeypatch.setattr(Batch, "read", classmethod(lambda cls, *args: reads.append(1) or plain(cls, *args)))
    run_gate(suite, fresh)
    assert len(reads) == 1


def test_the_report_of_the_gate_has_the_rows_for_pictures(suite, fresh):
    evidence = run_gate(suite, fresh).report.evidence
    assert len(evidence.table) == 300
    pd.testing.assert_frame_equal(evidence.synthetic, fresh)


def test_a_run_leaves_no_thread_behind(suite, fresh):
    before = threading.active_count()
    run_gate(suite, fresh)
    assert threading.active_count() == before


def test_an_expectation_without_its_reference_errs(fresh):
    from autosynth_gx.expectations import EXPECTATIONS

    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("s").add_dataframe_asset("r")
    batch = asset.add_batch_definition_whole_dataframe("b").get_batch(batch_parameters={"dataframe": fresh})
    answer = batch.validate(EXPECTATIONS["limits"](reference="0" * 64))
    assert not answer.success
    assert "is not loaded" in str(answer.exception_info)


def test_rows_let_go_of_are_not_taken_for_none(suite, fresh):
    from autosynth_gx.expectations import CheckNotRunError, context_of
    from autosynth_gx.sources import find_source

    rows = EngineRows(fresh, len(fresh), is_typed=True)
    rows.release()
    with pytest.raises(CheckNotRunError, match="let go of"):
        context_of(rows, find_source(suite.meta["autosynth"]["reference_digest"]))


def test_the_page_of_a_gate_is_written(suite, fresh, tmp_path):
    path = run_gate(suite, fresh).to_html(tmp_path / "gate.html")
    assert Path(path).read_text(encoding="utf-8").startswith("<!doctype html>")


def test_numbers_that_json_has_not_come_back_as_they_were():
    from autosynth.checks.result import CheckResult, Offender
    from autosynth_gx.check_records import from_record, to_record

    check = CheckResult(
        name="limits",
        subject="age",
        passed=False,
        observed=float("nan"),
        limit=0.1,
        offenders=(Offender("age", 0.5, float("nan")),),
    )
    back = from_record(json.loads(json.dumps(to_record(check), allow_nan=False)))
    assert np.isnan(back.observed)
    assert np.isnan(back.offenders[0].limit)
    assert to_record(back) == to_record(check)


def test_results_without_details_are_errors_and_no_passes(suite, fresh):
    from autosynth_gx.verdicts import read_report

    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("s").add_dataframe_asset("r")
    batch = asset.add_batch_definition_whole_dataframe("b").get_batch(batch_parameters={"dataframe": fresh})
    answer = batch.validate(copy_of(suite), result_format="BOOLEAN_ONLY")
    assert answer.success
    assert {check.status for check in read_report(answer, len(suite.expectations))} == {"error"}


def test_settings_for_the_cloud_are_not_looked_at(suite, fresh, monkeypatch):
    for name in ("GX_CLOUD_ACCESS_TOKEN", "GX_CLOUD_ORGANIZATION_ID", "GX_CLOUD_BASE_URL"):
        monkeypatch.setenv(name, "https://example.invalid")
    assert run_gate(suite, fresh).passed


def test_what_great_expectations_reports_says_what_was_seen(suite, fresh):
    answers = run_gate(suite, fresh.assign(severity=9.0)).validation.results
    (found,) = [
        answer
        for answer in answers
        if answer.expectation_config.type == "expect_synthetic_marginal_fidelity"
        and answer.expectation_config.kwargs["group"] == "ill=no"
    ]
    details = found.result["details"]
    assert not found.success
    assert details["status"] == "failed"
    assert found.result["observed_value"] > details["limit"] > 0
    assert (details["n_rows"], details["n_total"]) == (300, 300)
    assert details["offenders"][0]["name"] == "severity"
    assert "synthetic" in details["message"]
    json.dumps(found.to_json_dict(), allow_nan=False)
