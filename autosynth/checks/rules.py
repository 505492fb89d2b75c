"""Rule: what two columns, or a column and a constant, must be to each other in every row."""

from __future__ import annotations

import datetime as dt
import math
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from autosynth.exceptions import ConfigError, nearest
from autosynth.options import check_choice
from autosynth.schema import infer_column, plain
from autosynth.state import value_from_state, value_to_state

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

Operator: TypeAlias = Literal["<=", ">=", "==", "!=", "<", ">"]
Line: TypeAlias = Literal["numbers", "dates", "durations", "texts"]

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
MIRRORED: dict[Operator, Operator] = {"<=": ">=", ">=": "<=", "==": "==", "!=": "!=", "<": ">", ">": "<"}
WRITE_LIKE = "Write it like: start <= end, `name with spaces` > 0, ward != 'none', admitted >= '2020-01-31'"
OPERAND = r"`(?:[^`]|``)+`|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[^\s<>=!'\"`]+"
RULE = re.compile(rf"\s*({OPERAND})\s*({'|'.join(COMPARISONS)})\s*({OPERAND})\s*")
BARE = re.compile(r"[^\s<>=!'\"`]+")


@dataclass(frozen=True)
class Rule:
    """A comparison that every row has to keep; a row with a missing value on either side keeps it.

    Attributes
    ----------
    left : Hashable
        A column.
    op : "<=", ">=", "==", "!=", "<" or ">"
        Texts are compared letter by letter, so only "==" and "!=" mean much for them.
    right : Hashable or constant
        Another column, or a number, text, date or duration.  Dates and durations may be written as text in ISO format.
    constant : bool, optional
        Whether ``right`` is a constant; None takes a text or a tuple for a column, and anything else for a constant.

    Raises
    ------
    ConfigError
        If the operator is unknown, or the constant is none that a cell could be compared with.

    Examples
    --------
    >>> rule = Rule("start", "<=", "end")
    >>> rule.holds(pd.DataFrame({"start": [1, 5, None], "end": [2, 3, 4]})).tolist()
    [True, False, True]
    >>> print(Rule("age", ">=", 18), "and", Rule("birth day", ">", "1900-01-01", constant=True))
    age >= 18 and `birth day` > '1900-01-01'
    """

    left: Hashable
    op: Operator
    right: Any
    constant: bool | None = None

    def __post_init__(self) -> None:
        check_choice("op", self.op, get_args(Operator))
        if self.constant is None:
            object.__setattr__(self, "constant", not isinstance(self.right, str | tuple))
        for side in [self.left] if self.constant else [self.left, self.right]:
            if not pd.api.types.is_hashable(side):
                raise ConfigError(f"a rule compares {side!r}, which names no column. {WRITE_LIKE}.")
        if self.constant:
            object.__setattr__(self, "right", _plain_constant(self.right))

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Return the rule that a text means, such as "start <= end"; column names with spaces go in backquotes.

        Numbers, true, false and what stands in quotes are constants, anything else is a column.

        Raises
        ------
        ConfigError
            If the text is no comparison of a column with a column or a constant.

        Examples
        --------
        >>> Rule.parse("18 <= age")
        Rule(left='age', op='>=', right=18, constant=True)
        >>> Rule.parse("`birth day` > '1900-01-01'").right
        '1900-01-01'
        """
        found = RULE.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise ConfigError(
                f"rule {text!r} cannot be read: it compares two things by {', '.join(COMPARISONS)}. {WRITE_LIKE}."
            )
        left, right = (_read_operand(found[position]) for position in (1, 3))
        op: Operator = found[2]  # type: ignore[assignment]
        if left[1] and right[1]:
            raise ConfigError(
                f"rule {text!r} compares two constants. {WRITE_LIKE}; a column named by a number goes in backquotes."
            )
        if left[1]:
            return cls(right[0], MIRRORED[op], left[0], constant=True)
        return cls(left[0], op, right[0], constant=right[1])

    @property
    def columns(self) -> tuple[Hashable, ...]:
        """The columns that it compares."""
        return (self.left,) if self.constant else (self.left, self.right)

    def holds(self, frame: pd.DataFrame) -> Mask:
        """Return which rows keep the rule, shape (n_rows,).

        Whole numbers are compared exactly up to 2**53, dates and durations to the microsecond or better.

        Raises
        ------
        ConfigError
            If a column is absent, or the two sides are of different kinds, such as a text and a number.
        """
        for name in self.columns:
            if name not in frame.columns:
                raise ConfigError(
                    f"rule {self} names {name!r}, which is no column.{nearest(name, frame.columns)}"
                    f"{self._advise_quotes(name, frame)}"
                )
        line, left = _as_line(frame[self.left], self)
        other, right = _constant_on(line, self) if self.constant else _as_line(frame[self.right], self)
        missing = np.asarray(pd.isna(left) | pd.isna(right))
        if missing.all():
            return missing
        if line != other:
            sides = f"{self.left!r} holds {line}, {self.right!r} {'is one of' if self.constant else 'holds'} {other}"
            raise ConfigError(f"rule {self} compares different kinds: {sides}. Compare like with like.")
        kept = np.ones(len(frame), dtype=bool)
        right = np.broadcast_to(right, left.shape)
        kept[~missing] = COMPARISONS[self.op](left[~missing], right[~missing]).astype(bool)
        return kept

    def _advise_quotes(self, name: Hashable, frame: pd.DataFrame) -> str:
        """Return advice where a column of this name is none, but the other column holds such a value."""
        cells = frame[self.left] if self.left in frame.columns and name == self.right else ()
        if not any(isinstance(cell, str) and cell == name for cell in cells):
            return ""
        return f" Quote texts: {Rule(self.left, self.op, name, constant=True)}"

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as plain data for JSON."""
        sides = {"left": value_to_state(self.left), "right": value_to_state(self.right)}
        return {**sides, "op": self.op, "constant": self.constant}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Rule:
        """Return the rule that :meth:`to_dict` wrote.

        Raises
        ------
        ConfigError
            If it is none.
        """
        try:
            left, op, right, constant = (state[name] for name in ("left", "op", "right", "constant"))
            rule = cls(value_from_state(left), op, value_from_state(right), constant)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"{state!r} is no rule: {error}. Write one with Rule.to_dict.") from error
        if not isinstance(constant, bool):
            raise ConfigError(f"{state!r} is no rule: constant must be true or false.")
        return rule

    def __str__(self) -> str:
        right = _show_constant(self.right) if self.constant else _show_column(self.right)
        return f"{_show_column(self.left)} {self.op} {right}"


def as_rule(rule: Rule | str) -> Rule:
    """Return a rule that may be given as text."""
    return rule if isinstance(rule, Rule) else Rule.parse(rule)


def as_rules(rules: Sequence[Rule | str] | Rule | str) -> tuple[Rule, ...]:
    """Return rules that may be given as texts; one alone needs no list."""
    return tuple(as_rule(rule) for rule in ([rules] if isinstance(rules, Rule | str) else rules))


def _read_operand(text: str) -> tuple[Any, bool]:
    """Return the column name or constant that a part of a rule means, and whether it is a constant."""
    quote = text[0]
    if quote in "`'\"":
        return text[1:-1].replace(quote * 2, quote), quote != "`"
    if text.lower() in ("true", "false"):
        return text.lower() == "true", True
    number = _read_number(text)
    return (text, False) if number is None else (number, True)


def _read_number(text: str) -> int | float | None:
    """Return a finite number, or None: "nan" and "inf" are as good as names of columns."""
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _plain_constant(value: Any) -> Any:
    value = plain(value)
    is_known = isinstance(value, str | bool | int | float | dt.date | dt.timedelta | np.datetime64 | np.timedelta64)
    if not is_known or (isinstance(value, float) and not math.isfinite(value)):
        raise ConfigError(f"a rule compares with {value!r}. Use a finite number, a text, a date or a duration.")
    if isinstance(value, dt.date | np.datetime64):
        return pd.Timestamp(value)
    return pd.Timedelta(value) if isinstance(value, dt.timedelta | np.timedelta64) else value


def _as_line(values: pd.Series[Any], rule: Rule) -> tuple[Line, npt.NDArray[Any]]:
    """Return cells as what they are compared as: float64 with NaN, or objects."""
    column = infer_column(values)
    if column.is_number_like:
        lines: dict[str, Line] = {"datetime": "dates", "timedelta": "durations"}
        return lines.get(column.kind, "numbers"), column.to_float(values)
    cells = values.astype(object)
    if column.kind == "text" or all(isinstance(value, str) for value in column.values or ()):
        return "texts", cells.to_numpy()
    if all(isinstance(value, bool | int | float) for value in column.values or ()):
        return "numbers", pd.to_numeric(cells).to_numpy(dtype="float64", na_value=np.nan)
    raise ConfigError(f"rule {rule} compares {values.name!r}, whose categories are neither all texts nor all numbers.")


def _constant_on(line: Line, rule: Rule) -> tuple[Line, Any]:
    """Return the constant as the cells of a column are compared, and what it is."""
    value = rule.right
    if isinstance(value, bool | int | float):
        return "numbers", float(value)
    if isinstance(value, str) and line not in ("dates", "durations"):
        return "texts", value
    try:
        if line == "durations" or isinstance(value, pd.Timedelta):
            return "durations", float(pd.Timedelta(value).as_unit("ns").value)
        moment = pd.Timestamp(value)
        moment = moment.tz_localize("UTC") if moment.tz is None else moment
        return "dates", float(moment.as_unit("ns").value)
    except ValueError as error:
        raise ConfigError(
            f"rule {rule} compares {rule.left!r}, which holds {line}, with {value!r}. "
            f"Write {'2020-01-31 or 2020-01-31T08:30' if line == 'dates' else '3 days or 02:30:00'} in quotes."
        ) from error


def _show_column(name: Hashable) -> str:
    text = str(name)
    is_bare = BARE.fullmatch(text) and _read_operand(text) == (text, False)
    return text if is_bare else f"`{text.replace('`', '``')}`"


def _show_constant(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = value.isoformat() if isinstance(value, pd.Timestamp) else str(value)
    return "'" + text.replace("'", "''") + "'"
