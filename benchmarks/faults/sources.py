"""Where the real rows come from, and how they are cut into what the gate knows and what it is asked about."""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

import autosynth
from autosynth import Rule

PUBLIC: dict[str, tuple[str, list[str] | None]] = {
    "adult": ("income", ["sex"]),
    "compas": ("two_year_recid", ["sex"]),
    "german_credit": ("credit_risk", None),
    "mammography": ("class", None),
    "telco_churn": ("Churn", None),
    "thyroid_sick": ("Class", None),
    "wine_quality_white": ("class", None),
}
SMOTE = " (smote)"  # rows of SMOTE instead of fresh real ones
TABLES = (*PUBLIC, "breast_cancer", f"wine_quality_white{SMOTE}")
MAX_ROWS = 16_000  # of a table; evenly spaced
REAL, FRESH = 0.4, 0.4  # shares of the rows; the rest is held out
LEAST_ROWS = 400  # large groups are cut to this many fresh rows, or to as many as the smallest group has


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Real rows in three parts that share no row.

    Attributes
    ----------
    table : str
    seed : int
    real : DataFrame
        What a generator would have learned from, and the gate knows.
    fresh : DataFrame
        Rows to be judged, in another mix of groups: large ones are cut down.
    held_out : DataFrame
        What nobody may know.
    label : str
    group_by : list of str, or None
    rule : Rule or None
        What all rows of the table keep, where two number columns lend themselves to it.
    """

    table: str
    seed: int
    real: pd.DataFrame
    fresh: pd.DataFrame
    held_out: pd.DataFrame
    label: str
    group_by: list[str] | None
    rule: Rule | None

    @property
    def groups(self) -> list[str]:
        """Label and group columns."""
        return [self.label, *(self.group_by or [])]

    @property
    def features(self) -> list[str]:
        """All other columns."""
        return [name for name in self.real if name not in self.groups]

    @property
    def numbers(self) -> list[str]:
        """Number columns with more than two values."""
        return [
            name
            for name in self.features
            if pd.api.types.is_numeric_dtype(self.real[name].dtype) and self.real[name].nunique() > 2
        ]


def read(table: str, data: Path) -> tuple[pd.DataFrame, str, list[str] | None]:
    """Return a table, its label and its group columns."""
    name = table.removesuffix(SMOTE)
    if name == "breast_cancer":
        return load_breast_cancer(as_frame=True).frame, "target", None
    label, group_by = PUBLIC[name]
    path = data / f"{name}.parquet"
    if not path.is_file():
        sys.exit(f"{path} is missing. Put the table there as Parquet, label column {label!r}.")
    frame = pd.read_parquet(path)
    return frame.iloc[:: -(-len(frame) // MAX_ROWS)].reset_index(drop=True), label, group_by


def cut(table: str, frame: pd.DataFrame, label: str, group_by: list[str] | None, seed: int) -> Trial:
    """Cut the rows of every group at random into real, fresh and held-out ones."""
    rng = np.random.default_rng([seed, 4])
    place = pd.Series(rng.random(len(frame))).groupby(
        [frame[name] for name in [label, *(group_by or [])]], observed=True
    )
    rank = place.rank(pct=True).to_numpy()
    real, fresh, held_out = (
        frame.loc[chosen].reset_index(drop=True)
        for chosen in (rank <= REAL, (rank > REAL) & (rank <= REAL + FRESH), rank > REAL + FRESH)
    )
    if table.endswith(SMOTE):
        fresh = _smote_rows(real, label, group_by, seed)
    fresh = _level(fresh, [label, *(group_by or [])], rng)
    trial = Trial(
        table=table, seed=seed, real=real, fresh=fresh, held_out=held_out, label=label, group_by=group_by, rule=None
    )
    return Trial(**{**vars(trial), "rule": find_rule(trial, frame)})


def _level(rows: pd.DataFrame, groups: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Cut large groups, as rebalancing would change the mix, and put the rows in random order."""
    rows = rows.iloc[rng.permutation(len(rows))]
    sizes = rows.groupby(groups, observed=True).size()
    most = max(int(sizes.min()), LEAST_ROWS)
    return rows.groupby(groups, observed=True).head(most).reset_index(drop=True)


def _smote_rows(real: pd.DataFrame, label: str, group_by: list[str] | None, seed: int) -> pd.DataFrame:
    made = autosynth.rebalance(
        real, label=label, group_by=group_by, generator="smote", augment=LEAST_ROWS, check="off", random_state=seed
    )
    return made.synthetic.reset_index(drop=True)


def find_rule(trial: Trial, frame: pd.DataFrame) -> Rule | None:
    """Return the comparison of two number columns that hang together most closely, of those that the whole table keeps.

    No row may break a rule that no real row breaks, so one that is guessed must hold for the fresh rows as well.
    """
    rules = {}
    for low, high in itertools.permutations(trial.numbers, 2):
        both = frame[[low, high]].dropna()
        first, second = both[low], both[high]
        overlap = first.max() > second.min()  # two ranges apart say nothing about rows
        if first.dtype != second.dtype or 2 * len(both) < len(frame) or not overlap:
            continue
        if (first <= second).all() and (first < second).mean() > 0.5:
            rules[Rule(low, "<=", high)] = first.corr(second, method="spearman")
    return max(rules, key=lambda rule: rules[rule]) if rules else None


def most_common(values: pd.Series) -> Any:
    return values.mode(dropna=True).iloc[0]
