"""Plain data: dataclasses of reports as what JSON knows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from autosynth.groups import Group

__all__ = ["to_plain"]


def to_plain(value: Any) -> Any:
    """Return dataclasses as dicts, tuples as lists, NaN as None, and a label that JSON does not know as its text.

    A group becomes a dict from column to value.

    Examples
    --------
    >>> from autosynth.interval import Interval
    >>> to_plain((Interval(0.5), {"seed": 3}))
    [{'value': 0.5, 'low': None, 'high': None}, {'seed': 3}]
    """
    if isinstance(value, Group):
        return {str(column): to_plain(entry) for column, entry in value.cell}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return to_plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)
