from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autosynth.schema import infer_column
from autosynth_llm.value_text import (
    HALF_CHARACTER,
    NOT_A_DATE,
    NOT_A_NUMBER,
    NOT_WHOLE,
    OUTSIDE_LIMITS,
    UNEXPECTED_MISSING,
    UNEXPECTED_VALUE,
    UNKNOWN_CATEGORY,
    ValueText,
)

FEW = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def text_of(values: pd.Series, **options: int) -> ValueText:
    return ValueText.of(infer_column(values), **options)


@given(data=st.data())
@FEW
def test_reading_undoes_writing(data: st.DataObject, any_column: st.SearchStrategy[pd.Series]) -> None:
    values = data.draw(any_column)
    text = text_of(values)
    back, reasons = text.read(text.write(values))
    assert reasons.tolist() == [""] * len(values)
    pd.testing.assert_series_equal(back, values, check_exact=True)


@given(words=st.lists(st.text(max_size=4) | st.sampled_from([" a", "a", '"a"', "", "missing"]), min_size=1))
@FEW
def test_no_two_categories_share_a_text(words: list[str]) -> None:
    values = pd.Series(words, dtype="category")
    text = text_of(values)
    written = [entry.strip() for entry in text.level_texts]
    assert len(set(written)) == values.nunique()
    assert text.missing_word not in written
    pd.testing.assert_series_equal(text.read(text.write(values))[0], values)


@given(words=st.lists(st.text(max_size=6) | st.sampled_from(["missing", '"missing"', " x", "a\nb", ""]), min_size=1))
@FEW
def test_free_texts_come_back_and_none_is_taken_for_missing(words: list[str]) -> None:
    filler = [f"word {number}" for number in range(60)]
    values = pd.Series([*words, *filler, None], dtype=object)
    text = text_of(values)
    if text.column.kind != "text":
        return
    pd.testing.assert_series_equal(text.read(text.write(values))[0], values)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pd.Series([0.1 + 0.2, 1.25]).round(2), ["0.30", "1.25"]),
        (pd.Series([1.0, 2.0]), ["1", "2"]),
        (pd.Series([0.1, 1 / 3], dtype="float32"), ["0.1", "0.33333334"]),
        (pd.Series([3, None], dtype="Int64"), ["3", "missing"]),
        (pd.Series([True, False]), ["True", "False"]),
        (pd.Series([2, 1], dtype="category"), ["2", "1"]),
        (pd.Series(["a", " a", "missing", None]), ["a", '" a"', "missing", "not given"]),
        (pd.Series([1, "1"], dtype="category"), ["1", '"1"']),
        (pd.Series(pd.to_datetime(["2024-01-31", None])), ["2024-01-31", "missing"]),
        (pd.Series(pd.to_datetime(["2024-01-31 10:00"])), ["2024-01-31 10:00"]),
        (pd.Series(pd.to_datetime(["2024-01-31 10:00:05"])), ["2024-01-31 10:00:05"]),
        (pd.Series(pd.to_datetime(["2024-01-31 10:00"]).tz_localize("Asia/Tokyo")), ["2024-01-31 01:00Z"]),
        (pd.Series(pd.to_timedelta(["90s", "1h"])), ["90 seconds", "3600 seconds"]),
        (pd.Series(pd.to_timedelta(["2D"])), ["2 days"]),
    ],
)
def test_values_are_written_without_noise(values: pd.Series, texts: list[str]) -> None:
    assert text_of(values).write(values) == texts


@pytest.mark.parametrize(
    ("values", "text", "reason"),
    [
        (pd.Series([1, 9]), "about 5", NOT_A_NUMBER),
        (pd.Series([1, 9]), "5.5", NOT_WHOLE),
        (pd.Series([1, 9]), "12", OUTSIDE_LIMITS),
        (pd.Series([1, 9]), "9" * 400, OUTSIDE_LIMITS),
        (pd.Series([1, 9]), "missing", UNEXPECTED_MISSING),
        (pd.Series([0.5, 9.5]), "nan", NOT_A_NUMBER),
        (pd.Series([0.5, 9.5]), "1_0", NOT_A_NUMBER),
        (pd.Series([0.5, 9.5]), "1e999", NOT_A_NUMBER),
        (pd.Series([0.5, 9.5]), "9.6", OUTSIDE_LIMITS),
        (pd.Series([np.nan, np.nan]), "1", UNEXPECTED_VALUE),
        (pd.Series([None, None], dtype=object), "a", UNEXPECTED_VALUE),
        (pd.Series(["a", "b"]), "c", UNKNOWN_CATEGORY),
        (pd.Series(["a", "b"]), "missing", UNEXPECTED_MISSING),
        (pd.Series([True, False]), "missing", UNEXPECTED_MISSING),
        (pd.Series([True, False]), "1", UNKNOWN_CATEGORY),
        (pd.Series(pd.to_datetime(["2024-01-31", "2024-02-28"])), "31 January", NOT_A_DATE),
        (pd.Series(pd.to_datetime(["2024-01-31", "2024-02-28"])), "2024-02-31", NOT_A_DATE),
        (pd.Series(pd.to_datetime(["2024-01-31", "2024-02-28"])), "2023-02-01", OUTSIDE_LIMITS),
        (pd.Series(pd.to_timedelta(["1D", "3D"])), "4 days", OUTSIDE_LIMITS),
        (pd.Series(pd.to_timedelta(["1D", "3D"])), "99999999999999999999 days", OUTSIDE_LIMITS),
        (pd.Series(pd.to_timedelta(["1D", "3D"])), "2 hours", "not a duration"),
    ],
)
def test_what_cannot_be_read_is_refused_by_reason(values: pd.Series, text: str, reason: str) -> None:
    reader = text_of(values)
    back, reasons = reader.read([text, *reader.write(values)])
    assert reasons.tolist() == [reason, "", ""]
    assert back.dtype == values.dtype
    pd.testing.assert_series_equal(back[1:].reset_index(drop=True), values)


def test_whole_numbers_with_a_point_and_blanks_around_texts_are_understood() -> None:
    assert text_of(pd.Series([1, 9])).read([" 5.0 ", "+7"])[0].tolist() == [5, 7]
    assert text_of(pd.Series(["a", "b"])).read([" a\n"])[0].tolist() == ["a"]


def test_narrow_floats_are_judged_in_their_own_width() -> None:
    values = pd.Series([0.01, 1 / 3], dtype="float32")
    back, reasons = text_of(values).read(["0.01", "0.33333334", "1e300"])
    assert reasons.tolist() == ["", "", OUTSIDE_LIMITS]
    pd.testing.assert_series_equal(back[:2], values, check_exact=True)


def test_whole_numbers_beyond_the_floats_stay_exact() -> None:
    values = pd.Series([2**63 - 1, 2**53 + 1], dtype="Int64")
    text = text_of(values)
    pd.testing.assert_series_equal(text.read(text.write(values))[0], values)


@pytest.mark.parametrize("dtype", ["int64", "Int64", "int64[pyarrow]", "uint64", "int8"])
def test_whole_numbers_that_the_dtype_cannot_hold_are_refused(dtype: str) -> None:
    highest = int(np.iinfo(dtype.lower().partition("[")[0]).max)
    values = pd.Series([highest, highest - 1], dtype=dtype)
    back, reasons = text_of(values).read([str(highest + 1), "1" * 5000, "-" + "1" * 5000, str(highest)])
    assert reasons.tolist() == [OUTSIDE_LIMITS] * 3 + [""]
    assert back[3] == highest


def test_zeros_in_front_of_a_number_do_not_count() -> None:
    assert text_of(pd.Series([1, 9])).read(["0" * 5000 + "3"])[0].tolist() == [3]
    days = text_of(pd.Series(pd.to_timedelta(["1D", "3D"])))
    assert days.read(["0" * 5000 + "2 days"])[0].tolist() == [pd.Timedelta("2D")]
    assert days.read(["9" * 5000 + " days"])[1].tolist() == [OUTSIDE_LIMITS]


@pytest.mark.parametrize("dtype", ["object", "string", "string[pyarrow]"])
def test_texts_that_no_file_could_hold_are_refused(dtype: str) -> None:
    values = pd.Series([f"word {number}" for number in range(60)], dtype=dtype)
    back, reasons = text_of(values).read(["half \ud83d", '"half \\ud83d"', "whole \U0001f600"])
    assert reasons.tolist() == [HALF_CHARACTER] * 2 + [""]
    assert back[2] == "whole \U0001f600"


def test_significant_digits_shorten_continuous_numbers_and_keep_them_inside_the_limits() -> None:
    values = pd.Series([0.123456789, 23.456789, 9876.54321])
    text = text_of(values, significant_digits=3)
    assert text.write(values) == ["0.123", "23.5", "9880"]
    back, reasons = text.read(text.write(values))
    assert reasons.tolist() == ["", "", ""]
    assert back.between(values.min(), values.max()).all()


def test_numbers_are_rounded_to_the_observed_decimals() -> None:
    assert text_of(pd.Series([0.5, 9.5])).read(["1.23"])[0].tolist() == [1.2]
