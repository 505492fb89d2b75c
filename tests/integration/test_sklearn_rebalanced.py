"""RebalancedClassifier with real scikit-learn."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from autosynth import Group, SampledRows
from autosynth.exceptions import AutosynthWarning, ConfigError, DataError
from autosynth.toy import overlapping_classes, shortcut_table
from autosynth_sklearn import RebalancedClassifier
from tests.conftest import ScriptedGenerator

EXPECTED_TO_FAIL = {
    "check_sample_weight_equivalence_on_dense_data": (
        "rows are counted to plan and drawn to make new ones: one row of weight two is one parent, two rows are two"
    ),
}


@parametrize_with_checks(
    [RebalancedClassifier(LogisticRegression(), generator="ros")],
    expected_failed_checks=lambda _: EXPECTED_TO_FAIL,
)
def test_it_keeps_the_contract_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def rare() -> tuple[pd.DataFrame, pd.Series]:
    X = overlapping_classes(1200, minority_share=0.1, n_features=5)
    return X, X.pop("target")


@pytest.fixture(scope="module")
def patients() -> tuple[pd.DataFrame, pd.Series]:
    """Patients with strings and missing values; nine in ten ill ones lie in the south."""
    X = shortcut_table(800, minority_share=0.15).drop(columns="smoker")
    X.loc[X.index[::20], "ward"] = None
    return X, X.pop("ill")


@pytest.fixture
def encoded() -> Any:
    one_hot = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["ward", "hospital"]), remainder="passthrough"
    )
    return make_pipeline(one_hot, HistGradientBoostingClassifier(max_iter=15, random_state=0))


def test_the_real_prior_lowers_the_minority_and_the_balanced_one_does_not(rare: Any) -> None:
    X, y = rare
    model = RebalancedClassifier(LogisticRegression(), random_state=0)
    means = {
        prior: clone(model).set_params(prior=prior).fit(X, y).predict_proba(X)[:, 1].mean()
        for prior in ("train", "balanced", "as trained")
    }
    assert means["train"] == pytest.approx(0.1, abs=0.02)
    assert means["balanced"] == pytest.approx(means["as trained"])  # full balance is what it was trained with
    assert means["balanced"] > 0.3


def test_shares_by_class_are_what_the_closed_form_makes_of_them(rare: Any) -> None:
    X, y = rare
    as_trained = RebalancedClassifier(LogisticRegression(), prior="as trained", random_state=0).fit(X, y)
    named = RebalancedClassifier(LogisticRegression(), prior={1: 4, 0: 6}, random_state=0).fit(X, y)
    even, said = as_trained.predict_proba(X), named.predict_proba(X)
    np.testing.assert_allclose(said[:, 1] / said[:, 0], even[:, 1] / even[:, 0] * 4 / 6)


def test_under_cross_validation_reliability_improves_and_no_synthetic_row_is_predicted(rare: Any) -> None:
    X, y = rare
    model = RebalancedClassifier(GaussianNB(), random_state=0)
    proba = cross_val_predict(model, X, y, cv=3, method="predict_proba")
    plain = cross_val_predict(clone(model).set_params(prior="as trained"), X, y, cv=3, method="predict_proba")
    assert proba.shape == (1200, 2)
    rows = np.arange(1200)
    assert -np.log(proba[rows, y]).mean() < -np.log(plain[rows, y]).mean() - 0.1


def test_parents_are_rows_that_fit_was_given_and_no_others(rare: Any) -> None:
    X, y = rare
    seen: list[set[Any]] = []
    cross_val_predict(RebalancedClassifier(GaussianNB(), generator=Remembering(seen)), X, y, cv=3)
    rows = set(map(tuple, X.to_numpy()))
    assert len(seen) == 3
    assert all(len(fold) == 800 for fold in seen)
    assert set.union(*(rows - fold for fold in seen)) == rows


class Remembering(ScriptedGenerator):
    """Makes copies, and keeps the rows of every fit in a list that its clones share."""

    def __init__(self, seen: list[Any]) -> None:
        super().__init__()
        self.seen = seen

    def __deepcopy__(self, memo: Any) -> Remembering:
        return self

    def fit(self, table: Any, *, rng: Any) -> Any:
        self.seen.append(set(map(tuple, table.frame.iloc[:, :5].to_numpy())))
        return super().fit(table, rng=rng)


def test_by_group_every_group_gets_its_real_share_on_strings_and_missing_values(patients: Any, encoded: Any) -> None:
    X, y = patients
    real = (y == "yes").groupby(X["hospital"]).mean()
    off = {}
    for prior in ("train", "as trained"):
        model = RebalancedClassifier(encoded, group_by="hospital", prior=prior, random_state=0).fit(X, y)
        said = pd.Series(model.predict_proba(X)[:, 1]).groupby(X["hospital"]).mean()
        off[prior] = (said - real).abs().max()
    assert off["train"] < 0.05
    assert off["as trained"] > 0.15


def test_the_report_sets_corrected_against_uncorrected_by_group(patients: Any, encoded: Any) -> None:
    X, y = patients
    model = RebalancedClassifier(encoded, group_by=["hospital"], random_state=0).fit(X[:500], y[:500])
    report = model.reliability_report(X[500:], y[500:], n_bootstrap=50)
    assert report.difference.mean_risk.high < 0
    assert report.difference.segments[-1].calibration_error.value < 0
    assert [row.name for row in report.segments] == ["hospital=north", "hospital=south", "all rows"]
    assert report.reliability.baseline is not None


def test_a_group_that_training_did_not_hold_is_corrected_by_class(patients: Any, encoded: Any) -> None:
    X, y = patients
    model = RebalancedClassifier(encoded, group_by="hospital", random_state=0).fit(X, y)
    west = X.assign(hospital="west")
    by_class = model.trained_prior_.sum(axis=0), model.target_prior_.sum(axis=0)
    plain = model.estimator_.predict_proba(west)
    odds = plain[:, 1] / plain[:, 0] * (by_class[1] / by_class[0])[1] / (by_class[1] / by_class[0])[0]
    said = model.predict_proba(west)
    np.testing.assert_allclose(said[:, 1] / said[:, 0], odds)


def test_shares_by_group_are_taken_as_given(patients: Any, encoded: Any) -> None:
    X, y = patients
    shares = {
        ("no", "north"): 5,
        ("yes", "north"): 5,
        ("no", "south"): 9,
        Group((("label", "yes"), ("hospital", "south"))): 1,
    }
    model = RebalancedClassifier(encoded, group_by="hospital", prior=shares, random_state=0).fit(X, y)
    assert sorted(map(tuple, model.target_prior_.tolist())) == [(5, 5), (9, 1)]


def test_the_balanced_prior_is_even_in_every_segment_among_the_classes_it_has(patients: Any, encoded: Any) -> None:
    X, y = patients
    X = X.assign(hospital=np.where((X["hospital"] == "south") & (y == "no"), "island", X["hospital"]))
    model = RebalancedClassifier(encoded, group_by="hospital", prior="balanced", random_state=0).fit(X, y)
    assert sorted(map(tuple, model.target_prior_.tolist())) == [(0, 1), (1, 0), (1, 1)]


def test_arrays_are_grouped_by_column_numbers_and_keep_their_dtype(rare: Any) -> None:
    X, y = rare
    array = np.column_stack([X.to_numpy(), X["x0"] > 0]).astype("float32")
    model = RebalancedClassifier(LogisticRegression(), group_by=[5], random_state=0).fit(array, y)
    assert model.trained_prior_.shape == (2, 2)
    assert len(model.plan_.groups) == 4
    frame = pd.DataFrame(array)
    np.testing.assert_allclose(model.predict_proba(frame.to_numpy()), model.predict_proba(array))


def test_many_classes_of_any_type_are_predicted_under_their_own_names(rare: Any) -> None:
    X, y = rare
    labels = np.where(X["x1"] > 1.8, "c", np.where(y == 1, "b", "a")).astype(object)
    model = RebalancedClassifier(LogisticRegression(), strategy={"b": 500}, random_state=0).fit(X, labels)
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert set(model.predict(X)) <= set("abc")
    np.testing.assert_allclose(
        model.predict_proba(X).mean(axis=0), pd.Series(labels).value_counts(normalize=True).sort_index(), atol=0.03
    )
    assert RebalancedClassifier(LogisticRegression()).fit(X, y == 1).predict(X).dtype == bool


def test_weights_of_the_plan_reach_estimators_and_the_last_step_of_a_pipeline(rare: Any) -> None:
    X, y = rare
    options = {"synthetic_weight": 0.25, "random_state": 0}
    alone = RebalancedClassifier(GaussianNB(), **options).fit(X, y)
    piped = RebalancedClassifier(make_pipeline("passthrough", GaussianNB()), **options).fit(X, y)
    np.testing.assert_allclose(alone.predict_proba(X), piped.predict_proba(X))
    assert alone.trained_prior_[0, 1] / alone.trained_prior_[0, 0] == pytest.approx((120 + 0.25 * 960) / 1080)
    with pytest.raises(ConfigError, match=r"KNeighborsClassifier takes no sample_weight.*Use synthetic_weight=1"):
        RebalancedClassifier(KNeighborsClassifier(), **options).fit(X, y)


def test_weights_of_the_user_count_in_both_priors_and_synthetic_rows_inherit_them(rare: Any) -> None:
    X, y = rare
    model = RebalancedClassifier(GaussianNB(), random_state=0).fit(X, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    assert model.target_prior_[0].tolist() == [1080, 360]
    assert model.trained_prior_[0, 1] / model.trained_prior_[0, 0] == pytest.approx(3)
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(0.25, abs=0.05)


def test_estimators_without_weights_do_when_all_rows_count_the_same(rare: Any) -> None:
    X, y = rare
    model = RebalancedClassifier(KNeighborsClassifier(), random_state=0).fit(X, y)
    assert model.n_synthetic_ == 960


def test_rows_that_are_even_already_get_none_and_no_warning(rare: Any) -> None:
    X, y = rare
    even = pd.concat([X[y == 1], X[y == 0].head(120)])
    model = RebalancedClassifier(LogisticRegression()).fit(even, y[even.index])
    assert model.n_synthetic_ == 0
    np.testing.assert_allclose(model.predict_proba(X), model.estimator_.predict_proba(X))


def test_equal_seeds_give_equal_models_that_survive_pickling_without_any_row(rare: Any) -> None:
    X, y = rare
    first, again, other = (
        RebalancedClassifier(LogisticRegression(), random_state=seed).fit(X, y)
        for seed in (1, np.random.RandomState(1), 2)
    )
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))
    pickled = pickle.dumps(first)
    np.testing.assert_array_equal(pickle.loads(pickled).predict_proba(X), first.predict_proba(X))
    assert len(pickled) < 20_000
    assert first.rebalance_.plan is first.plan_


def test_a_search_sets_options_of_both_the_rebalancing_and_the_estimator(rare: Any) -> None:
    X, y = rare
    grid = {"strategy": [0.3, 1.0], "estimator__var_smoothing": [1e-9, 1e-6]}
    search = GridSearchCV(RebalancedClassifier(GaussianNB(), random_state=0), grid, scoring="neg_log_loss", cv=2)
    assert set(search.fit(X, y).best_params_) == set(grid)


def test_checks_of_the_rows_warn_when_asked(rare: Any) -> None:
    X, y = rare
    far = ScriptedGenerator(lambda table, counts, rng: far_rows(table, counts))
    with pytest.warns(AutosynthWarning):
        model = RebalancedClassifier(GaussianNB(), generator=far, check="warn").fit(X, y)
    assert not model.rebalance_.checks.passed
    assert model.rebalance_.checks.evidence is None


def far_rows(table: Any, counts: Any) -> SampledRows:
    (group,) = counts
    rows = table.frame.iloc[np.resize(table.positions(group)[:1], counts[group])]
    return SampledRows(rows)


def test_estimators_without_probabilities_predict_and_correct_nothing(rare: Any) -> None:
    X, y = rare
    with pytest.raises(ConfigError, match="LinearSVC has no predict_proba"):
        RebalancedClassifier(LinearSVC()).fit(X, y)
    model = RebalancedClassifier(LinearSVC(), prior="as trained", random_state=0).fit(X, y)
    assert set(model.predict(X)) == {0, 1}
    assert not hasattr(model, "predict_proba")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prior": "balance"}, r"prior='balance' is unknown\. Did you mean 'balanced'"),
        ({"prior": {0: -1, 1: 2}}, "must give finite shares from 0 on"),
        ({"prior": {0: 0.9}}, "prior lacks 1. Give a share for each"),
        ({"prior": {0: 0.9, 2: 0.1}}, "prior names 2, which the training rows do not hold"),
        ({"prior": {(0, "a"): 0.9, (1, "b"): 0.1}}, r"prior names \(0, 'a'\), which the training rows"),
        ({"group_by": "sex"}, "group_by='sex' is not a column"),
        ({"generator": "smoet"}, "Did you mean 'smote'"),
        ({"generator_options": {"k": 3}}, "k"),
    ],
)
def test_options_that_make_no_sense_are_refused(rare: Any, options: dict[str, Any], message: str) -> None:
    X, y = rare
    with pytest.raises(ConfigError, match=message):
        RebalancedClassifier(GaussianNB(), **options).fit(X, y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(3), r"sample_weight has the shape \(3,\) for 1200 rows"),
        (np.full(1200, -1.0), "negative, missing or infinite"),
        (np.zeros(1200), "at least one non-zero number"),
    ],
)
def test_weights_that_do_not_fit_are_refused(rare: Any, weights: Any, message: str) -> None:
    X, y = rare
    with pytest.raises(DataError, match=message):
        RebalancedClassifier(GaussianNB()).fit(X, y, sample_weight=weights)


def test_one_class_is_refused(rare: Any) -> None:
    X, y = rare
    with pytest.raises(DataError, match="y holds one class only, 0, in 1080 rows"):
        RebalancedClassifier(GaussianNB()).fit(X[y == 0], y[y == 0])


def test_tables_that_cannot_be_read_are_refused(rare: Any) -> None:
    X, y = rare
    with pytest.raises(DataError, match=r"X has 0 rows\. Give two or more"):
        RebalancedClassifier(GaussianNB()).fit(X[:0], y[:0])
    with pytest.raises(DataError, match="several columns called 'x0'"):
        RebalancedClassifier(GaussianNB()).fit(X[["x0", "x0"]], y)
