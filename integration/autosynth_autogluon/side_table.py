"""The user's own rows (or group columns) by index, kept beside the predictor instead of inside every model."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from autosynth.exceptions import DataError
from autosynth.files import write_beside


class SideTable:
    """A DataFrame that models in any process find again by its key, first in memory's stead on disk.

    The table is written to a temporary folder that lives as long as this object, and copied into the predictor's
    folder when a model first asks, so that ``refit_full`` still works after the predictor was moved.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        if not frame.index.is_unique:
            raise DataError(
                f"the index of data holds {int(frame.index.duplicated().sum())} duplicate labels, so fold rows could "
                "not be traced back. Call reset_index(drop=True) on the training data first."
            )
        hashes = pd.util.hash_pandas_object(frame.astype(str)).to_numpy().tobytes()
        self.key = hashlib.sha256(repr(list(frame.columns)).encode() + hashes).hexdigest()[:16]
        self.columns = tuple(frame.columns)
        folder = tempfile.mkdtemp(prefix="autosynth-")
        self.source = str(Path(folder) / f"{self.key}.pkl")
        frame.to_pickle(self.source)
        self._cleanup = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    def read(self, folder: Path) -> pd.DataFrame:
        """Return the whole table, from the predictor's folder, where it is put first when it is not there yet.

        Raises
        ------
        DataError
            If neither the predictor's folder nor the original process holds it any more.
        """
        local = folder / f"{self.key}.pkl"
        if not local.exists():
            if not Path(self.source).exists():
                raise DataError(
                    f"the training rows behind this predictor are gone: neither {local} nor {self.source} exists. "
                    "Fit again, or keep the predictor's folder whole."
                )
            write_beside(local, lambda temporary: shutil.copyfile(self.source, temporary))
        return _read(str(local))

    def __getstate__(self) -> dict[str, Any]:
        return {"key": self.key, "columns": self.columns, "source": self.source}


@lru_cache(maxsize=4)
def _read(path: str) -> pd.DataFrame:
    frame: pd.DataFrame = pd.read_pickle(path)  # noqa: S301 - our own file, in the predictor's own folder
    return frame
