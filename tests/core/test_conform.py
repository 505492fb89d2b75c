from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autosynth import TableSchema
from autosynth.conform import conform, hold_against
from autosynth.exceptions import DataError, PluginError


def real_frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "whole": pd.Series([1, 2, 9], dtype="int8"),
            "number": [0.5, np.nan, 2.0],
            "colour": ["red", "blue", "red"],
            "day": pd.to_datetime(["2024-01-01", "2024-01-03", "2024-01-09"]),
            "took": pd.to_timedelta(["1s", "2s", "1h"]),
            "empty": pd.Series([np.nan] * 3, dtype="float32"),
            "y": pd.Categorical(["a", "b", "a"], categories=["z", "b", "a"]),
        }
    )


def schema() -> TableSchema:
    return TableSchema.infer(real_frame(), label="y")


def row(**cells: object) -> pd.DataFrame:
    """One valid row of strings and Python values, but for the cells given."""
    fair = {"whole": 2.0, "number": 1.5, "colour": "red", "day": "2024-01-02", "took": "90s", "empty": None, "y": "b"}
    return pd.DataFrame({name: [value] for name, value in (fair | cells).items()})


def test_rows_come_back_in_columns_and_dtypes_of_the_real_table() -> None:
    frame, valid, refusals = conform(row()[["y", *real_frame().columns[:-1]]].set_axis(["label"]), schema(), owner="x")
    assert valid.tolist() == [True]
    assert not refusals
    assert frame.dtypes.equals(real_frame().dtypes)
    assert frame.index.tolist() == [0]
    assert frame.loc[0, "day"] == pd.Timestamp("2024-01-02")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"whole": None}, "whole: missing, where the real rows hold no missing value"),
        ({"colour": None}, "colour: missing, where the real rows hold no missing value"),
        ({"whole": 2.5}, "whole: not a whole number"),
        ({"whole": 10}, "whole: outside the observed limits 1 to 9"),
        ({"whole": "many"}, "whole: not a number"),
        ({"number": np.inf}, "number: infinite"),
        ({"number": 2.1}, "number: outside the observed limits 0.5 to 2"),
        ({"colour": "green"}, "colour: a value that the real rows do not hold"),
        ({"y": "z"}, "y: a value that the real rows do not hold"),
        ({"day": "2025-01-01"}, "day: outside the observed limits 2024-01-01 00:00:00 to 2024-01-09 00:00:00"),
        ({"day": "someday"}, "day: not a point in time (ISO 8601)"),
        ({"day": "03.01.2024"}, "day: not a point in time (ISO 8601)"),
        ({"day": "01/03/2024"}, "day: not a point in time (ISO 8601)"),
        ({"day": 1_704_153_600_000_000_000}, "day: not a point in time (ISO 8601)"),
        ({"day": 20240102}, "day: not a point in time (ISO 8601)"),
        ({"day": True}, "day: not a point in time (ISO 8601)"),
        ({"day": pd.Timestamp("9999-12-31").as_unit("us")}, "day: not a point in time (ISO 8601)"),
        ({"took": "2h"}, "took: outside the observed limits 0 days 00:00:01 to 0 days 01:00:00"),
        ({"took": "soon"}, "took: not a point in time"),
        ({"empty": 1.0}, "empty: a value, where the real rows hold none"),
    ],
)
def test_a_row_that_breaks_the_schema_is_refused_and_counted(cells: dict[str, object], reason: str) -> None:
    frame, valid, refusals = conform(pd.concat([row(), row(**cells)]), schema(), owner="x")
    assert valid.tolist() == [True, False]
    assert len(frame) == 1
    assert refusals == {reason: 1}


def test_rows_without_columns_keep_their_number() -> None:
    bare = TableSchema(columns=(), label="y")
    frame, valid, _ = conform(pd.DataFrame(index=["a", "b"]), bare, owner="x")
    assert frame.shape == (2, 0)
    assert valid.tolist() == [True, True]


def test_a_row_with_several_faults_counts_for_its_first() -> None:
    _, _, refusals = conform(row(whole=99, colour="green"), schema(), owner="x")
    assert refusals == {"whole: outside the observed limits 1 to 9": 1}


def test_limits_can_be_left_to_a_check_but_a_dtype_is_never_overflowed() -> None:
    frame, _, refusals = conform(pd.concat([row(whole=100), row(whole=300)]), schema(), owner="x", within_limits=False)
    assert frame["whole"].tolist() == [100]
    assert refusals == {"whole: too large for dtype int8": 1}


@pytest.mark.parametrize("dtype", ["int16", "Int16", "int16[pyarrow]", "float32", "Float32", "float[pyarrow]"])
def test_numbers_too_large_for_a_dtype_are_refused(dtype: str) -> None:
    real = pd.DataFrame({"x": pd.Series([0, 9], dtype=dtype), "y": ["a", "b"]})
    rows = pd.DataFrame({"x": [1e300, 5.0], "y": ["a", "a"]})
    frame, valid, _ = conform(rows, TableSchema.infer(real, label="y"), owner="x", within_limits=False)
    assert valid.tolist() == [False, True]
    assert frame["x"].dtype == dtype


def test_whole_numbers_beyond_the_precision_of_floats_are_not_changed() -> None:
    real = pd.DataFrame({"x": pd.Series([2**60 + 1, 2**60 + 7], dtype="Int64"), "y": ["a", "b"]})
    frame, _, _ = conform(real.astype({"x": "int64"}), TableSchema.infer(real, label="y"), owner="x")
    pd.testing.assert_frame_equal(frame, real)


@pytest.mark.parametrize("dtype", ["datetime64[ms]", "datetime64[us]", "timestamp[us][pyarrow]"])
def test_moments_are_not_changed_by_another_unit(dtype: str) -> None:
    moments = pd.Series(
        pd.to_datetime(["2024-05-06 07:08:09.123", "2024-05-06 07:08:09.127", "2024-12-31"], format="mixed")
    )
    real = pd.DataFrame({"x": moments.astype(dtype), "y": ["a", "b", "a"]})
    frame, valid, _ = conform(real.assign(x=moments), TableSchema.infer(real, label="y"), owner="x")
    assert valid.all()
    pd.testing.assert_frame_equal(frame, real)


def test_dates_as_text_may_be_of_mixed_form() -> None:
    frame, _, _ = conform(pd.concat([row(day="2024-01-02"), row(day="2024-01-02 12:00")]), schema(), owner="x")
    assert frame["day"].tolist() == [pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-02 12:00")]


@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", "int64[pyarrow]"])
def test_a_column_of_numbers_is_no_column_of_dates(dtype: str) -> None:
    rows = pd.concat([row()] * 2).assign(day=pd.Series([1_704_153_600_000_000_000] * 2, dtype=dtype).array)
    for owner in (None, "x"):
        _, valid, refusals = conform(rows, schema(), owner=owner)
        assert not valid.any()
        assert refusals == {"day: not a point in time (ISO 8601)": 2}


def test_every_kind_of_fault_has_an_example() -> None:
    rows = pd.concat([row(), row(day="soon", whole=2.5), row(day="later", colour=None)])
    found = hold_against(rows, schema(), owner=None)
    assert found.examples == {("day", "type"): "soon", ("whole", "fraction"): 2.5, ("colour", "missing"): None}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda rows: rows.assign(extra=1), "missing: none; unexpected: extra"),
        (lambda rows: rows.drop(columns="day"), "missing: day; unexpected: none"),
        (lambda rows: rows.rename(columns={"day": " Day"}), "' Day' and 'day' differ only by case or blanks"),
        (lambda rows: rows.reset_index(names="Unnamed: 0"), "written with its index\\? Write it with index=False"),
        (lambda rows: rows[["day"]].set_axis(["whole;number;day"], axis=1), "Is the separator ';'\\?"),
        (lambda rows: rows[["day"]].set_axis(["whole\tday"], axis=1), "Is the separator a tab\\?"),
        (lambda rows: rows[["y", *rows.columns]], "Each column of the real table must come once"),
        (lambda rows: rows.to_dict(), "a dict. They must come as a pandas DataFrame"),
        (lambda rows: rows.assign(colour=[["red"]]), "a column 'colour' whose cells are no plain values"),
    ],
)
def test_other_columns_are_the_fault_of_whoever_brought_the_rows(
    spoil: Callable[[pd.DataFrame], object], message: str
) -> None:
    with pytest.raises(PluginError, match=f"generator 'mine' returned .*{message}"):
        conform(spoil(row()), schema(), owner="mine")
    with pytest.raises(DataError, match=f"the synthetic rows are .*{message}"):
        conform(spoil(row()), schema(), owner=None)


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_real_rows_conform_unchanged(data: st.DataObject, any_column: st.SearchStrategy[pd.Series]) -> None:
    column = data.draw(any_column)
    real = pd.DataFrame({"x": column, "y": range(len(column))})
    rules = TableSchema.infer(real, label="y")
    once, valid, refusals = conform(real, rules, owner="x")
    assert valid.all(), refusals
    pd.testing.assert_frame_equal(once, real, check_exact=True)
    twice, _, _ = conform(once, rules, owner="x")
    pd.testing.assert_frame_equal(twice, once, check_exact=True)


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_real_rows_conform_after_a_detour_through_objects(
    data: st.DataObject, any_column: st.SearchStrategy[pd.Series]
) -> None:
    column = data.draw(any_column)
    real = pd.DataFrame({"x": column, "y": range(len(column))})
    frame, valid, refusals = conform(real.astype({"x": object}), TableSchema.infer(real, label="y"), owner="x")
    assert valid.all(), refusals
    pd.testing.assert_frame_equal(frame, real, check_exact=True)
