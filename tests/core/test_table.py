from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autosynth import Table
from autosynth.exceptions import ConfigError, DataError
from autosynth.table import as_columns


def test_a_table_keeps_the_very_frame_and_leaves_it_as_it_was(frame: pd.DataFrame) -> None:
    before = frame.copy(deep=True)
    table = Table.from_frame(frame, label="ill", group_by="hospital")
    assert table.frame is frame
    pd.testing.assert_frame_equal(frame, before)


def test_positions_of_all_groups_cover_every_row_once(table: Table) -> None:
    positions = np.concatenate([table.positions(group) for group in table.groups])
    assert sorted(positions) == list(range(len(table)))
    assert table.group_sizes.tolist() == sorted(table.group_sizes, reverse=True)


def test_a_request_sets_the_label_and_the_group_columns(table: Table) -> None:
    assert table.fixed_columns == ("ill", "hospital")
    assert (table.label, table.group_by) == ("ill", ("hospital",))


@pytest.mark.parametrize(
    ("group_by", "names"),
    [
        (None, ()),
        ("hospital", ("hospital",)),
        (["hospital", "ward"], ("hospital", "ward")),
        (("hospital", "ward"), ("hospital", "ward")),
        ({"age": 2, "ward": None}, ("age", "ward")),
        (3, (3,)),
    ],
)
def test_group_by_is_a_name_or_several_or_a_mapping(group_by: object, names: tuple[object, ...]) -> None:
    assert as_columns(group_by) == names


def test_a_tuple_that_is_a_column_is_one_name(frame: pd.DataFrame) -> None:
    levels = frame.set_axis(pd.MultiIndex.from_product([["a"], frame.columns]), axis=1)
    table = Table.from_frame(levels, label=("a", "ill"), group_by=("a", "hospital"))
    assert table.group_by == (("a", "hospital"),)
    assert len(table.groups) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label": "il"}, r"label='il' is not a column of the table\. Did you mean 'ill'\? Columns: age, severity"),
        ({"label": "ill", "group_by": "hopsital"}, r"group_by='hopsital' is not a column .*Did you mean 'hospital'"),
        ({"label": "ill", "group_by": ["ward", "ill"]}, "group_by names the label 'ill'. Groups are label x group_by"),
        ({"label": "ill", "group_by": ["ward", "ward"]}, r"group_by=\['ward', 'ward'\] names a column twice"),
        ({"label": ["ill"]}, r"label=\['ill'\] is a list, which names no column"),
        ({"label": "ill", "group_by": {"ward"}}, r"group_by=\{'ward'\} is a set, which names no column"),
    ],
)
def test_unknown_columns_are_refused(frame: pd.DataFrame, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Table.from_frame(frame, **arguments)


def test_what_is_no_table_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"the table is a dict\. Give a pandas DataFrame"):
        Table.from_frame({"ill": [1]}, label="ill")
    with pytest.raises(DataError, match=r"the table has 0 rows and 7 columns\. There is nothing to learn from"):
        Table.from_frame(frame.head(0), label="ill")


def test_a_duplicate_index_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(
        DataError, match=r"the index holds 119 duplicate labels \(such as 7\).*reset_index\(drop=True\)"
    ):
        Table.from_frame(frame.set_axis([7] * 120), label="ill")


def test_duplicate_columns_are_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"column names occur more than once: \['age'\]. Rename them"):
        Table.from_frame(pd.concat([frame, frame[["age"]]], axis=1), label="ill")


def test_a_table_of_some_rows_keeps_groups_and_kinds_and_reads_its_limits_afresh() -> None:
    frame = pd.DataFrame(
        {
            "age": [20.5, 30.5, 40.5, 90.5, 95.5],
            "ward": ["a", "a", "b", "b", "c"],
            "ill": [0, 1, 0, 1, 1],
        }
    )
    table = Table.from_frame(frame, label="ill", group_by={"age": [35.0]})
    kept = table.keep(np.array([True, True, True, True, False]))
    assert kept.frame.index.tolist() == [0, 1, 2, 3]
    assert kept.groups == table.groups
    assert kept.group_codes.tolist() == table.group_codes[:4].tolist()
    assert (kept.schema["age"].maximum, table.schema["age"].maximum) == (90.5, 95.5)
    assert [column.kind for column in kept.schema.columns] == [column.kind for column in table.schema.columns]
    assert set(kept.schema["ward"].values or ()) == {"a", "b"}
