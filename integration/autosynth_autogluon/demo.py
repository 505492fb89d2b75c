"""The demo's data: real rows that scikit-learn carries."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from autosynth.exceptions import ConfigError

N_RARE = 20  # malignant cases left for training: enough for five folds, few enough to hurt
SMALL_MODELS = {
    "GBM": {"num_boost_round": 200},
    "XGB": {"n_estimators": 200},
    "RF": {"n_estimators": 100},
    "LR": {},
}


def breast_cancer_split(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training rows in which malignant cases are rare, and test rows with those left out.

    The Wisconsin diagnostic set: 569 tumours, 30 measurements each.  Half of the benign cases and ``N_RARE`` malignant
    ones train; all others test.
    """
    from sklearn.datasets import load_breast_cancer

    loaded = load_breast_cancer(as_frame=True)
    frame = loaded.data.assign(diagnosis=np.where(loaded.target == 0, "malignant", "benign"))
    shuffled = frame.sample(frac=1.0, random_state=seed)
    malignant = shuffled[shuffled["diagnosis"] == "malignant"]
    benign = shuffled[shuffled["diagnosis"] == "benign"]
    train = pd.concat([malignant.head(N_RARE), benign.head(len(benign) // 2)]).sort_index()
    return train, frame.drop(index=train.index)


def clear(folder: Path) -> None:
    """Remove what a former demo left, and nothing else."""
    if not folder.exists():
        return
    is_former_demo = (folder / "comparison.json").exists() or (folder.is_dir() and not any(folder.iterdir()))
    if not is_former_demo:
        raise ConfigError(f"{str(folder)!r} exists and is no former demo's. Name another folder with --out.")
    shutil.rmtree(folder)
