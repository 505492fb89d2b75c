"""The folder of the paper's data: splits, recorded rows of GPT-4, and the authors' own baseline rows."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

SEEDS = (1, 2, 6, 8, 42)
TARGETS = {"craft": "Target", "gender": "gender", "heart_failure": "DEATH_EVENT", "openmlDiabetes": "class"}
ATTRIBUTES = {"gender": "long_hair", "heart_failure": "sex", "openmlDiabetes": "skin"}  # spurious when above 0
SHOWN = 20  # GPT-4 saw the first rows of a training table: 10 of each class, or 5 of each of four groups
MISSING = """{path} is missing.
--data must name a folder with <table>/full.csv, <table>/<setting>/<part>_seed<n>.csv and published_results.csv, made of
the repository of the paper (github.com/Xyc-arch/OPAL).  Its data have no licence and are not part of this project."""


@dataclass(frozen=True)
class Opal:
    """The tables below ``folder``; a file that is missing ends the program with a word on what it should be."""

    folder: Path

    def read(self, name: str) -> pd.DataFrame:
        """Return a CSV file without unnamed columns."""
        path = self.folder / name
        if not path.is_file():
            sys.exit(MISSING.format(path=path))
        frame = pd.read_csv(path)
        return frame.drop(columns=[column for column in frame if str(column).startswith("Unnamed")])

    def part(self, table: str, setting: str, part: str, seed: int) -> pd.DataFrame:
        """Return ``train``, ``test``, ``gpt4_parsed``, ``smote_rows`` or ``duplicate_rows`` of one split."""
        return self.read(f"{table}/{setting}/{part}_seed{seed}.csv")

    def full(self, table: str) -> pd.DataFrame:
        """Return all rows that are public, training and test rows among them."""
        return self.read(f"{table}/full.csv")

    def reserve(self, table: str, setting: str, seed: int) -> pd.DataFrame:
        """Return the public rows that are in neither part of a split."""
        train, test = (self.part(table, setting, part, seed) for part in ("train", "test"))
        return without(self.full(table)[train.columns], pd.concat([train, test]))


def without(rows: pd.DataFrame, taken: pd.DataFrame) -> pd.DataFrame:
    """Return ``rows`` less ``taken``: of equal rows as many go as were taken, so that honest twins stay.

    Examples
    --------
    >>> without(pd.DataFrame({"x": [1, 1, 2]}), pd.DataFrame({"x": [1.0, 3.0]}))["x"].tolist()
    [1, 2]
    """
    mine, gone = (_keys(frame) for frame in (rows, taken[rows.columns]))
    occurrence = mine.groupby(mine).cumcount()
    n_gone = mine.map(gone.value_counts()).fillna(0)
    return rows[(occurrence >= n_gone).to_numpy()].reset_index(drop=True)


def _keys(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(list(map(tuple, frame.astype("float64").round(6).to_numpy() + 0.0)))


def group_codes(frame: pd.DataFrame, label: str, attribute: str | None) -> np.ndarray:
    """Return the group of every row: its class, or 2 x (attribute above 0) + class, shape (n_rows,)."""
    classes = frame[label].to_numpy().astype("int64")
    return classes if attribute is None else 2 * (frame[attribute].to_numpy() > 0).astype("int64") + classes
