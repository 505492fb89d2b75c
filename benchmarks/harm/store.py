"""Predictions on disk: one file per setting, split, learner and model, so that a run can be stopped and taken up."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile
from zlib import crc32

import numpy as np

from harm.prediction import Prediction

if TYPE_CHECKING:
    from harm.splits import Split


@dataclass(frozen=True)
class Store:
    """A folder of predictions; those of other rows than the split's are not found."""

    folder: Path

    def read(self, split: Split, learner: str, model: str) -> Prediction | None:
        """Return what was kept, or None if there is nothing whole."""
        path = self._path(split, learner, model)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                if int(kept["rows"]) != rows_key(split):
                    return None
                arrays = {name: kept[name].astype("float64") for name in ("test", "out_of_fold", "trained")}
                return Prediction(**arrays, facts=json.loads(str(kept["facts"])))
        except (OSError, KeyError, ValueError, BadZipFile):
            return None

    def write(self, split: Split, learner: str, model: str, prediction: Prediction) -> None:
        """Keep a prediction; a file is there whole or not at all."""
        path = self._path(split, learner, model)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        with beside.open("wb") as file:
            np.savez(
                file, rows=rows_key(split), facts=json.dumps(prediction.facts), test=prediction.test,
                out_of_fold=prediction.out_of_fold, trained=prediction.trained,
            )  # fmt: skip
        beside.replace(path)

    def fail(self, split: Split, learner: str, model: str, reason: str) -> None:
        """Keep why there is no prediction."""
        path = self._path(split, learner, model).with_suffix(".failed")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(reason)

    def failure(self, split: Split, learner: str, model: str) -> str | None:
        """Return the reason for a failure, None if there was none."""
        path = self._path(split, learner, model).with_suffix(".failed")
        return path.read_text() if path.is_file() else None

    def race_folder(self, split: Split) -> Path:
        """Return where the race behind "auto" keeps what it measures on a split."""
        return self._path(split, "races", "race").with_suffix("")

    def _path(self, split: Split, learner: str, model: str) -> Path:
        parts = [re.sub(r"\W+", "_", part) for part in (learner, split.name, f"split{split.index}", model)]
        return self.folder / parts[0] / parts[1] / f"{parts[2]}_{parts[3]}.npz"


def rows_key(split: Split) -> int:
    """Return a number that changes with the rows of a split."""
    import pandas as pd

    hashes = [
        pd.util.hash_pandas_object(part.astype(str), index=False).to_numpy() for part in (split.train, split.test)
    ]
    return crc32(b"".join(one.tobytes() for one in hashes))
