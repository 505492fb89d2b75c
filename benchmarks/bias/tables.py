"""Where rows come from: three simulated tables with a known story, and public ones with a thinned minority."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from harm.sources import read_setting

from bias.trials import LABEL

if TYPE_CHECKING:
    from pathlib import Path

SIMULATED = ("simulated: same shape", "simulated: curved, same shape", "simulated: other shape")
PUBLIC = ("mammography", "oil_spill", "wine_quality_white", "thyroid_sick", "german_credit", "adult")
N_MAJORITY, N_TEST = 2_000, 6_000
N_COLUMNS = 8


def cut(name: str, seed: int, n_minority: int, data: Path | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training and test rows; the training rows hold at most ``n_minority`` of the minority's half."""
    rng = np.random.default_rng([seed, n_minority])
    frame = simulated(name, rng) if name in SIMULATED else public(name, data)
    is_minority = (frame[LABEL] == 1).to_numpy()
    train, test = [], []
    for mask, cap in ((is_minority, n_minority), (~is_minority, N_MAJORITY)):
        order = rng.permutation(np.flatnonzero(mask))
        half = len(order) // 2
        train.append(order[: min(half, cap)])
        test.append(order[half : half + N_TEST])
    parts = (np.sort(np.concatenate(some)) for some in (train, test))
    first, second = (frame.iloc[part].reset_index(drop=True) for part in parts)
    return first, second


def simulated(name: str, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows of two classes, 4,000 each.

    In "same shape" the minority is the majority moved, so that a generator errs on both alike: what the correction
    supposes.  "Curved" has a banana in both.  In "other shape" the majority is a ball and the minority the banana.
    """
    n = 4_000
    majority, minority = rng.normal(size=(n, N_COLUMNS)), rng.normal(size=(n, N_COLUMNS))
    if name != SIMULATED[0]:
        minority[:, 1] = minority[:, 0] ** 2 - 1 + minority[:, 1] / 3
    if name == SIMULATED[1]:
        majority[:, 1] = majority[:, 0] ** 2 - 1 + majority[:, 1] / 3
    minority[:, :4] += 0.6
    frame = pd.DataFrame(np.concatenate([majority, minority]), columns=[f"x{i}" for i in range(N_COLUMNS)])
    return frame.assign(**{LABEL: np.repeat([0, 1], n)})


def public(name: str, data: Path | None) -> pd.DataFrame:
    """Return a public table with its rarest class as the minority."""
    if data is None:
        raise ValueError(f"{name} is read from a folder. Give --data.")
    setting = read_setting(data, name)
    labels = setting.frame[setting.label]
    features = setting.frame.drop(columns=setting.label)
    return features.assign(**{LABEL: (labels == labels.value_counts().idxmin()).astype(int)})
