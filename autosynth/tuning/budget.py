"""Time budgets: whether the next piece of work still fits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

from autosynth.options import check_number

__all__ = ["Clock", "TimeBudget"]

Clock: TypeAlias = Callable[[], float]


class TimeBudget:
    """The time that a race may take, from the moment this is made.

    Parameters
    ----------
    seconds : float or None
        None is no limit.
    clock : callable
        Gives the time in seconds; tests bring their own.

    Raises
    ------
    ConfigError
        If the budget is no number above 0.

    Examples
    --------
    >>> TimeBudget(None).has_time_for(1e9)
    True
    """

    def __init__(self, seconds: float | None = None, clock: Clock = time.perf_counter) -> None:
        if seconds is not None:
            check_number("time_budget_s", seconds, above=0.0)
        self.seconds = seconds
        self.clock = clock
        self._started = clock()

    @property
    def used_s(self) -> float:
        """Seconds since the start."""
        return self.clock() - self._started

    @property
    def left_s(self) -> float:
        """Seconds that are left; infinite without a limit."""
        return float("inf") if self.seconds is None else self.seconds - self.used_s

    def has_time_for(self, expected_s: float) -> bool:
        """Return whether work of this length fits; at the last moment, none does."""
        return self.left_s > 0 and expected_s <= self.left_s
