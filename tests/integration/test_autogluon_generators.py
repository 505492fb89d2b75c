"""The generators of original columns in AutoGluon's folds, on a table with categories, dates, a text and gaps."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

pytest.importorskip("autogluon.tabular")

from autosynth.plugins import current_plugins
from autosynth_autogluon import rebalanced
from autosynth_autogluon.cache import FOLDER
from tests.integration.autogluon_helpers import QUICK, additions, fit
from tests.integration.clinic import clinic
from tests.plugins.tiny_lm import make_tiny_lm, rows_as_lines

pytestmark = pytest.mark.filterwarnings("ignore")

GENERATORS = [
    ("independent", {}),
    ("tree", {}),
    ("transformer", {"steps": 20, "members": 1}),
    ("llm", {"epochs": 1, "max_number_values": 8}),
]


@pytest.fixture(params=GENERATORS, ids=lambda generator: generator[0])
def generator(request, tmp_path):
    name, options = request.param
    for module in current_plugins().info(name).requires:
        pytest.importorskip(module)
    if name == "llm":
        options = {**options, "model": make_tiny_lm(tmp_path / "lm", rows_as_lines(clinic(30)))}
    return {"generator": name, "generator_options": options}


def test_cells_of_a_category_and_a_binned_number_get_equal_sizes_from_one_fit_per_fold(generator, tmp_path):
    train = clinic()
    models = rebalanced(QUICK, **generator, data=train, group_by={"city": None, "dose": 2})
    predictor = fit(train, models, tmp_path, label="ill", num_bag_folds=2)
    found = list(additions(predictor))
    assert len(found) == 4  # two models, two folds
    for _, _, added in found:
        sizes = {group: n + added["rows_added"].get(group, 0) for group, n in added["groups"].items()}
        assert len(sizes) > 8
        assert len(set(sizes.values())) == 1
        assert added["space"] == "original"
    assert len(list((Path(predictor.path) / FOLDER).glob("*-generator.pkl"))) == 2
    assert len(predictor.predict(train.drop(columns="ill").head())) == 5


def test_a_transformer_that_is_too_slow_is_ended_and_the_models_train_on_real_rows(tmp_path):
    pytest.importorskip("torch")
    train = clinic()
    slow = {"generator": "transformer", "generator_options": {"steps": 1_000_000, "patience": 1_000_000}}
    started = time.monotonic()
    predictor = fit(train, rebalanced(QUICK, **slow, data=train), tmp_path, label="ill", num_bag_folds=2, time_limit=12)
    assert time.monotonic() - started < 30
    reasons = [added["left_plain"] for _, _, added in additions(predictor)]
    assert len(reasons) == 4
    assert all("generator 'transformer' did not finish within its" in reason for reason in reasons)


def test_a_transformer_with_a_time_limit_of_its_own_ends_in_time_with_what_it_has(tmp_path):
    pytest.importorskip("torch")
    train = clinic()
    options = {"steps": 1_000_000, "patience": 1_000_000, "members": 1, "time_limit_s": 0.5}
    models = rebalanced({"LR": {}}, generator="transformer", generator_options=options, data=train)
    predictor = fit(train, models, tmp_path, label="ill", num_bag_folds=2)
    assert all(added["n_synthetic"] > 0 for _, _, added in additions(predictor))
