"""Windows: which part of an axis a picture of differences shows, so that far ones do not flatten the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from autosynth.interval import Interval

__all__ = ["mark_beyond", "window"]

STRETCH = 3.0  # the side where candidates are worse is shown this many times as far as the other one
SMALLEST = 1e-3


def window(differences: Sequence[Interval], *, greater_is_better: bool) -> tuple[float, float]:
    """Return the limits of the axis: all of the better side, and of the worse side what compares with it.

    Examples
    --------
    >>> from autosynth.interval import Interval
    >>> low, high = window([Interval(-0.1, -0.2, 0.0), Interval(0.0), Interval(5.0, 4.9, 5.1)], greater_is_better=False)
    >>> round(low, 2), round(high, 2)
    (-0.21, 0.63)
    """
    sign = -1.0 if greater_is_better else 1.0  # turned so that lower is better
    ends = np.array([[sign * each.value, sign * each.low, sign * each.high] for each in differences])
    better = max(SMALLEST, float(-np.nanmin(ends)))
    worse = max(SMALLEST, min(float(np.nanmax(ends)), STRETCH * better))
    low, high = sorted((-1.05 * sign * better, 1.05 * sign * worse))
    return low, high


def mark_beyond(axes: Axes, differences: Sequence[Interval], heights: Sequence[float], *, fontsize: float) -> None:
    """Write the differences that lie outside of the axis at its edge, with an arrow."""
    low, high = axes.get_xlim()
    for each, height in zip(differences, heights, strict=True):
        if each.value > high:
            axes.text(high, height, f"{each.value:+.3f} →", ha="right", va="center", fontsize=fontsize)
        elif each.value < low:
            axes.text(low, height, f"← {each.value:+.3f}", ha="left", va="center", fontsize=fontsize)
