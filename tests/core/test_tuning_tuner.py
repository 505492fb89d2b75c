"""tune(): the whole race on small tables, and what it refuses."""

import random

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from xgboost import XGBClassifier

import autosynth
from autosynth import AutosynthWarning
from autosynth.exceptions import BudgetError, ConfigError, DataError, UnknownGeneratorError
from autosynth.plugins import PluginRegistry, use_plugins

LEARNER = XGBClassifier(n_estimators=4, max_depth=2, n_jobs=1)


def _tune(frame, **options):
    small = {"ratios": (0.5, 1.0), "synthetic_weights": (1.0,), "cv": 3, "n_bootstrap": 20, "learner": LEARNER}
    return autosynth.tune(frame, **{"label": "ill", "group_by": "hospital", "generators": ["ros"], **small, **options})


def _answers(report):
    return report.to_frame().drop(columns="seconds", errors="ignore")


def test_the_same_seed_gives_the_same_answer_and_leaves_table_and_global_streams_alone(frame):
    before = frame.copy()
    python_state, numpy_state = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = _tune(frame, generators=["smote", "ros"], ratios=(1.0,))
    assert random.getstate() == python_state
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002
    pd.testing.assert_frame_equal(frame, before)
    again = _tune(frame, generators=["ros", "smote"], ratios=(1.0,))
    by_name = [_answers(report).set_index("name").sort_index() for report in (first, again)]
    pd.testing.assert_frame_equal(*by_name)
    assert str(first.best) == str(again.best)
    other = _tune(frame, generators=[], random_state=1)
    assert other.scored[-1].loss not in {scored.loss for scored in first.scored}


def test_an_empty_list_races_what_needs_no_rows(frame):
    report = _tune(frame, generators=[])
    assert {scored.candidate.arm.name for scored in report.scored} == {"none", "class weights"}
    assert report.best.rebalance_arguments == {}


def test_without_generators_those_race_that_plugins_propose(frame, plugin, scripted):
    registry = PluginRegistry()
    hooks = {
        "autosynth_register_generators": lambda register: [
            register(name, lambda _: scripted()) for name in ("one", "two", "three")
        ],
        "autosynth_propose_generators": lambda groups: ["two", "one"] if len(groups) == 4 else [],
    }
    registry.register(plugin(**hooks), name="proposer")
    with use_plugins(registry):
        report = _tune(frame, generators=None)
    raced = {outcome.arm.generator for outcome in (*report.failed, *(scored.outcome for scored in report.scored))}
    assert raced == {None, "one", "two"}


def test_an_object_races_under_its_class_and_the_answer_goes_into_rebalance(frame, scripted):
    generator = scripted()
    report = _tune(
        frame,
        group_by=None,
        generators=[generator],
        ratios=(1.0,),
        learner=KNeighborsClassifier(75),  # 75 of 80 real rows say nearly the same everywhere
        metric=lambda y_true, y_proba: y_proba["yes"].nunique(),  # which no shift can change
    )
    assert report.best.arm.name == "ScriptedGenerator, ratio 1"
    arguments = report.best.rebalance_arguments
    assert arguments["generator"] is generator
    result = autosynth.rebalance(frame, label="ill", check="off", **arguments)
    assert result.data["ill"].value_counts().nunique() == 1


def test_one_generator_races_under_several_options(frame):
    report = _tune(
        frame,
        generators={"near": "smote", "far": "smote"},
        generator_options={"near": {"k_neighbors": 1}, "far": {"k_neighbors": 4}},
        ratios=(1.0,),
        halving=False,
    )
    outcomes = {scored.outcome.arm.generator: scored.outcome for scored in report.scored}
    assert set(outcomes) == {None, "near", "far"}
    assert (outcomes["near"].probabilities != outcomes["far"].probabilities).any()
    assert report.settings["generators"]["near"]["configuration"].startswith("SmoteOptions(k_neighbors=1")


def test_an_arm_that_adds_nothing_is_left_out_with_its_reason(frame):
    report = _tune(frame, group_by=None, ratios=(0.25, 1.0))
    reasons = {outcome.arm.name: outcome.reason for outcome in report.failed}
    assert reasons["ros, ratio 0.25"] == "it adds no row: no group is below 0.25 of the largest"


def test_an_interrupted_call_is_taken_up_with_the_same_answer(frame, tmp_path):
    whole = _tune(frame)
    told = []

    def stop(scored):
        told.append(scored.name)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _tune(frame, ledger=tmp_path, on_result=stop)
    assert not list(tmp_path.glob("*.part"))
    resumed = _tune(frame, ledger=tmp_path)
    pd.testing.assert_frame_equal(_answers(resumed), _answers(whole))
    assert str(resumed.best) == str(whole.best)
    n_files = len(list(tmp_path.iterdir()))
    other_metric = _tune(frame, ledger=tmp_path, metric="roc_auc", halving=True)
    assert other_metric.metric.name == "roc_auc"
    assert len(list(tmp_path.iterdir())) - n_files <= 2  # another arm may have won a rung


def test_results_come_in_before_the_end_and_nothing_is_printed(frame, capfd):
    told = []
    report = _tune(frame, on_result=told.append)
    assert {scored.name for scored in told} == {scored.name for scored in report.scored}
    assert capfd.readouterr() == ("", "")


def test_a_shown_bar_names_the_arm_at_work(frame, capfd, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # what rich takes for a terminal
    monkeypatch.setenv("COLUMNS", "120")
    _tune(frame, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "class weights" in err or "ros, ratio" in err


def test_a_generator_that_fails_does_not_end_the_race(frame, scripted):
    def learn(table):
        raise MemoryError("32 GiB")

    report = _tune(frame, generators={"greedy": scripted(learn=learn), "ros": "ros"})
    failed = {outcome.arm.generator: outcome for outcome in report.failed if outcome.status == "failed"}
    assert set(failed) == {"greedy"}
    assert "MemoryError('32 GiB')" in failed["greedy"].reason
    assert any(scored.candidate.arm.generator == "ros" for scored in report.scored)


def test_groups_that_are_missing_from_folds_race_along(frame):
    small = frame[frame["ill"] == "no"].iloc[:3].assign(hospital="west", ill=["no", "no", "yes"])
    with pytest.warns(AutosynthWarning, match=r"1 group has one row only.*ill=yes, hospital=west"):
        report = _tune(pd.concat([frame, small], ignore_index=True), cv=5, ratios=(1.0,))
    assert {scored.outcome.status for scored in report.scored} == {"done"}
    assert np.isfinite(report.to_frame()["score"]).all()
    assert any("Groups of one row" in note for note in report.notes)


def test_a_tiny_budget_is_an_error_that_says_so(frame):
    with pytest.raises(BudgetError, match="time_budget_s=1e-09 ended before two candidates"):
        _tune(frame, time_budget_s=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generators": "smote"}, "generators='smote' is no list"),
        ({"generators": ["ros", "ros"]}, r"'ros' more than once.*give a mapping"),
        ({"generators": [3]}, "holds 3, which has no fit and sample"),
        ({"generators": {1: "ros"}}, "names one 1"),
        ({"generator_options": {"smote": {}}}, "names 'smote', which does not race"),
        ({"generator_options": {"ros": 3}}, "is no mapping from generators to their options"),
        ({"generator_options": {"ros": {"k": 3}}}, "has no option 'k'"),
        ({"generators": ["llm_api"], "generator_options": {"llm_api": {"model": "m"}}}, "allow_remote=True"),
        ({"ratios": 0.5}, "ratios=0.5 is no list"),
        ({"ratios": (0.0,)}, "ratio=0.0 is out of range"),
        ({"metric": "f1"}, "metric='f1'"),
        ({"learner": "xgbost"}, "Did you mean 'xgboost'"),
        ({"cv": 1}, "cv=1 is out of range"),
        ({"halving": "yes"}, "halving='yes'"),
        ({"time_budget_s": -1}, "time_budget_s=-1"),
        ({"random_state": None, "ledger": "folder"}, "random_state=None has none"),
        ({"random_state": -1}, "random_state=-1 is negative"),
        ({"label": "il"}, "Did you mean 'ill'"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(frame, options, message):
    with pytest.raises(ConfigError, match=message):
        _tune(frame, **options, on_result=lambda scored: pytest.fail("a model was trained"))


def test_a_generator_that_learns_nothing_from_the_fold_is_refused(frame, tmp_path):
    frame.to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(ConfigError, match="'rows' learns nothing from a fold's rows"):
        _tune(frame, generators=["rows"], generator_options={"rows": {"path": str(tmp_path / "rows.csv")}})


def test_an_unknown_generator_is_refused(frame):
    with pytest.raises(UnknownGeneratorError, match="Did you mean 'smote'"):
        _tune(frame, generators=["smot"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.assign(ill=frame["ill"].mask(frame.index == 3)), "'ill' is missing in 1 of 120 rows"),
        (lambda frame: frame.set_axis([0] * len(frame)), "119 duplicate labels"),
        (lambda frame: frame[(frame["ill"] == "no") | (frame.index == frame["ill"].eq("yes").idxmax())], "has 1 of 91"),
        (lambda frame: frame.groupby("ill").head(1), "2 groups for 2 rows"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(frame, change, message):
    with pytest.raises(DataError, match=message):
        _tune(change(frame), group_by=None)


def test_a_quantity_is_refused(frame):
    with pytest.raises(ConfigError, match=r"'severity' holds .* reads as a quantity"):
        _tune(frame, label="severity", group_by="hospital")


def test_any_classifier_repeats_and_several_classes_race(frame):
    three = frame.assign(ill=np.where(frame["smoker"], "maybe", frame["ill"]))
    report = _tune(three, group_by=None, learner=GaussianNB(), repeats=2, generators=["independent"], ratios=(1.0,))
    assert report.n_repeats == 2
    assert len(report.classes) == 3
    assert {scored.outcome.n_done for scored in report.scored} == {6}
