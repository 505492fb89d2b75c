"""Tables: numbers to the right and in line, names as headers of their rows, verdicts in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from markupsafe import Markup

from autosynth.pages.elements import Verdict, details
from autosynth.pages.numbers import ABSENT, column_texts, is_number
from autosynth.pages.template import fill
from autosynth.pages.words import MAX_MESSAGE, shorten

Cell: TypeAlias = "str | int | float | bool | Verdict | Markup | NumberText | None"


@dataclass(frozen=True)
class NumberText:
    """Text that reads as a number and stands where numbers stand, such as "0.12 (0.10 to 0.15)"."""

    text: str

    def __str__(self) -> str:
        return self.text


def table(
    titles: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    caption: str,
    row_header: int | None = 0,
    digits: int = 3,
    kind: str = "",
) -> Markup:
    """Return a table.

    Parameters
    ----------
    titles : sequence of str
        Headers of the columns.
    rows : iterable of sequences of Cell
        Text, numbers (right-aligned, same decimals in a column), None or NaN (a dash), Verdict, or Markup.
    caption : str
        What the table shows, for those who hear the page; not visible.
    row_header : int or None
        Position of the column that names the row.
    digits : int
        Significant digits of the largest number of a column.
    kind : "wide" or ""
        Whether it fills the width of the page.

    Examples
    --------
    >>> print(table(["group", "rows"], [["a<b", 1200]], caption="Rows per group"))  # doctest: +ELLIPSIS
    <div class="box" ...>
    <table>
    <caption>Rows per group</caption>
    ...a&lt;b...1,200...
    """
    body = [list(row) for row in rows]
    columns = [_column([row[place] for row in body], digits) for place in range(len(titles))]
    to_the_right = [any(is_right for _, is_right in column) for column in columns]
    kinds = [
        "number" if is_right else _width([row[place] for row in body]) for place, is_right in enumerate(to_the_right)
    ]
    shown = [
        [(column[place][0], of_kind) for column, of_kind in zip(columns, kinds, strict=True)]
        for place in range(len(body))
    ]
    headers = list(zip(titles, kinds, strict=True))
    return fill("table.html", headers=headers, rows=shown, caption=caption, row_header=row_header, kind=kind)


def folded_table(
    summary: str, titles: Sequence[str], rows: Sequence[Sequence[Any]], *, caption: str, **options: Any
) -> Markup:
    """Return a table that a click unfolds; nothing when it has no rows.  Options are those of :func:`table`."""
    if not rows:
        return Markup("")
    return details(summary, table(titles, rows, caption=caption, **options))


def _width(cells: Sequence[Cell]) -> str:
    """Return how much room the texts of a column want before they are broken inside words."""
    longest = max((len(cell) for cell in cells if isinstance(cell, str) and not isinstance(cell, Markup)), default=0)
    return "long" if longest > 60 else "middling" if longest > 12 else ""


def _column(cells: Sequence[Cell], digits: int) -> list[tuple[Any, bool]]:
    """Return every cell of a column as it is shown, and whether it is a number."""
    numbers: list[Any] = [cell for cell in cells if is_number(cell)]
    texts = iter(column_texts(numbers, digits))
    return [_cell(cell, texts) for cell in cells]


def _cell(cell: Cell, texts: Any) -> tuple[Any, bool]:
    if cell is None:
        return ABSENT, False
    if is_number(cell):
        return next(texts), True
    if isinstance(cell, bool):
        return ("yes" if cell else "no"), False
    if isinstance(cell, str) and not isinstance(cell, Markup):
        return shorten(cell, MAX_MESSAGE), False
    return cell, isinstance(cell, NumberText)
