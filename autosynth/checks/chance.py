"""Chance: how many copies a batch of rows may hold before it is more than what fresh real rows would hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.interval import Interval, wilson_interval

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]
    Codes = npt.NDArray[np.int64]

LEVEL = 0.95
MODE_ALLOWANCE = 0.5  # of chance: an honest generator that prefers common rows coincides with them more often
TOO_WIDE = 0.25  # an upper limit that lies this far above a share says little


@dataclass(frozen=True, kw_only=True)
class CopyShare:
    """The share of copies in a batch of synthetic rows, against the share among fresh real rows.

    Attributes
    ----------
    n_rows, n_copies : int
        Synthetic rows, and the copies among them.
    chance : float
        Expected share of copies had the rows been fresh real rows of the same groups, 0 to 1.
    n_real : int
        Real rows that ``chance`` rests on; where few of them speak for many synthetic ones, accordingly fewer.
    tolerance : float
        Excess over chance that is let pass, beside half of chance itself: where rows coincide, an honest generator that
        prefers common values coincides more often.

    Examples
    --------
    >>> share = CopyShare(n_rows=200, n_copies=27, chance=0.0, n_real=300, tolerance=0.01)
    >>> share.passed, round(share.limit, 3)
    (False, 0.03)
    >>> print(share)
    27 of 200 (13.5%, 95% interval 9.4% to 18.9%); by chance: 0.0% (at most 1.3%)
    """

    n_rows: int
    n_copies: int
    chance: float
    n_real: int
    tolerance: float

    @property
    def interval(self) -> Interval:
        """The share of copies with Wilson's 95 % limits."""
        return wilson_interval(self.n_copies, self.n_rows, LEVEL)

    @cached_property
    def chance_interval(self) -> Interval:
        """``chance`` with Wilson's 95 % limits; no more is known than that it lies in 0 to 1 without real rows."""
        if not self.n_real:
            return Interval(self.chance, 0.0, 1.0)
        found = wilson_interval(round(self.chance * self.n_real), self.n_real, LEVEL)
        return Interval(self.chance, min(found.low, self.chance), max(found.high, self.chance))

    def least_excess(self, n_copies: int) -> float:
        """Return the lower 95 % limit of the excess over chance that so many copies would be.

        References
        ----------
        Newcombe. Interval estimation for the difference between independent proportions. Statistics in Medicine 17,
        1998. Method 10.
        """
        share = wilson_interval(n_copies, self.n_rows, LEVEL)
        reach = math.hypot(share.value - share.low, self.chance_interval.high - self.chance)
        return share.value - self.chance - reach

    @cached_property
    def limit(self) -> float:
        """The largest share of copies that would pass: its excess over chance may be noise, or is within tolerance.

        A single copy always passes, however few the rows.
        """
        allowance = self.tolerance + MODE_ALLOWANCE * self.chance
        low, high = min(1, self.n_rows), self.n_rows
        while low < high:  # the excess rises with the copies
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.least_excess(middle) <= allowance else (low, middle - 1)
        return low / self.n_rows if self.n_rows else 1.0

    @property
    def passed(self) -> bool:
        """Whether the copies may be chance."""
        return self.n_rows == 0 or self.n_copies / self.n_rows <= self.limit

    @property
    def is_telling(self) -> bool:
        """Whether there are rows enough on both sides to tell a large share from a small one."""
        return all(found.high < found.value + TOO_WIDE for found in (self.interval, self.chance_interval))

    def to_dict(self) -> dict[str, Any]:
        """Return the counts and shares as plain data."""
        return {
            "n_rows": self.n_rows,
            "n_copies": self.n_copies,
            "share": self.interval.value,
            "low": self.interval.low,
            "high": self.interval.high,
            "chance": self.chance,
            "chance_high": self.chance_interval.high,
            "limit": self.limit,
            "passed": self.passed,
        }

    def __str__(self) -> str:
        share = self.interval
        return (
            f"{self.n_copies} of {self.n_rows} ({share.value:.1%}, 95% interval {share.low:.1%} to {share.high:.1%}); "
            f"by chance: {self.chance:.1%} (at most {self.chance_interval.high:.1%})"
        )


def against_chance(
    copies: Mask, groups: Codes, coincidences: Mask, real_groups: Codes, *, tolerance: float
) -> CopyShare:
    """Return the share of copies against chance in the same mix of groups.

    Parameters
    ----------
    copies, groups : ndarray of shape (n_rows,)
        Which synthetic rows are copies, and the group of each.
    coincidences, real_groups : ndarray of shape (n_real,)
        Which real rows would count as copies, and the group of each; -1 for a group that does not matter.
    tolerance : float
        Excess over chance that is let pass.
    """
    n_groups = int(max(groups.max(initial=-1), real_groups.max(initial=-1))) + 1
    weights = np.bincount(groups, minlength=n_groups) / max(len(groups), 1)
    known = real_groups >= 0
    n_real = np.bincount(real_groups[known], minlength=n_groups)
    n_hits = np.bincount(real_groups[known], weights=coincidences[known], minlength=n_groups)
    asked = (weights > 0) & (n_real > 0)
    weights = weights[asked] / max(weights[asked].sum(), np.finfo("float64").tiny)
    variance = float(np.sum(weights**2 / n_real[asked]))  # of the weighted share, in units of one row's
    return CopyShare(
        n_rows=len(copies),
        n_copies=int(copies.sum()),
        chance=float(np.sum(weights * n_hits[asked] / n_real[asked])),
        n_real=int(1 / variance + 1e-9) if variance else 0,
        tolerance=tolerance,
    )
