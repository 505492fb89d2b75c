"""The demo's data: real rows that scikit-learn carries."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from autosynth.exceptions import ConfigError, OutputError

N_RARE = 20  # malignant cases left for training: enough for five folds, few enough to hurt
MARK = ".autosynth-demo"  # a file of this name says that the demo made the folder
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


def prepare(folder: Path) -> None:
    """Make an empty folder that is marked as the demo's; remove what a former demo left, and nothing else.

    The mark is there before anything is fitted, so that an interrupted demo is known again too.
    """
    is_empty = folder.is_dir() and not any(folder.iterdir())
    if folder.exists() and not is_empty and not (folder / MARK).is_file():
        raise ConfigError(
            f"{str(folder)!r} exists and is no former demo's: it has no file {MARK!r}. Only such a folder is replaced. "
            "Name another with --out, or remove it yourself."
        )
    if folder.exists():
        shutil.rmtree(folder)
    try:
        folder.mkdir(parents=True)
        (folder / MARK).write_text("Made by `autosynth demo`, which replaces this folder when it runs again.\n")
    except OSError as error:
        raise OutputError(f"{str(folder)!r} cannot be made: {error}. Name another folder with --out.") from error
