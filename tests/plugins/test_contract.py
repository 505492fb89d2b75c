"""Every backend keeps the whole contract of autosynth.testing, part by part."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autosynth
from autosynth import RowGenerator, Table
from autosynth.files import write_table
from autosynth.plugins import current_plugins
from autosynth.testing import CONTRACT, Candidate, contract_table
from tests.plugins.tiny_lm import make_tiny_lm, rows_as_lines

# The smallest models that still run every line; what good ones make is a question for benchmarks.
TINY: dict[str, dict[str, Any]] = {
    "ros": {},
    "independent": {},
    "tree": {"n_rounds": 3, "n_copies": 3, "max_bins": 8},
    "smote": {},
    "adasyn": {},
    "borderline_smote": {},
    "gaussian_copula": {},
    "ctgan": {"epochs": 1},
    "tvae": {"epochs": 1},
    "transformer": {"steps": 4, "members": 1},
}
SLOW = {"ctgan", "tvae"}


def why_not(name: str) -> str:
    """Return why a generator cannot be tested here, or an empty string."""
    found = autosynth.generators()
    if name not in [info.name for info in found]:
        return f"{name} is not registered"
    return f"{name} needs {', '.join(found[name].missing)}" if found[name].missing else ""


def cases() -> list[Any]:
    parts = []
    for (name, options), part in itertools.product(TINY.items(), CONTRACT):
        reason = why_not(name)
        marks = [pytest.mark.skipif(bool(reason), reason=reason)] + [pytest.mark.slow] * (name in SLOW)
        parts.append(pytest.param(name, options, part, id=f"{name}-{part.__name__}", marks=marks))
    return parts


@pytest.mark.parametrize(("name", "options", "part"), cases())
def test_every_backend_keeps_the_contract(
    name: str, options: dict[str, Any], part: Callable[[Candidate], None]
) -> None:
    part(Candidate(name, options))


@pytest.mark.parametrize("part", CONTRACT, ids=lambda part: part.__name__)
def test_rows_from_a_file_keep_the_contract(part: Callable[[Candidate], None], tmp_path: Path) -> None:
    numbers = itertools.count()

    def rows_of_copies(table: Table) -> RowGenerator:
        """Build a generator over a file with more than enough real rows of every group."""
        rng = np.random.default_rng(0)
        n_rows = int(table.group_sizes.max()) + 10
        drawn = np.concatenate([rng.choice(table.positions(group), n_rows) for group in table.groups])
        path = write_table(table.frame.iloc[drawn].reset_index(drop=True), tmp_path / f"{next(numbers)}.parquet")
        return current_plugins().build("rows", {"path": str(path)})

    part(Candidate(rows_of_copies))


@pytest.fixture(scope="module")
def tiny_language_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_tiny_lm(tmp_path_factory.mktemp("tiny-lm") / "model", rows_as_lines(contract_table().frame))


@pytest.mark.skipif(bool(why_not("llm")), reason=why_not("llm"))
@pytest.mark.parametrize("part", CONTRACT, ids=lambda part: part.__name__)
def test_a_language_model_keeps_the_contract(part: Callable[[Candidate], None], tiny_language_model: str) -> None:
    part(Candidate("llm", {"model": tiny_language_model, "epochs": 1, "batch_size": 32}))


def test_every_registered_backend_of_ours_is_in_the_contract_tests() -> None:
    ours = {info.name for info in autosynth.generators() if info.distribution == "autosynth"}
    assert ours == {*TINY, "rows", "llm", "llm_api"}  # the last one in test_llm_api_endpoint.py


def test_the_cheapest_backend_gives_real_rows() -> None:
    frame = pd.DataFrame({"x": [1, 2, 3, 4], "y": ["a", "a", "a", "b"]})
    result = autosynth.rebalance(frame, label="y", generator="ros")
    assert result.synthetic["x"].tolist() == [4, 4]
    assert result.provenance["parents"].tolist() == [(3,), (3,)]
