"""Rows planted in a validation fold never influence any synthetic row, whatever the backend."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytest.importorskip("autogluon.tabular")

from autosynth.plugins import current_plugins
from autosynth.synthesis import SyntheticRows
from autosynth.toy import overlapping_classes
from autosynth_autogluon import fold_synthesis, rebalanced
from autosynth_autogluon.cache import FOLDER
from autosynth_autogluon.fold_synthesis import MadeRows
from tests.integration.autogluon_helpers import fit
from tests.integration.clinic import clinic, note_code
from tests.plugins.fake_endpoint import FakeEndpoint
from tests.plugins.tiny_lm import make_tiny_lm

pytestmark = pytest.mark.filterwarnings("ignore")

MODEL_SPACE = [("ros", {}), ("smote", {}), ("adasyn", {}), ("borderline_smote", {})]
ORIGINAL_SPACE = [
    ("gaussian_copula", {}),
    pytest.param("ctgan", {"epochs": 1}, marks=pytest.mark.slow),
    pytest.param("tvae", {"epochs": 1}, marks=pytest.mark.slow),
    ("independent", {}),
    ("tree", {}),
    ("transformer", {"steps": 20, "members": 1}),
    ("llm", {"epochs": 1, "max_number_values": 8}),
    ("llm_api", {"model": "m", "api_key_env": None}),
]


@pytest.fixture
def arguments(generator: str, options: dict[str, Any], tmp_path: Path) -> Any:
    """What rebalanced() is given, with a language model or an endpoint where one is needed."""
    for module in current_plugins().info(generator).requires:
        pytest.importorskip(module)
    with FakeEndpoint() as endpoint:
        needed = {
            "llm": lambda: {"model": make_tiny_lm(tmp_path / "lm")},
            "llm_api": lambda: {"base_url": endpoint.base_url},
        }
        given = {**options, **needed.get(generator, dict)()}
        yield {"generator": generator, "generator_options": given, "allow_remote": True}


def cached(predictor_path: str, kind: type) -> dict[str, Any]:
    """Read what the predictor's cache holds of a kind, by the name of the fold."""
    files = sorted((Path(predictor_path) / FOLDER).glob("*.pkl"))
    found = {file.name: pickle.loads(file.read_bytes()) for file in files}
    return {name: content for name, content in found.items() if isinstance(content, kind)}


def planted(value: float) -> pd.DataFrame:
    """Return a table with one minority row whose first feature is far out."""
    train = overlapping_classes(240, minority_share=0.25, n_features=4)
    train["kind"] = pd.Categorical.from_codes(train.index % 3, ["a", "b", "c"])
    canary = train.index[train["target"] == 1][0]
    train.loc[canary, "x0"] = value
    return train


@pytest.mark.parametrize(("generator", "options"), [*MODEL_SPACE, *ORIGINAL_SPACE])
def test_a_held_out_row_changes_nothing_in_its_fold(arguments, tmp_path):
    rows = []
    for value in (1e6, -2e6):
        train = planted(value)
        predictor = fit(train, rebalanced({"LR": {}}, **arguments, data=train), tmp_path / str(value))
        rows.append({name: made.X for name, made in cached(predictor.path, MadeRows).items()})
    one, other = rows
    assert len(one) == len(other) == 3
    (held_out,) = set(one) & set(other)  # the folds that train on the canary differ, the one that validates it does not
    pd.testing.assert_frame_equal(one[held_out], other[held_out])
    assert one[held_out]["x0"].abs().max() < 100


@pytest.mark.parametrize(("generator", "options"), ORIGINAL_SPACE)
def test_not_even_through_the_codes_that_autogluon_gives_to_categories_and_words(arguments, tmp_path):
    rows = []
    for city, note in (("Aberdeen", "aaa bbb ccc"), ("Oslo", "pain since weeks")):
        train = clinic()
        train.loc[[0, 1], "city"] = "Aberdeen"  # a category that AutoGluon keeps when two rows have it, and else drops
        train.loc[0, ["city", "note"]] = city, note
        predictor = fit(train, rebalanced({"LR": {}}, **arguments, data=train), tmp_path / city, label="ill")
        rows.append(cached(predictor.path, SyntheticRows))
    one, other = rows
    assert len(one) == len(other) == 3
    (held_out,) = set(one) & set(other)
    pd.testing.assert_frame_equal(one[held_out].frame, other[held_out].frame)


def test_no_prompt_of_a_fold_shows_a_row_that_it_validates(tmp_path, monkeypatch):
    pytest.importorskip("openai")
    train = clinic()
    trained, prompts = [], []
    sample_step = fold_synthesis.sample_step

    def write_down(fitted, table, *arguments):
        before = endpoint.n_requests
        rows = sample_step(fitted, table, *arguments)
        trained.append(set(table.frame.index))
        prompts.append([json.dumps(body["messages"]) for body in endpoint.bodies[before:]])
        return rows

    monkeypatch.setattr(fold_synthesis, "sample_step", write_down)
    with FakeEndpoint() as endpoint:
        options = {"model": "m", "api_key_env": None, "base_url": endpoint.base_url}
        models = rebalanced({"LR": {}}, generator="llm_api", generator_options=options, data=train, allow_remote=True)
        fit(train, models, tmp_path, label="ill")
        assert endpoint.n_requests == sum(map(len, prompts))
    assert len(trained) == 3
    for rows, texts in zip(trained, prompts, strict=True):
        shown = {row for row in train.index if any(note_code(row) in text for text in texts)}
        assert len(shown) > 10
        assert shown <= rows
