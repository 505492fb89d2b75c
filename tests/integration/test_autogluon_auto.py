"""generator="auto" inside AutoGluon's folds: a race on the fold's own rows, shared by all of its models."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("autogluon.tabular")

from autogluon.common import space
from autogluon.core.metrics import get_metric
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from autosynth import Group, Table
from autosynth.auto import AutoOptions
from autosynth.exceptions import ConfigError
from autosynth.plugins import current_plugins
from autosynth.toy import overlapping_classes
from autosynth_autogluon import describe_folds, rebalanced, worst_class_log_loss
from autosynth_autogluon.cache import FOLDER
from autosynth_autogluon.fold_race import RaceAnswer, raced_by
from autosynth_autogluon.fold_record import fold_records
from tests.integration.autogluon_helpers import additions, fit

pytestmark = pytest.mark.filterwarnings("ignore")

SMALL = {"learner": LogisticRegression(), "generators": ["smote"], "ratios": [1.0], "synthetic_weights": [1.0], "cv": 2}
QUICK = {**SMALL, "metric": "balanced_cross_entropy"}


def auto(models: Any = None, data: pd.DataFrame | None = None, **settings: Any) -> dict[Any, Any]:
    more = {name: settings.pop(name) for name in ("correct_prior", "on_timeout", "group_by") if name in settings}
    options = {**QUICK, **settings}
    return rebalanced(models or {"LR": {}}, generator="auto", generator_options=options, data=data, **more)


def answers(predictor: Any) -> dict[str, RaceAnswer]:
    """Read the races of a predictor from its cache."""
    files = sorted((Path(predictor.path) / FOLDER).glob("*-race.pkl"))
    return {file.name: pickle.loads(file.read_bytes()) for file in files}


def on_circle(n_rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    angle, noise = rng.uniform(0, 2 * np.pi, n_rows), rng.normal(scale=0.1, size=(n_rows, 2))
    return pd.DataFrame(np.column_stack([np.cos(angle), np.sin(angle)]) + noise, columns=["x", "y"])


def curved(n_rows: int = 400, n_minority: int = 16) -> pd.DataFrame:
    """Return a table in which the minority lies on a small circle, which a few rows do not show."""
    minority = on_circle(n_minority, 1) * 0.35
    return pd.concat([on_circle(n_rows, 0).assign(target=0), minority.assign(target=1)], ignore_index=True)


class Oracle:
    """Makes rows as the process behind ``curved`` does."""

    def fit(self, table: Table, *, rng: np.random.Generator) -> Oracle:
        self.table_ = table
        return self

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        schema, label = self.table_.schema, self.table_.label
        parts = []
        for group, count in counts.items():
            rows = on_circle(count, int(rng.integers(1000))) * (0.35 if int(group[label]) == 1 else 1.0)
            for name in ("x", "y"):
                rows[name] = rows[name].clip(schema[name].minimum, schema[name].maximum)
            parts.append(rows.assign(**{label: group[label]}))
        return pd.concat(parts, ignore_index=True)[list(self.table_.frame.columns)]


def two_signs(n_rows: int = 2400) -> pd.DataFrame:
    """Return a table in which a tree with one split does better with class weights than without."""
    rng = np.random.default_rng(0)
    is_ill = np.arange(n_rows) < 0.06 * n_rows
    sure = rng.random(n_rows) < np.where(is_ill, 0.4, 0.001)
    usual = rng.random(n_rows) < np.where(is_ill, 0.9, 0.2)
    frame = pd.DataFrame({"sure": sure, "usual": usual, "noise": rng.normal(size=n_rows), "target": is_ill.astype(int)})
    return frame.sample(frac=1, random_state=0, ignore_index=True)


def test_folds_stay_plain_with_the_reason_where_rows_are_not_worth_it(tmp_path):
    train = overlapping_classes(240, minority_share=0.2, n_features=3)
    models = auto({"LR": {}, "KNN": {}}, learner=GaussianNB())
    predictor = fit(train, models, tmp_path, num_bag_folds=2)
    found = [facts for _, _, facts in additions(predictor)]
    assert len(found) == 4
    for facts in found:
        assert facts["n_synthetic"] == 0
        assert facts["left_plain"].startswith("a race on the fold's own rows found nothing better than 'none")
        assert facts["race"]["reason"].startswith(("No synthetic rows", "Do nothing"))
        assert facts["generator"] == "auto"
    assert len(answers(predictor)) == 2
    told = describe_folds(predictor)
    assert told.startswith("4 model folds: 0 with synthetic rows (0 in all), 4 on real rows alone")
    assert "found nothing better than 'none" in told
    assert [record.race["cached"] for record in fold_records(predictor)] == [True] * 4  # made ahead of the models


def test_rows_of_the_winner_are_added_in_the_amount_that_won(tmp_path):
    train = curved()
    learner = DecisionTreeClassifier(min_samples_leaf=3)
    settings = {"generators": {"oracle": Oracle()}, "learner": learner, "ratios": [0.5, 1.0], "cv": 3}
    predictor = fit(train, auto(**settings), tmp_path, num_bag_folds=2)
    found = [facts for _, _, facts in additions(predictor)]
    winners = [facts for facts in found if facts["n_synthetic"]]
    assert winners
    for facts in winners:
        assert facts["race"]["chosen"].startswith("oracle, ratio ")
        assert facts["generator"] == "Oracle"
        ratio = float(facts["race"]["chosen"].split()[2].rstrip(","))
        wanted = round(ratio * facts["groups"]["label=0"]) - facts["groups"]["label=1"]
        assert facts["rows_added"] == {"label=1": wanted}
    assert "took the rows of 'oracle" in describe_folds(predictor)


def test_class_weights_as_an_answer_reach_the_families_that_take_them(tmp_path, monkeypatch):
    from autogluon.tabular.models import LinearModel

    weighed = []
    plain_fit = LinearModel._fit

    def record(self: Any, X: Any, y: Any, sample_weight: Any = None, **more: Any) -> Any:
        weighed.append((y, sample_weight))
        return plain_fit(self, X=X, y=y, sample_weight=sample_weight, **more)

    monkeypatch.setattr(LinearModel, "_fit", record)
    learner = DecisionTreeClassifier(max_depth=1)
    models = auto({"LR": {}, "KNN": {}}, generators=[], learner=learner, cv=3)  # prior corrected by itself
    predictor = fit(two_signs(), models, tmp_path, num_bag_folds=2)
    found = {(name.partition("_")[0], child): facts for name, child, facts in additions(predictor)}
    assert {facts["race"]["chosen"] for facts in found.values()} == {"class weights"}
    for (model, _), facts in found.items():
        honours = model.startswith("Linear")
        assert bool(facts.get("class_weights")) == honours
        assert bool(facts.get("left_plain")) != honours
        assert facts.get("prior_corrected_by") == ("class" if honours else None)
    for y, weights in weighed:
        sums = pd.Series(weights).groupby(y.to_numpy()).sum()
        assert sums.iloc[0] == pytest.approx(sums.iloc[1])
        assert np.mean(weights) == pytest.approx(1)
    assert len(weighed) == 2
    told = describe_folds(predictor)
    assert "2 of 4 model folds trained on real rows with class weights, as a race says" in told
    assert "2 of 4 model folds trained on real rows alone (a race on the fold's own rows says class weights" in told


@pytest.mark.parametrize("is_original", [False, True])
def test_a_race_is_about_what_autogluon_is_asked_for(tmp_path, monkeypatch, is_original):
    raced = []
    race = AutoOptions.race

    def record(options: AutoOptions, *rows: Any, positive_class: Any, **more: Any) -> Any:
        raced.append(positive_class)
        return race(options, *rows, positive_class=positive_class, **more)

    monkeypatch.setattr(AutoOptions, "race", record)
    train = overlapping_classes(160, minority_share=0.25, n_features=2)
    train["target"] = np.where(train["target"] == 1, "a sick one", "healthy")  # the positive class comes first
    models = rebalanced({"LR": {}}, generator="auto", generator_options=SMALL, data=train if is_original else None)
    asked = {"predictor_options": {"positive_class": "a sick one"}, "num_bag_folds": 0}
    predictor = fit(train, models, tmp_path, eval_metric="average_precision", **asked)
    (facts,) = [facts for _, _, facts in additions(predictor)]
    assert facts["race"]["metric"] == "average_precision"
    assert raced == ["a sick one" if is_original else 1]


@pytest.mark.parametrize(
    ("eval_metric", "given", "raced"),
    [
        ("roc_auc", {}, "roc_auc"),
        ("roc_auc_ovo_macro", {}, "roc_auc"),
        ("roc_auc_ovr", {}, "roc_auc"),
        ("recall_macro", {}, "balanced_accuracy"),
        ("log_loss", {}, "log_loss"),
        ("worst_class_log_loss", {}, "worst_group_risk"),
        ("accuracy", {}, "balanced_cross_entropy"),
        ("f1", {}, "balanced_cross_entropy"),
        ("roc_auc", {"metric": "log_loss"}, "log_loss"),
    ],
)
def test_the_metric_of_a_race_follows_from_eval_metric_unless_it_is_given(eval_metric, given, raced):
    name = worst_class_log_loss.name if eval_metric == "worst_class_log_loss" else get_metric(eval_metric).name
    assert raced_by(AutoOptions.of(given), given, name).metric == raced  # as a model in a fold knows its metric


seen: list[frozenset[Any]] = []


class Spy(LogisticRegression):
    """Writes down which rows it is trained on and asked about, by their index."""

    takes_columns = True

    def fit(self, X: pd.DataFrame, y: Any, sample_weight: Any = None) -> Spy:
        self.trained_ = frozenset(X.index)
        super().fit(X[["x0", "x1"]], y, sample_weight)
        return self

    def predict_proba(self, X: pd.DataFrame) -> Any:
        seen.append(self.trained_ | frozenset(X.index))
        return super().predict_proba(X[["x0", "x1"]])


@pytest.mark.parametrize("is_original", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_no_validation_row_of_a_fold_takes_part_in_its_race(tmp_path, is_original):
    train = overlapping_classes(240, minority_share=0.25, n_features=3)
    train.index = train.index + 1000
    seen.clear()
    fit(train, auto(generators=[], learner=Spy(), data=train if is_original else None), tmp_path)
    races = set(seen)
    assert len(seen) > len(races) == 3  # every model and inner fold of a race together see the rows of one fold
    held_out = [set(train.index) - race for race in races]
    assert sum(map(len, held_out)) == len(train) == len(set.union(*held_out))


@pytest.mark.parametrize("is_original", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_held_out_row_changes_no_answer_of_its_fold(tmp_path, is_original):
    found = []
    for value in (1e6, -2e6):
        train = overlapping_classes(240, minority_share=0.25, n_features=3)
        train.loc[train.index[train["target"] == 1][0], "x0"] = value
        models = auto(generators=["smote", "independent"], data=train if is_original else None)
        predictor = fit(train, models, tmp_path / str(value))
        found.append(answers(predictor))
    one, other = found
    assert len(one) == len(other) == 3
    (held_out,) = set(one) & set(other)
    assert one[held_out].reason == other[held_out].reason
    assert one[held_out].chosen == other[held_out].chosen


@pytest.mark.slow
def test_the_race_keeps_to_the_time_of_its_fold(tmp_path):
    train = overlapping_classes(200, minority_share=0.25, n_features=3)
    predictor = fit(train, auto(), tmp_path, num_bag_folds=0, time_limit=60)
    (facts,) = [facts for _, _, facts in additions(predictor)]
    assert facts["race"]["chosen"]
    assert 0 < facts["race"]["seconds"] < 20


@pytest.mark.slow
def test_a_race_without_time_leaves_the_fold_plain_or_fails_as_the_user_says(tmp_path):
    train = overlapping_classes(200, minority_share=0.25, n_features=3)
    predictor = fit(train, auto(time_budget_s=1e-6), tmp_path / "plain", num_bag_folds=0)
    (facts,) = [facts for _, _, facts in additions(predictor)]
    assert facts["left_plain"].startswith("no race could be run: time_budget_s=1e-06 ended")
    with pytest.raises(Exception, match="time_budget_s=1e-06 ended"):
        fit(train, auto(time_budget_s=1e-6, on_timeout="raise"), tmp_path / "raise", num_bag_folds=0)


@pytest.mark.slow
def test_a_fold_with_one_row_of_a_class_stays_plain_and_says_why(tmp_path):
    train = overlapping_classes(120, minority_share=0.25, n_features=2)
    minority = train.index[train["target"] == 1]
    train = train.drop(index=minority[2:])
    predictor = fit(train, auto(), tmp_path, num_bag_folds=2)
    for _, _, facts in additions(predictor):
        assert facts["left_plain"].startswith("no race could be run: class")


def test_a_quantity_stays_plain(tmp_path):
    train = overlapping_classes(120, n_features=3).rename(columns={"x0": "amount"})
    models = auto(group_by="target")
    predictor = fit(train, models, tmp_path, label="amount", eval_metric="root_mean_squared_error", num_bag_folds=0)
    (facts,) = [facts for _, _, facts in additions(predictor)]
    assert facts["left_plain"] == "generator='auto' races for classes only; name a generator for a quantity"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"ratio": 0.5}, "generator='auto' chooses the amounts itself, and ratio=0.5 fixes some"),
        ({"ratio": space.Real(0.1, 1.0)}, "chooses the amounts itself, and ratio=Real"),
        ({"augment": 10}, "augment=10 fixes some"),
        ({"synthetic_weight": 0.3}, "synthetic_weight=0.3 fixes some"),
        ({"generator_options": {"k_neighbors": 3}}, "holds 'k_neighbors', and generator='auto' has no such setting"),
        ({"generator_options": {"generators": ["smoke"]}}, "Did you mean 'smote'"),
        ({"generator_options": {"generators": ["rows"]}}, "rows"),
        ({"generator_options": {"learner": "xgbost"}}, "learner='xgbost' is unknown. Did you mean 'xgboost'?"),
        ({"generator_options": {"generators": ["llm_api"]}}, "llm_api"),
        ({"space": "original"}, "Add data=train"),
    ],
)
def test_what_cannot_be_raced_is_refused_before_any_fit(wrong: dict[str, Any], message: str) -> None:
    if "llm_api" in message and current_plugins().info("llm_api").missing:
        pytest.skip("the extra api is not installed")
    with pytest.raises(ConfigError, match=message):
        rebalanced({"LR": {}}, generator="auto", **wrong)
