"""Rows planted in a validation fold never influence any synthetic row, whatever the backend."""

from __future__ import annotations

import pickle
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("autogluon.tabular")

from autosynth.toy import overlapping_classes
from autosynth_autogluon import rebalanced
from autosynth_autogluon.cache import FOLDER
from autosynth_autogluon.fold_synthesis import MadeRows
from tests.integration.autogluon_helpers import fit

pytestmark = pytest.mark.filterwarnings("ignore")

MODEL_SPACE = [("ros", {}), ("smote", {}), ("adasyn", {}), ("borderline_smote", {})]
ORIGINAL_SPACE = [
    ("gaussian_copula", {}),
    pytest.param("ctgan", {"epochs": 1}, marks=pytest.mark.slow),
    pytest.param("tvae", {"epochs": 1}, marks=pytest.mark.slow),
]


def rows_by_fold(predictor_path: str) -> dict[str, pd.DataFrame]:
    """Read the synthetic rows of every fold from the predictor's cache, by the name of the fold."""
    found = {}
    for file in (Path(predictor_path) / FOLDER).glob("*.pkl"):
        content = pickle.loads(file.read_bytes())
        if isinstance(content, MadeRows):
            found[file.name] = content.X
    return found


def planted(value: float) -> pd.DataFrame:
    """Return a table with one minority row whose first feature is far out."""
    train = overlapping_classes(240, minority_share=0.25, n_features=4)
    train["kind"] = pd.Categorical.from_codes(train.index % 3, ["a", "b", "c"])
    canary = train.index[train["target"] == 1][0]
    train.loc[canary, "x0"] = value
    return train


@pytest.mark.parametrize(("generator", "options"), [*MODEL_SPACE, *ORIGINAL_SPACE])
def test_a_held_out_row_changes_nothing_in_its_fold(generator, options, tmp_path):
    rows = []
    for value in (1e6, -2e6):
        train = planted(value)
        models = rebalanced({"LR": {}}, generator=generator, generator_options=options, data=train)
        predictor = fit(train, models, tmp_path / str(value))
        rows.append(rows_by_fold(predictor.path))
    one, other = rows
    assert len(one) == len(other) == 3
    (held_out,) = set(one) & set(other)  # the folds that train on the canary differ, the one that validates it does not
    pd.testing.assert_frame_equal(one[held_out], other[held_out])
    assert one[held_out]["x0"].abs().max() < 100
