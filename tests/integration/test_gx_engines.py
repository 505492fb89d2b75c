"""Rows in SQL and Spark: read back as they were, all of them counted, as many as asked for looked at."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("autosynth_gx.gate", reason="needs great_expectations", exc_type=ImportError)


import great_expectations as gx
import sqlalchemy
from great_expectations.data_context.data_context.context_factory import project_manager

from autosynth import TableSchema
from autosynth.checks.batch import Batch
from autosynth.checks.reference import Reference
from autosynth.table import Table
from autosynth.toy import shortcut_table
from autosynth_gx import build_suite, run_gate
from autosynth_gx.engine_rows import held_rows
from autosynth_gx.read_back import known_value, read_back
from tests.integration.clinic import clinic


@pytest.fixture(autouse=True)
def _without_a_current_context() -> Any:
    yield
    project_manager.set_project(None)


@pytest.fixture
def stored(tmp_path: Path) -> Any:
    """Return where Great Expectations finds rows that were put into SQLite: ``stored(frame)``."""
    engines = []

    def store(frame: pd.DataFrame, name: str = "rows") -> Any:
        path = f"sqlite:///{tmp_path / name}.db"
        engines.append(sqlalchemy.create_engine(path))
        frame.to_sql("rows", engines[-1], index=False, if_exists="replace")
        source = gx.get_context(mode="ephemeral").data_sources.add_sqlite("db", connection_string=path)
        engines.append(source.get_engine())
        return source.add_table_asset("rows", table_name="rows").add_batch_definition_whole_table("all")

    yield store
    for engine in engines:
        engine.dispose()


def with_every_kind(n_rows: int, seed: int) -> pd.DataFrame:
    """Return rows in whose storage SQLite loses types: truth values, dates, whole numbers beside gaps."""
    frame = shortcut_table(n_rows, random_state=seed)
    rng = np.random.default_rng(seed)
    frame["visits"] = pd.array(rng.poisson(3, n_rows), dtype="Int64")
    frame.loc[rng.random(n_rows) < 0.2, "visits"] = pd.NA
    frame["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n_rows), unit="D")
    frame["insured"] = pd.array(rng.random(n_rows) < 0.7, dtype="boolean")
    frame.loc[rng.random(n_rows) < 0.1, "insured"] = pd.NA
    frame["grade"] = pd.Categorical(rng.integers(1, 4, n_rows))
    return frame


def by_check(result: Any) -> dict[tuple[str, str], Any]:
    return {(check.name, check.subject): check for check in result.report}


def test_rows_in_sql_are_judged_as_in_memory(stored):
    real, synthetic = with_every_kind(300, 0), with_every_kind(400, 1)
    suite = build_suite(real, label="ill", group_by="hospital", self_test=False)
    in_sql, in_memory = by_check(run_gate(suite, stored(synthetic))), by_check(run_gate(suite, synthetic))
    assert in_sql.keys() == in_memory.keys()
    for key, check in in_memory.items():
        assert (in_sql[key].status, in_sql[key].message) == (check.status, check.message)
        assert in_sql[key].observed == pytest.approx(check.observed, nan_ok=True)
        assert in_sql[key].limit == pytest.approx(check.limit, nan_ok=True)


@pytest.mark.parametrize(
    ("harm", "name", "subject"),
    [
        (lambda rows: rows.assign(age=rows["age"] + 200), "limits", "age"),
        (lambda rows: rows.assign(ward="moon"), "categories", "ward"),
        (lambda rows: rows.assign(severity=None), "missing_rate", "severity"),
        (lambda rows: rows.assign(age=rows["age"] + 0.5), "whole_numbers", "age"),
        (lambda rows: rows.drop(columns="age"), "schema", "all rows"),
        (lambda rows: rows.assign(more=1), "schema", "all rows"),
        (lambda rows: rows.iloc[:0], "schema", "all rows"),
        (lambda rows: rows.assign(ill="perhaps"), "categories", "ill"),
    ],
)
def test_faults_in_sql_are_found(stored, harm, name, subject):
    suite = build_suite(with_every_kind(300, 0), label="ill", self_test=False)
    result = run_gate(suite, stored(harm(with_every_kind(300, 1))))
    assert (result.exit_code, by_check(result)[name, subject].status) == (1, "failed")


def test_the_engine_counts_all_rows_where_others_are_looked_at(stored):
    real, synthetic = with_every_kind(300, 0), with_every_kind(3000, 1)
    suite = build_suite(real, label="ill", max_rows=500, self_test=False)
    result = run_gate(suite, stored(synthetic))
    checks = by_check(result)
    in_memory = by_check(run_gate(suite, synthetic))
    for key in [("schema", "all rows"), ("limits", "severity"), ("categories", "ward"), ("missing_rate", "visits")]:
        assert checks[key].observed == in_memory[key].observed
        assert str(len(synthetic) if key[0] != "limits" else "3000 values").split()[0] in checks[key].message
    assert "0 of 500 rows" in checks["whole_numbers", "age"].message
    details = [answer.result["details"] for answer in result.validation.results]
    assert {(each["n_rows"], each["n_total"]) for each in details} == {(500, 3000)}


def test_one_foreign_value_among_many_rows_is_counted_though_it_is_not_looked_at(stored):
    real, synthetic = with_every_kind(300, 0), with_every_kind(2000, 1)
    rows = stored(synthetic.assign(age=synthetic["age"].where(synthetic.index != 1234, 500)))
    suite = build_suite(real, label="ill", max_rows=100, self_test=False)
    assert by_check(run_gate(suite, rows))["limits", "age"].observed == 1 / 2000


@pytest.mark.parametrize(("n_total", "n_wanted"), [(1000, 999), (1000, 7), (997, 100), (12, 1), (2, 1), (3, 2)])
def test_rows_looked_at_are_spread_over_the_table_and_the_same_every_time(stored, n_total, n_wanted):
    from autosynth_gx.expectations import EXPECTATIONS

    batch = stored(pd.DataFrame({"place": np.arange(n_total)})).get_batch()
    picks = []
    for _ in range(2):
        before = held_rows()
        batch.validate(EXPECTATIONS["schema"](reference="0" * 64, max_rows=n_wanted))
        (rows,) = held_rows() - before
        picks.append(rows.frame["place"].astype(int).tolist())
    assert picks[0] == picks[1]
    assert len(set(picks[0])) == n_wanted
    if n_wanted > 50:
        quarters = np.bincount(np.asarray(picks[0]) * 4 // n_total)
        assert quarters.min() > 0.8 * quarters.max()
        assert len(set(np.diff(sorted(picks[0])))) > 1


def test_truth_values_and_numbers_stored_as_text_are_counted_as_what_they_stand_for(stored):
    real, synthetic = with_every_kind(300, 0), with_every_kind(600, 1)
    synthetic["smoker"] = synthetic["smoker"].map({True: "true", False: "false"})
    synthetic["grade"] = synthetic["grade"].astype(str)
    suite = build_suite(real, label="ill", max_rows=300, self_test=False)
    checks = by_check(run_gate(suite, stored(synthetic)))
    assert checks["categories", "smoker"].message.startswith("0 of 600 rows")
    assert checks["categories", "grade"].message.startswith("0 of 600 rows")
    synthetic["smoker"] = synthetic["smoker"].where(synthetic.index % 2 == 0, "perhaps")
    checks = by_check(run_gate(suite, stored(synthetic)))
    assert checks["categories", "smoker"].message.startswith("300 of 600 rows")


def test_a_second_run_sees_the_table_as_it_is_then(stored):
    suite = build_suite(with_every_kind(300, 0), label="ill", self_test=False)
    rows = stored(with_every_kind(300, 1))
    assert run_gate(suite, rows).passed
    stored(with_every_kind(300, 1).assign(ward="moon"))
    assert run_gate(suite, rows).exit_code == 1


def test_nothing_of_a_table_stays_in_memory_after_the_run(stored):
    suite = build_suite(with_every_kind(300, 0), label="ill", self_test=False)
    rows, before = stored(with_every_kind(300, 1)), held_rows()
    run_gate(suite, rows)
    assert all(held.frame is None and not held.memory for held in held_rows() - before)


def test_nothing_is_drawn_on_the_terminal(stored, capsys):
    suite = build_suite(with_every_kind(300, 0), label="ill", self_test=False)
    run_gate(suite, stored(with_every_kind(300, 1)))
    assert capsys.readouterr() == ("", "")


def test_stored_rows_fit_the_schema_again(stored, tmp_path):
    table = clinic(100).rename(columns={"age": 7}).drop(columns="note")
    table["smoker"] = table["smoker"].astype(object)
    schema = TableSchema.infer(table, label="ill")
    stored(table)
    connection = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'rows'}.db")
    with connection.connect() as opened:
        answer = opened.execute(sqlalchemy.text("select * from rows"))
        frame = pd.DataFrame(list(answer), columns=list(answer.keys()), dtype=object)
    connection.dispose()
    reference = Reference.of(Table.from_frame(table, label="ill"))
    batch = Batch.read(read_back(frame, schema), reference)
    assert not batch.misfit
    assert not batch.refusals
    pd.testing.assert_frame_equal(batch.frame, table.reset_index(drop=True), check_column_type=False)


@pytest.mark.parametrize(
    ("known", "stored_value", "want"),
    [
        ([True, False], 1, True),
        ([True, False], 0.0, False),
        ([1, 2, 3], 2.0, 2),
        (["1", "2"], 1, "1"),
        ([1, 2], "2", 2),
        ([True, False], "true", True),
        ([1, 2], "1.0", "1.0"),
        (["a", "b"], "c", "c"),
        ([1.5, 2.5], 2.5, 2.5),
    ],
)
def test_a_stored_value_stands_for_the_known_one_it_equals(known, stored_value, want):
    column = TableSchema.infer(pd.DataFrame({"x": pd.Categorical(known)}), label="x")["x"]
    found = known_value(stored_value, column)
    assert (found, type(found)) == (want, type(want))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # of pyspark
def test_rows_in_spark_are_judged_as_in_memory(monkeypatch, tmp_path):
    pyspark = pytest.importorskip("pyspark", reason="needs pyspark (pip install 'autosynth[spark]')")
    if shutil.which("java") is None:
        pytest.skip("Spark needs java")
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    spark = (
        pyspark.sql.SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.warehouse.dir", str(tmp_path))
        .getOrCreate()
    )
    try:
        real, synthetic = with_every_kind(300, 0), with_every_kind(400, 1)
        synthetic.astype({"grade": "int64"}).to_parquet(tmp_path / "rows.parquet", coerce_timestamps="us")
        asset = gx.get_context(mode="ephemeral").data_sources.add_spark("spark").add_dataframe_asset("rows")
        definition = asset.add_batch_definition_whole_dataframe("all")
        rows = spark.read.parquet(str(tmp_path / "rows.parquet"))
        batch = definition.get_batch(batch_parameters={"dataframe": rows})
        suite = build_suite(real, label="ill", self_test=False)
        in_spark, in_memory = by_check(run_gate(suite, batch)), by_check(run_gate(suite, synthetic))
        assert in_spark.keys() == in_memory.keys()
        for key, check in in_memory.items():
            assert (in_spark[key].status, in_spark[key].message) == (check.status, check.message)
        some = build_suite(real, label="ill", max_rows=100, self_test=False)
        moved = rows.withColumn("age", rows.age + 200)
        bad = by_check(run_gate(some, definition.get_batch(batch_parameters={"dataframe": moved})))
        assert bad["limits", "age"].message.startswith("400 of 400 values")
        assert int(bad["whole_numbers", "age"].message.split()[2]) <= 100
    finally:
        spark.stop()
        gc.collect()  # its sockets, before the next test hears of them
