"""Rounding: numbers that are coarser than the real ones, such as prices without their cents, or finer than they are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from autosynth.checks.noise import level_of_each
from autosynth.checks.result import CheckResult, Offender
from autosynth.schema import UNITS_NS

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.checks.family import Context
    from autosynth.checks.tally import ColumnTally
    from autosynth.schema import ColumnSchema

    Codes = npt.NDArray[np.int64]

TOLERANCE = 0.1  # share of values, beyond noise
COARSEST, FINEST = -3, 9  # decimals: from thousands to what no decimal number needs
N_STEPS = FINEST - COARSEST + 2
MAX_VALUES = 20_000
LEAST_TIME_STEP = 1_000_000  # nanoseconds; float64 holds the dates of today to the nearest 256
TIME_PRECISION = 1e-15
TIME_WORDS = {"D": "day", "h": "hour", "m": "minute", "s": "second", "ms": "millisecond"}


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
    """Return one check per column of numbers, dates or durations: are values coarser or finer than the real ones?

    Numbers are compared with the real ones in the same mix of groups; observed is the largest excess of the share of
    values that need no more than some number of decimals, or the share of those that need more than any real value.
    Dates and durations are held against the step on which all real ones lie, such as a day; they may be coarser, as
    whole weeks are.
    """
    tallies = [tally for tally in context.reference.tallies if tally.n_steps]
    timed = [
        column
        for column in context.reference.schema.columns
        if column.kind in ("datetime", "timedelta") and (column.resolution or 0) >= LEAST_TIME_STEP
    ]
    level = level_of_each(2 * len(tallies) + len(timed))
    found = [_number_check(context, tally, level) for tally in tallies]
    found += [_time_check(context, column, level) for column in timed]
    return [result for result in found if result is not None]


def _number_check(context: Context, tally: ColumnTally, level: float) -> CheckResult | None:
    batch, column, real = context.batch, context.reference.schema[tally.name], np.asarray(tally.n_steps)
    steps, looked_at = steps_needed(column.to_float(batch.frame[column.name]), column)
    weights = np.bincount(batch.group_codes[looked_at], minlength=len(real))
    known = (weights > 0) & (real.sum(axis=1) > 0)
    if not len(steps) or not known.any():
        return None
    made = np.cumsum(np.bincount(steps, minlength=N_STEPS)) / len(steps)
    shares = weights[known] / weights[known].sum()
    sizes = real[known].sum(axis=1)
    expected = np.cumsum((shares / sizes) @ real[known])
    n_real = 1 / float(np.sum(shares**2 / sizes))
    worst, finest = int(np.argmax(made - expected)), int(np.flatnonzero(real.sum(axis=0))[-1])
    is_continuous = column.resolution is None  # such values have whatever decimals were written
    excess, finer = float(made[worst] - expected[worst]), 0.0 if is_continuous else float(1 - made[finest])
    if finer > excess:  # than every real value; where those mix decimals, honest values may have more of them
        what = f"finer than steps of {10.0 ** -(COARSEST + finest):.10g}"
        return _result(column, what, finer, 0.0, _noise(n_real, len(steps), level))
    if excess <= 0:  # at every step: speak of one that there is
        worst = int(np.argmax(expected > 0))
    return _result(column, _describe(worst), made[worst], expected[worst], _noise(n_real, len(steps), level))


def _time_check(context: Context, column: ColumnSchema, level: float) -> CheckResult | None:
    """Return whether dates or durations lie on the step of the real ones; None where there are none."""
    step, numbers = float(column.resolution or 1), column.to_float(context.batch.frame[column.name])
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        return None
    rest = np.abs(present - np.round(present / step) * step)
    finer = float(np.mean(rest > TIME_PRECISION * np.abs(present)))
    n_real = sum(context.reference.group_sizes) - column.n_missing
    what = f"finer than steps of {_describe_time(step)}"
    return _result(column, what, finer, 0.0, _noise(n_real, len(present), level))


def _noise(n_real: float, n_made: int, level: float) -> float:
    return math.sqrt(math.log(1 / level) / 2 * (1 / n_real + 1 / n_made))


def _result(column: ColumnSchema, what: str, made: float, expected: float, noise: float) -> CheckResult:
    observed, limit = float(made - expected), min(1.0, TOLERANCE + noise)
    return CheckResult(
        name="rounding",
        subject=str(column.name),
        passed=observed <= limit,
        observed=observed,
        limit=limit,
        message=f"{made:.1%} of the values are {what}, of the real ones {expected:.1%}; allowed are {limit:.1%} more",
        offenders=(Offender(what, observed, limit),),
        skipped=limit >= 1,
    )


def _describe_time(step: float) -> str:
    """Return a step of time in words, such as "1 day"."""
    unit = next(name for name, size in UNITS_NS.items() if size == step)
    return f"1 {TIME_WORDS[unit]}"


def _describe(step: int) -> str:
    decimals = COARSEST + step
    if decimals > FINEST:
        return "numbers at all"
    if decimals > 0:
        return f"rounded to {decimals} decimal{'s' * (decimals > 1)} or fewer"
    return "whole numbers" if decimals == 0 else f"whole multiples of {10**-decimals}"
