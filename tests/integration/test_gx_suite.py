"""Suites: what they hold, that they come back whole or not at all, and where their rows are."""

from __future__ import annotations

import gc
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("autosynth_gx.suite", reason="needs great_expectations", exc_type=ImportError)

import great_expectations as gx
from great_expectations.expectations.expectation import Expectation

import autosynth_gx
from autosynth import Table
from autosynth.checks.families import FAMILIES
from autosynth.checks.reference import Reference
from autosynth.exceptions import AutosynthWarning, ConfigError, DataError, OutputError
from autosynth.toy import shortcut_table
from autosynth_gx import build_suite, load_suite, run_gate, save_suite
from autosynth_gx.real_rows import fingerprint, save_rows
from tests.integration.clinic import clinic

NEEDS_ROWS = {family.name for family in FAMILIES.values() if family.needs == "rows"}


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    return shortcut_table(300)


@pytest.fixture(scope="module")
def fresh() -> pd.DataFrame:
    return shortcut_table(300, random_state=1)


@pytest.fixture(scope="module")
def suite(real) -> Any:
    return build_suite(real, label="ill", self_test=False)


@pytest.fixture
def text(suite, tmp_path) -> str:
    return save_suite(suite, tmp_path / "suite.json").read_text(encoding="utf-8")


def changed(text: str, change: Any) -> str:
    data = json.loads(text)
    change(data)
    return json.dumps(data)


def errors_of(result: Any) -> set[str]:
    return {check.name for check in result.report.errors}


def test_a_suite_has_one_expectation_per_family_and_per_group_where_groups_are_judged(suite):
    asked = [(expectation.family().name, expectation.group) for expectation in suite.expectations]
    absent = {"rules", "held_out_exact_copies", "held_out_near_copies"}
    assert {name for name, _ in asked} == set(FAMILIES) - absent
    for name, family in FAMILIES.items():
        groups = [group for asked_name, group in asked if asked_name == name]
        assert groups == ([] if name in absent else ["ill=no", "ill=yes"] if family.scope == "group" else [None])


def test_every_expectation_says_its_severity_as_great_expectations_does(suite):
    for expectation in suite.expectations:
        assert expectation.severity.value == FAMILIES[expectation.family().name].severity


def test_the_json_of_a_suite_holds_no_real_row_no_rare_text_and_no_key(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOSYNTH_HASH_KEY", "a-key-that-nobody-knows")
    table = clinic(200)
    table["note"] = table["note"].fillna("nothing to note")
    real, holdout = table.iloc[:150], table.iloc[150:].reset_index(drop=True)
    suite = build_suite(real, label="ill", group_by="smoker", holdout=holdout, self_test=False)
    text = save_suite(suite, tmp_path / "suite.json").read_text(encoding="utf-8")
    assert "a-key-that-nobody-knows" not in text
    assert not [note for note in table["note"] if note in text and note != "nothing to note"]
    assert not [code for code in table["note"].str.split().str[0] if code.startswith("case") and code in text]
    data = json.loads(text)
    lists = list(_lists(data))
    for _, row in table.drop(columns="note").iterrows():
        cells = {str(cell) for cell in row if not pd.isna(cell)}
        assert not any(cells <= {str(part) for part in some} for some in lists if len(some) <= 2 * len(cells))


def _lists(data: Any) -> Any:
    """Yield every list of plain values in JSON, and the values of every mapping."""
    parts = list(data.values()) if isinstance(data, dict) else data if isinstance(data, list) else []
    plain = [part for part in parts if not isinstance(part, dict | list)]
    if plain:
        yield plain
    for part in parts:
        yield from _lists(part)


def test_a_saved_suite_loads_equal_and_judges_alike(suite, text, fresh, real, tmp_path):
    loaded = load_suite(text)
    assert loaded == suite
    assert load_suite(tmp_path / "suite.json") == suite
    frames = [run_gate(some, fresh, real=real).to_frame() for some in (suite, loaded)]
    pd.testing.assert_frame_equal(*frames)


def test_saving_twice_gives_the_same_file(suite, text, tmp_path):
    assert save_suite(load_suite(text), tmp_path / "again.json").read_text(encoding="utf-8") == text


LOSSES = {
    "an expectation dropped": (lambda data: data["expectations"].pop(), "saved with 18 expectations and has 17"),
    "an expectation twice": (lambda data: data["expectations"].append(data["expectations"][0]), "and has 19"),
    "an unknown type": (
        lambda data: data["expectations"][0].update(type="expect_synthetic_wonders"),
        "not installed: expect_synthetic_wonders",
    ),
    "a weaker severity": (lambda data: data["expectations"][0].update(severity="info"), "was changed"),
    "another severity that is none": (lambda data: data["expectations"][0].update(severity="no"), "with 18 .* has 17"),
    "another group": (lambda data: data["expectations"][7]["kwargs"].update(group="ill=maybe"), "was changed"),
    "another sentence": (lambda data: data["expectations"][0].update(description="All is well."), "was changed"),
    "an unknown argument": (lambda data: data["expectations"][0]["kwargs"].update(limit=1.0), "cannot be read"),
    "a wider limit": (
        lambda data: data["meta"]["autosynth"]["reference"]["schema"]["columns"][0].update(maximum=1e9),
        "was changed",
    ),
    "another format": (lambda data: data["meta"]["autosynth"].update(format=99), "format 99.*reads format 1"),
    "no mark of ours": (lambda data: data["meta"].pop("autosynth"), "no suite of autosynth"),
    "no list": (lambda data: data.update(expectations={"a": 1}), "no list of expectations"),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.filterwarnings("ignore::UserWarning:great_expectations")
def test_a_suite_is_loaded_complete_or_not_at_all(text, loss, caplog):
    change, message = LOSSES[loss]
    with pytest.raises(ConfigError, match=message):
        load_suite(changed(text, change))


@pytest.mark.parametrize(
    ("given", "message"),
    [("{", "no JSON"), ("[1]", "cannot be read"), ("{}", "no suite"), ("nowhere.json", "cannot be read")],
)
def test_what_is_no_suite_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        load_suite(given)


def test_a_changed_summary_is_noticed_even_where_the_seal_is_made_again(suite, text):
    def widen(data: Any) -> None:
        data["meta"]["autosynth"]["reference"]["group_sizes"].reverse()

    from autosynth_gx.suite_meta import seal

    forged = autosynth_gx.suite_file._build(json.loads(changed(text, widen)), trusted=False)
    seal(forged)
    with pytest.raises(ConfigError, match="summary of the real rows"):
        load_suite(forged)


def test_expectations_of_others_are_read_from_a_file_only_when_it_is_trusted(real, fresh, tmp_path):
    import great_expectations.expectations as gxe

    suite = build_suite(real, label="ill", self_test=False)
    suite.expectations.append(gxe.ExpectColumnValuesToBeBetween(column="age", max_value=1, severity="warning"))
    path = save_suite(suite, tmp_path / "suite.json")
    with pytest.raises(ConfigError, match=r"expect_column_values_to_be_between.*trusted=True"):
        load_suite(path)
    result = run_gate(load_suite(path, trusted=True), fresh, real=real)
    assert result.passed  # it is a warning
    assert [check.subject for check in result.report if check.name.startswith("expect_column")] == ["age"]
    assert run_gate(suite, fresh, fail_on="warning").exit_code == 1


def test_a_suite_that_lost_an_expectation_in_memory_is_not_run(suite, fresh):
    poorer = load_suite(load_suite_text(suite))
    poorer.expectations.pop()
    with pytest.raises(ConfigError, match="had 18 expectations and lacks expect_synthetic_repeated_rows now"):
        run_gate(poorer, fresh)


def load_suite_text(suite: Any) -> str:
    return json.dumps(suite.to_json_dict())


def test_no_base_class_of_ours_is_registered_as_an_expectation():
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    ours = [name for name in list_registered_expectation_implementations() if "synthetic" in name]
    assert sorted(ours) == sorted(f"expect_synthetic_{name}" for name in FAMILIES)
    assert all(issubclass(each, Expectation) for each in autosynth_gx.expectations.EXPECTATIONS.values())


def test_rows_are_kept_beside_a_suite_under_their_hash_and_found_again(real, fresh, tmp_path):
    holdout = shortcut_table(100, random_state=5)
    suite = build_suite(real, label="ill", holdout=holdout, rows_dir=tmp_path, self_test=False)
    facts = suite.meta["autosynth"]
    assert {path.stem for path in tmp_path.glob("*.parquet")} == {
        facts[role]["fingerprint"] for role in ("real", "holdout")
    }
    path = save_suite(suite, tmp_path / "suite.json")
    want = run_gate(suite, fresh).to_frame()
    del suite
    gc.collect()
    assert errors_of(run_gate(load_suite(path), fresh)) >= NEEDS_ROWS
    loaded = load_suite(path, rows_dir=tmp_path)
    pd.testing.assert_frame_equal(run_gate(loaded, fresh).to_frame(), want)
    pd.testing.assert_frame_equal(run_gate(load_suite(path), fresh, rows_dir=tmp_path).to_frame(), want)


@pytest.mark.parametrize("harm", ["does not exist", "was altered", "cannot be read"])
def test_checks_that_need_rows_err_where_the_rows_are_absent_or_altered(fresh, tmp_path, harm):
    real = shortcut_table(300, random_state=7)
    path = save_suite(build_suite(real, label="ill", rows_dir=tmp_path, self_test=False), tmp_path / "suite.json")
    gc.collect()
    (rows,) = tmp_path.glob("*.parquet")
    if harm == "does not exist":
        rows.unlink()
    elif harm == "was altered":
        save_rows(real.assign(age=real["age"] + 1), rows.stem, tmp_path)
    else:
        rows.write_bytes(b"PAR1")
    result = run_gate(load_suite(path, rows_dir=tmp_path), fresh)
    assert (result.status, result.exit_code) == ("error", 2)
    assert errors_of(result) == NEEDS_ROWS
    assert all(harm in check.error for check in result.report.errors)


def test_rows_given_must_be_those_of_the_suite(suite, real, fresh):
    with pytest.raises(DataError, match="not those that the suite was built from"):
        run_gate(suite, fresh, real=real.iloc[1:])
    with pytest.raises(DataError, match="built without any"):
        run_gate(suite, fresh, holdout=fresh)


def test_held_out_rows_that_are_absent_are_no_pass(fresh, tmp_path):
    real, holdout = shortcut_table(300, random_state=8), shortcut_table(100, random_state=9)
    path = save_suite(build_suite(real, label="ill", holdout=holdout, self_test=False), tmp_path / "suite.json")
    gc.collect()
    leaked = pd.concat([fresh, holdout], ignore_index=True)
    some = run_gate(load_suite(path), fresh, real=real)
    assert errors_of(some) == {"held_out_near_copies"}
    found = run_gate(load_suite(path), leaked, real=real)  # by hashes
    assert {check.name for check in found.report.failures} >= {"held_out_exact_copies", "held_out_near_copies"}
    assert run_gate(load_suite(path), leaked, real=real, holdout=holdout).exit_code == 1


def test_the_fingerprint_of_rows_knows_values_and_not_their_order_or_storage():
    table = clinic(60)
    reference = Reference.of(Table.from_frame(table, label="ill"), with_hashes=True)
    mark = fingerprint(table, reference)
    assert fingerprint(table.sample(frac=1, random_state=0), reference) == mark
    assert fingerprint(table.astype({"age": "float64", "ward": "object", "city": "category"}), reference) == mark
    assert fingerprint(table.iloc[1:], reference) != mark
    assert fingerprint(table.assign(age=table["age"] + 1), reference) != mark


def test_rows_cannot_be_tried_out_against_a_suite_without_its_key(real, fresh, monkeypatch):
    monkeypatch.setenv("AUTOSYNTH_HASH_KEY", "a key")
    suite = build_suite(real, label="ill", self_test=False)
    assert run_gate(suite, fresh, real=real).exit_code == 0
    for key in ("", "another key"):
        monkeypatch.setenv("AUTOSYNTH_HASH_KEY", key)
        with pytest.raises(ConfigError, match="AUTOSYNTH_HASH_KEY"):
            fingerprint(real, Reference.from_dict(suite.meta["autosynth"]["reference"]))
    assert "a key" not in json.dumps(suite.to_json_dict())


def test_a_suite_in_which_one_question_took_the_place_of_another_is_refused(real, fresh):
    suite = build_suite(real, label="ill", self_test=False)
    suite.expectations = [*suite.expectations[1:], suite.expectations[1]]
    with pytest.raises(ConfigError, match="lacks expect_synthetic_schema now"):
        run_gate(suite, fresh)


def test_rows_of_every_kind_survive_the_folder(tmp_path):
    table = clinic(150).rename(columns={"age": 7, "dose": "do se"})
    table["stay"] = pd.to_timedelta(np.arange(150), unit="h")
    table["code"] = pd.array([None if i % 5 == 0 else i % 4 for i in range(150)], dtype="Int64")
    suite = build_suite(table, label="ill", rows_dir=tmp_path, self_test=False)
    loaded = load_suite(save_suite(suite, tmp_path / "suite.json"), rows_dir=tmp_path)
    want = run_gate(suite, table).to_frame()
    del suite
    gc.collect()
    pd.testing.assert_frame_equal(run_gate(loaded, table).to_frame(), want)


def test_a_folder_that_does_not_exist_is_an_error_before_anything_is_built(real, tmp_path):
    with pytest.raises(OutputError, match="is not a folder"):
        build_suite(real, label="ill", rows_dir=tmp_path / "absent", self_test=False)


class Alarm:
    """A self-test that finds one check of real rows noisy."""

    name, subject, severity, n_alarms, n_splits = "farthest_column", "ill=yes", "critical", 9, 10

    n_passed = 1

    @property
    def noisy(self) -> tuple[Any, ...]:
        return (self,)

    def __str__(self) -> str:
        return "1 of 10 halves passed."


def test_noisy_checks_are_said_and_recorded(real, monkeypatch):
    monkeypatch.setattr("autosynth_gx.suite.check_halves", lambda *args, **options: Alarm())
    with pytest.warns(AutosynthWarning, match="on_noisy='demote'"):
        suite = build_suite(real, label="ill")
    assert suite.meta["autosynth"]["self_test"]["noisy"] == [
        {"name": "farthest_column", "subject": "ill=yes", "n_alarms": 9, "n_splits": 10}
    ]
    assert {each.severity.value for each in suite.expectations if each.group} == {"critical"}


def test_noisy_checks_stop_the_build_on_request(real, monkeypatch):
    monkeypatch.setattr("autosynth_gx.suite.check_halves", lambda *args, **options: Alarm())
    with pytest.raises(ConfigError, match="1 of 10 halves"):
        build_suite(real, label="ill", on_noisy="raise")


def test_noisy_checks_are_warnings_on_request_and_stay_so_in_the_file(real, fresh, monkeypatch, tmp_path):
    monkeypatch.setattr("autosynth_gx.suite.check_halves", lambda *args, **options: Alarm())
    with pytest.warns(AutosynthWarning, match="count as warnings"):
        suite = build_suite(real, label="ill", on_noisy="demote")
    loaded = load_suite(save_suite(suite, tmp_path / "suite.json"))
    weak = {(each.family().name, each.group) for each in loaded.expectations if each.severity.value == "warning"}
    assert ("marginal_fidelity", "ill=yes") in weak
    assert ("marginal_fidelity", "ill=no") not in weak
    far = fresh.assign(severity=np.where(fresh["ill"] == "yes", 50.0, fresh["severity"]))
    found = {
        check.severity
        for check in run_gate(loaded, far, real=real).report
        if (check.name, check.subject) in itertools.product(["marginal_fidelity", "farthest_column"], ["ill=yes"])
    }
    assert found == {"warning"}


def test_the_self_test_of_real_rows_is_recorded(real):
    facts = build_suite(real, label="ill").meta["autosynth"]["self_test"]
    assert facts["n_splits"] >= 5
    assert facts["noisy"] == []


def test_wrong_options_are_refused_before_any_work(real):
    with pytest.raises(ConfigError, match="on_noisy='maybe' is unknown"):
        build_suite(real, label="ill", on_noisy="maybe")
    with pytest.raises(ConfigError, match="max_rows=0"):
        build_suite(real, label="ill", max_rows=0)
    with pytest.raises(ConfigError, match="was not built by autosynth"):
        save_suite(gx.ExpectationSuite(name="another"), Path("nowhere.json"))


def test_what_a_suite_knows_is_freed_with_it(fresh):
    import weakref

    from autosynth_gx.sources import find_source

    suite = build_suite(shortcut_table(200, random_state=11), label="ill", self_test=False)
    source = weakref.ref(find_source(suite.meta["autosynth"]["reference_digest"]))
    run_gate(suite, fresh)
    assert source() is not None
    del suite
    gc.collect()
    assert source() is None


def test_groups_that_read_alike_are_told_apart():
    from autosynth import Table
    from autosynth.checks.reference import Reference
    from autosynth_gx.groups import group_code, group_keys

    frame = shortcut_table(200)
    frame["hospital"] = frame["hospital"].map({"north": "missing", "south": None})
    reference = Reference.of(Table.from_frame(frame, label="ill", group_by="hospital"))
    keys = group_keys(reference)
    assert len(set(keys)) == len(keys) == 4
    assert [group_code(reference, key) for key in keys] == [0, 1, 2, 3]
    with pytest.raises(DataError, match="Did you mean 'ill=no, hospital=missing'"):
        group_code(reference, "ill=no, hospital=mising")
