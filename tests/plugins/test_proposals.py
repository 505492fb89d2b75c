"""What the backends propose to race for which tables."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from autosynth import Group, Table, TableSchema
from autosynth.extras import missing_modules
from autosynth.plugins import current_plugins

pytest.importorskip("autosynth_smote")


def simulated(n_rows: int = 400, n_minority: int = 40, n_numbers: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(n_rows, n_numbers))).rename(columns="x{}".format)
    return frame.assign(ill=np.where(np.arange(n_rows) < n_minority, "yes", "no"))


def proposals(frame: pd.DataFrame, group_by: str | None = None) -> set[str]:
    return set(current_plugins().proposals(Table.from_frame(frame, label="ill", group_by=group_by)))


def asked(plugin: str, schema: TableSchema, groups: Mapping[Group, int]) -> tuple[str, ...]:
    return tuple(importlib.import_module(plugin).autosynth_propose_generators(schema, groups) or ())


def test_an_ordinary_table_gets_the_local_and_cheap_generators() -> None:
    names = proposals(simulated())
    assert {"smote", "independent"} <= names
    assert ("transformer" in names) == (not missing_modules(["torch", "safetensors"]))
    assert not names & {
        "ros",
        "adasyn",
        "borderline_smote",
        "gaussian_copula",
        "ctgan",
        "tvae",
        "llm",
        "llm_api",
        "rows",
    }


def test_a_table_with_one_minority_row_gets_no_generator_that_would_copy_it() -> None:
    assert proposals(simulated(n_minority=1)) & {"smote", "transformer"} == set()
    assert "smote" in proposals(simulated(n_minority=2))


def test_free_texts_alone_are_nothing_to_interpolate_or_to_model() -> None:
    texts = simulated(n_numbers=0).assign(note=[f"seen on ward {number}" for number in range(400)])
    assert proposals(texts) & {"smote", "transformer", "independent"} == {"independent"}


def test_columns_that_the_group_sets_do_not_count() -> None:
    frame = simulated(n_numbers=1).assign(site=np.where(np.arange(400) % 2, "north", "south"))
    transformer = set() if missing_modules(["torch", "safetensors"]) else {"transformer"}
    assert proposals(frame) & {"transformer"} == transformer
    assert proposals(frame, group_by="site") & {"transformer"} == set()


@pytest.mark.parametrize(
    ("sizes", "worth"), [((970, 30), True), ((970, 29), False), ((970, 29, 31), True), ((90_000, 10_000), False)]
)
def test_the_transformer_wants_rows_in_a_group_that_would_get_some_and_no_table_that_takes_minutes(
    sizes: tuple[int, ...], worth: bool
) -> None:
    pytest.importorskip("autosynth_llm")
    columns = {f"x{number}": [0.5, 1.25, 2.125] for number in range(19)}
    schema = TableSchema.infer(pd.DataFrame({**columns, "ill": ["a", "b", "c"]}), label="ill")
    groups = {Group((("ill", str(number)),)): size for number, size in enumerate(sizes)}
    assert asked("autosynth_llm", schema, groups) == (("transformer",) if worth else ())


def test_trees_stand_in_where_torch_is_missing() -> None:
    pytest.importorskip("autosynth_tree")
    assert ("tree" in proposals(simulated())) == bool(missing_modules(["torch"]) and not missing_modules(["xgboost"]))
