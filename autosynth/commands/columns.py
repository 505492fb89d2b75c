"""Columns that were named on the command line, checked against the table before any work is done."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from autosynth.exceptions import ConfigError, nearest

if TYPE_CHECKING:
    import pandas as pd


def check_groups(group_by: Sequence[str] | None, frame: pd.DataFrame) -> None:
    """Raise where several group columns were given as one.

    Raises
    ------
    ConfigError
        With the options to write instead.
    """
    for name in group_by or []:
        parts = [part.strip() for part in name.split(",")]
        if name not in frame.columns and len(parts) > 1 and set(parts) <= set(frame.columns):
            options = " ".join(f"--group-by {part}" for part in parts)
            raise ConfigError(f"--group-by {name!r} is not a column. Repeat --group-by for several: {options}.")


def require_columns(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise unless the file holds all these columns.

    Raises
    ------
    ConfigError
        With the nearest column.
    """
    for name in names:
        if name not in frame.columns:
            raise ConfigError(f"{name!r} is not a column of the file.{nearest(name, frame.columns)}")


def as_label(text: str | None, labels: pd.Series) -> Hashable:
    """Return the label whose text this is; the text itself when there is none, so that whoever takes it says so."""
    return next((value for value in labels.unique() if str(value) == text), text)
