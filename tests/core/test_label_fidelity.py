from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from autosynth import CheckResult, Table
from autosynth.checks.batch import Batch
from autosynth.checks.families import FAMILIES
from autosynth.checks.family import Context
from autosynth.checks.forest import HonestForest
from autosynth.checks.label_fidelity import ClassAgreement, _judge_class, _Judged
from autosynth.checks.noise import deviations, level_of_each
from autosynth.checks.real_rows import RealRows
from autosynth.checks.reference import Reference

FAMILY = FAMILIES["label_fidelity"]


def rows(n_rows: int, seed: int = 0, gap: float = 1.2, n_classes: int = 2, rare: float = 0.3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    shares = np.r_[1 - rare, np.full(n_classes - 1, rare / (n_classes - 1))]
    y = rng.choice(n_classes, n_rows, p=shares)
    y[:n_classes] = np.arange(n_classes)
    centres = np.random.default_rng(99).normal(size=(n_classes, 4))
    frame = pd.DataFrame(gap * centres[y] + rng.normal(size=(n_rows, 4)), columns=list("abcd"))
    return frame.assign(ward=rng.choice(["north", "south"], n_rows), y=[f"class {code}" for code in y])


def verdict(
    real: pd.DataFrame, synthetic: pd.DataFrame, group_by: str | list[str] | None = None
) -> dict[str, CheckResult]:
    table = Table.from_frame(real, label="y", group_by=group_by)
    batch = Batch.of_groups(synthetic.reset_index(drop=True), table.grouping.codes(synthetic))
    results = FAMILY.ask_all(Context(Reference.of(table), batch, RealRows(table)))
    assert not any(result.error for result in results)
    return {result.subject: result for result in results}


def swapped(frame: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    return frame.assign(y=frame["y"].replace({first: second, second: first}))


@pytest.mark.parametrize("group_by", [None, "ward"])
def test_swapped_labels_fail_for_both_classes(group_by: str | None) -> None:
    results = verdict(rows(1000), swapped(rows(600, 1), "class 0", "class 1"), group_by)
    assert set(results) == {"y=class 0", "y=class 1", "all classes"}
    for result in results.values():
        assert (result.status, result.severity) == ("failed", "critical")
        assert "gives their label a mean probability of" in result.message


def test_of_three_classes_only_the_two_that_were_exchanged_fail() -> None:
    real, fresh = (rows(1500, seed, n_classes=3, gap=2, rare=0.6) for seed in range(2))
    results = verdict(real, swapped(fresh, "class 1", "class 2"))
    assert {subject for subject, result in results.items() if not result.passed} == {
        "y=class 1",
        "y=class 2",
        "all classes",
    }


def test_a_third_of_flipped_labels_fails() -> None:
    made = rows(2000, 1, gap=2, rare=0.5)
    flips = np.random.default_rng(0).random(len(made)) < 0.33
    made.loc[flips, "y"] = swapped(made, "class 0", "class 1").loc[flips, "y"]
    results = verdict(rows(2000, gap=2), made)
    assert not any(result.passed for result in results.values())


def test_classes_together_show_fewer_wrong_labels_than_each_by_itself() -> None:
    made = rows(500, 1, gap=1, rare=0.5)
    flips = np.random.default_rng(0).random(len(made)) < 0.3
    made.loc[flips, "y"] = swapped(made, "class 0", "class 1").loc[flips, "y"]
    results = verdict(rows(500, gap=1, rare=0.5), made)
    reach = {subject: float(result.message.split("which ")[1].split("%")[0]) for subject, result in results.items()}
    assert reach["all classes"] < min(reach["y=class 0"], reach["y=class 1"])
    assert not results["all classes"].passed


@pytest.mark.parametrize("rare", [0.03, 0.3])
def test_fresh_rows_pass_in_any_mix(rare: float) -> None:
    for seed in range(4):
        fresh = rows(3000, 100 + seed, rare=0.5).groupby("y").head(300)
        results = verdict(rows(1000, seed, rare=rare), fresh, "ward")
        assert all(result.passed for result in results.values())
        assert results["y=class 0"].status == "passed"


def test_a_label_that_nothing_predicts_is_said_to_be_so() -> None:
    real, made = rows(1000, gap=0), swapped(rows(600, 1, gap=0), "class 0", "class 1")
    for result in verdict(real, made).values():
        assert result.status == "skipped"
        assert "hardly predictable" in result.message
        assert "a swap would cost" in result.message


def test_a_check_that_could_not_have_failed_is_skipped_and_one_that_failed_is_not() -> None:
    agreement = ClassAgreement(observed=0.6, baseline=0.6, other=0.5, deviation=0.0)
    reach = agreement.cost - 0.02
    deviation = reach / deviations(level_of_each(1))
    for share, observed, status in ((0.9, 0.6, "passed"), (0.999, 0.6, "skipped"), (0.999, 0.5, "failed")):
        found = replace(agreement, observed=observed, deviation=(share * agreement.cost - 0.02) / reach * deviation)
        result = _judge_class("y=a", found, 1, "9 rows")
        assert result.status == status
        assert f"which {share:.0%} of labels" in result.message


def test_classes_of_one_row_do_not_stop_the_others_from_being_judged() -> None:
    real = rows(500, n_classes=2, gap=2)
    real = pd.concat([real, real.head(1).assign(y="class 9")], ignore_index=True)
    made = pd.concat([rows(300, 1, gap=2), real.tail(1)], ignore_index=True)
    results = verdict(real, made)
    assert results["y=class 9"].status == "skipped"
    assert results["y=class 0"].status == "passed"


def quantities(n_rows: int, seed: int = 0, noise: float = 0.5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n_rows, 3)), columns=list("abc")).assign(ward=rng.choice(list("uv"), n_rows))
    return frame.assign(y=frame["a"] - frame["b"] + noise * rng.normal(size=n_rows) + (frame["ward"] == "u"))


def test_a_quantity_in_another_order_fails_and_a_fresh_one_passes() -> None:
    real, fresh = quantities(800), quantities(500, 1)
    (passed,) = verdict(real, fresh, "ward").values()
    assert (passed.status, passed.subject) == ("passed", "all rows")
    mixed = fresh.assign(y=np.random.default_rng(0).permutation(fresh["y"]))
    (failed,) = verdict(real, mixed, "ward").values()
    assert (failed.status, failed.severity) == ("failed", "critical")
    assert failed.observed < 0.4
    constant = verdict(real, fresh.assign(y=fresh["y"].iloc[0]), "ward")
    assert constant["all rows"].observed == 0


def test_a_quantity_that_nothing_predicts_is_said_to_be_so() -> None:
    real, fresh = (quantities(300, seed).drop(columns=["a", "b"]) for seed in range(2))
    noise = np.random.default_rng(0).normal(size=300)
    (result,) = verdict(real.assign(y=noise), fresh.assign(y=noise), "ward").values()
    assert result.status == "skipped"
    assert "hardly predictable" in result.message


def test_it_leaves_no_trace_and_gives_the_same_again() -> None:
    first, again = (verdict(rows(400), rows(300, 1)) for _ in range(2))
    assert first == again


def test_cells_without_any_row_in_a_tree_raise_no_warning() -> None:
    """Warnings are errors in these tests, and a check that errs says so."""
    real, fresh = (rows(400, seed, gap=2) for seed in range(2))
    wards = [f"ward {i}" for i in range(60)]
    real, fresh = (some.assign(ward=np.resize(wards, len(some))) for some in (real, fresh))
    lone = real.head(1).assign(ward="ward of one")
    assert verdict(pd.concat([real, lone], ignore_index=True), fresh, "ward")["all classes"].passed
    classes, cells = np.repeat([0, 1], 50), np.arange(100)
    assert np.isfinite(HonestForest.of_classes(np.arange(100.0)[:, None], classes, cells).unseen).all()


def test_the_means_of_all_classes_are_those_of_each_class_by_itself() -> None:
    rng = np.random.default_rng(0)
    real = np.where(rng.random(300) < 0.05, np.nan, rng.random(300))
    classes, cells, made_cells = rng.integers(0, 6, 300), rng.integers(0, 9, 300), rng.integers(2, 7, 40)
    cells[classes == 3] = 8  # no cell of the synthetic rows
    judged = _Judged(rng.random(40), made_cells, real, cells, classes)
    np.testing.assert_allclose(judged._means_of_classes(), [judged._of_class(code)[0] for code in range(6)])


def test_a_table_without_features_has_no_model() -> None:
    assert verdict(rows(100)[["y"]], rows(100, 1)[["y"]]) == {}


def test_what_unseen_trees_expect_of_a_row_is_what_all_expect_of_a_fresh_one() -> None:
    gaps = []
    for seed in range(10):
        real, fresh = rows(400, seed, rare=0.08), rows(4000, 100 + seed, rare=0.08)
        classes, new = ((some["y"] == "class 1").to_numpy().astype(int) for some in (real, fresh))
        forest = HonestForest.of_classes(real[list("abcd")].to_numpy(), classes)
        expected = forest.expect(fresh[list("abcd")].to_numpy())
        gaps.append(forest.unseen[classes == 1, 1].mean() - expected[new == 1, 1].mean())
    assert np.mean(gaps) == pytest.approx(0, abs=3 * np.std(gaps) / np.sqrt(len(gaps)))
