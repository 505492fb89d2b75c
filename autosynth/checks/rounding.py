"""Rounding: numbers that are coarser than the real ones, such as prices without their cents."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from autosynth.checks.noise import level_of_each
from autosynth.checks.result import CheckResult

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.checks.family import Context
    from autosynth.schema import ColumnSchema

    Codes = npt.NDArray[np.int64]

TOLERANCE = 0.1  # share of values, beyond noise
COARSEST, FINEST = -3, 9  # decimals: from thousands to what no decimal number needs
N_STEPS = FINEST - COARSEST + 2
MAX_VALUES = 20_000


def steps_needed(numbers: npt.NDArray[np.float64], column: ColumnSchema) -> tuple[Codes, Codes]:
    """Return how fine the decimals are that numbers need, and the positions of the numbers looked at.

    The step is 0 for whole thousands, 3 for whole numbers, 5 for hundredths, and so on.  Zeros and missing values need
    none and are left out; of very many numbers, evenly spaced ones are looked at.

    Examples
    --------
    >>> from autosynth.schema import infer_column
    >>> import pandas as pd
    >>> values = pd.Series([2000.0, 12.0, 0.25, 0.0, 1 / 3])
    >>> [part.tolist() for part in steps_needed(values.to_numpy(), infer_column(values))]
    [[0, 3, 5, 13], [0, 1, 2, 4]]
    """
    places = np.flatnonzero(np.isfinite(numbers) & (numbers != 0))
    if len(places) > MAX_VALUES:
        places = places[np.linspace(0, len(places) - 1, MAX_VALUES).round().astype(np.int64)]
    left, steps = numbers[places], np.full(len(places), N_STEPS - 1, dtype=np.int64)
    open_places = np.arange(len(places))
    precision = 1e-6 if getattr(column.dtype, "itemsize", 8) <= 4 else 1e-12  # of float32, and of float64
    for step in range(N_STEPS - 1):
        unit = 10.0 ** (COARSEST + step)
        with np.errstate(over="ignore"):  # what is too large for a step is whole on a coarser one
            scaled = left * unit
        rest = np.abs(scaled - np.round(scaled))
        fits = (rest <= precision * np.abs(scaled)) & (np.round(scaled) != 0)
        steps[open_places[fits]] = step
        left, open_places = left[~fits], open_places[~fits]
    return steps, places


def check_rounding(context: Context) -> list[CheckResult]:
    """Return one check per number column: how many values are coarser than the real ones in the same mix of groups.

    Observed is the largest excess of the share of values that need no more than some number of decimals.
    """
    reference, batch = context.reference, context.batch
    columns = [
        (reference.schema[tally.name], np.asarray(tally.n_steps)) for tally in reference.tallies if tally.n_steps
    ]
    results = []
    for column, real in columns:
        steps, looked_at = steps_needed(column.to_float(batch.frame[column.name]), column)
        weights = np.bincount(batch.group_codes[looked_at], minlength=len(real))
        known = (weights > 0) & (real.sum(axis=1) > 0)
        if not len(steps) or not known.any():
            continue
        made = np.cumsum(np.bincount(steps, minlength=N_STEPS)) / len(steps)
        shares = weights[known] / weights[known].sum()
        sizes = real[known].sum(axis=1)
        expected = np.cumsum((shares / sizes) @ real[known])
        n_real = 1 / float(np.sum(shares**2 / sizes))
        noise = math.sqrt(math.log(1 / level_of_each(len(columns))) / 2 * (1 / n_real + 1 / len(steps)))
        worst = int(np.argmax(made - expected))
        observed, limit = max(0.0, float(made[worst] - expected[worst])), min(1.0, TOLERANCE + noise)
        results.append(
            CheckResult(
                name="rounding",
                subject=str(column.name),
                passed=observed <= limit,
                observed=observed,
                limit=limit,
                message=f"{made[worst]:.1%} of the values are {_describe(worst)}, of the real ones "
                f"{expected[worst]:.1%}; allowed are {limit:.1%} more",
                skipped=limit >= 1,
            )
        )
    return results


def _describe(step: int) -> str:
    decimals = COARSEST + step
    if decimals > FINEST:
        return "numbers at all"
    if decimals > 0:
        return f"rounded to {decimals} decimal{'s' * (decimals > 1)} or fewer"
    return "whole numbers" if decimals == 0 else f"whole multiples of {10**-decimals}"
