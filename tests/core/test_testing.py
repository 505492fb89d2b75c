"""check_generator catches a generator that breaks any one promise, and says which."""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from autosynth import Group, Table
from autosynth.exceptions import ConfigError, TooFewRowsError, UnknownGeneratorError
from autosynth.testing import CONTRACT, Candidate, check_generator, contract_table


class Honest:
    """Copies real rows, and keeps the whole contract."""

    def fit(self, table: Table, *, rng: np.random.Generator) -> Any:
        self.table_ = table
        return self

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        drawn = [rng.choice(self.table_.positions(group), size=count) for group, count in counts.items()]
        return self.table_.frame.iloc[np.concatenate(drawn)].copy()


class TooFew(Honest):
    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        return super().sample(dict.fromkeys(counts, 0), rng=rng)


class TooMany(Honest):
    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        return super().sample({group: count + 1 for group, count in counts.items()}, rng=rng)


class OtherGroups(Honest):
    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        own = super().sample(counts, rng=rng)
        other = self.table_.frame.iloc[self.table_.positions(self.table_.groups[0])[:1]]
        return pd.concat([own, other]) if len(counts) == 1 else own


class ForeignColumn(Honest):
    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        return super().sample(counts, rng=rng).assign(extra=1)


class MissingColumn(Honest):
    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        return super().sample(counts, rng=rng).drop(columns="age", errors="ignore")


class UnknownCategory(Honest):
    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        rows = super().sample(counts, rng=rng)
        if "ward" in rows:
            wards = rows["ward"].astype(object)
            rows["ward"] = wards.where(rng.random(len(rows)) > 0.2, "attic")
        return rows


class NeverMissing(Honest):
    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        rows = super().sample(counts, rng=rng)
        return rows.assign(visits=rows["visits"].fillna(0)) if "visits" in rows else rows


class MostlyMissing(Honest):
    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        rows = super().sample(counts, rng=rng)
        return rows.assign(pressure=np.nan) if "pressure" in rows else rows


class Unseeded(Honest):
    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        return super().sample(counts, rng=np.random.default_rng())


class AlwaysTheSame(Honest):
    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        return super().sample(counts, rng=np.random.default_rng(0))


class GloballySeeded(Honest):
    def fit(self, table: Table, *, rng: np.random.Generator) -> Any:
        np.random.seed(int(rng.integers(100)))  # noqa: NPY002 - the fault
        return super().fit(table, rng=rng)


class PythonSeeded(Honest):
    def fit(self, table: Table, *, rng: np.random.Generator) -> Any:
        random.seed(int(rng.integers(100)))
        return super().fit(table, rng=rng)


class Mutating(Honest):
    def fit(self, table: Table, *, rng: np.random.Generator) -> Any:
        super().fit(Table(table.frame.copy(), table.schema, table.grouping, table.group_codes), rng=rng)
        if "age" in table.frame:
            table.frame.iloc[0, table.frame.columns.get_loc("age")] = 20
        return self


class Unpicklable(Honest):
    def fit(self, table: Table, *, rng: np.random.Generator) -> Any:
        self.progress_ = lambda: None
        return super().fit(table, rng=rng)


class ForgetsWhenPickled(Honest):
    def __getstate__(self) -> dict[str, Any]:
        first = self.table_.frame.iloc[[self.table_.positions(group)[0] for group in self.table_.groups]]
        return {"table_": Table.from_frame(pd.concat([first] * 5, ignore_index=True), label="ill", group_by="hospital")}

    def __deepcopy__(self, memo: dict[int, Any]) -> ForgetsWhenPickled:
        return type(self)()


class Shared(Honest):
    """Keeps the rows of whoever was fitted last."""

    seen: ClassVar[dict[str, Table]] = {}

    def fit(self, table: Table, *, rng: np.random.Generator) -> Any:
        self.seen["table"] = table
        return super().fit(table, rng=rng)

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        self.table_ = self.seen["table"]
        return super().sample(counts, rng=rng)


class CrashesOnOneRow(Honest):
    def fit(self, table: Table, *, rng: np.random.Generator) -> Any:
        if table.group_sizes.min() == 1:
            raise IndexError("no second neighbour")
        return super().fit(table, rng=rng)


class NeedsALabelOfClasses(Honest):
    def fit(self, table: Table, *, rng: np.random.Generator) -> Any:
        if table.label not in table.fixed_columns:
            raise KeyError(table.label)
        return super().fit(table, rng=rng)


class NumpyOnly(Honest):
    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        rows = super().sample(counts, rng=rng)
        if str(rows.dtypes.iloc[0]).endswith("[pyarrow]"):
            rows["age"] = rows["age"].to_numpy(dtype="float64") + 0.5
        return rows


class ReturnsNothing(Honest):
    def fit(self, table: Table, *, rng: np.random.Generator) -> Any:
        super().fit(table, rng=rng)


@pytest.mark.parametrize(
    ("broken", "part", "seen"),
    [
        (TooFew, "gives_the_counts_asked_for", "InsufficientRowsError: too few valid synthetic rows"),
        (TooMany, "gives_the_counts_asked_for", "Fewer may come back, more never"),
        (ForeignColumn, "gives_the_counts_asked_for", "unexpected: extra"),
        (MissingColumn, "gives_the_counts_asked_for", "missing: age"),
        (ReturnsNothing, "gives_the_counts_asked_for", "It must return self"),
        (OtherGroups, "never_gives_more_than_asked", "asked for 7 rows, got 8"),
        (UnknownCategory, "keeps_dtypes_and_categories", "ward: a value that the real rows do not hold"),
        (NeverMissing, "keeps_missing_values_honest", "visits: no missing value came, 19% in the real rows"),
        (MostlyMissing, "keeps_missing_values_honest", "pressure: 100% missing"),
        (Unseeded, "gives_equal_rows_for_equal_seeds", "are different"),
        (AlwaysTheSame, "gives_equal_rows_for_equal_seeds", "another seed gave the same rows"),
        (GloballySeeded, "leaves_inputs_and_global_state_alone", "numpy's global random state moved"),
        (PythonSeeded, "leaves_inputs_and_global_state_alone", "Python's global random state moved"),
        (Mutating, "leaves_inputs_and_global_state_alone", "are different"),
        (Unpicklable, "survives_pickling", "pickle"),
        (ForgetsWhenPickled, "survives_pickling", "are different"),
        (Shared, "is_not_influenced_by_unseen_rows", "severity: outside the observed limits"),
        (CrashesOnOneRow, "works_for_groups_of_one_and_two_rows", "crashed on a group of 1 row: IndexError"),
        (NeedsALabelOfClasses, "works_for_a_quantity_as_label", "KeyError"),
        (NumpyOnly, "works_for_binned_groups_and_other_dtypes", "age: not a whole number"),
    ],
)
def test_a_broken_promise_is_caught_by_name(broken: type[Honest], part: str, seen: str) -> None:
    with pytest.raises(AssertionError, match=f"^{broken.__name__} breaks the contract '{part}': (?s:.*){seen}"):
        check_generator(broken())


def test_every_part_of_the_contract_is_broken_by_some_test() -> None:
    (mark,) = [mark for mark in test_a_broken_promise_is_caught_by_name.pytestmark if mark.name == "parametrize"]
    assert {case[1] for case in mark.args[1]} == {part.__name__ for part in CONTRACT}


@pytest.mark.parametrize("subject", [Honest(), lambda table: Honest(), "ros"])
def test_an_honest_generator_passes(subject: Any) -> None:
    check_generator(subject)


def test_a_clear_refusal_of_tiny_groups_is_no_fault() -> None:
    class Careful(Honest):
        def fit(self, table: Table, *, rng: np.random.Generator) -> Any:
            if table.group_sizes.min() < 3:
                raise TooFewRowsError("needs 3 rows of every group")
            return super().fit(table, rng=rng)

    (part,) = [part for part in CONTRACT if part.__name__ == "works_for_groups_of_one_and_two_rows"]
    part(Candidate(Careful()))


def test_a_slow_generator_is_caught() -> None:
    class Slow(Honest):
        def fit(self, table: Table, *, rng: np.random.Generator) -> Any:
            time.sleep(0.02)
            return super().fit(table, rng=rng)

    with pytest.raises(AssertionError, match="took 0 s for 'gives_the_counts_asked_for', allowed 0 s"):
        check_generator(Slow(), max_seconds=0.01)


def test_what_cannot_be_built_is_no_broken_contract() -> None:
    with pytest.raises(UnknownGeneratorError, match="Did you mean 'ros'"):
        check_generator("roos")
    with pytest.raises(ConfigError, match="generator 'ros' has no option 'k'"):
        check_generator("ros", generator_options={"k": 1})


def test_the_contract_table_holds_every_kind_of_column() -> None:
    table = contract_table()
    kinds = {column.kind for column in table.schema.columns}
    assert kinds == {"numeric", "integer", "boolean", "category", "text", "datetime"}
    assert sum(column.allows_missing for column in table.schema.columns) >= 3
    pd.testing.assert_frame_equal(copy.deepcopy(table).frame, contract_table().frame)
