"""Other spellings of a value that leave no doubt: case, quotes, 1.0 for 1, separators of thousands.

What leaves a doubt is handed on as it came, and refused by whoever reads it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from autosynth import ColumnSchema

if TYPE_CHECKING:
    from autosynth_llm.api.answers import Cell

MISSING_SPELLINGS = frozenset({"", "null", "none", "nan", "na", "n/a", "<na>", "nat", "missing", "not given"})
TRUTH_SPELLINGS = {"true": "True", "yes": "True", "1": "True", "false": "False", "no": "False", "0": "False"}
_GROUPS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_WHOLE_DECIMAL = re.compile(r"([+-]?\d+)\.0*")


class Spelling:
    """Turns what was written for one column into the text that its ValueText knows.

    Parameters
    ----------
    column : ColumnSchema
        The column.
    missing_word : str
        How its ValueText writes a missing value.
    levels : mapping of str to str
        The text of each category by what is shown for it; empty for columns without levels.
    """

    def __init__(self, column: ColumnSchema, missing_word: str, levels: Mapping[str, str]) -> None:
        self._column = column
        self._missing_word = missing_word
        self._levels = levels
        self._folded = _unambiguous(levels, _fold)
        self._as_number = _unambiguous(levels, _number)

    def resolve(self, cell: Cell) -> str:
        """Return the text for a cell, or the cell's own text when nothing else is meant beyond doubt."""
        if cell.text is None:
            return self._missing_word
        if self._column.kind == "text":
            is_missing = cell.text == self._missing_word and not cell.quoted and self._column.allows_missing
            is_empty = not cell.text and not cell.quoted
            return cell.text if is_missing or is_empty else json.dumps(cell.text, ensure_ascii=False)
        level = self._level(cell) if self._levels else None
        if level is not None:
            return level
        text = _without_quotes(cell.text)
        if text.casefold() in MISSING_SPELLINGS or text == self._missing_word:
            return self._missing_word
        return self._number(text) if self._column.kind in ("integer", "numeric") else text

    def _level(self, cell: Cell) -> str | None:
        text = cell.text or ""
        # A level that is shown in quotes has them in its text: "1" is the word, 1 the number.
        in_quotes = [json.dumps(text, ensure_ascii=False), json.dumps(text)]
        for candidate in (*in_quotes, text) if cell.quoted else (text, *in_quotes, text + "."):
            if candidate in self._levels:
                return self._levels[candidate]
        bare = _without_quotes(text)
        found = self._levels.get(bare) or self._folded.get(_fold(bare)) or self._as_number.get(_number(bare))
        if found is None and self._column.kind == "boolean":
            truth = TRUTH_SPELLINGS.get(bare.casefold().removesuffix(".0"))
            return self._levels.get(truth) if truth else None
        return found

    def _number(self, text: str) -> str:
        # In a column of decimals "1,234" may be a decimal comma; two groups, or a point behind them, settle it.
        settled = self._column.kind == "integer" or text.count(",") > 1 or "." in text
        if _GROUPS.fullmatch(text) and settled:
            text = text.replace(",", "")
        whole = _WHOLE_DECIMAL.fullmatch(text)
        return whole[1] if whole and self._column.kind == "integer" else text


def _unambiguous(levels: Mapping[str, str], key: Callable[[str], str | None]) -> dict[str | None, str]:
    """Return the levels by a looser spelling, without those that another level shares."""
    counts = Counter(key(shown) for shown in levels)
    return {key(shown): text for shown, text in levels.items() if counts[key(shown)] == 1 and key(shown) is not None}


def _fold(text: str) -> str:
    return " ".join(text.replace("_", " ").casefold().split())


def _number(text: str) -> str | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return repr(number) if math.isfinite(number) else None


def _without_quotes(text: str) -> str:
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
