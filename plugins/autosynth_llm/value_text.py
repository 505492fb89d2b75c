"""The values of one column as text, and texts as values: shared by all generators that write rows as words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from autosynth import ColumnSchema
from autosynth.options import check_whole
from autosynth.schema import UNITS_NS, cast_numbers, cast_times

if TYPE_CHECKING:
    import numpy.typing as npt

    Reasons: TypeAlias = npt.NDArray[np.str_]

FINE = ""
NOT_A_NUMBER = "not a number"
NOT_WHOLE = "not a whole number"
NOT_A_DATE = "not a date"
NOT_A_DURATION = "not a duration"
UNKNOWN_CATEGORY = "unknown category"
OUTSIDE_LIMITS = "outside the observed limits"
UNEXPECTED_MISSING = "missing, where the real rows hold no missing value"
UNEXPECTED_VALUE = "a value, where the real rows hold none"
EMPTY = "empty"
HALF_CHARACTER = "half a character (a lone surrogate)"

MISSING_WORDS = ("missing", "not given", "no value", "not recorded")
BEYOND_INTEGERS = 10**20  # more than any integer dtype holds
MAX_PLAIN = 1e15  # larger numbers are written with an exponent
LIMIT_TOLERANCE = 1e-9  # relative, as in the core
UNIT_NAMES = {
    "D": "days",
    "h": "hours",
    "m": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?(Z|[+-]\d\d:\d\d)?")


@dataclass(frozen=True, kw_only=True)
class ValueText:
    """How the values of one column are written, and what is accepted when they are read.

    Numbers come with the observed decimals, whole numbers without any, dates in ISO form at the column's resolution
    (in UTC with a Z where the column has a time zone), durations as a count of their unit, categories as their str().
    A text or category that begins or ends with blanks, holds a line break, or could be taken for another one is
    written in double quotes, as JSON writes it.  So no two values share a text.

    Attributes
    ----------
    column : ColumnSchema
        The column.
    missing_word : str
        How a missing value is written; no category reads like it, and a text that does is put in quotes.
    significant_digits : int or None
        Round continuous numbers (those without a resolution) to so many digits; None writes all, so that reading
        undoes writing.

    Examples
    --------
    >>> from autosynth.schema import infer_column
    >>> prices = pd.Series([0.1, 12.25, None], name="price")
    >>> text = ValueText.of(infer_column(prices))
    >>> text.write(prices)
    ['0.10', '12.25', 'missing']
    >>> values, reasons = text.read(["0.10", "about 12", "99"])
    >>> float(values[0]), reasons.tolist()
    (0.1, ['', 'not a number', 'outside the observed limits'])
    """

    column: ColumnSchema
    missing_word: str = MISSING_WORDS[0]
    significant_digits: int | None = None

    @classmethod
    def of(cls, column: ColumnSchema, *, significant_digits: int | None = None) -> ValueText:
        """Return how a column is written; the missing word is one that none of its categories reads like.

        Raises
        ------
        ConfigError
            If ``significant_digits`` is no whole number from 1 on.
        """
        if significant_digits is not None:
            check_whole("significant_digits", significant_digits)
        taken = {str(value).strip().casefold() for value in column.values or ()}
        numbered = (f"{MISSING_WORDS[0]} {number}" for number in range(2, len(taken) + 3))
        word = next(word for word in (*MISSING_WORDS, *numbered) if word not in taken)
        return cls(column=column, missing_word=word, significant_digits=significant_digits)

    @cached_property
    def level_texts(self) -> tuple[str, ...]:
        """The texts of ``column.values`` in their order; empty for columns without levels."""
        return tuple(_level_texts(self.column.values or ()))

    def write(self, values: pd.Series[Any]) -> list[str]:
        """Return one text per value.

        Parameters
        ----------
        values : Series of shape (n,)
            Values of this column; a category must be an observed one.

        Raises
        ------
        KeyError
            If a category is none of the observed ones.
        """
        missing = values.isna().to_numpy(dtype=bool)
        texts = iter(self._write_present(values[~missing]))
        return [self.missing_word if is_missing else next(texts) for is_missing in missing]

    def read(self, texts: Sequence[str]) -> tuple[pd.Series[Any], Reasons]:
        """Return the values that texts stand for, and why a text was refused.

        Blanks around a text do not count.  Numbers with more decimals than the real rows show are rounded to those;
        nothing else is repaired.

        Parameters
        ----------
        texts : sequence of str, length n
            What was written.

        Returns
        -------
        values : Series of shape (n,)
            In the column's own dtype, index 0 to n - 1; missing where the text is the missing word.  Where a text was
            refused, the value means nothing.
        reasons : ndarray of str, shape (n,)
            Empty where the text was read, otherwise one of the reasons that this module names.
        """
        stripped = [text.strip() for text in texts]
        missing = np.array([text == self.missing_word for text in stripped], dtype=bool)
        values, reasons = self._read_present(stripped, missing)
        if not self.column.allows_missing:
            reasons[missing] = UNEXPECTED_MISSING
        return values, reasons

    def _write_present(self, values: pd.Series[Any]) -> list[str]:
        kind = self.column.kind
        if kind == "integer":
            return [str(int(value)) for value in values]
        if kind == "numeric":
            return self._write_numbers(values)
        if kind == "datetime":
            return self._write_dates(values)
        if kind == "timedelta":
            step, name = self._duration_unit
            counts = values.dt.as_unit("ns").to_numpy("timedelta64[ns]").astype("int64") // step
            return [f"{count} {name}" for count in counts.tolist()]
        if kind == "text":
            return [_quote(value) if self._must_quote(value) else value for value in values]
        by_level = dict(zip(self.column.values or (), self.level_texts, strict=True))
        return [by_level[value] for value in values]

    def _write_numbers(self, values: pd.Series[Any]) -> list[str]:
        resolution = self.column.resolution
        if resolution is not None:
            decimals = max(0, round(-math.log10(resolution)))
            return [_fixed(number, decimals) for number in self.column.to_float(values).tolist()]
        if self.significant_digits is not None:
            return [_rounded(number, self.significant_digits) for number in self.column.to_float(values).tolist()]
        # The shortest digits that tell a float of this width from its neighbours: 0.1, not 0.10000000149.
        width = _float_type(self.column)
        return [_bare(str(width(number))) for number in self.column.to_float(values)]

    def _write_dates(self, values: pd.Series[Any]) -> list[str]:
        moments = pd.to_datetime(values, utc=True).dt.tz_localize(None).dt.as_unit("ns").to_numpy("datetime64[ns]")
        steps = {float(step): unit for unit, step in UNITS_NS.items()}
        unit = steps.get(self.column.resolution or 1.0, "ns")
        zone = "Z" if self._has_zone else ""
        # ISO 8601 knows no hour without minutes, and no time zone without a time.
        shown = np.datetime_as_string(moments, unit="m" if unit == "h" or (unit == "D" and zone) else unit)  # type: ignore[call-overload]
        return [text.replace("T", " ") + zone for text in shown.tolist()]

    def _read_present(self, texts: list[str], missing: npt.NDArray[np.bool_]) -> tuple[pd.Series[Any], Reasons]:
        kind = self.column.kind
        if kind == "integer":
            return self._read_whole(texts, missing)
        if kind == "numeric":
            return self._read_numbers(texts, missing)
        if kind == "datetime":
            return self._read_dates(texts, missing)
        if kind == "timedelta":
            return self._read_durations(texts, missing)
        if kind == "text":
            return self._read_texts(texts, missing)
        return self._read_levels(texts, missing)

    def _read_whole(self, texts: list[str], missing: npt.NDArray[np.bool_]) -> tuple[pd.Series[Any], Reasons]:
        found = [_whole(text) for text in texts]
        reasons = np.array(
            [
                FINE if number is not None else NOT_WHOLE if _NUMBER.fullmatch(text) else NOT_A_NUMBER
                for number, text in zip(found, texts, strict=True)
            ],
            dtype=object,
        )
        limits = self._integer_limits
        beyond = [number is not None and not limits.min <= number <= limits.max for number in found]
        reasons[beyond] = OUTSIDE_LIMITS
        # Compared as float64, in which the limits are kept; the values themselves stay exact beyond 2**53.
        as_floats = np.array([np.nan if number is None else float(number) for number in found], dtype="float64")
        self._judge_limits(as_floats, reasons, missing)
        unusable = [reason != FINE or is_missing for reason, is_missing in zip(reasons, missing, strict=True)]
        # A smallest value near 2**63 is rounded up to it in float64, and would not fit.
        stand_in = 0 if self.column.minimum is None else min(max(int(self.column.minimum), limits.min), limits.max)
        bare = "uint64" if getattr(self.column.dtype, "kind", "i") == "u" else "int64"
        whole = pd.Series(
            [stand_in if bad else number for bad, number in zip(unusable, found, strict=True)], dtype=bare
        )
        if not self.column.allows_missing:
            return whole.astype(self.column.dtype), reasons
        width: Any = "UInt64" if bare == "uint64" else "Int64"
        nullable = whole.astype(width)
        return pd.Series(nullable.mask(missing).astype(self.column.dtype)), reasons

    def _read_numbers(self, texts: list[str], missing: npt.NDArray[np.bool_]) -> tuple[pd.Series[Any], Reasons]:
        numbers = np.array([float(text) if _NUMBER.fullmatch(text) else np.nan for text in texts], dtype="float64")
        reasons = np.where(np.isfinite(numbers), FINE, NOT_A_NUMBER).astype(object)
        with np.errstate(over="ignore"):  # in the column's width: 0.1 is another number in 32 bits
            numbers = numbers.astype(_float_type(self.column)).astype("float64")
        self._judge_limits(numbers, reasons, missing)
        numbers = np.where(reasons == FINE, numbers, np.nan)
        exact = self.column.resolution is None and self.significant_digits is None
        return (cast_numbers(pd.Series(numbers), self.column) if exact else self.column.from_float(numbers)), reasons

    def _read_dates(self, texts: list[str], missing: npt.NDArray[np.bool_]) -> tuple[pd.Series[Any], Reasons]:
        readable = pd.Series([text if _DATE.fullmatch(text) else None for text in texts], dtype=object)
        moments = pd.to_datetime(readable, utc=True, errors="coerce", format="ISO8601").dt.as_unit("ns")
        reasons = np.where(moments.isna(), NOT_A_DATE, FINE).astype(object)
        self._judge_limits(self.column.to_float(moments), reasons, missing)
        return cast_times(moments.mask(pd.Series(reasons != FINE)), self.column), reasons

    def _read_durations(self, texts: list[str], missing: npt.NDArray[np.bool_]) -> tuple[pd.Series[Any], Reasons]:
        step, name = self._duration_unit
        pattern = re.compile(rf"([+-]?\d+)\s*{name[:-1]}s?")
        matches = [pattern.fullmatch(text) for text in texts]
        counts = [0 if match is None else _bounded_int(match[1]) * step for match in matches]
        fits = np.array([abs(count) < 2**63 for count in counts], dtype=bool)
        reasons = np.where([match is None for match in matches], NOT_A_DURATION, FINE).astype(object)
        reasons[~fits] = OUTSIDE_LIMITS
        spans = pd.Series(np.where(fits, counts, 0).astype("int64").astype("timedelta64[ns]"))
        self._judge_limits(self.column.to_float(spans), reasons, missing)
        return cast_times(spans.mask(pd.Series(missing | (reasons != FINE))), self.column), reasons

    def _read_texts(self, texts: list[str], missing: npt.NDArray[np.bool_]) -> tuple[pd.Series[Any], Reasons]:
        reasons = np.where([not text for text in texts], EMPTY, FINE).astype(object)
        values = [None if gone else _unquote(text) for text, gone in zip(texts, missing, strict=True)]
        for row, value in enumerate(values):
            if value is not None and not _is_encodable(value):  # no file could hold it
                values[row], reasons[row] = "", HALF_CHARACTER
        return pd.Series(values, dtype=object).astype(self.column.dtype), reasons

    def _read_levels(self, texts: list[str], missing: npt.NDArray[np.bool_]) -> tuple[pd.Series[Any], Reasons]:
        positions = {text: position for position, text in enumerate(self.level_texts)}
        codes = np.array([positions.get(text, -1) for text in texts], dtype=np.int64)
        codes[missing] = -1
        known = self.column.values or ()
        reasons = np.where((codes < 0) & ~missing, UNKNOWN_CATEGORY if known else UNEXPECTED_VALUE, FINE).astype(object)
        # Missing is the last level, so that code -1 takes it; a column of plain bool has no room for it.
        has_room = self.column.allows_missing or self.column.dtype != np.dtype(bool)
        levels = pd.Series([*known, *([None] if has_room else [])], dtype=object).astype(self.column.dtype)
        return levels.take(np.where(codes < 0, len(levels) - 1, codes)).reset_index(drop=True), reasons

    def _judge_limits(self, numbers: npt.NDArray[np.float64], reasons: Reasons, missing: npt.NDArray[np.bool_]) -> None:
        """Write into ``reasons`` which numbers lie outside the observed limits; missing ones are fine."""
        low, high = self._limits
        if low is None or high is None:
            reasons[reasons == FINE] = UNEXPECTED_VALUE
        else:
            slack = LIMIT_TOLERANCE * max(abs(low), abs(high)) if self.column.kind == "numeric" else 0.0
            with np.errstate(invalid="ignore"):
                outside = (numbers < low - slack) | (numbers > high + slack)
            reasons[outside & (reasons == FINE)] = OUTSIDE_LIMITS
        reasons[missing] = FINE

    @property
    def _limits(self) -> tuple[float | None, float | None]:
        """The observed limits, rounded as the values are when they are written."""
        low, high = self.column.minimum, self.column.maximum
        rounds = self.column.kind == "numeric" and self.column.resolution is None
        if low is None or high is None or not rounds or self.significant_digits is None:
            return low, high
        return float(_rounded(low, self.significant_digits)), float(_rounded(high, self.significant_digits))

    @property
    def _integer_limits(self) -> Any:
        """What the column's integer dtype holds, exactly: near 2**63 a float64 does not tell what fits."""
        dtype: Any = self.column.dtype
        return np.iinfo(getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype)))

    @property
    def _duration_unit(self) -> tuple[int, str]:
        step = int(self.column.resolution or 1)
        return step, next(UNIT_NAMES[unit] for unit, size in UNITS_NS.items() if size == step)

    @property
    def _has_zone(self) -> bool:
        dtype = getattr(self.column.dtype, "pyarrow_dtype", self.column.dtype)
        return getattr(dtype, "tz", None) is not None

    def _must_quote(self, text: str) -> bool:
        return _is_delicate(text) or text.casefold() == self.missing_word


def _level_texts(levels: Sequence[Any]) -> list[str]:
    """Return one text per level, no two alike after blanks around them are cut off."""
    plain_texts = [str(level) for level in levels]
    crowded = {text for text in plain_texts if plain_texts.count(text) > 1}
    texts: list[str] = []
    for level, text in zip(levels, plain_texts, strict=True):
        chosen = _quote(text) if _is_delicate(text) or (isinstance(level, str) and text in crowded) else text
        while chosen in texts:  # two levels of types of their own whose names are equal
            chosen += "'"
        texts.append(chosen)
    return texts


def _is_delicate(text: str) -> bool:
    """Whether a text would not survive the cutting of blanks, would break a line, or reads as if quoted."""
    return not text or text != text.strip() or text.startswith('"') or not text.isprintable()


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _unquote(text: str) -> str:
    try:
        inner = json.loads(text) if text.startswith('"') else text
    except ValueError:
        return text
    return inner if isinstance(inner, str) else text


def _fixed(number: float, decimals: int) -> str:
    """Write a number with so many decimals, or with all its digits where that would change it."""
    text = f"{number + 0.0:.{decimals}f}" if abs(number) < MAX_PLAIN else repr(number)
    return text if float(text) == number else _bare(repr(number))


def _rounded(number: float, digits: int) -> str:
    return _bare(repr(float(f"{number:.{digits}g}") + 0.0))


def _bare(text: str) -> str:
    return text.removesuffix(".0")


def _whole(text: str) -> int | None:
    return _bounded_int(text.partition(".")[0]) if _WHOLE.fullmatch(text) else None


def _bounded_int(text: str) -> int:
    """Read an integer, a very long one as BEYOND_INTEGERS: int() raises from some thousand digits on."""
    digits = text.lstrip("+-0") or "0"
    size = int(digits) if len(digits) < len(str(BEYOND_INTEGERS)) else BEYOND_INTEGERS
    return -size if text.startswith("-") else size


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _float_type(column: ColumnSchema) -> Any:
    """Return numpy's scalar type for the width in which a numeric column is kept."""
    dtype: Any = column.dtype
    return np.dtype(getattr(dtype, "numpy_dtype", dtype)).type
