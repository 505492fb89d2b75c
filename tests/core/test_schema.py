from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autosynth import TableSchema
from autosynth.exceptions import DataError
from autosynth.schema import infer_column

FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("values", "kind", "resolution"),
    [
        (pd.Series([1, 2, 3]), "integer", 1.0),
        (pd.Series([1, None], dtype="Int8"), "integer", 1.0),
        (pd.Series([1, None], dtype="int32[pyarrow]"), "integer", 1.0),
        (pd.Series([1.0, 2.0]), "numeric", 1.0),
        (pd.Series([1.25, 2.5, np.nan]), "numeric", 0.01),
        (pd.Series([1 / 3, 0.5]), "numeric", None),
        (pd.Series([0.1], dtype="double[pyarrow]"), "numeric", 0.1),
        (pd.Series([True, False]), "boolean", None),
        (pd.Series([True, None], dtype=object), "boolean", None),
        (pd.Series(["a", "b"]), "category", None),
        (pd.Series(["a", None], dtype="string[pyarrow]"), "category", None),
        (pd.Series([1, 2], dtype="category"), "category", None),
        (pd.Series([None, None], dtype=object), "category", None),
        (pd.Series([f"text {number}" for number in range(60)]), "text", None),
        (pd.Series(pd.to_datetime(["2024-01-01", "2024-02-01"])), "datetime", 86_400e9),
        (pd.Series(pd.to_datetime(["2024-01-01 10:00:00.000001"])), "datetime", 1e3),
        (pd.Series(pd.to_datetime(["2024-01-01 10:00"]).tz_localize("Europe/Berlin")), "datetime", 3_600e9),
        (pd.Series(pd.to_timedelta(["90s", "1h"])), "timedelta", 1e9),
    ],
)
def test_kind_and_resolution_are_read_off_the_values(values: pd.Series, kind: str, resolution: float | None) -> None:
    column = infer_column(values)
    assert (column.kind, column.resolution) == (kind, pytest.approx(resolution))
    assert column.dtype == values.dtype


def test_missing_and_distinct_values_are_counted() -> None:
    column = infer_column(pd.Series(["a", None, "b", "a"], name="ward"))
    assert (column.n_missing, column.n_distinct, column.values) == (1, 2, ("a", "b"))
    assert column.allows_missing


def test_limits_are_those_of_the_present_values() -> None:
    column = infer_column(pd.Series([3.0, np.nan, -1.5]))
    assert (column.minimum, column.maximum) == (-1.5, 3.0)
    assert infer_column(pd.Series([np.nan, np.nan])).minimum is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pd.Series([1.0, np.inf, -np.inf], name="x"), "column 'x' holds 2 infinite values. Replace them"),
        (pd.Series([1, "a", 2.5], name="x"), r"column 'x' .* holds int \(1 rows\), str \(1 rows\), float \(1 rows\)"),
        (pd.Series([b"a"], name="x"), r"holds bytes \(1 rows\). Give it one type"),
        (pd.Series([[1], [2]], name="x"), r"holds list \(2 rows\)"),
        (pd.Series([1j], name="x"), "dtype complex128, which no generator could follow"),
        (pd.Series(pd.period_range("2024", periods=2)), "dtype period"),
        (
            pd.Series(np.array(["9999-12-31"], dtype="datetime64[us]"), name="until"),
            "column 'until' holds dates that do not",
        ),
    ],
)
def test_columns_that_no_generator_could_follow_are_refused(values: pd.Series, message: str) -> None:
    with pytest.raises(DataError, match=message):
        infer_column(values)


@given(data=st.data())
@FEW
def test_from_float_undoes_to_float(data: st.DataObject, number_like: st.SearchStrategy[pd.Series]) -> None:
    values = data.draw(number_like)
    column = infer_column(values)
    pd.testing.assert_series_equal(column.from_float(column.to_float(values)), values, check_exact=True)


@given(data=st.data())
@FEW
def test_from_float_stays_inside_the_limits_and_on_the_resolution(
    data: st.DataObject, number_like: st.SearchStrategy[pd.Series]
) -> None:
    column = infer_column(data.draw(number_like))
    if column.minimum is None or column.maximum is None:
        return
    if max(abs(column.minimum), abs(column.maximum)) > 1e300:
        return  # the points beside the limits, made below, would overflow
    between = column.minimum + (column.maximum / 2 - column.minimum / 2) * np.linspace(-1, 3, 9)
    back = column.from_float(between)
    assert back.dtype == column.dtype
    again = column.from_float(column.to_float(back))
    pd.testing.assert_series_equal(again, back, check_exact=True)
    assert column.to_float(back).min() >= column.minimum
    assert column.to_float(back).max() <= column.maximum


def test_cents_come_back_as_cents() -> None:
    column = infer_column(pd.Series([0.07, 0.29, 1.10]))
    assert column.from_float(np.array([0.0703, 0.291, 5.0])).tolist() == [0.07, 0.29, 1.10]


@pytest.mark.parametrize("dtype", ["int64", "uint64", "Int64", "int64[pyarrow]"])
def test_the_largest_whole_numbers_do_not_overflow(dtype: str) -> None:
    largest = 2**64 - 1 if dtype == "uint64" else 2**63 - 1
    column = infer_column(pd.Series([0, largest], dtype=dtype))
    back = column.from_float(np.array([0.0, float(largest)]))
    assert back.dtype == dtype
    assert back.iloc[1] > 0.99 * largest


def test_an_unknown_column_is_answered_with_the_nearest(frame: pd.DataFrame) -> None:
    schema = TableSchema.infer(frame, label="ill", group_by=["hospital"])
    assert schema["age"].kind == "integer"
    with pytest.raises(DataError, match=r"column 'severty' is not in the table\. Did you mean 'severity'"):
        schema["severty"]


def test_features_are_all_columns_but_the_label(frame: pd.DataFrame) -> None:
    schema = TableSchema.infer(frame, label="ill")
    assert schema.names == tuple(frame.columns)
    assert [column.name for column in schema.features] == list(frame.columns[:-1])
