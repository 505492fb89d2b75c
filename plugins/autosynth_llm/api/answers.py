"""Rows out of what a model wrote, JSON or lines of text: read as data, never followed, every refusal counted.

Accepted are ``{"rows": [{...}, ...]}``, lists of objects, one object per line, and lines ``column is value, ...`` with
bullets, numbers, ``=`` or ``:`` instead of ``is``, any order of columns, a dot at the end, and fences of code around.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

NO_ROW = "a line that is no row"
CUT_OFF = "a row that was cut off"
MISSING_COLUMN = "a missing column"
UNKNOWN_COLUMN = "an unknown column"
REPEATED_COLUMN = "a column that comes twice"
NESTED_VALUE = "a list or object in place of a value"
EMPTY_ANSWER = "an answer without any row"

MAX_DEPTH = 5  # of objects around a row
MAX_JSON_FAULTS = 200  # unreadable objects after which the rest of an answer is given up
_FENCE = re.compile(r"^\s*(```|~~~)\w*\s*$")
_STARTS_JSON = re.compile(r"\s*(?:\[\s*)?\{|\s*\[\s*$")
_PREFIX = re.compile(r"\s*(?:[-*•–>]\s+)?(?:\(?\d+[.):]\s+)?(?:(?:row|record|sample|example)\s*\d*\s*[:.)-]\s*)?", re.I)
_QUOTED_VALUE = re.compile(r'((?:\bis\b|=|:)\s*)("(?:[^"\\]|\\.)*")', re.I)
# Drafts of rows in a model's thoughts are no answer. A server may leave out the mark that opens them; the one that ends
# them is looked for outside of quotes, where no cell of a row can hold it.
_THOUGHTS = re.compile(r'\A\s*<think>.*?(?:</think>|\Z)|\A.*?^[^"\n]*</think>[ \t]*$', re.S | re.M)
_WRAPPER = re.compile(r'\{\s*"[^"]*"\s*:\s*\[?\s*')


@dataclass(frozen=True)
class Cell:
    """One value as it was written; ``text`` is None for JSON's null, ``quoted`` says that quotes stood around it."""

    text: str | None
    quoted: bool = False


@dataclass(frozen=True)
class ParsedAnswer:
    """The rows of an answer, each with one cell per column in their order, and what was refused, by reason."""

    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)


class AnswerParser:
    r"""Reads the answers for a table with these columns.

    Examples
    --------
    >>> parser = AnswerParser(["age", "ill"])
    >>> answer = parser.parse("1. age is 54, ill is yes.\n2. ill = no, age = 31\n3. age is 60")
    >>> [[cell.text for cell in row] for row in answer.rows], dict(answer.refusals)
    ([['54', 'yes'], ['31', 'no']], {'a missing column': 1})
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._positions = _lookup(self._names)
        known = "|".join(re.escape(name) for name in sorted(self._names, key=len, reverse=True))
        quotes = "[\"'`*]*"
        # What looks like a name before "is" is taken for one even if no column is called so: then the row is refused.
        name = rf"{quotes}(?P<name>{known}|[^,;|:=\"\s][^,;|:=\"]{{0,79}}?){quotes}"
        self._start_of_cell = re.compile(rf"(?:^|[,;|])\s*(?:and\s+)?{name}(?:\s+is\b|\s*[=:])\s*", re.I)
        self._starts_known = re.compile(rf"\s*{quotes}(?:{known}){quotes}(?:\s+is\b|\s*[=:])", re.I)

    def parse(self, text: str, *, cut_off: bool = False) -> ParsedAnswer:
        """Return the rows of an answer.

        Parameters
        ----------
        text : str
            What the model wrote.
        cut_off : bool
            Whether the server said that the answer reached its greatest length: the last line is then refused, even if
            it looks whole.
        """
        answer = ParsedAnswer()
        text = _THOUGHTS.sub("", text, count=1)
        # Not splitlines(): it also cuts at marks that JSON allows inside a string, such as U+2028.
        lines = [line for line in text.split("\n") if line.strip() and not _FENCE.match(line)]
        if any(_STARTS_JSON.match(line) for line in lines):
            for found in _json_rows("\n".join(lines)):
                self._take(found, answer)
        else:
            for number, line in enumerate(lines, 1):
                self._take(CUT_OFF if cut_off and number == len(lines) else self._cells(line), answer)
        if not answer.rows and not answer.refusals:
            answer.refusals[EMPTY_ANSWER] += 1
        return answer

    def _take(self, found: list[tuple[str, Cell]] | str, answer: ParsedAnswer) -> None:
        row = found if isinstance(found, str) else self._in_order(found)
        if isinstance(row, str):
            answer.refusals[row] += 1
        else:
            answer.rows.append(row)

    def _in_order(self, found: list[tuple[str, Cell]]) -> tuple[Cell, ...] | str:
        """Return one cell per column, or why there is none."""
        cells: dict[int, Cell] = {}
        for name, cell in found:
            position = self._position(name)
            if position is None:
                return UNKNOWN_COLUMN
            if position in cells:
                return REPEATED_COLUMN
            cells[position] = cell
        if len(cells) < len(self._names):
            return MISSING_COLUMN
        return tuple(cells[position] for position in range(len(self._names)))

    def _position(self, name: str) -> int | None:
        return self._positions.get(name, self._positions.get(_normal(name)))

    def _cells(self, line: str) -> list[tuple[str, Cell]] | str:
        if not self._starts_known.match(line):  # a column may be called "1. floor"
            line = line[_PREFIX.match(line).end() :]  # type: ignore[union-attr]  # matches the empty text too
        line = line.strip().strip("`*").strip()
        # What stands inside quotes is no start of a cell; masked, it keeps its place.
        masked = _QUOTED_VALUE.sub(lambda match: match[1] + '"' + "\0" * (len(match[2]) - 2) + '"', line)
        starts = list(self._start_of_cell.finditer(masked))
        if all(self._position(start["name"]) is None for start in starts) or starts[0].start() > 0:
            return NO_ROW
        ends = [start.start() for start in starts[1:]] + [len(line)]
        return [
            (start["name"], _cell(line[start.end() : end], is_last=end == len(line)))
            for start, end in zip(starts, ends, strict=True)
        ]


def _cell(text: str, *, is_last: bool) -> Cell:
    text = text.strip()
    bare = text.rstrip(" .;,|`*") if is_last else text.rstrip(" `*")
    if bare.startswith('"'):
        try:
            inner = json.loads(bare, strict=False)
        except ValueError:
            inner = None
        if isinstance(inner, str):
            return Cell(inner, quoted=True)
    if is_last and text[-1:] in (".", ";", ",", "|"):
        text = text[:-1].rstrip()
    return Cell(text.rstrip("`*").rstrip())


class _Object(list[tuple[str, Any]]):
    """The pairs of a JSON object, in which a key may come twice."""


# Numbers keep the text in which they were written: 0.10 and 12345678901234567890 are not to pass through a float.
_DECODER = json.JSONDecoder(object_pairs_hook=_Object, parse_int=str, parse_float=str, parse_constant=str, strict=False)


def _json_rows(text: str) -> Iterator[list[tuple[str, Cell]] | str]:
    """Yield rows, or the reasons why there is none, out of JSON that may be wrapped, cut off or broken in places."""
    position, n_faults = text.find("{"), 0
    while position >= 0:
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            following = text.find("{", position + 1)
            n_faults += 1
            if n_faults > MAX_JSON_FAULTS:
                yield NO_ROW
                return
            if not _WRAPPER.fullmatch(text, position, len(text) if following < 0 else following):
                yield CUT_OFF if following < 0 else NO_ROW
        else:
            yield from _rows_of(value)
            following = text.find("{", end)
        position = following


def _rows_of(value: _Object, depth: int = 0) -> Iterator[list[tuple[str, Cell]] | str]:
    """Yield the object itself as a row, or the rows that it wraps: as a list, or one by one under keys of their own."""
    parts = [part for _, part in value]
    lists = [part for part in parts if isinstance(part, list) and not isinstance(part, _Object)]
    wrapped = [part for part in lists if part and all(isinstance(item, _Object) for item in part)]
    if depth < MAX_DEPTH and (wrapped or (parts and all(isinstance(part, _Object) for part in parts))):
        for row in (item for part in wrapped or [parts] for item in part):
            yield from _rows_of(row, depth + 1)
    elif any(isinstance(part, list) for part in parts):
        n_items = len(lists[0]) if len(parts) == 1 and lists else 1
        yield from (NESTED_VALUE for _ in range(n_items))
    else:
        yield [(name, Cell(None if part is None else str(part))) for name, part in value]


def _lookup(names: Sequence[str]) -> dict[str, int]:
    """Return the position of every name as it is, and of its letters and digits alone where those are enough."""
    normal = Counter(_normal(name) for name in names)
    loose = {_normal(name): position for position, name in enumerate(names) if normal[_normal(name)] == 1}
    return {**loose, **{name: position for position, name in enumerate(names)}}


def _normal(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold()) or name
