from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import autosynth
from autosynth import Table
from autosynth.checks.batch import Batch
from autosynth.checks.families import FAMILIES
from autosynth.checks.family import Context
from autosynth.checks.reference import Reference
from autosynth.checks.result import CheckResult
from autosynth.toy import shortcut_table


def refused(real: pd.DataFrame, synthetic: pd.DataFrame, **asked: object) -> CheckResult:
    reference = Reference.of(Table.from_frame(real, **{"label": "y"} | asked))
    (found,) = FAMILIES["refused_rows"].ask_all(Context(reference, Batch.read(synthetic, reference)))
    return found


def many_columns(n_rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    columns = {f"c{place}": rng.choice(list("abcd"), n_rows) for place in range(40)}
    return pd.DataFrame({**columns, "y": rng.integers(0, 2, n_rows)})


@pytest.mark.parametrize("value", ["foreign", None])
def test_few_faults_in_each_of_many_columns_are_many_in_all(value: str | None) -> None:
    real, spoiled = many_columns(400, 0), many_columns(400, 1)
    for place in range(40):
        spoiled.loc[np.arange(10 * place, 10 * place + 8) % 400, f"c{place}"] = value
    report = autosynth.check(real, spoiled, label="y")
    assert [found.name for found in report.failures] == ["refused_rows"]
    (found,) = report.failures
    assert found.severity == "critical"
    assert found.observed == pytest.approx(0.8)
    assert found.message.startswith("320 of 400 rows (80.0%) do not fit the real table")
    assert found.offenders[0].observed == pytest.approx(0.02)


def test_rows_that_all_fit_are_refused_by_nobody() -> None:
    found = refused(many_columns(400, 0), many_columns(400, 1))
    assert (found.status, found.observed) == ("passed", 0)
    assert found.limit < 0.12


def test_what_fresh_rows_lose_in_all_columns_is_let_pass() -> None:
    def rows(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        tails = {f"c{place}": [f"v{value}" for value in rng.zipf(1.6, 500)] for place in range(5)}
        return pd.DataFrame({**tails, "y": rng.integers(0, 2, 500)})

    for seed in range(20):
        found = refused(rows(2 * seed), rows(2 * seed + 1))
        assert found.passed, found.message
        assert found.observed > 0.1


def test_missing_values_that_hardly_any_column_shows_are_let_pass() -> None:
    def rows(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        numbers = pd.DataFrame(rng.normal(size=(300, 60)), columns=[f"x{place}" for place in range(60)])
        return numbers.mask(rng.random((300, 60)) < 0.002).assign(y=rng.integers(0, 2, 300))

    for seed in range(10):
        found = refused(rows(2 * seed), rows(2 * seed + 1))
        assert found.passed, found.message
        assert found.observed > 0


def test_no_rows_are_no_question_of_refusal() -> None:
    real = shortcut_table(200)
    reference = Reference.of(Table.from_frame(real, label="ill"))
    assert all(
        found.status != "passed"
        for found in FAMILIES["refused_rows"].ask_all(Context(reference, Batch.read(real.head(0), reference)))
    )
