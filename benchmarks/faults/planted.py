"""The faults: each takes fresh rows of a trial and spoils them in one way.

A fault answers None where the table offers nothing to spoil, such as fractions in a table without whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from faults.sources import Trial, most_common

# Not every fault draws at random; all of them are called alike.
# ruff: noqa: ARG001

Plant = Callable[[Trial, np.random.Generator], pd.DataFrame | None]


@dataclass(frozen=True)
class Fault:
    """One way to spoil rows.

    Attributes
    ----------
    name : str
    meant : tuple of str
        The checks of which one has to fail.
    plant : callable
    share : float
        Of the rows that it spoils; NaN where the check does not measure a share of rows.
    """

    name: str
    meant: tuple[str, ...]
    plant: Plant
    share: float = math.nan


def shuffled_columns(trial: Trial, rng: np.random.Generator) -> pd.DataFrame:
    """Every column is shuffled by itself inside every group: each looks right, and nothing hangs together."""
    return _within_groups(
        trial.fresh,
        trial.groups,
        lambda some: some.assign(**{name: rng.permutation(some[name].to_numpy(object)) for name in trial.features}),
    )


def two_halves_apart(trial: Trial, rng: np.random.Generator) -> pd.DataFrame:
    """Half of the columns come from another row of the group: marginals stay, dependence across the halves is gone."""
    moved = trial.features[::2]
    return _within_groups(
        trial.fresh, trial.groups, lambda some: some.assign(**_as_columns(some[moved].iloc[rng.permutation(len(some))]))
    )


def all_copies(trial: Trial, rng: np.random.Generator) -> pd.DataFrame:
    return _with_rows_of(trial.real, trial, rng, 1.0)


def a_tenth_copies(trial: Trial, rng: np.random.Generator) -> pd.DataFrame:
    return _with_rows_of(trial.real, trial, rng, 0.1)


def a_tenth_near_copies(trial: Trial, rng: np.random.Generator) -> pd.DataFrame | None:
    """Real rows with a thousandth of a standard deviation of noise on the continuous columns."""
    continuous = [name for name in trial.numbers if pd.api.types.is_float_dtype(trial.real[name].dtype)]
    if not continuous:
        return None
    noisy = trial.real.assign(
        **{
            name: trial.real[name] + 1e-3 * trial.real[name].std() * rng.normal(size=len(trial.real))
            for name in continuous
        }
    )
    return _with_rows_of(noisy, trial, rng, 0.1)


def a_tenth_held_out(trial: Trial, rng: np.random.Generator) -> pd.DataFrame:
    return _with_rows_of(trial.held_out, trial, rng, 0.1)


def a_fifth_repeated(trial: Trial, rng: np.random.Generator) -> pd.DataFrame:
    return _with_rows_of(trial.fresh, trial, rng, 0.2)


def constant_column(trial: Trial, rng: np.random.Generator) -> pd.DataFrame:
    """The column with most values holds its most common one only."""
    name = max(trial.features, key=lambda one: trial.real[one].nunique())
    return trial.fresh.assign(**{name: _like(trial.fresh[name], most_common(trial.real[name]))})


def foreign_category(trial: Trial, rng: np.random.Generator) -> pd.DataFrame | None:
    names = [name for name in trial.features if not pd.api.types.is_numeric_dtype(trial.real[name].dtype)]
    if not names:
        return None
    name = names[0]
    return trial.fresh.assign(
        **{name: trial.fresh[name].astype(object).mask(_some(trial.fresh, rng, 0.05), "Atlantis")}
    )


def out_of_range(trial: Trial, rng: np.random.Generator) -> pd.DataFrame | None:
    """A twentieth of a number column lies a fifth of its range above the maximum."""
    if not trial.numbers:
        return None
    name = trial.numbers[0]
    real = trial.real[name]
    above = real.max() + max(1, round(0.2 * (real.max() - real.min())))
    return trial.fresh.assign(**{name: trial.fresh[name].mask(_some(trial.fresh, rng, 0.05), above)})


def fractions(trial: Trial, rng: np.random.Generator) -> pd.DataFrame | None:
    whole = [name for name in trial.numbers if pd.api.types.is_integer_dtype(trial.real[name].dtype)]
    if not whole:
        return None
    return trial.fresh.assign(**{whole[0]: trial.fresh[whole[0]] + np.where(_some(trial.fresh, rng, 0.05), 0.5, 0.0)})


def a_fifth_missing(trial: Trial, rng: np.random.Generator) -> pd.DataFrame:
    name = trial.features[0]
    values = trial.fresh[name]
    values = values.astype("float64") if pd.api.types.is_integer_dtype(values.dtype) else values
    return trial.fresh.assign(**{name: values.mask(_some(trial.fresh, rng, 0.2))})


def rounding_loss(trial: Trial, rng: np.random.Generator) -> pd.DataFrame | None:
    """The number column with most values loses a decimal that most of them have; whole numbers become tens."""
    if not trial.numbers:
        return None
    name = max(trial.numbers, key=lambda one: trial.real[one].nunique())
    if trial.real[name].nunique() < 30:  # steps, which no rounding makes coarser without moving them
        return None
    return trial.fresh.assign(**{name: trial.fresh[name].round(_decimals(trial.real[name], 0.5) - 1)})


def shifted_numbers(trial: Trial, rng: np.random.Generator) -> pd.DataFrame | None:
    """All number columns lie a quarter of a standard deviation too high, inside their limits and on their steps."""
    if not trial.numbers:
        return None
    shifted = {}
    for name in trial.numbers:
        real, values = trial.real[name], trial.fresh[name]
        moved = (values + 0.25 * real.std()).clip(real.min(), real.max())
        moved = moved.round(_decimals(real))
        shifted[name] = moved.astype(values.dtype)
    return trial.fresh.assign(**shifted)


def swapped_labels(trial: Trial, rng: np.random.Generator) -> pd.DataFrame:
    """Each class has the label of the other one."""
    return _flip(trial, np.ones(len(trial.fresh), dtype=bool))


def flipped_labels(trial: Trial, rng: np.random.Generator) -> pd.DataFrame:
    """Three tenths of all labels are those of the other class."""
    return _flip(trial, _some(trial.fresh, rng, 0.3))


def another_class(trial: Trial, rng: np.random.Generator) -> pd.DataFrame:
    """All rows of the smallest class are rows of the largest one under its label, at most half of those."""
    classes = trial.fresh[trial.label].value_counts().index
    small, large = classes[-1], classes[0]
    kept = trial.fresh[trial.fresh[trial.label] != small]
    n_rows = len(trial.fresh) - len(kept)
    pool = kept[kept[trial.label] == large]
    taken = pool.iloc[rng.permutation(len(pool))[: min(n_rows, len(pool) // 2)]]
    return pd.concat([kept.drop(taken.index), taken.assign(**{trial.label: _like(taken[trial.label], small)})])


def mode_collapse(trial: Trial, rng: np.random.Generator) -> pd.DataFrame:
    """Ten rows of every group are repeated with noise of a twentieth of a standard deviation on the numbers."""
    modes = _within_groups(
        trial.fresh, trial.groups, lambda some: some.iloc[rng.integers(0, min(10, len(some)), len(some))]
    )
    for name in trial.numbers:
        real = trial.real[name]
        noisy = modes[name] + 0.05 * real.std() * rng.normal(size=len(modes))
        modes[name] = noisy.clip(real.min(), real.max()).round(_decimals(real)).astype(trial.fresh[name].dtype)
    return modes


def broken_rule(trial: Trial, rng: np.random.Generator) -> pd.DataFrame | None:
    """In a tenth of the rows, the two columns of the rule are swapped."""
    if trial.rule is None:
        return None
    low, high = trial.rule.columns
    chosen = _some(trial.fresh, rng, 0.1)
    return trial.fresh.assign(
        **{
            low: trial.fresh[low].mask(chosen, trial.fresh[high]),
            high: trial.fresh[high].mask(chosen, trial.fresh[low]),
        }
    )


def absent_column(trial: Trial, rng: np.random.Generator) -> pd.DataFrame:
    return trial.fresh.drop(columns=trial.features[-1])


def numbers_as_text(trial: Trial, rng: np.random.Generator) -> pd.DataFrame | None:
    if not trial.numbers:
        return None
    return trial.fresh.assign(**{trial.numbers[0]: trial.fresh[trial.numbers[0]].astype(str)})


FAULTS = (
    Fault("all columns shuffled within groups", ("dependence", "farthest_pair"), shuffled_columns),
    Fault("half of the columns from other rows", ("dependence", "farthest_pair"), two_halves_apart),
    Fault("all rows copied", ("exact_copies",), all_copies, 1.0),
    Fault("a tenth copied", ("exact_copies",), a_tenth_copies, 0.1),
    Fault("a tenth nearly copied", ("near_copies",), a_tenth_near_copies, 0.1),
    Fault("a tenth from the held-out rows", ("held_out_exact_copies",), a_tenth_held_out, 0.1),
    Fault("a fifth repeats other rows", ("repeated_rows",), a_fifth_repeated, 0.2),
    Fault("a constant column", ("marginal_fidelity", "farthest_column"), constant_column),
    Fault("a foreign category in 5 %", ("categories",), foreign_category, 0.05),
    Fault("numbers out of range in 5 %", ("limits",), out_of_range, 0.05),
    Fault("fractions in a whole column in 5 %", ("whole_numbers",), fractions, 0.05),
    Fault("a fifth of a column missing", ("missing_rate",), a_fifth_missing, 0.2),
    Fault("one decimal lost", ("rounding",), rounding_loss),
    Fault("numbers 0.25 sd too high", ("marginal_fidelity", "farthest_column"), shifted_numbers),
    Fault("labels swapped", ("label_fidelity",), swapped_labels),
    Fault("three tenths of the labels flipped", ("label_fidelity",), flipped_labels, 0.3),
    Fault("a class drawn from another", ("label_fidelity", "marginal_fidelity", "farthest_column"), another_class),
    Fault("ten modes and noise", ("coverage",), mode_collapse),
    Fault("a rule broken in 10 %", ("rules",), broken_rule, 0.1),
    Fault("a column absent", ("schema",), absent_column),
    Fault("numbers written as text", ("schema",), numbers_as_text),
)


def _within_groups(
    rows: pd.DataFrame, groups: list[str], change: Callable[[pd.DataFrame], pd.DataFrame]
) -> pd.DataFrame:
    parts = [change(some) for _, some in rows.groupby(groups, observed=True)]
    return pd.concat(parts, ignore_index=True).astype(rows.dtypes.to_dict())


def _with_rows_of(source: pd.DataFrame, trial: Trial, rng: np.random.Generator, share: float) -> pd.DataFrame:
    """Return the fresh rows, a share of every group replaced by rows of the same group from elsewhere."""
    pools = dict(iter(source.groupby(trial.groups, observed=True)))

    def replace(some: pd.DataFrame) -> pd.DataFrame:
        pool = pools[tuple(some.iloc[0][trial.groups])]
        n_taken = min(round(share * len(some)), len(pool))
        return pd.concat([some.iloc[n_taken:], pool.iloc[rng.permutation(len(pool))[:n_taken]]])

    return _within_groups(trial.fresh, trial.groups, replace)


def _flip(trial: Trial, chosen: np.ndarray) -> pd.DataFrame:
    first, second = sorted(trial.fresh[trial.label].unique())
    old = trial.fresh[trial.label].astype(object)
    new = old.mask(chosen & (old == first), second).mask(chosen & (old == second), first)
    return trial.fresh.assign(**{trial.label: new.astype(trial.fresh[trial.label].dtype)})


def _some(rows: pd.DataFrame, rng: np.random.Generator, share: float) -> np.ndarray:
    chosen = np.zeros(len(rows), dtype=bool)
    chosen[rng.choice(len(rows), max(1, round(share * len(rows))), replace=False)] = True
    return chosen


def _like(values: pd.Series, value: object) -> pd.Series:
    return pd.Series(value, index=values.index, dtype=object).astype(values.dtype)


def _as_columns(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    return {str(name): rows[name].to_numpy(object) for name in rows}


def _decimals(values: pd.Series, share: float = 1.0) -> int:
    """Return how many decimals hold this share of the values, at most 6."""
    present = values.dropna().to_numpy(dtype=float)
    return next((digits for digits in range(6) if np.mean(np.round(present, digits) == present) >= share), 6)
