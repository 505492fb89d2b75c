from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import autosynth
from autosynth import Table
from autosynth.checks.contamination import KnownRows
from autosynth.checks.families import FAMILIES
from autosynth.checks.real_rows import RealRows
from autosynth.checks.verdict import check_rows
from autosynth.exceptions import ConfigError, DataError
from autosynth.toy import shortcut_table


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    return shortcut_table(600, minority_share=0.3)


@pytest.fixture(scope="module")
def fresh() -> pd.DataFrame:
    return shortcut_table(600, minority_share=0.3, random_state=1)


def test_check_and_check_rows_agree(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    table = Table.from_frame(real, label="ill")
    first = autosynth.check(real, fresh, label="ill")
    second = check_rows(table, fresh, table.grouping.codes(fresh), copies="fail")
    assert repr(first.results) == repr(second.results)


def test_the_rows_compared_are_kept_for_pictures(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    report = autosynth.check(real, fresh.assign(ward=fresh["ward"].where(np.arange(600) > 2, "attic")), label="ill")
    assert report.evidence is not None
    assert len(report.evidence.synthetic) == len(report.evidence.group_codes) == 597
    assert report.evidence.table.frame is real


@pytest.mark.parametrize("give", [KnownRows.of, RealRows], ids=["known rows", "real rows"])
def test_held_out_rows_reach_the_fast_path(real: pd.DataFrame, fresh: pd.DataFrame, give: object) -> None:
    table = Table.from_frame(real, label="ill")
    report = check_rows(
        table,
        fresh,
        table.grouping.codes(fresh),
        real_rows=give(table, fresh),  # type: ignore[operator]
    )
    assert "held_out_exact_copies" in {found.name for found in report.failures}


def test_the_quick_checks_leave_out_those_that_fit_models(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    table = Table.from_frame(real, label="ill")
    report = check_rows(table, fresh, table.grouping.codes(fresh), quick_only=True)
    slow = {family.name for family in FAMILIES.values() if not family.is_quick}
    assert slow
    assert not slow & {found.name for found in report}
    assert {"marginal_fidelity", "dependence", "exact_copies"} <= {found.name for found in report}


def test_no_rows_make_an_empty_report(real: pd.DataFrame) -> None:
    table = Table.from_frame(real, label="ill")
    assert not check_rows(table, real.head(0), np.empty(0, dtype=np.int64)).results


def test_held_out_rows_with_other_columns_are_an_error(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="holdout has other columns"):
        autosynth.check(real, fresh, label="ill", holdout=fresh[["age"]])


def test_rules_are_checked_and_impossible_ones_refused(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    broken = fresh.assign(age=np.where(np.arange(600) < 200, 300, fresh["age"]))
    report = autosynth.check(real, broken, label="ill", rules=["age < 150"])
    (found,) = (some for some in report if some.name == "rules")
    assert not found.passed
    with pytest.raises(ConfigError, match="broken by"):
        autosynth.check(real, fresh, label="ill", rules=["age > 150"])


def test_a_quantity_as_label_is_judged_like_any_column(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    asked = {"label": "severity", "group_by": "hospital"}
    report = autosynth.check(real, fresh, **asked)  # type: ignore[arg-type]
    assert report.passed, str(report)
    spoiled = autosynth.check(real, fresh.assign(severity=fresh["severity"] * 0 + 1.5), **asked)  # type: ignore[arg-type]
    assert "farthest_column" in {found.name for found in spoiled.failures}


def test_every_group_with_rows_is_judged(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    report = autosynth.check(real, fresh, label="ill", group_by=["hospital", "smoker"])
    table = Table.from_frame(real, label="ill", group_by=["hospital", "smoker"])
    present = {str(table.groups[code]) for code in set(table.grouping.codes(fresh).tolist()) - {-1}}
    assert {found.subject for found in report if found.name == "marginal_fidelity"} == present
    assert {found.subject for found in report if found.name == "farthest_column"} == present


def test_fresh_real_rows_pass_nearly_always() -> None:
    n_failed = 0
    for seed in range(25):
        rows = shortcut_table(700, minority_share=0.25, random_state=seed)
        table = Table.from_frame(rows.iloc[:350].reset_index(drop=True), label="ill", group_by="hospital")
        fresh = rows.iloc[350:].reset_index(drop=True)
        report = check_rows(table, fresh, table.grouping.codes(fresh), quick_only=True)
        n_failed += not report.passed
    assert n_failed <= 2
