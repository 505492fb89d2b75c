"""Numbers as people read them: three digits that matter, thousands in groups, no digits that mean nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

ABSENT = "–"
DIGITS = 3


def is_number(value: Any) -> bool:
    """Return whether a value is a number, which True and False are not."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def number_text(value: float | None, digits: int = DIGITS) -> str:
    """Return a number with ``digits`` significant digits; whole numbers in full, NaN and None as a dash.

    Examples
    --------
    >>> [number_text(value) for value in (1234567, 0.012345, 12.0, 1234.5, 1.2e-7, float("nan"), -0.5)]
    ['1,234,567', '0.0123', '12', '1,234', '1.2e-07', '–', '−0.5']
    """
    if value is None or math.isnan(value):
        return ABSENT
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if float(value).is_integer() and abs(value) < 1e15:
        return _signed(f"{int(value):,}")
    if abs(value) >= 10**digits and abs(value) < 1e15:
        return _signed(f"{value:,.0f}")
    return _signed(f"{value:.{digits}g}")


def column_texts(values: Sequence[float | None], digits: int = DIGITS) -> list[str]:
    """Return numbers of one column with the same decimals each, so that they line up.

    The largest one decides: it gets ``digits`` significant digits.  A number too small for these decimals, but not 0,
    keeps its own.

    Examples
    --------
    >>> column_texts([0.5, 0.12345, 0.0, 0.00001])
    ['0.500', '0.123', '0.000', '1e-05']
    >>> column_texts([12, 3400])
    ['12', '3,400']
    """
    finite = [float(value) for value in values if value is not None and math.isfinite(value)]
    if not finite or all(value.is_integer() for value in finite):
        return [number_text(value, digits) for value in values]
    largest = max(abs(value) for value in finite)
    decimals = min(max(digits - 1 - math.floor(math.log10(largest)), 0), 2 * digits)
    return [_with_decimals(value, decimals, digits) for value in values]


def fixed_text(value: float, decimals: int = 2) -> str:
    """Return a number with some decimals, where a scale is known and smaller differences mean nothing.

    Examples
    --------
    >>> [fixed_text(value) for value in (0.12345, -0.5, -0.001, float("nan"))]
    ['0.12', '−0.50', '0.00', '–']
    """
    if not math.isfinite(value):
        return number_text(value)
    return _signed(f"{round(value, decimals) + 0.0:.{decimals}f}")


def percent_text(share: float | None) -> str:
    """Return a share, 0 to 1, in per cent.

    Examples
    --------
    >>> [percent_text(share) for share in (0.5, 0.0312, 0.0004, 1.0, 0.0)]
    ['50 %', '3.1 %', '0.04 %', '100 %', '0 %']
    """
    if share is None or math.isnan(share):
        return ABSENT
    return f"{number_text(float(f'{100 * share:.2g}' if share < 0.995 else f'{100 * share:.3g}'))} %"


def _with_decimals(value: float | None, decimals: int, digits: int) -> str:
    if value is None or not math.isfinite(value) or 0 < abs(value) < 0.5 * 10**-decimals:
        return number_text(value, digits)
    return _signed(f"{value:,.{decimals}f}")


def _signed(text: str) -> str:
    """Return the text of a number with a minus as wide as a digit."""
    return text.replace("-", "−", 1) if text.startswith("-") else text
