from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autosynth import Group, Table
from autosynth.exceptions import ConfigError, DataError


def table_of(**columns: object) -> Table:
    group_by = columns.pop("group_by", None)
    return Table.from_frame(pd.DataFrame(columns), label="y", group_by=group_by)


def sizes(table: Table) -> dict[str, int]:
    return dict(zip(map(str, table.groups), table.group_sizes.tolist(), strict=True))


def test_groups_are_cells_of_label_and_group_columns_largest_first() -> None:
    table = table_of(y=list("nnnnyyy"), sex=list("FMMMFFM"), group_by="sex")
    assert sizes(table) == {"y=n, sex=M": 3, "y=y, sex=F": 2, "y=n, sex=F": 1, "y=y, sex=M": 1}
    assert table.groups[1] == Group((("y", "y"), ("sex", "F")))


def test_a_group_answers_by_column_name() -> None:
    group = Group((("y", 1), ("sex", None)))
    assert (group["y"], group.values, list(group), str(group)) == (1, (1, None), ["y", "sex"], "y=1, sex=missing")


def test_without_group_columns_the_groups_are_the_classes() -> None:
    assert sizes(table_of(y=[0, 0, 0, 1])) == {"y=0": 3, "y=1": 1}


def test_float_labels_zero_and_one_are_classes() -> None:
    assert sizes(table_of(y=[0.0, 0.0, 1.0], x=[1, 2, 3])) == {"y=0.0": 2, "y=1.0": 1}


@pytest.mark.parametrize("dtype", ["bool", "boolean", "bool[pyarrow]", "Int8", "category", "string", "string[pyarrow]"])
def test_classes_of_any_dtype_are_found_again(dtype: str) -> None:
    frame = pd.DataFrame({"y": pd.Series([True, False, False, False]).astype(dtype)})
    table = Table.from_frame(frame, label="y")
    assert table.group_sizes.tolist() == [3, 1]
    assert table.grouping.codes(frame.iloc[::-1]).tolist() == [0, 0, 0, 1]


def test_a_continuous_label_needs_group_columns() -> None:
    y = np.linspace(0, 1, 30) ** 2
    with pytest.raises(DataError, match=r"30 different numbers.*regression.*Name group_by columns"):
        table_of(y=y, x=range(30))
    table = table_of(y=y, site=["a"] * 20 + ["b"] * 10, group_by="site")
    assert sizes(table) == {"site=a": 20, "site=b": 10}
    assert table.fixed_columns == ("site",)


def test_the_task_can_be_said() -> None:
    frame = pd.DataFrame({"y": [1, 2, 3] * 4, "site": ["a", "b"] * 6})
    assert len(Table.from_frame(frame, label="y", group_by="site").groups) == 6
    assert len(Table.from_frame(frame, label="y", group_by="site", task="regression").groups) == 2


def test_missing_group_values_form_a_group() -> None:
    table = table_of(y=list("nnnyyy"), site=["a", None, "a", "a", "a", None], group_by="site")
    assert sizes(table)["y=n, site=missing"] == 1


def test_a_group_column_without_any_value_is_one_cell() -> None:
    table = table_of(y=list("nny"), site=[None, None, None], group_by="site")
    assert [str(group) for group in table.groups] == ["y=n, site=missing", "y=y, site=missing"]


@pytest.mark.parametrize(
    "values",
    [
        pd.to_datetime(["2024-01-01", "2024-02-01"] * 4),
        pd.to_datetime(["2024-01-01", "2024-02-01"] * 4).tz_localize("Asia/Tokyo"),
        pd.array(pd.to_datetime(["2024-01-01", "2024-02-01"] * 4), dtype="timestamp[us][pyarrow]"),
        pd.to_timedelta(["1h", "2h"] * 4),
        pd.cut([1, 9] * 4, [0, 5, 10]),
    ],
)
def test_few_dates_durations_and_intervals_are_grouped_by_value(values: object) -> None:
    frame = pd.DataFrame({"y": list("nnnnnnyy"), "x": values})
    table = Table.from_frame(frame, label="y", group_by="x")
    assert table.group_sizes.tolist() == [3, 3, 1, 1]
    assert table.grouping.codes(frame).tolist() == table.group_codes.tolist()


def test_a_continuous_group_column_is_cut_at_its_quartiles() -> None:
    table = table_of(y=["n", "y"] * 20, age=range(40), group_by="age")
    assert sorted({group["age"] for group in table.groups}) == ["(19.5, 29.25]", "(9.75, 19.5]", "<= 9.75", "> 29.25"]
    assert "age is cut into 4 bins" in table.grouping.describe_bins()


def test_bins_take_a_number_or_edges_or_none() -> None:
    age = list(range(40))
    cut = {"y": ["n", "y"] * 20, "age": age}
    assert {group["age"] for group in table_of(**cut, group_by={"age": np.int64(2)}).groups} == {"<= 19.5", "> 19.5"}
    assert {group["age"] for group in table_of(**cut, group_by={"age": [9, 29]}).groups} == {"<= 9", "(9, 29]", "> 29"}
    assert len(table_of(y=["n", "y"] * 20, age=[1, 2, 3, 4] * 10, group_by={"age": None}).groups) == 4


def test_edges_of_a_date_column_are_dates() -> None:
    days = pd.date_range("2024-01-01", periods=40, tz="UTC")
    table = table_of(y=["n", "y"] * 20, day=days, group_by={"day": ["2024-01-10"]})
    assert sizes(table) == {
        "y=n, day=> 2024-01-10": 15,
        "y=y, day=> 2024-01-10": 15,
        "y=n, day=<= 2024-01-10": 5,
        "y=y, day=<= 2024-01-10": 5,
    }


def test_missing_values_of_a_binned_column_are_a_group_of_their_own() -> None:
    table = table_of(y=["n", "y"] * 20, age=[*range(38), None, None], group_by={"age": 2})
    assert sizes(table)["y=n, age=missing"] == 1


def test_bins_of_large_close_numbers_have_names_of_their_own() -> None:
    seconds = 1_700_000_000 + np.arange(40)
    table = table_of(y=["n", "y"] * 20, at=seconds, group_by="at")
    assert len(set(table.groups)) == len(table.groups) == 8


def test_a_value_that_fills_the_upper_quantiles_is_a_bin_of_its_own() -> None:
    table = table_of(y=["n", "y"] * 20, x=[*range(11), *[99] * 29], group_by={"x": 2})
    assert {group["x"] for group in table.groups} == {"<= 10", "> 10"}


@pytest.mark.parametrize(
    ("group_by", "message"),
    [
        ({"age": 1}, "bins for 'age' are 1. Use a whole number from 2 on"),
        ({"age": []}, r"edges for 'age' are \[\]. Give finite numbers"),
        ({"age": "young"}, "edges for 'age' are 'young'. Give finite numbers"),
        ({"age": [np.nan]}, "Give finite numbers"),
        ({"word": 3}, "bins of 'word', which holds 2 distinct values of kind category"),
        ({"constant": 2}, "bins of 'constant', which holds 1 distinct values"),
        ({"empty": 2}, "bins of 'empty', which holds 0 distinct values"),
        ({"day": ["someday"]}, "edges for 'day' .* Give finite values of kind datetime"),
    ],
)
def test_bins_that_cannot_be_made_are_refused(group_by: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        table_of(
            y=["n", "y"] * 20,
            age=range(40),
            word=["a", "b"] * 20,
            constant=1.0,
            empty=np.nan,
            day=pd.date_range("2024", periods=40),
            group_by=group_by,
        )


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([None] * 4, "label 'y' is missing in all 4 rows"),
        ([np.nan] * 4, "label 'y' is missing in all 4 rows"),
        (
            ["a", "b", None, "a"],
            r"label 'y' is missing in 1 of 4 rows. Drop them first: train.dropna\(subset=\['y'\]\)",
        ),
        (["a"] * 4, "label 'y' has the same value in all 4 rows"),
        ([0.0] * 4, "label 'y' has the same value in all 4 rows"),
    ],
)
def test_a_label_without_classes_is_refused(labels: list[object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        table_of(y=labels, x=range(4))


def test_texts_are_no_label_and_no_group_column() -> None:
    texts = [f"text {number}" for number in range(60)]
    with pytest.raises(DataError, match=r"label 'y' holds 60 different texts in 60 rows\. .* is it an identifier"):
        table_of(y=texts, x=range(60))
    with pytest.raises(
        DataError, match=r"group column 'x' holds 60 different texts\. Group by a column whose values repeat"
    ):
        table_of(y=["n", "y"] * 30, x=texts, group_by="x")


def test_as_many_groups_as_rows_are_too_many() -> None:
    with pytest.raises(DataError, match="y x site gives 4 groups for 4 rows, too few to learn any of them"):
        table_of(y=list("nnyy"), site=list("abab"), group_by="site")


def test_one_group_leaves_nothing_to_balance() -> None:
    with pytest.raises(DataError, match="all rows fall into one group"):
        table_of(y=np.linspace(0, 1, 30) ** 2, site=["a"] * 30, group_by="site")


def test_a_group_is_found_by_its_values_as_they_are_written() -> None:
    table = table_of(y=[0, 0, 0, 1, 1], sex=list("FFMFF"), group_by="sex")
    assert table.grouping.find((1, "F")) == table.grouping.find(("1", "F")) == Group((("y", 1), ("sex", "F")))
    assert table_of(y=[True, True, False]).grouping.find(True) == Group((("y", True),))


def test_an_unknown_group_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"names the group 'fruad', .* Did you mean 'fraud'"):
        table_of(y=["fraud", "good", "good"]).grouping.find("fruad")


def test_rows_of_an_unknown_group_have_code_minus_one(table: Table) -> None:
    rows = table.frame.head(3).assign(hospital=["north", "west", None])
    assert table.grouping.codes(rows)[1:].tolist() == [-1, -1]


def test_empty_cells_are_counted() -> None:
    assert table_of(y=list("nnny"), site=list("aabb"), group_by="site").grouping.n_empty_cells == 1
