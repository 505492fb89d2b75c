"""Small imbalanced tables for documentation, tests and first steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autosynth.seeding import as_generator

if TYPE_CHECKING:
    from autosynth.seeding import RandomState


def shortcut_table(n_rows: int = 1000, *, minority_share: float = 0.1, random_state: RandomState = 0) -> pd.DataFrame:
    """Return patients whose illness shows in two measurements, and whose hospital is a misleading shortcut.

    Nine in ten ill patients lie in the hospital "south", nine in ten healthy ones in "north"; the hospital causes
    nothing.  A model that leans on it fails on the two rare cells.

    Parameters
    ----------
    n_rows : int
        Rows to make.
    minority_share : float
        Share of ill patients, 0 to 1.
    random_state : int, numpy.random.Generator or None
        Decides the rows.

    Returns
    -------
    DataFrame of shape (n_rows, 7)
        ``age`` (whole years), ``severity`` and ``pressure`` (continuous; pressure is missing now and then),
        ``ward`` (category), ``smoker`` (bool), ``hospital`` (the shortcut), and the label ``ill`` ("yes" or "no").

    Examples
    --------
    >>> shortcut_table(1000)["ill"].value_counts().to_dict()
    {'no': 900, 'yes': 100}
    """
    rng = as_generator(random_state)
    ill = np.zeros(n_rows, dtype=bool)
    ill[: round(minority_share * n_rows)] = True
    rng.shuffle(ill)
    misled = rng.random(n_rows) < 0.1
    severity = rng.normal(np.where(ill, 1.0, 0.0), 1.0)
    pressure = rng.normal(120 + 8 * ill + 2 * severity, 12.0).round(1)
    pressure[rng.random(n_rows) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, n_rows),
            "severity": severity,
            "pressure": pressure,
            "ward": rng.choice(["general", "heart", "lung"], n_rows, p=[0.6, 0.3, 0.1]),
            "smoker": rng.random(n_rows) < 0.3,
            "hospital": np.where(ill ^ misled, "south", "north"),
            "ill": np.where(ill, "yes", "no"),
        }
    )


def overlapping_classes(
    n_rows: int = 1000, *, minority_share: float = 0.02, n_features: int = 10, random_state: RandomState = 0
) -> pd.DataFrame:
    """Return a purely numeric table with a rare class of two overlapping clouds; columns x0, x1, ... and ``target``.

    Examples
    --------
    >>> overlapping_classes(500)["target"].value_counts().to_dict()
    {0: 490, 1: 10}
    """
    rng = as_generator(random_state)
    target = np.zeros(n_rows, dtype=np.int64)
    target[: round(minority_share * n_rows)] = 1
    rng.shuffle(target)
    centres = np.where(rng.random((n_rows, 1)) < 0.5, 1.0, -1.0) * target[:, None]
    values = rng.normal(size=(n_rows, n_features))
    values[:, :2] += 1.5 * centres
    values[:, 2:4] += 0.5 * target[:, None]
    return pd.DataFrame(values, columns=[f"x{i}" for i in range(n_features)]).assign(target=target)
