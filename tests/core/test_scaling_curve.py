from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from autosynth import AutosynthError, Group, SampledRows, ScalingCurve, Table, scaling_curve
from autosynth.exceptions import ConfigError
from autosynth.scaling.reserve import Reserve, hold_back
from autosynth.scaling.sizes import default_sizes
from autosynth.toy import overlapping_classes, shortcut_table
from autosynth.tuning.arm import Arm
from autosynth.tuning.fold_source import FoldRows, plan_of
from autosynth.tuning.halving import measure_arms

SIZES = (10, 20, 40, 80)


def rows(n_rows: int = 240, seed: int = 0) -> pd.DataFrame:
    return overlapping_classes(n_rows, minority_share=0.25, n_features=4, random_state=seed)


def measure(train: pd.DataFrame | None = None, **options: Any) -> ScalingCurve:
    given = {"label": "target", "generator": "ros", "sizes": SIZES, "cv": 2, "n_bootstrap": 50, **options}
    return scaling_curve(rows() if train is None else train, learner=LogisticRegression(), **given)


@pytest.fixture(scope="module")
def curve() -> ScalingCurve:
    return measure(generator="smote", reserve=0.4)


def facts(curve: ScalingCurve) -> dict[str, Any]:
    """Return a curve as plain data without the times."""
    plain = curve.to_dict()
    for point in (plain, *plain["points"], *plain["real_points"]):
        point.pop("seconds")
    return plain


def test_a_curve_has_a_point_per_size_and_the_models_without_augmentation(curve: ScalingCurve) -> None:
    assert [point.n for point in curve.points] == list(SIZES)
    assert [reference.name for reference in curve.references][:2] == ["oversampled only", "none"]
    assert {"none, corrected prior", "none, tuned threshold", "class weights"} <= {
        each.name for each in curve.references
    }
    for point in (*curve.points, *curve.real_points):
        assert point.risk.low < point.risk.value < point.risk.high
    assert [point.n_added for point in curve.points] == [36 + 2 * n for n in SIZES]  # 36 bring 18 rows to 54


def test_all_points_stand_on_the_rows_that_no_reserve_holds(curve: ScalingCurve) -> None:
    assert (curve.n_rows, curve.n_reserved) == (144, 96)
    assert [point.n for point in curve.real_points] == [10, 20, 24]  # 24 of the 60 minority rows are held back
    assert [point.n_added for point in curve.real_points] == [36 + 2 * n for n in (10, 20, 24)]


def test_the_same_seed_gives_the_same_curve_and_another_one_another(curve: ScalingCurve) -> None:
    assert facts(measure(generator="smote", reserve=0.4)) == facts(curve)
    assert facts(measure(generator="smote", reserve=0.4, random_state=1)) != facts(curve)


def test_no_reserve_leaves_the_other_points_as_they_are_and_draws_no_line() -> None:
    further = rows(200, seed=7)
    alone, beside = measure(), measure(reserve=further)
    assert facts(alone)["points"] == facts(beside)["points"]
    assert alone.real_points == ()
    assert [point.n for point in beside.real_points] == [10, 20, 40, 50]


def test_real_rows_beat_rows_of_a_generator_that_confuses_the_groups(scripted: Any) -> None:
    curve = measure(generator=scripted(confused), reserve=rows(600, seed=3), n_bootstrap=100)
    assert curve.law.shape == "rises"
    assert curve.real_points[-1].risk.high < curve.points[-1].risk.low
    said = str(curve)
    assert "more of them do harm" in said
    assert "a model on synthetic rows has a higher risk than one on real rows" in said


def confused(table: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> SampledRows:
    """Draw rows of the other group and call them rows of this one."""
    parts = []
    for group, n in counts.items():
        (other,) = [each for each in table.groups if each != group]
        drawn = table.frame.iloc[rng.choice(table.positions(other), size=n)]
        parts.append(drawn.assign(target=group["target"]))
    return SampledRows(pd.concat(parts))


def test_rows_held_back_are_real_rows_that_nobody_else_gets() -> None:
    table = Table.from_frame(rows(), label="target")
    base, reserve = hold_back(table, 0.25, np.random.default_rng(0))
    assert len(base) + len(reserve.frame) == len(table)
    together = pd.concat([base.frame, reserve.frame]).sort_values("x0").reset_index(drop=True)
    pd.testing.assert_frame_equal(together, table.frame.sort_values("x0").reset_index(drop=True))
    assert np.bincount(reserve.group_codes).tolist() == [45, 15]


def test_real_rows_replace_augmented_rows_and_leave_oversampled_ones() -> None:
    table = Table.from_frame(rows(), label="target")
    base, reserve = hold_back(table, 0.25, np.random.default_rng(0))
    zero, arm = Arm(generator="ros"), Arm(generator="ros", augment=5)
    n_oversample, n_all = plan_of(zero, base).counts, plan_of(arm, base).counts
    minority = base.frame[base.frame["target"] == 1].iloc[[0] * n_all[base.groups[1]]]
    made = FoldRows(
        pd.concat([base.frame.iloc[:5], minority], ignore_index=True), np.repeat([0, 1], [5, len(minority)])
    )
    taken = reserve.in_place_of(made, plan_of(zero, base)).first(plan_of(arm, base))
    real = taken.frame.merge(reserve.frame)
    assert len(taken.frame) == n_oversample[base.groups[1]] + 2 * 5
    assert real["target"].value_counts().to_dict() == {0: 5, 1: 5}


def test_rows_of_the_table_are_no_reserve() -> None:
    train = rows()
    with pytest.raises(AutosynthError, match="reserve rows equal rows of the table"):
        measure(train, reserve=pd.concat([train.head(80), rows(100, seed=5)]))


@pytest.mark.parametrize(
    ("further", "message"),
    [
        (rows(100, seed=5).drop(columns="x1"), r"lacks the columns \['x1'\]"),
        (rows(100, seed=5).assign(target=2), "belong to no group"),
        (rows(100, seed=5).assign(x0="a"), "cannot be brought to the table's dtypes"),
        (rows(100, seed=5).query("target == 0"), "holds no row of one of the groups"),
        (0.01, "holds back no row of group target=1"),
        (1, "holds back every row"),
        ("some", "out of range"),
    ],
)
def test_a_reserve_that_cannot_stand_in_is_refused(further: Any, message: str) -> None:
    with pytest.raises(AutosynthError, match=message):
        measure(rows(120), reserve=further)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": [10, 20, 40]}, "at least 4 sizes"),
        ({"sizes": [10, 40, 20, 80]}, "do not rise"),
        ({"sizes": [0, 20, 40, 80]}, "whole number from 1"),
        ({"sizes": [10.5, 20, 40, 80]}, "whole number from 1"),
        ({"sizes": 80}, "no list"),
        ({"metric": "recall"}, "metric='recall' is unknown"),
        ({"metric": lambda y_true, y_proba: 0.0}, "is a function"),
        ({"generator": "smoke"}, "is not installed"),
        ({"generator_options": {"k": 3}}, "k"),
        ({"alpha": 2}, "alpha=2"),
        ({"synthetic_weight": 0}, "synthetic_weight"),
        ({"cv": 1}, "cv"),
        ({"random_state": None, "ledger": "folder"}, "random_state=None"),
        ({"n_bootstrap": 3}, "n_bootstrap"),
        ({"label": "x0"}, "quantity"),
        ({"label": "y"}, "not a column"),
    ],
)
def test_options_that_make_no_curve_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(AutosynthError, match=message):
        measure(**options)


def test_a_class_of_one_row_is_too_few() -> None:
    train = rows()
    with pytest.raises(AutosynthError, match="1 of 181 rows"):
        measure(pd.concat([train[train["target"] == 0], train[train["target"] == 1].head(1)]))


def test_a_generator_that_fails_is_named_with_its_reason(scripted: Any) -> None:
    def fail(table: Table, counts: Any, rng: Any) -> SampledRows:
        raise RuntimeError("the disk is on fire")

    with pytest.raises(AutosynthError, match=r"0 of 4 sizes.*disk is on fire"):
        measure(generator=scripted(fail))


def test_sizes_that_the_generator_cannot_reach_are_left_out_and_said(scripted: Any) -> None:
    def tired(table: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> SampledRows:
        """Give up to 110 rows of a group, and none when it is asked for the rest."""
        most = 0 if asked_too_much else 110
        drawn = [rng.choice(table.positions(group), size=min(n, most)) for group, n in counts.items()]
        if asked_too_much:
            asked_too_much.pop()
        elif max(counts.values()) > 110:
            asked_too_much.extend(["twice", "in a row"])
        return SampledRows(table.frame.iloc[np.concatenate(drawn)])

    asked_too_much: list[str] = []
    curve = measure(generator=scripted(tired), sizes=(5, 10, 15, 20, 400))
    assert [point.n for point in curve.points] == [5, 10, 15, 20]
    assert list(curve.failed) == [400]
    assert "N = 400 has no point" in str(curve)


def test_a_curve_is_taken_up_from_its_ledger(tmp_path: Path, scripted: Any) -> None:
    learned = []

    def learn(table: Table) -> Any:
        learned.append(len(table))
        generator = scripted()
        generator.table_ = table
        return generator

    first = measure(generator=scripted(learn=learn), ledger=tmp_path / "ledger", reserve=0.3)
    assert len(learned) == 2  # once per fold; the rows for the models on real rows are read
    assert facts(measure(generator=scripted(learn=learn), ledger=tmp_path / "ledger", reserve=0.3)) == facts(first)
    assert len(learned) == 2


def test_a_time_budget_that_is_too_small_says_what_would_do() -> None:
    with pytest.raises(AutosynthError, match="time_budget_s=1e-06 ended"):
        measure(time_budget_s=1e-6)


def test_when_the_time_ends_the_folds_that_all_sizes_ran_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[int] = []

    class Counted(LogisticRegression):
        def fit(self, *rows: Any, **weights: Any) -> Counted:
            fits.append(1)  # a second of a clock that counts models
            return super().fit(*rows, **weights)  # type: ignore[no-any-return]

    timed = partial(measure_arms, clock=lambda: float(len(fits)))
    monkeypatch.setattr("autosynth.scaling.models.measure_arms", timed)
    curve = scaling_curve(
        rows(), label="target", generator="ros", sizes=SIZES, cv=3, learner=Counted(), n_bootstrap=50, time_budget_s=16
    )
    assert len(fits) == 16  # 7 models in each of 3 folds would be 21
    assert curve.n_folds == 2


def test_a_curve_becomes_a_frame_and_json(curve: ScalingCurve, tmp_path: Path) -> None:
    frame = curve.to_frame()
    assert frame["what"].value_counts().to_dict()["synthetic"] == 4
    assert frame.loc[frame["what"] == "synthetic", "risk"].tolist() == [point.risk.value for point in curve.points]
    plain = json.loads(curve.to_json(tmp_path / "curve.json"))
    assert plain == json.loads((tmp_path / "curve.json").read_text(encoding="utf-8")) == json.loads(curve.to_json())
    assert plain["law"]["sizes"] == list(SIZES)
    assert curve.best.risk.value == frame.loc[frame["what"] == "synthetic", "risk"].min()
    assert curve.floor == curve.law.a


def test_a_race_has_no_curve() -> None:
    with pytest.raises(ConfigError, match="a curve is that of one generator, and 'auto' is a race"):
        measure(generator="auto")


def test_the_text_shows_every_model_and_the_findings(curve: ScalingCurve) -> None:
    said = str(curve)
    assert said.startswith(
        "balanced cross-entropy against N synthetic rows by 'smote' per group: 144 real rows in 2 folds"
    )
    assert all(f"N = {n} synthetic rows per group" in said for n in SIZES)
    assert all(sentence in said for sentence in curve.law.sentences)
    assert "the best model without synthetic rows" in said


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_picture_is_the_same_every_time_and_leaves_matplotlib_alone(
    curve: ScalingCurve, suffix: str, tmp_path: Path
) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    first, again = (curve.plot(tmp_path / f"{name}{suffix}") for name in ("first", "again"))
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes().startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")
    assert dict(mpl.rcParams) == before


def test_other_pictures_are_refused(curve: ScalingCurve, tmp_path: Path) -> None:
    with pytest.raises(AutosynthError, match=r"ends in none of .png, .svg"):
        curve.plot(tmp_path / "curve.jpg")


@pytest.mark.parametrize(("n_rows", "group_by"), [(60, None), (1000, None), (5000, "hospital")])
def test_default_sizes_grow_by_a_factor_and_fit_the_table(n_rows: int, group_by: str | None) -> None:
    table = Table.from_frame(shortcut_table(n_rows, minority_share=0.3), label="ill", group_by=group_by)
    sizes = np.array(default_sizes(table, cv=5))
    factors = sizes[1:] / sizes[:-1]
    assert len(sizes) == 7
    assert factors.max() < 1.4 * factors.min()
    assert sizes[-1] <= max(2 * table.group_sizes.max(), 80)


def test_shares_of_a_reserve_shuffle_within_groups_alone() -> None:
    table = Table.from_frame(rows(), label="target")
    first, second = (Reserve.of(table.frame, table.group_codes, table, np.random.default_rng(seed)) for seed in (0, 1))
    assert (first.group_codes == second.group_codes).all()
    assert first.fingerprint != second.fingerprint
    assert first.n_per_group == 60
