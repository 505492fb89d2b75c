"""Cases: a table under one ratio of majority to minority rows and one seed, cut into training and untouched test rows.

The paper's splits are kept as they are at the ratio that GPT-4's rows were recorded at.  At other ratios the rows that
GPT-4 was shown and the test rows stay; majority rows leave from the end of the training table, or come from public rows
in neither part.  So the recorded rows are as honest at every ratio as at their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from quality.sources import OPAL_GROUPS
from quality.splits import Split

from autosynth.toy import overlapping_classes, shortcut_table
from paper.opal import ATTRIBUTES, SEEDS, SHOWN, TARGETS, Opal, group_codes

SIMULATED = {"imbalanced": "overlapping", "spurious": "shortcut"}
RECORDED_RATIO = {"overlapping": 9, "shortcut": 9, "craft": 9, "openmlDiabetes": 9, "gender": 4, "heart_failure": 4}
MAX_RATIO = {"heart_failure": 4}  # its 96 deaths and 105 women allow no more in all five seeds
N_MINORITY = {"imbalanced": 20, "spurious": 10}  # training rows of a minority group in simulated tables
N_TEST = 500  # simulated test rows per group
N_RESERVE = 2_000  # simulated rows per group for the line of real rows


@dataclass(frozen=True, kw_only=True)
class Case:
    """A split with its ratio, and real rows that neither part holds."""

    split: Split
    ratio: int
    reserve: pd.DataFrame

    @property
    def name(self) -> str:
        return f"{self.split.table}, ratio {self.ratio}, seed {self.split.seed}"

    @property
    def is_at_recorded_ratio(self) -> bool:
        """Whether this is the paper's own split; of a simulated table, the one at the ratio that stands for it."""
        return self.ratio == RECORDED_RATIO[self.split.table]


def cases(
    setting: str,
    opal: Opal | None,
    ratios: Sequence[int],
    n_seeds: int,
    tables: Sequence[str] | None = None,
    n_elsewhere: int | None = None,
) -> Iterator[Case]:
    """Yield every case that the tables allow, seed by seed; the paper's tables have five seeds.

    Ratios other than the recorded one are left to the first ``n_elsewhere`` seeds, if that is given.
    """
    names = [SIMULATED[setting], *([] if opal is None else TARGETS if setting == "imbalanced" else ATTRIBUTES)]
    for position in range(n_seeds):
        for table in names if tables is None else [name for name in names if name in tables]:
            for ratio in ratios:
                if position >= (n_elsewhere or n_seeds) and ratio != RECORDED_RATIO[table]:
                    continue
                if table in SIMULATED.values():
                    yield simulated_case(setting, ratio, position)
                elif opal is not None and position < len(SEEDS) and ratio <= MAX_RATIO.get(table, ratio):
                    yield from opal_case(opal, table, setting, ratio, SEEDS[position])


def simulated_case(setting: str, ratio: int, seed: int) -> Case:
    """Return overlapping classes, or patients whose hospital misleads; larger ratios hold the rows of smaller ones."""
    if setting == "imbalanced":
        pool = overlapping_classes(16_000, minority_share=0.5, random_state=np.random.default_rng([seed, 11]))
        label, positive, columns, rare = "target", 1, ["target"], [(1,)]
    else:
        pool = shortcut_table(60_000, minority_share=0.5, random_state=np.random.default_rng([seed, 12]))
        pool["smoker"] = np.where(pool["smoker"], "yes", "no")
        label, positive, columns = "ill", "yes", ["ill", "hospital"]
        rare = [("yes", "north"), ("no", "south")]
    parts: dict[str, list[pd.DataFrame]] = {"train": [], "test": [], "reserve": []}
    for cell, rows in pool.groupby(columns):
        n_train = N_MINORITY[setting] * (1 if cell in rare else ratio)
        ends = np.cumsum([N_TEST, N_RESERVE, n_train])
        parts["test"].append(rows.iloc[: ends[0]])
        parts["reserve"].append(rows.iloc[ends[0] : ends[1]])
        parts["train"].append(rows.iloc[ends[1] : ends[2]])
    train, test, reserve = (pd.concat(parts[name], ignore_index=True) for name in ("train", "test", "reserve"))
    split = Split(
        table=SIMULATED[setting],
        minority=N_MINORITY[setting],
        majority_cap=N_MINORITY[setting] * ratio,
        seed=seed,
        train=train,
        test=test,
        label=label,
        positive=positive,
        group_by=columns[1:] or None,
    )
    return Case(split=split, ratio=ratio, reserve=reserve)


def opal_case(opal: Opal, table: str, setting: str, ratio: int, seed: int) -> Iterator[Case]:
    """Yield the paper's split with its majority cut or filled up to the ratio, if the public rows suffice."""
    train, test, recorded = (opal.part(table, setting, part, seed) for part in ("train", "test", "gpt4_parsed"))
    label, attribute = TARGETS[table], ATTRIBUTES.get(table) if setting == "spurious" else None
    reserve = opal.reserve(table, setting, seed).sample(frac=1, random_state=seed, ignore_index=True)
    rows = pd.concat([train, reserve], ignore_index=True)
    kept = at_ratio(group_codes(rows, label, attribute), majorities(setting), ratio, len(train))
    if kept is None:
        return
    groups: Any = OPAL_GROUPS[table] if setting == "spurious" else None
    split = Split(
        table=table,
        minority=10 if setting == "imbalanced" else 5,
        majority_cap=0,
        seed=seed,
        train=rows.iloc[kept].reset_index(drop=True),
        test=test,
        label=label,
        positive=0 if setting == "imbalanced" else 1,
        group_by=groups,
        recorded=recorded[train.columns],
        published=opal.full(table)[train.columns],
    )
    left = np.setdiff1d(np.arange(len(train), len(rows)), kept)
    yield Case(split=split, ratio=ratio, reserve=rows.iloc[left].reset_index(drop=True))


def majorities(setting: str) -> list[int]:
    """Return the group codes of the majority: class 1, or the attribute in agreement with the class."""
    return [1] if setting == "imbalanced" else [0, 3]


def at_ratio(codes: np.ndarray, major: Sequence[int], ratio: int, n_train: int) -> np.ndarray | None:
    """Return positions of training rows with ``ratio`` majority rows to one of a minority group, shown rows first.

    ``codes`` are the groups of the training rows and of further rows after them; None where those do not suffice.
    """
    is_major = np.isin(codes, major)
    minority = np.flatnonzero(~is_major[:n_train])
    n_wanted = ratio * int(np.bincount(codes[minority]).max())
    kept = [minority]
    for group in major:
        positions = np.flatnonzero(codes == group)[:n_wanted]
        if len(positions) < n_wanted:
            return None
        kept.append(positions)
    chosen = np.sort(np.concatenate(kept))
    assert np.isin(np.arange(SHOWN), chosen).all() or n_train < SHOWN, "GPT-4's rows need the rows that it was shown"
    return chosen
