"""A generator that sends rows away, in AutoGluon's folds: consent, failures paid for once, and no key left behind."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

pytest.importorskip("autogluon.tabular")
pytest.importorskip("openai")

from autogluon.common import space

from autosynth.cli import main
from autosynth.exceptions import ConfigError, InsufficientRowsError
from autosynth.generator import GeneratorInfo, NoOptions
from autosynth_autogluon import compare_arms, rebalanced
from autosynth_autogluon.consent import check_consent
from autosynth_llm import LLMApiGenerator, LLMApiOptions
from autosynth_llm.api.exchange import FROM_CACHE
from autosynth_llm.api.failures import EndpointError
from tests.integration.autogluon_helpers import QUICK, additions, fit
from tests.integration.clinic import clinic
from tests.plugins.fake_endpoint import FakeEndpoint, fails, rows, says

pytestmark = pytest.mark.filterwarnings("ignore")

KEY = "sk-marker-51c0ffee"


class Mine(LLMApiGenerator):
    """Somebody's own variant."""


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def endpoint():
    with FakeEndpoint() as running:
        yield running


def asking(endpoint: FakeEndpoint, **options: Any) -> dict[str, Any]:
    """Return arguments of rebalanced() for this endpoint, with consent."""
    given = {"model": "m", "base_url": endpoint.base_url, "max_retries": 0, **options}
    return {"generator": "llm_api", "generator_options": given, "allow_remote": True}


# Consent.


@pytest.mark.parametrize(
    "generator",
    ["llm_api", LLMApiGenerator(LLMApiOptions(model="m")), Mine(LLMApiOptions(model="m"))],
    ids=["a name", "an object", "an object of a subclass"],
)
def test_without_consent_nothing_is_fitted_and_all_is_said(generator):
    options = {"model": "m"} if generator == "llm_api" else None
    with pytest.raises(ConfigError) as refused:
        rebalanced(QUICK, generator=generator, generator_options=options, data=clinic())
    for said in (
        "'llm_api' sends real rows to another machine",
        "may cost money per call",
        "rows of every fold leave this machine",
        "one generation per fold: num_bag_folds x num_bag_sets",
        "max_requests, max_tokens, max_seconds",
        "hold for each fold, not in total",
        "'cache_dir': FOLDER",
        "allow_remote=True",
    ):
        assert said in str(refused.value)


def test_a_comparison_says_how_many_generations_it_would_be():
    options = {"model": "m", "cache_dir": "answers"}
    with pytest.raises(ConfigError, match=r"one generation per fold: 12 here.*cache_dir given, the same run again is"):
        compare_arms(
            clinic(),
            label="ill",
            generator="llm_api",
            generator_options=options,
            num_bag_folds=4,
            fit_options={"num_bag_sets": 3},
        )


def test_the_fit_command_asks_for_consent_before_it_makes_a_folder(tmp_path, capsys):
    clinic().to_csv(tmp_path / "train.csv", index=False)
    command = ["fit", tmp_path / "train.csv", "--label", "ill", "--generator", "llm_api", "--option", "model=m"]
    with pytest.raises(SystemExit) as stopped:
        main([str(part) for part in [*command, "--out", tmp_path / "fits"]])
    assert stopped.value.code == 2
    assert "--allow-remote" in capsys.readouterr().err
    assert not (tmp_path / "fits").exists()


def test_generators_that_stay_here_need_no_consent():
    for local in (None, GeneratorInfo(name="ros", factory=lambda options: options, options=NoOptions)):
        check_consent(local, allowed=False)
    with pytest.raises(ConfigError, match="allow_remote='yes'"):
        rebalanced(QUICK, generator="ros", allow_remote="yes")


def test_only_limits_and_caches_that_a_generator_has_are_spoken_of():
    bare = GeneratorInfo(name="far", factory=lambda options: options, options=NoOptions, remote=True)
    with pytest.raises(ConfigError) as refused:
        check_consent(bare, allowed=False)
    assert "limits" not in str(refused.value)
    assert "cache_dir" not in str(refused.value)


def test_a_comparison_with_consent_reports_what_each_fold_asked_for(endpoint, tmp_path):
    report = compare_arms(
        clinic(),
        label="ill",
        **asking(endpoint),
        hyperparameters={"LR": {}},
        num_bag_folds=2,
        path=tmp_path / "fits",
        fit_options={"ag_args_ensemble": {"fold_fitting_strategy": "sequential_local"}, "num_cpus": 1, "num_gpus": 0},
    )
    assert any("requests sent (2 per fold, in 2 of 2 model folds)" in note for note in report.notes)
    assert endpoint.n_requests == 4


# What is sent.


def test_each_fold_asks_once_for_all_models_and_a_cache_makes_the_same_fit_free(endpoint, tmp_path):
    train = clinic()
    models = rebalanced(QUICK, **asking(endpoint, cache_dir=tmp_path / "answers"), data=train)
    first = fit(train, models, tmp_path / "first", label="ill")
    assert endpoint.n_requests == 9  # 60 rows for each of three folds, 20 per request; two models share them
    again = fit(train, models, tmp_path / "again", label="ill")
    assert endpoint.n_requests == 9
    assert all(added["notes"][FROM_CACHE] == 3 for _, _, added in additions(again))
    assert first.leaderboard()["score_val"].tolist() == again.leaderboard()["score_val"].tolist()


def test_models_that_want_fewer_rows_share_those_that_are_paid_for(endpoint, tmp_path):
    train = clinic()
    models = rebalanced({"LR": {}, "KNN": {}}, **asking(endpoint), data=train, synthetic_weight=0.5)
    predictor = fit(train, models, tmp_path, label="ill", num_bag_folds=2)
    assert endpoint.n_requests == 6
    assert sorted(added["n_synthetic"] for _, _, added in additions(predictor)) == [22, 22, 45, 45]


def test_a_model_that_wants_more_rows_makes_the_fold_generate_again(endpoint, tmp_path):
    train = clinic()
    models = rebalanced({"LR": {}}, **asking(endpoint), data=train, ratio=space.Categorical(0.5, 1.0))
    search = {"num_trials": 3, "searcher": "random", "scheduler": "local"}
    predictor = fit(
        train, models, tmp_path, label="ill", num_bag_folds=0, ag_args_ensemble=None, hyperparameter_tune_kwargs=search
    )
    assert {added["n_synthetic"] for _, _, added in additions(predictor)} == {24, 72}
    assert endpoint.n_requests == 6  # two for the 24 rows of the first trial, four for 72


def test_what_leaves_the_machine_is_said_under_a_time_limit_too(endpoint, tmp_path, caplog):
    train = clinic()
    models = rebalanced({"LR": {}}, **asking(endpoint), data=train)
    fit(train, models, tmp_path, label="ill", num_bag_folds=2, time_limit=120)
    said = [record for record in caplog.records if record.name == "autosynth_llm.api.generator"]
    assert len(said) == 2
    assert all("will show" in record.getMessage() and record.levelno == logging.WARNING for record in said)


# Failures.


@pytest.mark.parametrize("time_limit", [None, 120], ids=["in this process", "in one of its own"])
def test_a_failing_endpoint_is_the_error_that_the_user_sees(tmp_path, time_limit):
    train = clinic()
    with FakeEndpoint(otherwise=fails(401, f"Incorrect API key provided: {KEY}.")) as endpoint:
        models = rebalanced(QUICK, **asking(endpoint), data=train)
        with pytest.raises(EndpointError, match=r"refused the request with status 401.*OPENAI_API_KEY") as failed:
            fit(train, models, tmp_path, label="ill", num_bag_folds=2, time_limit=time_limit)
    assert KEY not in str(failed.value)


def test_no_other_model_pays_again_for_what_failed_in_a_fold(endpoint, tmp_path, caplog):
    train = clinic()
    models = rebalanced({**QUICK, "RF": {"n_estimators": 5}}, **asking(endpoint, max_requests=2), data=train)
    caplog.set_level(logging.INFO)
    with pytest.raises(RuntimeError, match="No models were trained"):
        fit(train, models, tmp_path, label="ill", raise_on_model_failure=False)
    assert endpoint.n_requests == 2  # the first fold, whose failure ends each model before its second
    with pytest.raises(InsufficientRowsError, match=r"budget max_requests=2 is used up.*nothing was sent again"):
        fit(train, models, tmp_path, label="ill", raise_on_model_failure=True)


@pytest.mark.slow
def test_a_fold_that_ran_out_of_time_is_not_paid_for_again(tmp_path):
    train = clinic()
    with FakeEndpoint(otherwise=rows(delay_s=60)) as endpoint:
        models = rebalanced(QUICK, **asking(endpoint), data=train)
        predictor = fit(train, models, tmp_path, label="ill", num_bag_folds=2, time_limit=30)
        assert endpoint.n_requests == 2  # one for each fold; more would follow its answer
    reasons = [added["left_plain"] for _, _, added in additions(predictor)]
    assert len(reasons) == 4
    assert all("did not finish within" in reason and "nothing was sent again" in reason for reason in reasons)


# The key.


def test_the_key_is_in_no_file_and_no_log_and_no_client_is_pickled(tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    train = clinic()
    with FakeEndpoint(fails(500, f"oops, {KEY}"), otherwise=says(f"no rows for {KEY}")) as failing:
        with pytest.raises(RuntimeError, match="No models were trained"):
            fit_loudly(train, failing, tmp_path / "failing")
        assert set(failing.keys) == {KEY}
    with FakeEndpoint() as working:
        predictor = fit_loudly(train, working, tmp_path / "working")
        assert set(working.keys) == {KEY}
    assert all(added["n_synthetic"] for _, _, added in additions(predictor))
    printed = capfd.readouterr()
    logged = "\n".join(record.getMessage() + (record.exc_text or "") for record in caplog.records)
    for text in (printed.out, printed.err, logged):
        assert KEY not in text
    contents = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert [file for file in contents if file.name.endswith("-generator.pkl")]
    assert [file for file in contents if file.name.endswith("-rows.pkl")]
    for file, content in contents.items():
        assert KEY.encode() not in content, file
        assert file.suffix != ".pkl" or not re.search(rb"openai\.|httpx", content), file


def fit_loudly(train, endpoint, folder):
    """Fit as a user does who wants to see everything, and only logs failures."""
    models = rebalanced(QUICK, **asking(endpoint, cache_dir=folder / "answers"), data=train)
    return fit(
        train,
        models,
        folder,
        label="ill",
        num_bag_folds=2,
        raise_on_model_failure=False,
        predictor_options={"verbosity": 4},
    )
