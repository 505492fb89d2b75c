"""What runs of MLflow hold of a call, in a real store; and what is never done unasked."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import autosynth
import autosynth_mlflow
from autosynth.exceptions import CheckFailedError, ConfigError
from autosynth.notices import announce, unannounced
from autosynth.plugins import PluginRegistry
from autosynth.toy import shortcut_table
from autosynth_autogluon.comparison_report import Arm, ComparisonReport
from autosynth_mlflow.keys import Keys, key_part
from autosynth_mlflow.record import MAX_GROUPS

pytest.importorskip("mlflow")

RACE = {"learner": LogisticRegression(), "cv": 2, "ratios": (1.0,), "synthetic_weights": (1.0,)}


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """MLflow with a store of files, which its slim package can do without a database."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        environment.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        import mlflow

        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri((tmp_path_factory.mktemp("store") / "runs").as_uri())
        yield mlflow
        mlflow.set_tracking_uri(before)


@pytest.fixture
def registry(registry: PluginRegistry) -> PluginRegistry:
    registry.register(autosynth_mlflow, name="mlflow")
    return registry


class Logged:
    """What a run holds."""

    def __init__(self, mlflow: Any, run_id: str) -> None:
        self._client = mlflow.MlflowClient()
        self.run_id = run_id
        data = self._client.get_run(run_id).data
        self.params: dict[str, str] = data.params
        self.metrics: dict[str, float] = data.metrics
        self.tags = {key: value for key, value in data.tags.items() if key.startswith("autosynth/")}

    @property
    def names(self) -> list[str]:
        return sorted({key.split("/")[0] for key in (*self.params, *self.metrics)})

    def files(self, name: str) -> list[str]:
        return sorted(Path(entry.path).name for entry in self._client.list_artifacts(self.run_id, name))

    def read(self, path: str) -> str:
        return Path(self._client.download_artifacts(self.run_id, path)).read_text(encoding="utf-8")

    def history(self, metric: str) -> list[tuple[int, float]]:
        return [(point.step, point.value) for point in self._client.get_metric_history(self.run_id, metric)]


@pytest.fixture
def tracked(mlflow: Any) -> Callable[[Callable[[], Any]], Logged]:
    """Make a call inside a run, and return what the run holds then."""

    def track(call: Callable[[], Any]) -> Logged:
        with mlflow.start_run() as run:
            call()
        return Logged(mlflow, run.info.run_id)

    return track


def patients(n_rows: int = 200, **options: Any) -> pd.DataFrame:
    return shortcut_table(n_rows, minority_share=0.25, **options)


def rebalanced(**options: Any) -> autosynth.RebalanceResult:
    given = {"label": "ill", "group_by": "hospital", "generator": "fake", "check": "off", **options}
    return autosynth.rebalance(patients(), **given)


def reported(**options: Any) -> autosynth.GroupReport:
    rows = patients()
    return autosynth.group_report(
        rows["ill"], rows["severity"].rank(pct=True), groups=rows["hospital"], n_bootstrap=20, **options
    )


def test_the_plugin_is_found_by_its_entry_point() -> None:
    installed = PluginRegistry.from_entry_points()
    for hook in ("autosynth_rebalanced", "autosynth_reported"):
        assert "mlflow" in installed.implementers(hook)


def test_a_run_logs_what_was_asked_and_the_rows_of_every_group(
    registry: PluginRegistry, tracked: Callable[..., Logged]
) -> None:
    logged = tracked(lambda: rebalanced(strategy=0.5, augment=10, synthetic_weight=0.3, rules=["age >= 18"]))
    expected = {
        "label": "ill",
        "group_by": "hospital",
        "generator": "fake",
        "strategy": "0.5",
        "augment": "10",
        "synthetic_weight": "0.3",
        "rules": "age >= 18",
        "random_state": "0",
    }
    assert {name: logged.params[f"rebalance/{name}"] for name in expected} == expected
    assert "pandas" in logged.params["rebalance/versions"]
    cells = patients().groupby(["ill", "hospital"]).size()
    assert logged.metrics["rebalance/real/ill.yes hospital.north"] == cells["yes", "north"]
    assert logged.metrics["rebalance/synthetic/ill.no hospital.north"] == 10
    assert logged.metrics["rebalance/rows_real"] == 200
    assert "rebalance/passed" not in logged.metrics  # checks were off
    assert logged.files("rebalance") == ["checks.csv", "plan.csv", "report.html", "report.json"]
    assert json.loads(logged.read("rebalance/report.json"))["plan"]["strategy"] == 0.5
    assert "synthetic rows by 'fake'" in logged.tags["autosynth/rebalance"]


def test_what_the_checks_observed_is_logged_with_the_verdict(
    registry: PluginRegistry, tracked: Callable[..., Logged]
) -> None:
    spoilt = patients().assign(severity=9.0)
    logged = tracked(lambda: autosynth.check(patients(), spoilt, label="ill"))
    assert logged.params == {"check/label": "ill", "check/group_by": "none"}
    assert logged.metrics["check/passed"] == 0
    assert logged.metrics["check/checks_failed"] > 0
    assert logged.metrics["check/observed/limits"] == 1.0  # of all columns, the one that fared worst
    assert logged.metrics["check/by_group/farthest_column/ill.yes"] > 0.5
    assert "critical: limits of severity" in logged.tags["autosynth/check"]
    assert "severity" in logged.read("check/report.html")


def test_the_risks_of_all_groups_are_logged_with_their_gains(
    registry: PluginRegistry, tracked: Callable[..., Logged]
) -> None:
    found: list[autosynth.GroupReport] = []
    logged = tracked(lambda: found.append(reported(baseline=[0.25] * 200)))
    (report,) = found
    assert logged.metrics["group_report/balanced_risk"] == report.balanced_risk.value
    assert logged.metrics["group_report/worst_risk_high"] == report.worst_risk.high
    for row in report.groups:
        cell = f"ill.{row.group['ill' if 'ill' in row.group else 'label']} hospital.{row.group['hospital']}"
        assert logged.metrics[f"group_report/group_risk/{cell}"] == row.risk.value
    assert logged.metrics["group_report/segment_auc/all rows"] == report.segments[-1].auc.value
    assert report.gain is not None
    assert logged.metrics["group_report/gain_nats/total"] == report.gain.total.nats.value
    assert report.gain.sentence in logged.tags["autosynth/group_report"]
    assert not any(np.isnan(value) for value in logged.metrics.values())


def test_a_race_is_one_entry_whatever_it_trains(registry: PluginRegistry, tracked: Callable[..., Logged]) -> None:
    rows = patients().drop(columns=["pressure", "ward"])
    logged = tracked(lambda: autosynth.tune(rows, label="ill", generators=["fake"], progress=False, **RACE))
    assert logged.names == ["tune"]
    assert logged.params["tune/learner"] == "LogisticRegression()"
    assert logged.metrics["tune/score/none"] > 0
    assert logged.metrics["tune/score/fake ratio 1"] > 0
    assert logged.files("tune") == ["candidates.csv", "gains.csv", "report.html", "report.json"]


def test_a_race_inside_a_run_stands_in_the_entry_of_the_run(
    registry: PluginRegistry, tracked: Callable[..., Logged]
) -> None:
    rows = patients().drop(columns=["pressure", "ward"])
    options = {"generators": [], **RACE}
    logged = tracked(lambda: autosynth.rebalance(rows, label="ill", generator="auto", generator_options=options))
    assert logged.names == ["rebalance"]
    assert logged.params["rebalance/race/best"].startswith(("none", "class weights"))
    assert logged.params["rebalance/strategy"] == "none"
    assert "race-report.html" in logged.files("rebalance")
    assert logged.tags["autosynth/rebalance"].count("\n") >= 1


def test_a_scaling_curve_is_a_curve_over_the_number_of_rows(
    registry: PluginRegistry, tracked: Callable[..., Logged]
) -> None:
    rows = patients().drop(columns=["pressure", "ward"])
    found: list[autosynth.ScalingCurve] = []
    logged = tracked(
        lambda: found.append(
            autosynth.scaling_curve(
                rows, label="ill", generator="fake", learner=LogisticRegression(), sizes=[5, 10, 20, 40], cv=2
            )
        )
    )
    assert logged.history("scaling_curve/risk") == [(point.n, point.risk.value) for point in found[0].points]
    assert logged.params["scaling_curve/shape"] == found[0].law.shape
    assert "curve.png" in logged.files("scaling_curve")


def test_copies_of_hidden_rows_are_logged(registry: PluginRegistry, tracked: Callable[..., Logged]) -> None:
    logged = tracked(lambda: autosynth.probe_memorization(patients(), label="ill", generator="fake", n_rows=40))
    assert logged.metrics["probe_memorization/copies_of_shown/exact share"] == 1.0
    assert logged.metrics["probe_memorization/copies_of_hidden/exact share"] == 0.0
    assert logged.tags["autosynth/probe_memorization"].startswith("clean")


def compared(report: autosynth.GroupReport) -> ComparisonReport:
    arms = tuple(
        Arm(
            name=name,
            uses_synthetic=name != "plain",
            threshold=0.5,
            class_offsets=None,
            report=report,
            shifted=report,
            gain=None,
            balanced_accuracy=0.75,
            seconds=1.5,
        )
        for name in ("plain", "in-fold fake")
    )
    return ComparisonReport(
        arms=arms,
        reference="plain",
        verdict="within noise: stay plain",
        winner=None,
        is_judged=True,
        n_train=200,
        n_test=200,
        settings={"label": "ill"},
    )


def test_a_comparison_of_arms_is_one_entry_with_the_risks_of_every_arm(
    registry: PluginRegistry, tracked: Callable[..., Logged]
) -> None:
    with unannounced():
        report = reported()
    logged = tracked(lambda: announce("autosynth_reported", report=compared(report)))
    assert logged.names == ["compare_arms"]
    assert logged.params["compare_arms/reference"] == "plain"
    assert logged.params["compare_arms/settings/label"] == "ill"
    assert logged.metrics["compare_arms/balanced_risk/in-fold fake"] == report.balanced_risk.value
    (worst,) = [row for row in report.groups if row.name == report.worst_group]
    name = f"compare_arms/group_risk_shifted/plain {report.worst_group.replace('=', '.').replace(',', '')}"
    assert logged.metrics[name] == worst.risk.value
    assert logged.files("compare_arms") == ["arms.csv", "groups.csv", "report.html", "report.json"]
    assert logged.tags["autosynth/compare_arms"] == "within noise: stay plain"


def test_rows_that_a_gate_refused_are_on_record(
    registry: PluginRegistry, tracked: Callable[..., Logged], scripted: Any
) -> None:
    def same_row(table: Any, counts: Any, rng: Any) -> Any:
        return table.frame[table.frame["ill"] == "yes"].iloc[[0] * sum(counts.values())]

    def run() -> None:
        with pytest.raises(CheckFailedError):
            autosynth.rebalance(shortcut_table(400), label="ill", generator=scripted(same_row), check="raise")

    logged = tracked(run)
    assert logged.metrics["rebalance/passed"] == 0
    assert "farthest_column" in logged.tags["autosynth/rebalance"]


def test_a_second_entry_of_a_kind_gets_a_number_since_parameters_never_change(
    registry: PluginRegistry, tracked: Callable[..., Logged]
) -> None:
    logged = tracked(lambda: [rebalanced(), rebalanced(augment=5), reported()])
    assert logged.names == ["group_report", "rebalance", "rebalance-2"]
    assert [logged.params[f"{name}/augment"] for name in ("rebalance", "rebalance-2")] == ["0", "5"]
    assert set(logged.tags) == {"autosynth/group_report", "autosynth/rebalance", "autosynth/rebalance-2"}


def test_log_takes_a_name_and_a_run_and_says_what_it_called_the_entry(mlflow: Any) -> None:
    with mlflow.start_run() as run:
        pass
    run_id = run.info.run_id
    result, report = rebalanced_alone(), reported()
    assert autosynth_mlflow.log(result, run_id=run_id) == "rebalance"
    assert autosynth_mlflow.log(report, name="on new rows: a/b", run_id=run_id, files=False) == "on new rows_ a_b"
    assert autosynth_mlflow.log(report, name="on new rows: a/b", run_id=run_id, files=False) == "on new rows_ a_b-2"
    logged = Logged(mlflow, run_id)
    assert logged.files("rebalance")
    assert logged.files("on new rows_ a_b") == []
    assert logged.metrics["on new rows_ a_b-2/groups"] == 4


def rebalanced_alone() -> autosynth.RebalanceResult:
    return autosynth.rebalance(patients(), label="ill", generator="ros", check="off")


def test_log_says_what_is_wrong(mlflow: Any) -> None:
    with pytest.raises(
        ConfigError, match=r"no run of MLflow is active .* `with mlflow.start_run\(\):`, or give run_id"
    ):
        autosynth_mlflow.log(reported())
    with pytest.raises(ConfigError, match=r"report is a DataFrame, which is not logged. Give one of RebalanceReport"):
        autosynth_mlflow.log(patients())
    with pytest.raises(ConfigError, match="files='no' is no truth value"):
        autosynth_mlflow.log(reported(), files="no")  # type: ignore[arg-type]


def test_no_run_is_opened_and_nothing_is_logged_without_one(registry: PluginRegistry, mlflow: Any) -> None:
    before = len(mlflow.search_runs(search_all_experiments=True, output_format="list"))
    rebalanced()
    reported()
    assert mlflow.active_run() is None
    assert len(mlflow.search_runs(search_all_experiments=True, output_format="list")) == before


def test_folds_of_a_cross_validation_leave_no_entry(registry: PluginRegistry, tracked: Callable[..., Logged]) -> None:
    from sklearn.model_selection import cross_val_score

    from autosynth_sklearn import RebalancedClassifier

    rows = patients()
    model = RebalancedClassifier(LogisticRegression(), generator="fake")
    logged = tracked(lambda: cross_val_score(model, rows[["age", "severity"]], rows["ill"], cv=3))
    assert logged.names == []


@pytest.mark.parametrize(("setting", "names", "has_files"), [("off", [], False), ("numbers", ["rebalance"], False)])
def test_the_environment_can_keep_pages_or_everything_back(
    registry: PluginRegistry,
    tracked: Callable[..., Logged],
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    names: list[str],
    has_files: bool,
) -> None:
    monkeypatch.setenv("AUTOSYNTH_MLFLOW", setting)
    logged = tracked(rebalanced)
    assert logged.names == names
    assert bool(logged.files("rebalance")) is has_files


def test_a_wrong_setting_is_a_warning_and_the_rows_come_all_the_same(
    registry: PluginRegistry, tracked: Callable[..., Logged], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOSYNTH_MLFLOW", "of")
    with pytest.warns(autosynth.AutosynthWarning, match=r"AUTOSYNTH_MLFLOW='of' is unknown. Did you mean 'off'\?"):
        assert tracked(lambda: len(rebalanced().data)).names == []


def test_a_store_that_fails_is_a_warning_and_the_rows_come_all_the_same(registry: PluginRegistry, mlflow: Any) -> None:
    results = []
    with mlflow.start_run() as run:
        mlflow.delete_run(run.info.run_id)  # as somebody else might
        with pytest.warns(autosynth.AutosynthWarning, match="plugin 'mlflow' raised in autosynth_rebalanced: .*active"):
            results.append(rebalanced())
        mlflow.MlflowClient().restore_run(run.info.run_id)
    assert results[0].data.groupby(["ill", "hospital"]).size().nunique() == 1


@dataclasses.dataclass(frozen=True)
class SecretOptions:
    api_key: str = "sk-very-secret"
    wordy: str = "a" * 7000
    lines: str = "one\ntwo"


@pytest.fixture
def secretive(registry: PluginRegistry, plugin: Callable[..., ModuleType], scripted: Any) -> None:
    """A registered generator with a secret among its options."""

    class Secretive(scripted):  # type: ignore[misc]
        options = SecretOptions()

    offer = plugin(
        autosynth_register_generators=lambda register: register(
            "secretive", lambda options: Secretive(), options=SecretOptions
        )
    )
    registry.register(offer, name="secretive")


def test_secrets_stay_out_and_long_values_are_cut_to_a_line(secretive: None, tracked: Callable[..., Logged]) -> None:
    logged = tracked(lambda: rebalanced(generator="secretive"))
    assert logged.params["rebalance/options/api_key"] == "(hidden)"
    assert len(logged.params["rebalance/options/wordy"]) == 500
    assert logged.params["rebalance/options/lines"] == "one two"
    assert not any("sk-very-secret" in logged.read(f"rebalance/{name}") for name in logged.files("rebalance"))


@pytest.mark.parametrize("entry", ["tune", "rebalance"])
def test_secrets_of_generators_in_a_race_stay_out_of_its_pages(
    secretive: None, tracked: Callable[..., Logged], entry: str
) -> None:
    rows, race = patients().drop(columns=["pressure", "ward"]), {"generators": ["secretive"], **RACE}

    def call() -> None:
        if entry == "tune":
            autosynth.tune(rows, label="ill", progress=False, **race)
        else:
            autosynth.rebalance(rows, label="ill", generator="auto", generator_options=race, check="off")

    logged = tracked(call)
    texts = {name: logged.read(f"{entry}/{name}") for name in logged.files(entry)}
    assert any("secretive" in text for name, text in texts.items() if name.endswith(".html"))
    assert not [name for name, text in texts.items() if "sk-very-secret" in text]


def test_of_many_groups_the_smallest_become_metrics_and_the_tables_hold_all(
    registry: PluginRegistry, tracked: Callable[..., Logged]
) -> None:
    n_groups = MAX_GROUPS + 10
    sizes = np.arange(n_groups) + 2
    rows = pd.DataFrame({"site": np.repeat([f"Söderköping {i:03}=/[{i}]" for i in range(n_groups)], sizes)})
    rows["ill"] = np.where(np.arange(len(rows)) % 2, "yes", "no")
    proba = np.full(len(rows), 0.5)
    logged = tracked(lambda: autosynth.group_report(rows["ill"], proba, groups=rows["site"], n_bootstrap=0))
    risks = [name for name in logged.metrics if name.startswith("group_report/group_risk/")]
    assert len(risks) == MAX_GROUPS
    assert any("site.Söderköping 000._0" in name for name in risks)
    assert not any(f"Söderköping {n_groups - 1:03}" in name for name in risks)
    assert f"Söderköping {n_groups - 1:03}" in logged.read("group_report/groups.csv")


@given(st.text() | st.just("../../x"), st.lists(st.tuples(st.text(), st.text()), unique=True, max_size=8))
def test_any_names_become_different_keys_that_mlflow_accepts(prefix: str, names: list[tuple[str, str]]) -> None:
    from mlflow.utils.validation import _validate_metric_name

    keys = Keys(key_part(prefix))
    given_out = [keys.of(*name) for name in names]
    assert len({key.casefold() for key in given_out}) == len(names)
    assert given_out == [keys.of(*name) for name in names]
    for key in given_out:
        _validate_metric_name(key)
        assert len(key) <= 250


def python(program: str, folder: Path, **environment: str) -> str:
    """Run a program as on a user's own machine, where nothing says that MLflow must not report home."""
    ours = {name: value for name, value in os.environ.items() if name not in IN_CI}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**ours, "HOME": str(folder), **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


IN_CI = ("PYTEST_CURRENT_TEST", "CI", "GITHUB_ACTIONS", "GITLAB_CI", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK")

TELEMETRY = """
    import os, socket, sys

    attempts = []
    def refuse(self, address):
        attempts.append(address)
        raise OSError("no network in tests")
    socket.socket.connect = refuse

    import autosynth
    from autosynth.plugins import PluginRegistry, use_plugins
    from autosynth.toy import shortcut_table
    import autosynth_mlflow, autosynth_ros
    registry = PluginRegistry()
    registry.register(autosynth_mlflow, name="mlflow")
    registry.register(autosynth_ros, name="ros")
    with use_plugins(registry):
        result = autosynth.rebalance(shortcut_table(100), label="ill", generator="ros", check="off")
        print("mlflow" in sys.modules)

        import mlflow
        from mlflow.telemetry import get_telemetry_client
        mlflow.set_tracking_uri("store")
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        mlflow.start_run()
        del os.environ["MLFLOW_DISABLE_TELEMETRY"]
        autosynth.rebalance(shortcut_table(100), label="ill", generator="ros", check="off")
        autosynth_mlflow.log(result)
    run = mlflow.MlflowClient().get_run(mlflow.active_run().info.run_id)
    print(len({key.split("/")[0] for key in run.data.params}))
    print(get_telemetry_client().is_active, len(attempts), "MLFLOW_DISABLE_TELEMETRY" in os.environ)
    mlflow.log_param("mine", 1)  # the control: MLflow's own calls do report, if nobody tells it not to
    print(get_telemetry_client().is_active)
    sys.stdout.flush()
    os._exit(0)  # its threads would wait for an answer
"""


def test_mlflow_is_never_loaded_by_us_and_our_calls_are_not_reported_to_its_makers(tmp_path: Path) -> None:
    pytest.importorskip("mlflow.telemetry", reason="this MLflow reports nothing")
    told = python(TELEMETRY, tmp_path, MLFLOW_ALLOW_FILE_STORE="true").split()
    assert told == ["False", "2", "False", "0", "False", "True"]
