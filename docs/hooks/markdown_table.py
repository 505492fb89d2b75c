"""A DataFrame as a Markdown table: numbers to the right, missing values empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd


def table(frame: pd.DataFrame, digits: int | Mapping[str, int] = 3) -> str:
    """Return the columns of a frame as a Markdown table, without its index.

    ``digits`` are the decimals of fractional numbers, for all columns or by name.  Large numbers are grouped by
    thousands.

    >>> print(table(pd.DataFrame({"arm": ["smote"], "AUC": [0.97654], "rows": [20000]})))
    | arm | AUC | rows |
    |---|---:|---:|
    | smote | 0.977 | 20,000 |
    """
    columns = {
        str(name): [_cell(value, digits if isinstance(digits, int) else digits.get(str(name), 3)) for value in values]
        for name, values in frame.items()
    }
    numeric = [pd.api.types.is_numeric_dtype(frame[name]) for name in frame.columns]
    lines = [
        _line([_cell(name, 0) for name in columns]),
        "|" + "".join("---:|" if right else "---|" for right in numeric),
    ]
    return "\n".join(lines + [_line(list(cells)) for cells in zip(*columns.values(), strict=True)])


def _cell(value: Any, digits: int) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    if isinstance(value, bool | str):
        return str(value).replace("|", "\\|")
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.{digits}f}"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
