"""The columns that leave the machine: how each is called, described, written into a prompt and read from an answer."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth import ColumnSchema, Table
from autosynth.exceptions import ConfigError, nearest
from autosynth_llm.api.pseudonyms import shown_levels, shown_names
from autosynth_llm.api.spelling import Spelling
from autosynth_llm.value_text import ValueText

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt
    import pandas as pd

    from autosynth_llm.api.answers import Cell
    from autosynth_llm.api.options import LLMApiOptions

SIGNIFICANT_DIGITS = 6  # of continuous numbers; 17 would cost tokens and tell the model nothing
MAX_DIGITS = 17  # that a float64 has
MAX_LEVELS_SHOWN = 60  # of further categories the prompt says only how many there are
MAX_LEVELS_IN_SCHEMA = 60  # servers limit how many they take
_PLAIN = re.compile(r"[^\s,;|<>\"'`*=:]+(?: [^\s,;|<>\"'`*=:]+)*")
_SENTENCE = re.compile(r"\bis\b", re.IGNORECASE)


@dataclass(frozen=True)
class ReadColumn:
    """The values read from answers, the reasons of refusal ("" for none), and how many cells were spelt otherwise."""

    values: pd.Series[Any]
    reasons: npt.NDArray[Any]
    n_respelt: int


@dataclass(frozen=True)
class SentColumn:
    """One column as the endpoint sees it.

    Attributes
    ----------
    column : ColumnSchema
        The column.
    shown_name : str
        What it is called in prompts and answers.
    text : ValueText
        Its values as text.
    pseudonymise : bool
        Whether categories are replaced by neutral ones.
    description : str
        The user's words on its meaning and unit.
    """

    column: ColumnSchema
    shown_name: str
    text: ValueText
    pseudonymise: bool = False
    description: str = ""

    @cached_property
    def levels(self) -> dict[str, str]:
        """What is shown for the text of each category; truth values need no pseudonym."""
        hides = self.pseudonymise and self.column.kind == "category"
        return shown_levels(self.text.level_texts, pseudonymise=hides)

    def show(self, text: str) -> str:
        """Return a text of :class:`ValueText` as it stands in a row: in quotes where it could be taken for more.

        Quoted are all free texts, and what holds separators or marks, so that no cell can end its row or the data.
        """
        if text == self.text.missing_word or self.column.is_number_like:
            return text
        text = self.levels.get(text, text)
        is_plain = _PLAIN.fullmatch(text) and not _SENTENCE.search(text) and not text.endswith(".")
        if is_plain and self.column.kind != "text":
            return text
        quoted = text if text.startswith('"') else json.dumps(text, ensure_ascii=False)
        return quoted.replace("<", "\\u003c").replace(">", "\\u003e")

    def show_quoted(self, text: str) -> str:
        """Return a text as it stands among the instructions: categories in quotes, so that none reads like a sentence.

        Bare is a number category whose quoted form would be another category: 1 beside the word "1".
        """
        shown = self.show(text)
        is_safe = self.column.kind != "category" or text == self.text.missing_word or shown.startswith('"')
        return shown if is_safe or in_quotes(shown) in self.levels else in_quotes(shown)

    def read(self, cells: Sequence[Cell]) -> ReadColumn:
        """Return the values that cells stand for, in the column's dtype; what cannot be read is refused by reason."""
        spelling = self._spelling
        texts = [spelling.resolve(cell) for cell in cells]
        n_respelt = sum(self._is_respelt(cell, text) for text, cell in zip(texts, cells, strict=True))
        values, reasons = self.text.read(texts)
        return ReadColumn(values, reasons, n_respelt)

    def _is_respelt(self, cell: Cell, text: str) -> bool:
        if cell.text is None or self.column.kind == "text":
            return False
        shown = self.levels.get(text, text)
        return cell.text != shown and not (cell.quoted and json.dumps(cell.text, ensure_ascii=False) == shown)

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling(self.column, self.text.missing_word, {shown: text for text, shown in self.levels.items()})

    def describe(self, missing_share: float) -> str:
        """Return the line of a prompt that says what this column holds."""
        parts = [f"- {in_quotes(self.shown_name)}: {self._kind_in_words()}"]
        if self.column.allows_missing:
            parts.append(
                f'{missing_share:.0%} of the rows have no value, written as the word "{self.text.missing_word}"'
            )
        if self.description:
            parts.append(self.description)
        return "; ".join(parts)

    def _kind_in_words(self) -> str:
        column = self.column
        if column.kind == "text":
            return "text in double quotes"
        if not column.is_number_like:
            return self._levels_in_words()
        limits = np.array([column.minimum, column.maximum], dtype="float64")
        low, high = self.text.write(column.from_float(limits))
        word = {"integer": "whole number", "datetime": "date", "timedelta": "duration"}.get(column.kind, "number")
        return f"{word} from {low} to {high}"

    def _levels_in_words(self) -> str:
        shown = [self.show_quoted(text) for text in self.levels]
        if len(shown) <= MAX_LEVELS_SHOWN:
            return f"one of {', '.join(shown)}"
        return f"one of {len(shown)} categories, among them {', '.join(shown[:MAX_LEVELS_SHOWN])}"

    def json_type(self, fixed_text: str | None = None) -> dict[str, Any]:
        """Return the JSON schema of a value; ``fixed_text`` is the only one allowed, where the group sets it."""
        allows_null = self.column.allows_missing and fixed_text is None
        if fixed_text == self.text.missing_word:
            return {"type": "null"}
        if self.column.kind in ("integer", "numeric"):
            name = "integer" if self.column.kind == "integer" else "number"
            return _typed(name, allows_null, None if fixed_text is None else [json.loads(fixed_text)])
        if self.column.kind == "boolean":
            return _typed("boolean", allows_null, None if fixed_text is None else [fixed_text == "True"])
        shown = list(self.levels.values()) if len(self.levels) <= MAX_LEVELS_IN_SCHEMA else []
        if fixed_text is not None:
            shown = [self.levels.get(fixed_text, fixed_text)]
        return _typed("string", allows_null, shown or None)


def in_quotes(text: str) -> str:
    r"""Return a name or category as a JSON string that cannot end the data.

    Examples
    --------
    >>> in_quotes("under <40>")
    '"under \\u003c40\\u003e"'
    """
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")


def _typed(name: str, allows_null: bool, accepted: list[Any] | None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": [name, "null"] if allows_null else name}
    if accepted is not None:
        schema["enum"] = [*accepted, *([None] if allows_null else [])]
    return schema


def choose_columns(table: Table, options: LLMApiOptions) -> tuple[SentColumn, ...]:
    """Return the columns to send: those the options allow, without texts under pseudonyms and all-missing columns.

    Raises
    ------
    ConfigError
        If an option names a column that the table does not hold, or no column is left to make values for.
    """
    wanted = _known(options.send_columns, table, "send_columns")
    chosen = [
        column
        for column in table.schema.columns
        if column.n_distinct
        and (wanted is None or column.name in wanted)
        and not (options.pseudonymise and column.kind == "text")
    ]
    by_group = {axis.column.name for axis in table.grouping.axes if axis.edges is None}
    made = [column for column in chosen if column.name not in by_group]
    if not made:
        raise ConfigError(
            "no column is left that the endpoint could make values for: label and group columns are set by the group"
            f"{', texts are not sent under pseudonymise=True' if options.pseudonymise else ''}. Send more columns."
        )
    _known(list(options.column_descriptions), table, "column_descriptions")
    meanings = {str(name): text for name, text in options.column_descriptions.items()}
    names = shown_names([column.name for column in chosen], pseudonymise=options.pseudonymise)
    return tuple(
        SentColumn(
            column,
            name,
            ValueText.of(column, significant_digits=None if column.name in by_group else _significant_digits(column)),
            options.pseudonymise,
            meanings.get(str(column.name), ""),
        )
        for column, name in zip(chosen, names, strict=True)
    )


def _significant_digits(column: ColumnSchema) -> int | None:
    """Return the digits that tell values of a continuous column apart; more where all lie close to one another."""
    if column.kind != "numeric" or not column.minimum or not column.maximum:
        return SIGNIFICANT_DIGITS
    spread = (column.maximum - column.minimum) / max(abs(column.minimum), abs(column.maximum))
    digits = SIGNIFICANT_DIGITS + max(0, math.ceil(-math.log10(spread))) if spread > 0 else MAX_DIGITS
    return digits if digits < MAX_DIGITS else None


def _known(names: Sequence[Any] | None, table: Table, option: str) -> set[Hashable] | None:
    """Return the columns that an option names, also by their text: a file or the command line knows texts only."""
    if names is None:
        return None
    by_text: Mapping[str, Hashable] = {str(name): name for name in table.schema.names}
    for name in names:
        if str(name) not in by_text:
            raise ConfigError(
                f"{option} names {name!r}, which is not a column of the table.{nearest(name, by_text)} "
                f"Columns: {', '.join(list(by_text)[:30])}{' ...' if len(by_text) > 30 else ''}."
            )
    return {by_text[str(name)] for name in names}
