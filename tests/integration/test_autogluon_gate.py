"""The gate inside AutoGluon's folds, with real AutoGluon."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("autogluon.tabular")

from autosynth import CheckReport, CheckResult
from autosynth.exceptions import CheckFailedError, ConfigError
from autosynth.plugins import PluginRegistry, use_plugins
from autosynth.toy import overlapping_classes, shortcut_table
from autosynth_autogluon import describe_folds, fold_synthesis, rebalanced
from autosynth_autogluon.config import InFoldConfig
from autosynth_autogluon.fit_facts import fold_notes
from autosynth_autogluon.fold_gate import FoldVerdict
from autosynth_autogluon.fold_synthesis import MadeRows
from tests.integration.autogluon_helpers import additions, fit
from tests.integration.faulty import Collapsed

pytestmark = pytest.mark.filterwarnings("ignore")  # AutoGluon's and its learners' own

MODELS = {"KNN": {}, "LR": {}}


@pytest.fixture
def rare() -> pd.DataFrame:
    train = overlapping_classes(300, minority_share=0.2, n_features=4)
    train.index = pd.Index([f"id-{position}" for position in range(len(train))])
    return train


@pytest.fixture
def logged():
    """What AutoGluon's loggers said."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    handler, logger = Keep(logging.WARNING), logging.getLogger("autogluon")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    yield lines
    logger.removeHandler(handler)
    logger.setLevel(level)


def verdicts(predictor) -> dict[tuple[str, str], dict]:
    return {(name, fold): added["checks"] for name, fold, added in additions(predictor)}


def test_rows_that_fail_train_under_warn_and_are_recorded_and_logged_once_per_fold(rare, tmp_path, logged):
    models = rebalanced(MODELS, generator=Collapsed())
    predictor = fit(rare, models, tmp_path, predictor_options={"verbosity": 1})
    facts = [added for _, _, added in additions(predictor)]
    for added in facts:
        assert added["n_synthetic"] > 0
        verdict = added["checks"]
        assert not verdict["passed"]
        assert verdict["n_checks"] > len(verdict["failures"]) > 0
        assert verdict["seconds"] > 0
        failed = {(failure["name"], failure["subject"]): failure for failure in verdict["failures"]}
        assert failed["marginal_fidelity", "label=1"]["severity"] == "critical"
        assert "__label__" not in str(verdict)
    lines = [line for line in logged if "Synthetic rows of this fold failed" in line]
    assert len(lines) == 3  # folds, not folds x models
    assert all("It trains with them all the same." in line and "\n" not in line for line in lines)
    notes = fold_notes(facts)
    assert any("marginal_fidelity of label=1 failed in 6 of 6 model folds, such as: " in note for note in notes)


def test_rows_that_fail_are_dropped_from_their_fold_alone(rare, tmp_path, logged):
    models = rebalanced(MODELS, generator=Collapsed(without="id-7"), check="drop")
    predictor = fit(rare, models, tmp_path, predictor_options={"verbosity": 1})
    facts = [added for _, _, added in additions(predictor)]
    left_plain = [added for added in facts if added.get("left_plain")]
    kept = [added for added in facts if not added.get("left_plain")]
    assert (len(left_plain), len(kept)) == (2, 4)  # one fold of three, for two models
    for added in left_plain:
        assert added["n_synthetic"] == 0
        assert added["left_plain"].startswith("its synthetic rows failed the checks: ")
        assert "marginal_fidelity of label=1" in added["left_plain"]
        assert not added["checks"]["passed"]
    assert all(added["checks"]["passed"] and added["n_synthetic"] > 0 for added in kept)
    assert sum("It trains on its real rows alone." in line for line in logged) == 1
    notes = fold_notes(facts)
    assert any("2 of 6 model folds trained on real rows alone (its synthetic rows failed" in note for note in notes)
    assert not any("rows were used though" in note for note in notes)


def test_the_run_stops_under_raise_before_the_first_model_though_autogluon_skips_what_fails(rare, tmp_path):
    models = rebalanced(MODELS, generator=Collapsed(), check="raise", keep_plain=True)
    with pytest.raises(CheckFailedError, match=r"(?s)check='raise' stops here: .* of label=1: ") as stop:
        fit(rare, models, tmp_path, raise_on_model_failure=False)
    assert not stop.value.report.passed
    assert not list((tmp_path / "predictor" / "models").glob("**/model.pkl"))


def test_a_refit_whose_rows_fail_stops_too(rare, tmp_path):
    only_of_all_rows = Collapsed(only_above=250)
    predictor = fit(rare, rebalanced(MODELS, generator=only_of_all_rows, check="raise"), tmp_path)
    with pytest.raises(CheckFailedError, match="check='raise' stops here"):
        predictor.refit_full(num_cpus=1, num_gpus=0)


@pytest.mark.slow
def test_the_run_stops_under_raise_where_ray_trains_the_folds(rare, tmp_path):
    models = rebalanced(MODELS, generator=Collapsed(), check="raise", keep_plain=True)
    parallel = {"ag_args_ensemble": {"fold_fitting_strategy": "parallel_local"}, "num_cpus": 2}
    with pytest.raises(CheckFailedError, match="check='raise' stops here"):
        fit(rare, models, tmp_path, raise_on_model_failure=False, **parallel)
    assert not list((tmp_path / "predictor" / "models").glob("**/model.pkl"))


@pytest.mark.parametrize("generator", ["ros", "smote"])
def test_good_rows_pass_and_wanted_copies_do_not_fail(rare, tmp_path, generator):
    predictor = fit(rare, rebalanced(MODELS, generator=generator, check="raise"), tmp_path)
    facts = [added for _, _, added in additions(predictor)]
    assert all(added["n_synthetic"] > 0 and added["checks"]["passed"] for added in facts)
    if generator == "ros":
        assert not any("copies" in str(added["checks"]["failures"]) for added in facts)


def test_groups_of_a_quantity_are_checked_too(tmp_path):
    train = shortcut_table(300, minority_share=0.2).drop(columns="ill")
    models = rebalanced(MODELS, generator="ros", group_by="hospital", check="raise")
    predictor = fit(train, models, tmp_path, label="severity", eval_metric="rmse")
    assert all(verdict["passed"] and verdict["n_checks"] for verdict in verdicts(predictor).values())


def test_no_check_is_made_when_they_are_off(rare, tmp_path, monkeypatch):
    monkeypatch.setattr(fold_synthesis, "judge_rows", lambda *_, **__: pytest.fail("checked"))
    predictor = fit(rare, rebalanced(MODELS, generator=Collapsed(), check="off"), tmp_path)
    assert all(added["n_synthetic"] > 0 and "checks" not in added for _, _, added in additions(predictor))


def test_a_model_that_wants_checks_gets_them_for_rows_that_another_made_without(rare, tmp_path):
    careless = rebalanced(
        {"LR": {"ag_args": {"priority": 500}}}, generator=Collapsed(), check="off", generate_ahead=False
    )
    careful = rebalanced({"KNN": {}}, generator=Collapsed(), check="drop", generate_ahead=False)
    predictor = fit(rare, {1: {**careless[1], **careful[1]}}, tmp_path)
    for name, _, added in additions(predictor):
        assert (added["n_synthetic"] > 0) == name.startswith("LinearModel")


@pytest.mark.parametrize("space", ["model", "original"])
def test_checks_are_made_once_per_fold(rare, tmp_path, monkeypatch, space):
    calls = []
    judge_rows = fold_synthesis.judge_rows

    def count(*arguments, **options):
        calls.append(len(arguments[0]))
        return judge_rows(*arguments, **options)

    monkeypatch.setattr(fold_synthesis, "judge_rows", count)
    data = rare.assign(fixed=1.0) if space == "original" else None
    fit(rare, rebalanced(MODELS, generator="ros", data=data, space=space), tmp_path)
    assert calls == [200, 200, 200]


@pytest.mark.parametrize("space", ["model", "original"])
def test_no_verdict_depends_on_a_validation_row(rare, tmp_path, space):
    numbers = [f"x{position}" for position in range(4)]
    features = rare.drop(columns="target").columns
    train = rare.rename(columns=dict(zip(features, numbers, strict=True)))

    def failures(frame: pd.DataFrame, folder: Path) -> dict[str, list]:
        data = frame if space == "original" else None
        models = rebalanced({"LR": {}}, generator=Collapsed(), data=data, space=space, generate_ahead=False)
        predictor = fit(frame, models, folder)
        return {fold: verdict["failures"] for (_, fold), verdict in verdicts(predictor).items()}

    before = failures(train, tmp_path / "before")
    held_out = _held_out_rows(train, tmp_path / "before" / "predictor", "S1F1")
    changed = train.copy()
    changed.loc[held_out, numbers] = 1e6
    after = failures(changed, tmp_path / "after")
    assert before["S1F1"] == after["S1F1"]
    assert before["S1F2"] != after["S1F2"]  # where the changed rows train


def _held_out_rows(train: pd.DataFrame, path: Path, fold: str) -> pd.Index:
    from autogluon.tabular import TabularPredictor

    predictor = TabularPredictor.load(str(path))
    bag = predictor._trainer.load_model("LinearModel_Syn_BAG_L1")
    position = [child if isinstance(child, str) else child.name for child in bag.models].index(fold)
    X, y = predictor.load_data_internal("train")
    _, validation = bag._cv_splitters[0].split(X=X, y=y)[position]
    return train.index[validation]


def _with_check(plugin, check) -> PluginRegistry:
    registry = PluginRegistry.from_entry_points()
    registry.register(plugin(autosynth_check_rows=check), name="own_check")
    return registry


def test_checks_of_plugins_see_the_users_own_columns_or_are_not_asked(tmp_path, plugin):
    train = shortcut_table(240, minority_share=0.25)
    seen = []

    def check(real, synthetic):
        seen.append(set(synthetic["ward"].unique()) <= set(train["ward"].unique()))
        return [CheckResult(name="wards", subject="all rows", passed=True, observed=0.0, limit=0.0)]

    with use_plugins(_with_check(plugin, check)):
        encoded = fit(train, rebalanced({"LR": {}}, generator="ros"), tmp_path / "a", label="ill")
        assert seen == []
        assert all(verdict["plugins_skipped"] == ["own_check"] for verdict in verdicts(encoded).values())
        models = rebalanced({"LR": {}}, generator="ros", data=train, space="original")
        own = fit(train, models, tmp_path / "b", label="ill")
    assert seen == [True, True, True]
    assert all("plugins_skipped" not in verdict for verdict in verdicts(own).values())


def test_checks_that_raise_are_no_pass_and_do_not_end_the_run(tmp_path, plugin):
    train = shortcut_table(240, minority_share=0.25)
    models = rebalanced({"LR": {}}, generator="ros", data=train, space="original", check="drop")
    with use_plugins(_with_check(plugin, lambda real: 1 / 0)):
        predictor = fit(train, models, tmp_path, label="ill")
    for _, _, added in additions(predictor):
        assert added["n_synthetic"] == 0
        assert "could not run" in str(added["checks"]["failures"])
        assert "ZeroDivisionError" in str(added["checks"]["failures"])


def test_configurations_and_rows_of_earlier_versions_still_load():
    config = InFoldConfig()
    del config.__dict__["check"]
    assert pickle.loads(pickle.dumps(config)).check == "warn"
    made = MadeRows(pd.DataFrame(), pd.Series(dtype=float), np.empty(0, dtype=np.int64), {})
    del made.__dict__["verdict"]
    assert pickle.loads(pickle.dumps(made)).verdict is None


def test_choices_that_cannot_be_kept_are_refused_at_once():
    with pytest.raises(ConfigError, match=r"check='rise' is unknown\. Did you mean 'raise'\?"):
        rebalanced("default", check="rise")
    with pytest.raises(ConfigError, match="before the first model, where it can stop the run"):
        rebalanced("default", check="raise", generate_ahead=False)


def test_what_a_terminal_would_obey_is_logged_as_text(logged):
    name = "age\x1b[2J"
    failed = CheckResult(name="limits", subject=name, passed=False, observed=1.0, limit=0.0, message=f"{name}: far")
    FoldVerdict(CheckReport((failed,)), 0.1).act("warn", is_news=True)
    assert [line.count("\\x1b[2J") for line in logged] == [2]
    assert "\x1b" not in logged[0]


def test_notes_say_each_failure_once_and_none_of_old_facts():
    failure = {"name": "limits", "subject": "age", "severity": "critical", "message": "5 % lie outside."}
    mild = {**failure, "name": "repeated_rows", "severity": "warning"}
    facts = {"n_synthetic": 9, "checks": {"passed": False, "n_checks": 9, "failures": [failure, mild], "seconds": 0.1}}
    notes = fold_notes([facts, facts, {"n_synthetic": 9}])
    assert notes == ["rows were used though limits of age failed in 2 of 3 model folds, such as: 5 % lie outside"]


def test_one_line_says_how_many_folds_stay_plain_before_the_first_model(rare, tmp_path, logged):
    models = rebalanced(MODELS, generator=Collapsed(), check="drop", keep_plain=True)
    predictor = fit(rare, models, tmp_path, predictor_options={"verbosity": 1})
    said = [line for line in logged if "without synthetic rows" in line]
    assert len(said) == 1
    assert said[0].startswith("\t3 of 3 folds train without synthetic rows: its synthetic rows failed the checks: ")
    assert "marginal_fidelity of label=1" in said[0]
    described = describe_folds(predictor).splitlines()
    assert described[0] == "6 model folds: 0 with synthetic rows (0 in all), 6 on real rows alone"
    assert described[1].startswith(
        "6 of 6 model folds trained on real rows alone (its synthetic rows failed the checks"
    )


def test_only_folds_that_stay_plain_are_counted_and_none_is_not_said(rare, tmp_path, logged):
    models = rebalanced(MODELS, generator=Collapsed(without="id-7"), check="drop")
    fit(rare, models, tmp_path / "a", predictor_options={"verbosity": 1})
    assert [line for line in logged if line.startswith("\t1 of 3 folds train without synthetic rows: ")]
    logged.clear()
    predictor = fit(rare, rebalanced(MODELS, check="drop"), tmp_path / "b", predictor_options={"verbosity": 1})
    assert not [line for line in logged if "without synthetic rows" in line]
    assert describe_folds(predictor).startswith("6 model folds: 6 with synthetic rows (")
    plain = fit(rare, {"LR": {}}, tmp_path / "c")
    assert describe_folds(plain) == "no model of this predictor was to take synthetic rows."


@pytest.mark.slow
def test_folds_that_ray_trains_plain_are_said_by_the_parent(rare, tmp_path, logged):
    models = rebalanced({"LR": {}}, generator=Collapsed(), check="drop")
    parallel = {"ag_args_ensemble": {"fold_fitting_strategy": "parallel_local"}, "num_cpus": 2}
    fit(rare, models, tmp_path, predictor_options={"verbosity": 1}, **parallel)
    assert sum("3 of 3 folds train without synthetic rows" in line for line in logged) == 1
