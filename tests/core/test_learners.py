from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

from autosynth import TableSchema
from autosynth.exceptions import ConfigError, DataError, MissingExtraError
from autosynth.plugins import PluginRegistry
from autosynth.tuning.encoding import FeatureEncoding
from autosynth.tuning.learner_classifier import FilledNumbers, weight_argument
from autosynth.tuning.learners import make_learner

pytest.importorskip("xgboost")
from xgboost import XGBClassifier

N_ROWS = 120


def every_kind() -> pd.DataFrame:
    """120 rows whose label hangs on ``width`` and ``ward``; columns of every kind, two with no value."""
    rng = np.random.default_rng(0)
    width = rng.normal(size=N_ROWS)
    frame = pd.DataFrame(
        {
            "width": width,
            "ward": pd.Categorical(rng.choice(list("abc"), N_ROWS)),
            "visits": pd.array(rng.integers(0, 5, N_ROWS), dtype="Int64"),
            "city": rng.choice(["u", "v", None], N_ROWS),
            "words": pd.array(rng.choice(["p", "q"], N_ROWS), dtype="string"),
            "smokes": rng.random(N_ROWS) < 0.5,
            "insured": pd.array(rng.random(N_ROWS) < 0.5, dtype="boolean"),
            "known": pd.Series(rng.choice([True, False, None], N_ROWS), dtype=object),
            "born": pd.Timestamp("1980-01-01") + pd.to_timedelta(rng.integers(0, 10**8, N_ROWS), unit="s"),
            "seen": pd.date_range("2020", periods=N_ROWS, tz="Asia/Tokyo"),
            "stay": pd.to_timedelta(rng.integers(0, 100, N_ROWS), unit="D"),
            "note": [f"note {row}" for row in range(N_ROWS)],
            "code": [f"code {number}" for number in rng.integers(0, 55, N_ROWS)],
            "constant": 1.0,
            "empty": None,
            "no number": np.nan,
            "seven": rng.normal(size=N_ROWS),
        }
    )
    for place, name in enumerate(("width", "visits", "insured", "born", "stay", "note", "ward")):
        frame.loc[frame.index % (7 + place) == 3, name] = None
    frame["ill"] = np.where(np.nan_to_num(width) + (frame["ward"] == "a") > 0.5, "yes", "no")
    return frame


FRAME = every_kind()
SCHEMA = TableSchema.infer(FRAME, label="ill")
X = FRAME.drop(columns="ill")
Y = (FRAME["ill"] == "yes").to_numpy("int64")
WEIGHTS = np.where(np.arange(N_ROWS) % 2, 0.5, 1.5)

LEARNERS = {
    "xgboost": "xgboost",
    "XGBClassifier": XGBClassifier(n_estimators=10, max_depth=2),
    "XGBClassifier, linear": XGBClassifier(booster="gblinear", n_estimators=20),
    "LogisticRegression": LogisticRegression(),
    "RandomForest": RandomForestClassifier(20),
    "Pipeline": make_pipeline(
        ColumnTransformer(
            [("ward", OneHotEncoder(handle_unknown="ignore"), ["ward"]), ("rest", "passthrough", ["seven"])]
        ),
        LogisticRegression(),
    ),
}


@pytest.mark.parametrize("learner", LEARNERS.values(), ids=LEARNERS)
def test_columns_of_every_kind_are_learned_alike_every_time(learner: Any) -> None:
    before, labels = X.copy(deep=True), Y.copy()
    train, rest = slice(0, 80), slice(80, None)
    table_learner = make_learner(learner, SCHEMA, 3, random_state=1)
    models = [table_learner.fit(X[train], Y[train], WEIGHTS[train]) for _ in range(2)]
    models.append(make_learner(learner, SCHEMA, 3, random_state=1).fit(X[train], Y[train], WEIGHTS[train]))
    first, *others = (model.predict_proba(X[rest]) for model in models)
    assert all(np.array_equal(first, other) for other in others)
    assert first.shape == (40, 3)
    assert first.sum(axis=1) == pytest.approx(1)
    assert not first[:, 2].any()  # no row of that class
    assert np.mean((first[:, 1] > 0.5) == Y[rest]) > (0.8 if learner == "xgboost" else 0.6)
    pd.testing.assert_frame_equal(X, before)
    assert np.array_equal(Y, labels)


@pytest.mark.parametrize("learner", ["xgboost", LogisticRegression()], ids=["xgboost", "LogisticRegression"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_a_column_holds_it_can_be_learned(any_column: Any, learner: Any, data: st.DataObject) -> None:
    values = data.draw(any_column)
    frame = pd.DataFrame({"x": pd.concat([values, values], ignore_index=True)})
    frame["y"] = np.arange(len(frame)) % 2
    schema = TableSchema.infer(frame, label="y")
    if isinstance(learner, str):
        learner = XGBClassifier(n_estimators=2)
    model = make_learner(learner, schema, 2, 0).fit(frame[["x"]], frame["y"].to_numpy())
    assert np.isfinite(model.predict_proba(frame[["x"]])).all()


@pytest.mark.parametrize("learner", ["xgboost", LogisticRegression(), GaussianNB()], ids=str)
def test_columns_that_are_missing_in_a_fold_only_do_no_harm(learner: Any) -> None:
    train = X[:80].copy()
    train[["width", "city", "born"]] = None
    train = train.astype(X.dtypes.to_dict())
    model = make_learner(learner, SCHEMA, 2, 0).fit(train, Y[:80])
    assert np.isfinite(model.predict_proba(X[80:])).all()


@pytest.mark.parametrize("learner", ["xgboost", LogisticRegression()], ids=["xgboost", "LogisticRegression"])
def test_levels_come_from_the_training_rows_and_others_count_as_missing(learner: Any) -> None:
    frame = pd.DataFrame({"ward": ["a", "b", "c", None] * 20, "y": [0, 1, 0, 1] * 20})
    schema = TableSchema.infer(frame, label="y")
    train = frame[frame["ward"] != "c"]
    model = make_learner(learner, schema, 2, 0).fit(train[["ward"]], train["y"].to_numpy())
    answers = model.predict_proba(pd.DataFrame({"ward": ["c", None, "never seen"]}))
    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[0], answers[2])


def test_dates_durations_and_large_numbers_keep_their_differences_in_32_bits() -> None:
    frame = pd.DataFrame(
        {
            "when": pd.Timestamp("2024-05-01") + pd.to_timedelta(np.arange(100), unit="min"),
            "account": 10**15 + np.arange(100),
            "y": [0, 1] * 50,
        }
    )
    encoding = FeatureEncoding.learn(frame, TableSchema.infer(frame, label="y"))
    features = encoding.encode(frame).astype(np.float32)
    assert [len(np.unique(column)) for column in features.T] == [100, 100]
    assert features[0].tolist() == [0.0, 0.0]


def test_columns_may_be_named_by_anything() -> None:
    frame = pd.DataFrame({7: np.arange(40.0), ("a", 1): list("uv") * 20, "y": [0] * 20 + [1] * 20})
    schema = TableSchema.infer(frame, label="y")
    for learner in ("xgboost", LogisticRegression()):
        model = make_learner(learner, schema, 2, 0).fit(frame[[7, ("a", 1)]], frame["y"].to_numpy())
        assert model.predict_proba(frame).argmax(axis=1).tolist() == frame["y"].tolist()


def test_texts_count_by_their_length_and_levels_stand_in_any_order() -> None:
    notes = [f"note {row} {'so ' * (row % 3)}" for row in range(60)]
    frame = pd.DataFrame({"note": notes, "ward": ["b", "a", None] * 20, "y": [0, 1] * 30})
    schema = TableSchema.infer(frame, label="y")
    assert schema["note"].kind == "text"
    encoding = FeatureEncoding.learn(frame, schema)
    assert encoding.encode(frame.loc[[12, 13]]).tolist() == [[8.0, 2.0, 1.0], [11.0, 3.0, 0.0]]
    shuffled = FeatureEncoding.learn(frame.sample(frac=1, random_state=0), schema)
    assert np.array_equal(encoding.encode(frame), shuffled.encode(frame), equal_nan=True)
    assert encoding.holds_levels.tolist() == [False, False, True]


def test_a_category_with_many_levels_gets_few_indicators() -> None:
    frame = pd.DataFrame({"code": [f"code {row % 400}" for row in range(1200)], "y": [0, 1] * 600})
    schema = TableSchema.infer(frame, label="y")
    assert schema["code"].kind == "category"
    assert FilledNumbers.learn(frame[["code"]], schema).read(frame[["code"]]).shape == (1200, 50)


@pytest.mark.parametrize("learner", ["xgboost", LogisticRegression()], ids=["xgboost", "LogisticRegression"])
def test_a_row_of_weight_two_counts_as_two_rows(learner: Any) -> None:
    once = np.arange(N_ROWS) < 60
    twice = np.concatenate([np.arange(N_ROWS), np.flatnonzero(once)])
    if isinstance(learner, str):  # its starting point is the mean, and quantiles see weights: nearly the same trees
        learner = XGBClassifier(n_estimators=5, max_depth=2)
    numbers = X[["width", "seven"]].fillna(0.0)
    table_learner = make_learner(learner, SCHEMA, 2, 0)
    weighted = table_learner.fit(numbers, Y, np.where(once, 2.0, 1.0)).predict_proba(numbers)
    repeated = table_learner.fit(numbers.iloc[twice], Y[twice]).predict_proba(numbers)
    plain = table_learner.fit(numbers, Y, np.ones(N_ROWS)).predict_proba(numbers)
    assert np.abs(weighted - repeated).mean() < 0.3 * np.abs(weighted - plain).mean()


def test_weights_reach_the_last_step_of_a_pipeline_and_the_model_of_a_search() -> None:
    pipeline = make_pipeline("passthrough", LogisticRegression())
    assert weight_argument(pipeline) == "logisticregression__sample_weight"
    assert weight_argument(make_pipeline(make_pipeline(pipeline))) == (
        "pipeline__pipeline__logisticregression__sample_weight"
    )
    assert weight_argument(GridSearchCV(pipeline, {"logisticregression__C": [1]})) == weight_argument(pipeline)
    numbers = X[["seven"]]
    even, uneven = np.ones(N_ROWS), np.where(Y, 1.9, 0.1)
    learner = make_learner(pipeline, SCHEMA, 2, 0)
    shares = [learner.fit(numbers, Y, weights).predict_proba(numbers)[:, 1].mean() for weights in (even, uneven)]
    assert shares[1] > shares[0] + 0.2


def test_a_learner_without_weights_is_refused_only_where_rows_count_differently() -> None:
    learner = make_learner(make_pipeline("passthrough", KNeighborsClassifier()), SCHEMA, 2, 0)
    assert learner.fit(X[["seven"]], Y, np.ones(N_ROWS)).predict_proba(X[["seven"]]).shape == (N_ROWS, 2)
    with pytest.raises(ConfigError, match=r"KNeighborsClassifier takes no sample_weight.* \(from 0\.5 to 1\.5\)"):
        learner.fit(X[["seven"]], Y, WEIGHTS)


def test_probabilities_stand_in_the_columns_of_their_classes() -> None:
    y = np.where(Y, 3, 1)
    answers = make_learner("xgboost", SCHEMA, 5, 0).fit(X, y).predict_proba(X)
    assert (answers.argmax(axis=1) == y).mean() > 0.9
    assert not answers[:, [0, 2, 4]].any()
    assert make_learner("xgboost", SCHEMA, 5, 0).fit(X, y).predict_proba(X[:0]).shape == (0, 5)


@pytest.mark.parametrize("learner", ["xgboost", LogisticRegression()], ids=["xgboost", "LogisticRegression"])
def test_one_class_or_no_column_is_refused(learner: Any) -> None:
    table_learner = make_learner(learner, SCHEMA, 2, 0)
    with pytest.raises(DataError, match="the 120 training rows hold 1 class, and no classifier can learn"):
        table_learner.fit(X, np.zeros(N_ROWS, dtype="int64"))
    with pytest.raises(DataError, match="no column beside the label 'ill'"):
        table_learner.fit(X[[]], Y)


def test_the_classifier_given_stays_as_it_was() -> None:
    forest = RandomForestClassifier(5)
    learner = make_learner(forest, SCHEMA, 2, random_state=3)
    learner.fit(X, Y)
    forest.set_params(n_estimators=7)
    assert learner.fit(X, Y).model.n_estimators == 5  # type: ignore[attr-defined]
    assert forest.random_state is None
    assert not hasattr(forest, "estimators_")


def test_seeds_that_are_open_are_set_and_others_stand() -> None:
    pipeline = make_pipeline("passthrough", CalibratedClassifierCV(RandomForestClassifier(5)))
    seeded = make_learner(pipeline, SCHEMA, 2, random_state=3).classifier.get_params()  # type: ignore[attr-defined]
    assert seeded["calibratedclassifiercv__estimator__random_state"] == 3
    fixed = make_learner(RandomForestClassifier(random_state=8), SCHEMA, 2, random_state=3)
    assert fixed.classifier.random_state == 8  # type: ignore[attr-defined]


def test_global_random_streams_stay_where_they_are() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for learner in ("xgboost", RandomForestClassifier(5)):
        make_learner(learner, SCHEMA, 2, 0).fit(X, Y)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


class Answers(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Learns nothing and answers with one row of numbers, whatever it is asked."""

    def __init__(self, row: Any = (0.5, 0.5)) -> None:
        self.row = row

    def fit(self, X: Any, y: Any) -> Answers:
        return self

    def predict_proba(self, X: Any) -> Any:
        return np.tile(self.row, (len(X), 1))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((np.nan, 0.5), r"gave no probabilities for 120 of 120 rows: the first of them has \[nan, 0.5\]"),
        ((1.5, -0.5), r"the first of them has \[1.5, -0.5\]"),
        ((0.5, 0.2), "must be numbers from 0 on that add up to 1"),
        ((0.2, 0.3, 0.5), r"predict_proba of Answers gave shape \(120, 3\) for 120 rows and 2 classes"),
    ],
)
def test_answers_that_are_no_probabilities_are_refused(row: tuple[float, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_learner(Answers(row), SCHEMA, 2, 0).fit(X, Y).predict_proba(X)


@pytest.mark.parametrize(
    ("learner", "message"),
    [
        ("xgbost", r"learner='xgbost' is unknown. Did you mean 'xgboost'\? Use 'xgboost', or an unfitted classifier"),
        (LogisticRegression, r"learner=LogisticRegression is a class. Give an object: LogisticRegression\(\)"),
        (LinearSVC(), r"learner=LinearSVC\(\) has no predict_proba.*CalibratedClassifierCV"),
        (LinearRegression(), "has no predict_proba"),
        (None, "learner=None has no fit and no predict_proba and no get_params"),
    ],
)
def test_what_is_no_classifier_with_probabilities_is_refused(
    registry: PluginRegistry, learner: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make_learner(learner, SCHEMA, 2, 0)


def test_without_xgboost_the_extra_that_brings_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autosynth.extras.find_spec", lambda package: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'autosynth\[tune\]'"):
        make_learner("xgboost", SCHEMA, 2, 0)


def test_a_plugin_offers_learners_by_name(registry: PluginRegistry, plugin: Callable[..., ModuleType]) -> None:
    class ReadsColumns(Answers):
        takes_columns = True

        def fit(self, X: pd.DataFrame, y: Any) -> ReadsColumns:
            self.dtypes_ = X.dtypes
            return self

    def make(name: str, random_state: int) -> Any:
        return ReadsColumns((0.25, 0.75)) if name == "mine" else None

    registry.register(plugin(autosynth_make_learner=make), name="learners")
    model = make_learner("mine", SCHEMA, 2, 0).fit(X, Y)
    assert model.predict_proba(X)[0].tolist() == [0.25, 0.75]
    pd.testing.assert_series_equal(model.model.dtypes_, X.dtypes)  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="Use 'xgboost', a name that one of the plugins learners knows, or"):
        make_learner("yours", SCHEMA, 2, 0)


def test_trees_do_not_depend_on_the_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.normal(size=(2000, 2)), columns=["width", "seven"])
    y = (numbers["width"] * numbers["seven"] > 0).to_numpy("int64")
    learners = [make_learner(XGBClassifier(n_estimators=2, n_jobs=n_jobs), SCHEMA, 2, 0) for n_jobs in (1, 2)]
    one, two = (learner.fit(numbers, y, np.linspace(0.5, 1.5, 2000)) for learner in learners)
    assert np.array_equal(one.predict_proba(numbers), two.predict_proba(numbers))
