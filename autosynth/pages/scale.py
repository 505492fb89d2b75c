"""Ticks that people can read: few, round, without more digits than tell them apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from autosynth.schema import ColumnSchema

SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
COMPACT_FROM = 10_000
NS_PER_UNIT = ((86_400e9, "days"), (3_600e9, "hours"), (60e9, "minutes"), (1e9, "seconds"), (1e6, "milliseconds"))


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """Return the labels of evenly spaced ticks.

    Examples
    --------
    >>> tick_texts([0, 25_000, 50_000]), tick_texts([0.0, 0.05, 0.1]), tick_texts([-1.0, 0.0, 1.0])
    (['0', '25k', '50k'], ['0', '0.05', '0.10'], ['−1', '0', '1'])
    """
    largest = max((abs(tick) for tick in ticks), default=0.0)
    if not largest or largest < 1e-4 or largest >= 1e15:
        return [f"{tick:.3g}".replace("-", "−") for tick in ticks]
    unit, suffix = next((pair for pair in SUFFIXES if largest >= max(pair[0], COMPACT_FROM)), (1.0, ""))
    step = min((abs(b - a) for a, b in pairwise(ticks)), default=largest) / unit
    decimals = 0 if step >= 1 and float(step).is_integer() else max(0, math.ceil(-math.log10(step) - 1e-9))
    if not math.isclose(step, round(step, decimals), rel_tol=1e-6):
        decimals += 1
    return ["0" if not tick else f"{tick / unit:.{min(decimals, 9)}f}{suffix}".replace("-", "−") for tick in ticks]


def number_ticks(axes: Axes, low: float, high: float, n_most: int = 5) -> None:
    """Give the horizontal axis a few round ticks between two numbers."""
    from matplotlib.ticker import MaxNLocator

    found = np.asarray(MaxNLocator(nbins=n_most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    ticks = [float(tick) for tick in found if low <= tick <= high]
    axes.set_xticks(ticks, labels=tick_texts(ticks))


def percent_ticks(axis: Axis) -> None:
    """Write the shares of an axis in per cent."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))


def date_ticks(axes: Axes) -> None:
    """Let the horizontal axis show dates, which are days on its number line."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=2, maxticks=5)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def duration_unit(longest_ns: float) -> tuple[float, str]:
    """Return the unit in which durations read best, as nanoseconds and as a word."""
    return next((pair for pair in NS_PER_UNIT if longest_ns >= 2 * pair[0]), (1.0, "nanoseconds"))


def as_days(nanoseconds: Any) -> Any:
    """Return moments, in nanoseconds since 1970, on matplotlib's number line of dates."""
    from matplotlib.dates import date2num

    return date2num(np.asarray(nanoseconds).astype("int64").astype("datetime64[ns]"))


def is_date(column: ColumnSchema) -> bool:
    """Return whether a column holds moments."""
    return column.kind == "datetime"
