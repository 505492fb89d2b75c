"""What happens inside AutoGluon's folds, with real AutoGluon."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("autogluon.tabular")

from autogluon.common import space
from autogluon.tabular import TabularPredictor
from autogluon.tabular.models import KNNModel, LGBModel
from sklearn.metrics import average_precision_score

from autosynth.testing import contract_table
from autosynth.toy import overlapping_classes, shortcut_table
from autosynth_autogluon import rebalanced, strip
from tests.integration.autogluon_helpers import QUICK, additions, fit
from tests.integration.recording import Marked, RecordingCopies

pytestmark = pytest.mark.filterwarnings("ignore")  # AutoGluon's and its learners' own


@pytest.fixture
def rare() -> pd.DataFrame:
    train = overlapping_classes(300, minority_share=0.1, n_features=5)
    train.index = pd.Index([f"id-{position}" for position in range(len(train))])
    return train


def fitted_rows(folder: Path) -> list[set[str]]:
    return [set(file.read_text().split("\n")) for file in sorted(folder.glob("fit-*.txt"))]


def test_every_fold_is_fitted_once_for_all_models_and_never_on_its_validation_rows(rare, tmp_path):
    models = {**QUICK, "RF": {"n_estimators": 10}, "KNN": {}}
    predictor = fit(rare, rebalanced(models, generator=RecordingCopies(str(tmp_path))), tmp_path)
    fits = fitted_rows(tmp_path)
    assert len(fits) == 3  # folds, not folds x models
    held_out = [set(rare.index) - rows for rows in fits]
    assert set.union(*held_out) == set(rare.index)
    assert sum(map(len, held_out)) == len(rare)  # each row is held out by exactly one fold
    assert len(list(additions(predictor))) == 3 * len(models)


def test_groups_reach_the_same_size_in_every_fold(rare, tmp_path):
    predictor = fit(rare, rebalanced(QUICK, generator="ros"), tmp_path)
    for _, _, added in additions(predictor):
        assert added["n_real"] == 200
        assert sum(added["groups"].values()) == 200
        assert added["n_synthetic"] == max(added["groups"].values()) - min(added["groups"].values())


def test_validation_scores_are_those_of_real_rows(rare, tmp_path):
    predictor = fit(rare, rebalanced({**QUICK, "RF": {"n_estimators": 10}}, generator="ros"), tmp_path)
    for name in predictor.model_names():
        proba = predictor.predict_proba_oof(name)
        assert list(proba.index) == list(rare.index)
        scored = predictor.leaderboard().set_index("model").loc[name, "score_val"]
        assert average_precision_score(rare["target"], proba[1]) == pytest.approx(scored)


def test_out_of_bag_shortcuts_are_off_for_forests_and_neighbours(rare, tmp_path):
    models = {
        "RF": {"n_estimators": 10, "ag_args_ensemble": {"use_child_oof": True}},
        "XT": {"n_estimators": 10},
        "KNN": {},
    }
    predictor = fit(rare, rebalanced(models, generator="ros"), tmp_path)
    folds = {(name, child) for name, child, _ in additions(predictor)}
    assert len(folds) == 9  # an out-of-bag shortcut would fit one child per bag


def test_in_fold_validation_agrees_with_fresh_rows_while_concatenation_overstates(tmp_path):
    train = overlapping_classes(1500, minority_share=0.04, random_state=3)
    fresh = overlapping_classes(20_000, minority_share=0.04, random_state=4)
    models = {"XT": {"n_estimators": 60}, "GBM": {"num_boost_round": 40}}
    in_fold = fit(train, rebalanced(models, generator="ros"), tmp_path / "in-fold", num_bag_folds=5)
    copies = train[train["target"] == 1].sample(1380, replace=True, random_state=0)
    concatenated = fit(pd.concat([train, copies], ignore_index=True), models, tmp_path / "naive", num_bag_folds=5)

    def optimism(predictor: TabularPredictor) -> float:
        seen = predictor.leaderboard(fresh).iloc[0]
        return float(seen["score_val"] - seen["score_test"])

    assert optimism(concatenated) > 0.3
    assert abs(optimism(in_fold)) < 0.12


def test_group_columns_that_are_no_feature_balance_by_index_and_are_not_needed_to_predict(tmp_path):
    train = shortcut_table(300, minority_share=0.3)
    features = train.drop(columns="hospital")
    predictor = fit(features, rebalanced(QUICK, generator="ros", group_by=train["hospital"]), tmp_path, label="ill")
    for _, _, added in additions(predictor):
        assert len(added["groups"]) == 4
        sizes = {group: n + added["rows_added"].get(group, 0) for group, n in added["groups"].items()}
        assert len(set(sizes.values())) == 1
    assert len(predictor.predict(features.head())) == 5


def test_a_group_series_named_like_a_feature_is_taken_as_given(tmp_path):
    train = shortcut_table(300, minority_share=0.3)
    halves = pd.cut(train["age"], [0, 50, 100]).astype(str)  # its name is "age" too
    for space_, data in (("model", None), ("original", train)):
        models = rebalanced({"LR": {}}, generator="ros", group_by=halves, space=space_, data=data)
        predictor = fit(train, models, tmp_path / space_, label="ill")
        assert all(len(added["groups"]) == 4 for _, _, added in additions(predictor))


def test_group_columns_of_other_rows_are_an_error(tmp_path):
    train = shortcut_table(300, minority_share=0.3).drop(columns="hospital")
    other = shortcut_table(300, minority_share=0.3, random_state=5)
    models = rebalanced({"LR": {}}, generator="ros", group_by="hospital", data=other)
    with pytest.raises(Exception, match="labels of data do not match"):
        fit(train, models, tmp_path, label="ill")


def test_group_columns_that_are_features_need_no_data(tmp_path):
    train = shortcut_table(300, minority_share=0.3)
    predictor = fit(train, rebalanced(QUICK, generator="ros", group_by=["hospital"]), tmp_path, label="ill")
    assert all(len(added["groups"]) == 4 for _, _, added in additions(predictor))


def test_a_group_column_that_is_nowhere_is_an_error(tmp_path):
    train = shortcut_table(300)
    with pytest.raises(Exception, match="'hospitl' is no feature"):
        fit(train, rebalanced(QUICK, generator="ros", group_by="hospitl"), tmp_path, label="ill")


def test_regression_balances_group_columns(tmp_path):
    train = shortcut_table(300, minority_share=0.2).drop(columns="ill")
    models = rebalanced(QUICK, generator="ros", group_by="hospital")
    predictor = fit(train, models, tmp_path, label="severity", eval_metric="rmse")
    for _, _, added in additions(predictor):
        assert len(added["groups"]) == 2
        assert added["n_synthetic"] > 0


def test_regression_without_groups_stays_plain_and_says_so(tmp_path):
    train = shortcut_table(200).drop(columns="ill")
    predictor = fit(train, rebalanced({"LR": {}}, generator="ros"), tmp_path, label="severity", eval_metric="rmse")
    assert {added["left_plain"] for _, _, added in additions(predictor)} == {
        "a quantity has no classes to balance; name group_by columns"
    }


def test_multiclass_works_with_prior_correction(tmp_path):
    train = overlapping_classes(400, minority_share=0.2, n_features=4)
    train.loc[train.index[::7], "target"] = 2
    plain = fit(train, rebalanced({"GBM": {}}, generator="ros"), tmp_path / "a", eval_metric="log_loss")
    corrected = fit(
        train, rebalanced({"GBM": {}}, generator="ros", correct_prior=True), tmp_path / "b", eval_metric="log_loss"
    )
    shares = train["target"].value_counts(normalize=True)
    far = (plain.predict_proba_oof().mean() - shares).abs().sum()
    near = (corrected.predict_proba_oof().mean() - shares).abs().sum()
    assert near < far


def test_sample_weights_carry_the_plan_where_the_family_honours_them(rare, tmp_path):
    seen = {}

    def write_down(model_class):
        original = model_class._fit

        def _fit(self, X, y, **kwargs):
            seen[model_class.__name__] = (len(X), kwargs.get("sample_weight"))
            return original(self, X=X, y=y, **kwargs)

        return _fit

    models = rebalanced({"GBM": {"num_boost_round": 5}, "KNN": {}}, generator="ros", synthetic_weight=0.25)
    with pytest.MonkeyPatch.context() as patch:
        for model_class in (LGBModel, KNNModel):
            patch.setattr(model_class, "_fit", write_down(model_class))
        fit(rare, models, tmp_path)
    n_rows, weights = seen["LGBModel"]
    assert n_rows == 360
    assert weights[200:].max() == pytest.approx(0.25 * weights[:200].max())
    assert weights.mean() == pytest.approx(1.0)
    assert seen["KNNModel"] == (240, None)  # neighbours know no weights: a quarter of the rows instead


def test_user_weights_reach_real_rows_and_their_group_mean_the_synthetic_ones(rare, tmp_path):
    rare["importance"] = np.where(rare["target"] == 1, 3.0, 1.0)
    models = rebalanced({"GBM": {"num_boost_round": 5}}, generator="ros")
    predictor = fit(rare, models, tmp_path, predictor_options={"sample_weight": "importance"})
    assert all(added["n_synthetic"] == 160 for _, _, added in additions(predictor))
    assert all("importance" not in str(added["groups"]) for _, _, added in additions(predictor))


def test_balance_weight_is_reset_so_that_nothing_is_balanced_twice(rare, tmp_path):
    models = rebalanced({"GBM": {"num_boost_round": 5}}, generator="ros")
    predictor = fit(rare, models, tmp_path, predictor_options={"sample_weight": "balance_weight"})
    assert all("weights_reset" in added for _, _, added in additions(predictor))


def test_stacking_levels_stay_plain_unless_asked_for(rare, tmp_path):
    models = {"GBM": {"num_boost_round": 5}}
    default = fit(rare, rebalanced(models, generator="ros"), tmp_path / "a", num_stack_levels=1)
    stacked = fit(rare, rebalanced(models, generator="ros", stack=True), tmp_path / "b", num_stack_levels=1)
    by_level = {name[-2:]: added for name, _, added in additions(default)}
    assert set(by_level) == {"L1"}
    assert "LightGBM_BAG_L2" in default.model_names()
    assert all(added["n_synthetic"] > 0 for _, _, added in additions(stacked))


def test_keep_plain_trains_every_model_both_ways(rare, tmp_path):
    predictor = fit(rare, rebalanced(QUICK, generator="ros", keep_plain=True), tmp_path)
    assert {"LightGBM_BAG_L1", "LightGBM_Syn_BAG_L1", "LinearModel_BAG_L1", "LinearModel_Syn_BAG_L1"} <= set(
        predictor.model_names()
    )


def test_holdout_without_bagging_adds_rows_to_the_training_part_only(rare, tmp_path):
    predictor = fit(
        rare,
        rebalanced({"GBM": {"num_boost_round": 5}}, generator=RecordingCopies(str(tmp_path))),
        tmp_path,
        num_bag_folds=0,
        ag_args_ensemble=None,
    )
    (rows,) = fitted_rows(tmp_path)
    (added,) = [added for _, _, added in additions(predictor)]
    assert len(rows) == added["n_real"] < len(rare)


def test_refit_full_rebalances_all_real_rows(rare, tmp_path):
    predictor = fit(
        rare, rebalanced({"GBM": {"num_boost_round": 5}}, generator=RecordingCopies(str(tmp_path))), tmp_path
    )
    predictor.refit_full(num_cpus=1, num_gpus=0)
    assert {len(rows) for rows in fitted_rows(tmp_path)} == {200, 300}
    (added,) = [added for name, _, added in additions(predictor) if name.endswith("_FULL") and "LightGBM" in name]
    assert added["n_synthetic"] == 240


@pytest.mark.parametrize("family", ["GBM", "LR"])
def test_hyperparameter_search_over_ratio_and_weight(rare, tmp_path, family):
    models = rebalanced(
        {family: {}},
        generator="ros",
        ratio=space.Categorical(0.2, 0.6, 1.0),
        synthetic_weight=space.Real(0.2, 1.0),
    )
    search = {"num_trials": 3, "searcher": "random", "scheduler": "local"}
    predictor = fit(rare, models, tmp_path, num_bag_folds=0, ag_args_ensemble=None, hyperparameter_tune_kwargs=search)
    amounts = {added["n_synthetic"] for _, _, added in additions(predictor)}
    assert len(predictor.model_names()) >= 3
    assert len(amounts) >= 2


def test_a_search_space_that_nobody_searches_is_an_error(rare, tmp_path):
    with pytest.raises(Exception, match=r"ratio of rebalanced\(\) is a search space"):
        fit(rare, rebalanced({"LR": {}}, generator="ros", ratio=space.Real(0.1, 0.3)), tmp_path)


def test_augmented_rows_carry_their_weight_in_a_fold(rare, tmp_path):
    weights = []
    original = LGBModel._fit

    def write_down(self, X, y, **kwargs):
        weights.append(kwargs["sample_weight"])
        return original(self, X=X, y=y, **kwargs)

    models = rebalanced({"GBM": {"num_boost_round": 5}}, generator="ros", augment=20, alpha=0.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LGBModel, "_fit", write_down)
        fit(rare, models, tmp_path)
    for given in weights:  # 180 + 180 real and oversampled rows, 2 x 20 augmented ones: half of the weight each
        assert len(given) == 400
        assert np.sort(given)[-40:].sum() == pytest.approx(200)


def test_derived_date_and_text_columns_come_from_one_real_row(tmp_path):
    frame = contract_table(240).frame.drop(columns="hospital")
    frame["note"] = [f"{word} words about {word} again and again" for word in frame["ward"].astype(str)]
    predictor = fit(frame, rebalanced({"GBM": {"num_boost_round": 5}}, generator="smote"), tmp_path, label="ill")
    for _, _, added in additions(predictor):
        assert added["n_synthetic"] > 0


def test_generators_of_original_columns_get_the_users_own_rows(tmp_path):
    frame = contract_table(240).frame
    models = rebalanced(
        {"GBM": {"num_boost_round": 5}},
        generator="ros",
        data=frame,
        space="original",
        group_by="hospital",
        generate_ahead=True,
    )
    predictor = fit(frame, models, tmp_path, label="ill")
    assert "SyntheticRows_BAG_L1" not in predictor.model_names()  # the placeholder has stepped aside
    for _, _, added in additions(predictor):
        assert added["cached"]  # made ahead
        assert {"ill=yes, hospital=north", "ill=no, hospital=south"} <= set(added["rows_added"])


def test_another_index_in_data_is_an_error(tmp_path):
    frame = contract_table(240).frame
    shuffled = frame.set_axis(frame.index[::-1], axis=0)
    models = rebalanced({"LR": {}}, generator="ros", data=shuffled, space="original", generate_ahead=False)
    with pytest.raises(Exception, match="labels of data do not match"):
        fit(frame, models, tmp_path, label="ill")


def test_a_slow_generator_is_cut_short_and_the_models_train_all_the_same(rare, tmp_path):
    slow = RecordingCopies(str(tmp_path), fit_seconds=600)
    models = rebalanced({"GBM": {"num_boost_round": 5}, "LR": {}}, generator=slow, data=rare, space="original")
    predictor = fit(rare, models, tmp_path, time_limit=30)
    reasons = {added["left_plain"] for _, _, added in additions(predictor)}
    assert len(reasons) >= 1
    assert all("did not finish within" in reason for reason in reasons)
    assert {"LightGBM_Syn_BAG_L1", "LinearModel_Syn_BAG_L1"} <= set(predictor.model_names())


def test_a_reset_index_is_an_error_and_not_a_wrong_match(tmp_path):
    from autosynth_autogluon.fold_view import known_rows

    side = pd.DataFrame({"sex": list("FMFMF")})
    assert known_rows(pd.Index([0, 2, 4]), side).all()
    with pytest.raises(ValueError, match="numbered afresh"):
        known_rows(pd.RangeIndex(3), side)


def test_saved_predictors_load_in_a_fresh_process_with_equal_predictions(rare, tmp_path):
    predictor = fit(rare, rebalanced(QUICK, generator="ros"), tmp_path)
    rare.to_parquet(tmp_path / "rows.parquet")
    expected = predictor.predict_proba(rare)[1]
    answer = _predict_elsewhere(predictor.path, tmp_path)
    np.testing.assert_allclose(answer, expected, atol=1e-12)


def test_a_stripped_copy_loads_where_autosynth_cannot_be_imported(rare, tmp_path):
    predictor = fit(rare, rebalanced({**QUICK, "RF": {"n_estimators": 10}}, generator="ros"), tmp_path)
    deployed = strip(predictor, tmp_path / "deployed")
    rare.to_parquet(tmp_path / "rows.parquet")
    answer = _predict_elsewhere(str(deployed), tmp_path, block="autosynth")
    np.testing.assert_allclose(answer, predictor.predict_proba(rare)[1], atol=1e-12)
    assert not list(deployed.rglob("*generator*"))


@pytest.mark.parametrize(("n_rows", "n_folds"), [(100, 3), (33, 5), (25, 10)])
def test_the_placeholder_leaves_whatever_the_fold_sizes_and_stripping_works(tmp_path, n_rows, n_folds):
    train = overlapping_classes(n_rows, minority_share=0.4, n_features=3)
    models = rebalanced({"LR": {}}, generator="ros", generate_ahead=True)
    predictor = fit(train, models, tmp_path, num_bag_folds=n_folds)
    assert "SyntheticRows_BAG_L1" not in predictor.model_names()
    assert all(added["cached"] for _, _, added in additions(predictor))
    deployed = strip(predictor, tmp_path / "deployed")
    train.to_parquet(tmp_path / "rows.parquet")
    answer = _predict_elsewhere(str(deployed), tmp_path, block="autosynth")
    np.testing.assert_allclose(answer, predictor.predict_proba(train)[1], atol=1e-12)


def test_stripping_is_refused_where_predictions_need_us(rare, tmp_path):
    predictor = fit(rare, rebalanced({"LR": {}}, generator="ros", correct_prior=True), tmp_path)
    with pytest.raises(ValueError, match="corrects its prior"):
        strip(predictor, tmp_path / "deployed")
    assert not (tmp_path / "deployed").exists()


def test_equal_seeds_give_equal_predictors(rare, tmp_path):
    runs = [
        fit(rare, rebalanced({"GBM": {"num_boost_round": 5}}, generator="ros", random_state=seed), tmp_path / str(n))
        for n, seed in enumerate((1, 1, 2))
    ]
    first, again, other = (run.predict_proba(rare)[1] for run in runs)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_rows_reach_training_and_never_validation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the generator's folder is part of the seed: "." is the same one in every run
    noise = np.random.default_rng(0)
    train = pd.DataFrame({"x": noise.normal(size=400), "target": noise.permutation([1] * 60 + [0] * 340)})
    train["mark"] = np.where(train["target"] == 0, noise.integers(0, 5, 400), noise.integers(0, 4, 400)).astype(float)
    models = rebalanced({"GBM": {"num_boost_round": 60}}, generator=Marked("."))
    predictor = fit(train, models, tmp_path)
    ask = pd.DataFrame({"x": np.repeat(np.linspace(-2, 2, 41), 2), "mark": np.tile([0.0, 4.0], 41)})
    answers = predictor.predict_proba(ask)[1].to_numpy().reshape(-1, 2)
    unmarked, marked = answers.mean(axis=0)
    assert marked > 1.5 * unmarked  # among training rows, synthetic ones made the mark a sign of the minority
    validated = average_precision_score(train["target"], predictor.predict_proba_oof("LightGBM_Syn_BAG_L1")[1])
    assert validated < 0.3  # among real validation rows it is a sign of the opposite


def _predict_elsewhere(path: str, folder: Path, block: str = "") -> np.ndarray:
    script = f"""
import sys
class Block:
    def find_spec(self, name, *_):
        if {block!r} and name.split('.')[0].startswith({block!r}):
            raise ImportError(name)
sys.meta_path.insert(0, Block())
import pandas as pd
from autogluon.tabular import TabularPredictor
rows = pd.read_parquet({str(folder / "rows.parquet")!r})
TabularPredictor.load({path!r}).predict_proba(rows)[1].to_frame("p").to_parquet({str(folder / "answer.parquet")!r})
"""
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, cwd=folder, timeout=300)
    return pd.read_parquet(folder / "answer.parquet")["p"].to_numpy()
