from __future__ import annotations

import logging
import pickle
import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier

from autosynth import TableSchema
from autosynth.exceptions import ConfigError, DataError, GenerationError, MissingExtraError
from autosynth.tuning.learners import make_learner

pytest.importorskip("autogluon.tabular")
from autosynth_autogluon import AutoGluonClassifier
from autosynth_autogluon.learner_rows import plain_column

QUICK = {"GBM": {"num_boost_round": 10}}
N_ROWS = 240


def visits() -> pd.DataFrame:
    """240 rows, a quarter of them ill, in columns that clash with what AutoGluon or scikit-learn would call them."""
    rng = np.random.default_rng(0)
    width = rng.normal(size=N_ROWS)
    frame = pd.DataFrame(
        {
            "label": width,
            7: rng.choice(["a", "b", None], N_ROWS),
            "weight": pd.array(rng.integers(0, 3, N_ROWS), dtype="Int64"),
            "stay": pd.to_timedelta(rng.integers(0, 9, N_ROWS), unit="h"),
            "known": pd.array(rng.choice([True, False, None], N_ROWS), dtype="boolean"),
            "seen": pd.date_range("2020", periods=N_ROWS),
        },
        index=np.arange(N_ROWS)[::-1],
    )
    frame["ill"] = np.where(width + 0.3 * rng.normal(size=N_ROWS) > 0.7, "yes", "no")
    return frame


def temporary_folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("autosynth-autogluon-*"))


def test_autogluon_is_a_learner_that_leaves_no_trace(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = visits()
    X, y = frame.drop(columns="ill"), (frame["ill"] == "yes").to_numpy("int64")
    before = X.copy(deep=True)
    streams = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    folders, level = temporary_folders(), logging.getLogger("autogluon").level
    learner = make_learner(
        AutoGluonClassifier(hyperparameters=QUICK, time_limit=30), TableSchema.infer(frame, label="ill"), 3, 0
    )
    weights = np.where(y, 1.5, 0.8)
    fitted = learner.fit(X[:160], y[:160], weights[:160])
    answers = fitted.predict_proba(X[160:])

    assert answers.shape == (80, 3)
    assert answers.sum(axis=1) == pytest.approx(1)
    assert not answers[:, 2].any()
    assert np.mean(answers.argmax(axis=1) == y[160:]) > 0.85
    assert temporary_folders() == folders
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    assert (random.getstate(), np.random.get_state()[1].tolist()) == streams  # noqa: NPY002
    assert logging.getLogger("autogluon").level == level
    pd.testing.assert_frame_equal(X, before)
    again = pickle.loads(pickle.dumps(fitted)).predict_proba(X[160:])
    assert np.array_equal(again, answers)


def test_it_is_a_classifier_as_scikit_learn_has_them() -> None:
    frame = visits().drop(columns=7)
    X, y = frame.drop(columns="ill"), frame["ill"].where(frame["label"] > -1.5, "dead")
    classifier = AutoGluonClassifier(hyperparameters=QUICK, random_state=3)
    assert is_classifier(classifier)
    copy = clone(classifier).set_params(time_limit=None)
    assert copy.get_params()["random_state"] == 3
    assert copy.get_params()["hyperparameters"] == QUICK
    copy.fit(X, y)
    assert copy.classes_.tolist() == ["dead", "no", "yes"]
    assert copy.feature_names_in_.tolist() == X.columns.tolist()
    assert copy.n_features_in_ == 5
    assert copy.predict_proba(X).shape == (N_ROWS, 3)
    assert copy.score(X, y) > 0.8
    with pytest.raises(DataError, match=r"the rows have the columns \['stay', 'label'\]"):
        copy.predict(X[["stay", "label"]])


def test_the_name_autogluon_makes_one_with_the_seed_asked_for() -> None:
    learner = make_learner("autogluon", TableSchema.infer(visits(), label="ill"), 2, random_state=5)
    assert repr(learner.classifier) == "AutoGluonClassifier(random_state=5)"  # type: ignore[attr-defined]
    assert learner.reads_columns  # type: ignore[attr-defined]


def test_without_autogluon_the_extra_that_brings_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autosynth.extras.find_spec", lambda package: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'autosynth\[autogluon\]'"):
        make_learner("autogluon", TableSchema.infer(visits(), label="ill"), 2, 0)


def test_what_it_cannot_learn_from_is_refused() -> None:
    numbers = np.arange(8.0)[:, None]
    with pytest.raises(DataError, match="y holds the classes"):
        AutoGluonClassifier().fit(numbers, ["ill"] * 8)
    with pytest.raises(DataError, match=r"y has shape \(3,\), and X has 8 rows"):
        AutoGluonClassifier().fit(numbers, [0, 1, 0])
    with pytest.raises(ConfigError, match="time_limit=0 is out of range"):
        AutoGluonClassifier(time_limit=0).fit(numbers, [0, 1] * 4)
    with pytest.raises(GenerationError, match=r"AutoGluon trained no model with time_limit=0\.001 s"):
        AutoGluonClassifier(time_limit=0.001).fit(numbers, [0, 1] * 4)


@pytest.mark.parametrize("threads", ["1", "1,2", "999", "", "many"])
def test_cores_follow_the_environment(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    expected = {"1": 1, "1,2": 1, "999": 4}.get(threads)
    assert AutoGluonClassifier()._n_cpus() == expected
    assert AutoGluonClassifier(num_cpus=3)._n_cpus() == 3


@pytest.mark.parametrize(
    ("values", "plain"),
    [
        (pd.array([True, None], dtype="boolean"), [1.0, np.nan]),
        (pd.array([3, None], dtype="int64[pyarrow]"), [3.0, np.nan]),
        (pd.to_timedelta([90, None], unit="s"), [90.0, np.nan]),
        (pd.array(["x", None], dtype="string"), ["x", None]),
        (pd.array([pd.Timestamp("2020-01-02"), None], dtype="timestamp[us][pyarrow]"), [pd.Timestamp("2020-01-02")]),
    ],
    ids=["boolean", "arrow integer", "duration", "string", "arrow date"],
)
def test_dtypes_become_those_of_numpy(values: Any, plain: list[Any]) -> None:
    column = plain_column(pd.Series(values))
    assert isinstance(column.dtype, np.dtype)
    pd.testing.assert_series_equal(column, pd.Series([*plain, None][:2], dtype=column.dtype))
