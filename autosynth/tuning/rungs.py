"""The rounds of successive halving, and how many models they train."""

from __future__ import annotations

import math

__all__ = ["n_better", "n_trials", "rungs"]

FEWEST = 2  # folds: one of a rare class holds too few of its rows to send anybody home


def rungs(n_folds: int) -> list[tuple[int, int]]:
    """Return the rounds of a race as slices of its folds: after 1, 2, 4, ... of them somebody may leave.

    Examples
    --------
    >>> rungs(5)
    [(0, 1), (1, 2), (2, 4), (4, 5)]
    """
    stops = [2**power for power in range(n_folds.bit_length()) if 2**power < n_folds]
    return list(zip([0, *stops], [*stops, n_folds], strict=True))


def n_better(n_arms: int, n_done: int) -> int:
    """Return how many of the arms stay in the race for being better, after so many folds.

    Examples
    --------
    >>> n_better(8, n_done=1), n_better(8, n_done=2)
    (8, 4)
    """
    return n_arms if n_done < FEWEST else math.ceil(n_arms / 2)


def n_trials(n_plain: int, n_synthetic: int, n_folds: int, *, halving: bool) -> int:
    """Return how many models a race trains at most: arms without synthetic rows run all folds.

    Examples
    --------
    >>> n_trials(2, 8, 5, halving=True)  # 2 x 5, and then 8 x 1 + 8 x 1 + 4 x 2 + 2 x 1
    36
    """
    trials = n_plain * n_folds
    for start, stop in rungs(n_folds) if halving else [(0, n_folds)]:
        trials += n_synthetic * (stop - start)
        n_synthetic = n_better(n_synthetic, stop)
    return trials
