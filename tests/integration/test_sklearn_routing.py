"""The samplers and the classifier in pipelines, cross-validation and searches, with metadata routed to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("imblearn")

from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.pipeline import make_pipeline
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from autosynth.toy import overlapping_classes, shortcut_table
from autosynth_sklearn import GroupSampler, RebalancedClassifier, SyntheticSampler


class Recorder(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Keeps the rows and weights that it is fitted on, and says the share of the last class."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Recorder:
        self.classes_ = np.unique(y)
        self.X_, self.y_, self.weights_ = X, np.asarray(y), sample_weight
        return self

    def predict_proba(self, X: Any) -> Any:
        share = np.average(self.y_ == self.classes_[-1], weights=self.weights_)
        return np.tile([1 - share, share], (len(X), 1))

    def predict(self, X: Any) -> Any:
        return np.repeat(self.classes_[0], len(X))


@pytest.fixture(scope="module")
def numbered() -> tuple[pd.DataFrame, pd.Series]:
    """300 rows that carry their own number as a feature, so that a copy tells whose copy it is."""
    X = overlapping_classes(300, minority_share=0.2, n_features=3)
    y = X.pop("target")
    return X.assign(number=np.arange(300)), y


@pytest.fixture(scope="module")
def patients() -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Features, labels, and a hospital that is no feature."""
    X = shortcut_table(450, minority_share=0.2)
    y, hospital = X.pop("ill"), X.pop("hospital")
    return X[["age", "severity"]], y, hospital


@pytest.fixture
def routing() -> Iterator[None]:
    with config_context(enable_metadata_routing=True):
        yield


def test_validation_rows_father_no_synthetic_row_in_a_pipeline(numbered: Any) -> None:
    X, y = numbered
    pipeline = make_pipeline(SyntheticSampler("ros", random_state=0), Recorder())
    found = cross_validate(pipeline, X, y, cv=3, return_estimator=True, return_indices=True)
    for fitted, train, held_out in zip(
        found["estimator"], found["indices"]["train"], found["indices"]["test"], strict=True
    ):
        sampler, model = fitted[0], fitted[-1]
        assert set(model.X_["number"]) == set(train)
        assert not set(model.X_["number"]) & set(held_out)
        np.testing.assert_array_equal(model.X_["number"][len(train) :], train[sampler.parents_[:, 0]])
        assert Counter(model.y_) == {0: 160, 1: 160}


def test_rows_made_before_the_split_do_leak(numbered: Any) -> None:
    sampler = SyntheticSampler("ros", random_state=0)
    X, y = sampler.fit_resample(*numbered)
    found = cross_validate(Recorder(), X, y, cv=3, return_estimator=True, return_indices=True)
    for fitted, held_out in zip(found["estimator"], found["indices"]["test"], strict=True):
        assert set(fitted.X_["number"]) & set(X["number"].iloc[held_out])


def test_validation_and_prediction_see_real_rows_alone(numbered: Any) -> None:
    X, y = numbered
    pipeline = make_pipeline(SyntheticSampler(random_state=0), StandardScaler(), GaussianNB())
    assert cross_val_score(pipeline, X, y, cv=3).shape == (3,)
    assert pipeline.fit(X, y).predict(X).shape == (300,)


def test_a_search_chooses_generator_and_amount(numbered: Any) -> None:
    X, y = numbered
    grid = {
        "syntheticsampler__generator": ["smote", "ros"],
        "syntheticsampler__sampling_strategy": [0.5, 1.0],
        "gaussiannb__var_smoothing": [1e-9, 1e-3],
    }
    pipeline = make_pipeline(SyntheticSampler(random_state=0), GaussianNB())
    search = GridSearchCV(pipeline, grid, scoring="neg_log_loss", cv=2).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"].round(6))) >= 4
    assert search.best_params_["syntheticsampler__sampling_strategy"] == 0.5  # a mild shift costs the least log loss
    assert search.best_estimator_[0].plan_.n_synthetic == 60


def test_ensembles_and_caches_of_imbalanced_learn_take_the_sampler(numbered: Any, tmp_path: Path) -> None:
    X, y = numbered
    bagged = BalancedBaggingClassifier(sampler=SyntheticSampler(), n_estimators=2, random_state=0).fit(X, y)
    assert all(fitted[0].is_synthetic_.any() for fitted in bagged.estimators_)
    assert len({fitted[0].parents_.sum() for fitted in bagged.estimators_}) == 2  # each drew rows of its own
    cached = make_pipeline(SyntheticSampler(random_state=0), GaussianNB(), memory=str(tmp_path))
    first, again = (cached.fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_a_group_column_of_the_rows_is_balanced_and_then_dropped(patients: Any) -> None:
    X, y, hospital = patients
    without = make_column_transformer(("passthrough", ["age", "severity"]))
    pipeline = make_pipeline(SyntheticSampler(group_by="hospital", random_state=0), without, Recorder())
    pipeline.fit(X.assign(hospital=hospital), y)
    assert pipeline[-1].X_.shape[1] == 2
    assert len(set(Counter(zip(pipeline[-1].y_, pipeline[0].groups_["hospital"], strict=True)).values())) == 1


def test_groups_and_weights_reach_the_sampler_of_each_fold(patients: Any, routing: None) -> None:
    X, y, hospital = patients
    weights = np.linspace(1, 2, len(y))
    sampler = SyntheticSampler(random_state=0).set_fit_resample_request(groups="hospital", sample_weight=True)
    model = Recorder().set_fit_request(sample_weight=False)
    found = cross_validate(
        make_pipeline(sampler, model),
        X,
        y,
        cv=3,
        params={"hospital": hospital, "sample_weight": weights},
        scoring=make_scorer(accuracy_score).set_score_request(sample_weight=True),
        return_estimator=True,
        return_indices=True,
    )
    for fitted, train in zip(found["estimator"], found["indices"]["train"], strict=True):
        balanced = fitted[0]
        sizes = Counter(zip(fitted[-1].y_, balanced.groups_["hospital"], strict=True))
        assert len(sizes) == 4
        assert len(set(sizes.values())) == 1
        assert balanced.groups_["hospital"][: len(train)].tolist() == hospital.iloc[train].tolist()
        np.testing.assert_array_equal(balanced.sample_weight_[: len(train)], weights[train])
        assert list(fitted[-1].X_.columns) == ["age", "severity"]


def test_an_alias_keeps_groups_to_balance_apart_from_groups_to_split_by(patients: Any, routing: None) -> None:
    X, y, hospital = patients
    person = np.arange(len(y)) // 3
    sampler = SyntheticSampler("ros", random_state=0).set_fit_resample_request(groups="hospital", sample_weight=False)
    found = cross_validate(
        make_pipeline(sampler, Recorder()),
        X.assign(person=person),
        y,
        cv=GroupKFold(3),
        params={"hospital": hospital, "groups": person},
        return_estimator=True,
        return_indices=True,
    )
    for fitted, held_out in zip(found["estimator"], found["indices"]["test"], strict=True):
        assert not set(fitted[-1].X_["person"]) & set(person[held_out])
        assert set(fitted[0].groups_["hospital"]) == {"north", "south"}


def test_metadata_that_nobody_asked_for_is_refused(patients: Any, routing: None) -> None:
    X, y, hospital = patients
    with pytest.raises(UnsetMetadataPassedError, match=r"SyntheticSampler\.fit_resample"):
        make_pipeline(SyntheticSampler(), Recorder()).fit(X, y, groups=hospital)


def test_a_search_routes_groups_too(patients: Any, routing: None) -> None:
    X, y, hospital = patients
    sampler = SyntheticSampler(random_state=0).set_fit_resample_request(groups=True, sample_weight=False)
    grid = {"syntheticsampler__sampling_strategy": [0.3, 1.0], "syntheticsampler__generator": ["smote", "ros"]}
    search = GridSearchCV(make_pipeline(sampler, GaussianNB()), grid, cv=2, scoring="balanced_accuracy")
    search.fit(X, y, groups=hospital)
    assert search.best_estimator_[0].groups_.columns.tolist() == ["hospital"]


def test_regression_balances_groups_inside_the_folds(patients: Any, routing: None) -> None:
    X, _, hospital = patients
    sampler = GroupSampler(random_state=0).set_fit_resample_request(groups=True, sample_weight=False)
    found = cross_validate(
        make_pipeline(sampler, Ridge()),
        X[["age"]],
        X["severity"],
        cv=3,
        params={"groups": hospital},
        return_estimator=True,
    )
    for fitted in found["estimator"]:
        assert len(set(fitted[0].groups_["hospital"].value_counts())) == 1


# --- the classifier, which passes weights on ---------------------------------------------------------------------


def test_weights_of_resampled_rows_reach_the_model_of_the_classifier(patients: Any, routing: None) -> None:
    X, y, hospital = patients
    weights = np.linspace(1, 2, len(y))
    model = RebalancedClassifier(Recorder(), synthetic_weight=0.5, random_state=0)
    model.set_fit_request(groups="hospital", sample_weight=True)
    found = cross_validate(
        make_pipeline("passthrough", model),
        X,
        y,
        cv=3,
        params={"hospital": hospital, "sample_weight": weights},
        scoring=make_scorer(accuracy_score).set_score_request(sample_weight=True),
        return_estimator=True,
        return_indices=True,
    )
    for fitted, train in zip(found["estimator"], found["indices"]["train"], strict=True):
        seen = fitted[-1].estimator_
        assert list(seen.X_.columns) == ["age", "severity"]
        np.testing.assert_allclose(seen.weights_[: len(train)] / seen.weights_[0], weights[train] / weights[train][0])
        assert len(seen.weights_) == fitted[-1].plan_.n_real + fitted[-1].plan_.n_synthetic
        assert len(fitted[-1].plan_.groups) == 4


def test_a_model_that_knows_shares_alone_says_the_real_ones_exactly(patients: Any) -> None:
    X, y, hospital = patients
    weights = np.linspace(1, 2, len(y))
    amounts = {"strategy": 0.6, "augment": 20, "alpha": 0.3, "synthetic_weight": 0.5}
    model = RebalancedClassifier(Recorder(), **amounts, random_state=0)
    for given in ({}, {"sample_weight": weights}, {"sample_weight": weights, "groups": hospital}):
        share = np.average(y == "yes", weights=given.get("sample_weight"))
        np.testing.assert_allclose(model.fit(X, y, **given).predict_proba(X)[:, 1], share)
        assert abs(model.estimator_.predict_proba(X)[0, 1] - share) > 0.05


def test_an_inner_pipeline_gets_the_weights_whether_metadata_is_routed_or_not(patients: Any, routing: None) -> None:
    X, y, _ = patients
    inner = Pipeline([("scale", StandardScaler()), ("model", Recorder())])
    routed = RebalancedClassifier(inner, synthetic_weight=0.5, random_state=0).fit(X, y)
    with config_context(enable_metadata_routing=False):
        plain = RebalancedClassifier(inner, synthetic_weight=0.5, random_state=0).fit(X, y)
    np.testing.assert_array_equal(routed.estimator_[-1].weights_, plain.estimator_[-1].weights_)
    assert len(set(plain.estimator_[-1].weights_)) == 2


def test_groups_that_are_no_features_leave_probabilities_corrected_by_class(patients: Any) -> None:
    X, y, hospital = patients
    model = RebalancedClassifier(LogisticRegression(), random_state=0).fit(X, y, groups=hospital)
    assert model.target_prior_.tolist() == [[(y == "no").sum(), (y == "yes").sum()]]
    assert len(model.plan_.groups) == 4
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx((y == "yes").mean(), abs=0.05)
    by_group = {tuple(part.group.values): part.n_real for part in model.plan_.groups}
    named = RebalancedClassifier(LogisticRegression(), prior=by_group, random_state=0).fit(X, y, groups=hospital)
    np.testing.assert_allclose(named.predict_proba(X), model.predict_proba(X))


def test_strings_and_missing_values_pass_to_a_model_that_encodes_them(routing: None) -> None:
    X = shortcut_table(450, minority_share=0.2)
    y, hospital = X.pop("ill"), X.pop("hospital")
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["ward"]), remainder="passthrough")
    sampler = SyntheticSampler(random_state=0).set_fit_resample_request(groups=True, sample_weight=False)
    model = HistGradientBoostingClassifier(max_iter=10).set_fit_request(sample_weight=False)
    found = cross_validate(
        make_pipeline(sampler, encode, model), X, y, cv=3, params={"groups": hospital}, scoring="roc_auc"
    )
    assert X.isna().any(axis=None)
    assert found["test_score"].mean() > 0.7
