from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from autosynth import CheckResult, Table
from autosynth.checks.batch import Batch
from autosynth.checks.detectability import area_deviation
from autosynth.checks.families import FAMILIES
from autosynth.checks.family import Context
from autosynth.checks.real_rows import RealRows
from autosynth.checks.reference import Reference
from autosynth.toy import shortcut_table

FAMILY = FAMILIES["detectability"]


def verdict(real: pd.DataFrame, synthetic: pd.DataFrame, group_by: str | None = None) -> list[CheckResult]:
    table = Table.from_frame(real, label="ill", group_by=group_by)
    batch = Batch.of_groups(synthetic.reset_index(drop=True), table.grouping.codes(synthetic))
    return FAMILY.ask_all(Context(Reference.of(table), batch, RealRows(table)))


def patients(n_rows: int, seed: int = 0, minority_share: float = 0.3) -> pd.DataFrame:
    return shortcut_table(n_rows, minority_share=minority_share, random_state=seed)


def balanced(frame: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    return pd.concat([some.sample(n_rows, random_state=0) for _, some in frame.groupby("ill")])


def test_it_warns_and_takes_its_time() -> None:
    assert (FAMILY.severity, FAMILY.needs, FAMILY.is_quick) == ("warning", "rows", False)


@pytest.mark.parametrize("n_synthetic", [100, 800])
def test_fresh_rows_cannot_be_told_apart(n_synthetic: int) -> None:
    for seed in range(3):
        (result,) = verdict(patients(800, seed), patients(n_synthetic, 100 + seed))
        assert (result.status, result.subject) == ("passed", "all rows")
        assert result.observed == pytest.approx(0.5, abs=0.1)


def test_columns_that_do_not_hang_together_are_told_apart_and_named() -> None:
    real, made = patients(1500), patients(1500, 1)
    rng = np.random.default_rng(0)
    for name, sign in (("pressure", 1.0), ("age", -1.0)):
        real[name] = sign * real["severity"]
        made[name] = rng.permutation(sign * made["severity"])
    (result,) = verdict(real, made)
    assert (result.status, result.severity) == ("failed", "warning")
    assert result.observed > 0.95
    assert {offender.name for offender in result.offenders[:3]} == {"pressure", "severity", "age"}
    assert sum(offender.observed for offender in result.offenders) <= 1 + 1e-9
    assert "leans on" in result.message


def test_another_mix_of_groups_is_not_told_apart() -> None:
    made = balanced(patients(4000, 1, 0.2), 600)
    (result,) = verdict(patients(3000, 0, 0.05), made, "hospital")
    assert result.observed < 0.6


def test_copies_are_not_seen() -> None:
    (result,) = verdict(patients(600), patients(600))
    assert result.passed


def test_few_rows_are_skipped() -> None:
    (tiny,) = verdict(patients(600), patients(4, 1, 0.5))
    assert (tiny.status, tiny.severity) == ("skipped", "warning")
    (small,) = verdict(patients(600), patients(6, 1, 0.5))
    assert small.status == "skipped"
    assert "too few" in small.message


def test_the_same_rows_give_the_same_area_and_leave_the_random_streams_alone() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - looked at, not used
    first, again = (verdict(patients(400), patients(400, 1)) for _ in range(2))
    assert str(first) == str(again)  # a limit of an offender is NaN, which equals nothing
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.parametrize("n_rows", [400, 2000])  # all of them are looked at, or some
def test_the_order_of_the_synthetic_rows_does_not_matter(n_rows: int) -> None:
    real, made = patients(400), patients(n_rows, 1)
    first, again = (verdict(real, some) for some in (made, made.sample(frac=1, random_state=0)))
    assert str(first) == str(again)


def test_splits_that_tell_nothing_apart_are_no_error() -> None:
    real = pd.DataFrame({"x": [0, 1] * 6, "ill": [0, 1] * 6})
    for order in range(5):
        (result,) = verdict(real.sample(frac=1, random_state=order), real)
        assert not result.error


def test_a_table_of_nothing_but_labels_has_nothing_to_tell() -> None:
    assert verdict(patients(100)[["ill"]], patients(100, 1)[["ill"]]) == []


def test_the_deviation_of_an_area_is_that_of_simulated_ones() -> None:
    rng = np.random.default_rng(0)
    gap = np.sqrt(2) * 1.036  # normal scores so far apart give an area of 0.85
    truth = np.repeat([0, 1], [60, 90])
    areas = [roc_auc_score(truth, rng.normal(size=150) + gap * truth) for _ in range(400)]
    assert np.mean(areas) == pytest.approx(0.85, abs=0.01)
    assert np.std(areas) == pytest.approx(area_deviation(0.85, 90, 60), rel=0.15)
