"""Fitted generators and rows of a fold, shared by all models, trials and processes of one predictor."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from autosynth.files import write_beside

T = TypeVar("T")

# AutoGluon's save_space() and clone_for_deployment() leave utils/attr out, so no synthetic row travels with a model.
FOLDER = Path("utils") / "attr" / "autosynth"


class FoldCache:
    """A folder of pickles below the predictor's own, one lock per key: what one worker makes, the others read."""

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER
        self.folder.mkdir(parents=True, exist_ok=True)

    def get_or_make(
        self, key: str, make: Callable[[], T], *, is_good: Callable[[T], bool] = lambda _: True
    ) -> tuple[T, bool]:
        """Return the value of ``key`` and whether it was there; otherwise make and keep it, one worker at a time.

        A value that is there but not good any more is made anew.
        """
        path = self.folder / f"{key}.pkl"
        with FileLock(str(path) + ".lock"):
            if path.exists():
                found: T = self._read(path)
                if is_good(found):
                    return found, True
            value = make()
            write_beside(path, lambda temporary: temporary.write_bytes(pickle.dumps(value)))
            return value, False

    def _read(self, path: Path) -> Any:
        return pickle.loads(path.read_bytes())  # noqa: S301 - written by this class in the predictor's own folder


def predictor_root(path: str) -> Path:
    """Return the folder of the predictor that owns a model path: right for fold children, trials and sub-fits."""
    start = Path(path)
    return next((folder for folder in (start, *start.parents) if (folder / "learner.pkl").exists()), start)
