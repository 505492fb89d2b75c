"""FittedClassifier: a fitted classifier that answers for every class of the table, also for those it never saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.exceptions import ConfigError, DataError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Codes = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

MAX_DEVIATION = 1e-3  # of a row's probabilities from the sum 1; models compute with 32 bits


@dataclass(frozen=True)
class FittedClassifier:
    """A fitted classifier of scikit-learn's kind, and how it reads rows.

    Attributes
    ----------
    model : object
        With ``predict_proba``, fitted on 0 to n_present - 1.
    read : callable
        Makes of rows what the model takes.
    present : ndarray of int, shape (n_present,)
        The classes that it was trained on.
    n_classes : int
        All classes of the table.
    name : str
        For messages.
    """

    model: Any
    read: Callable[[pd.DataFrame], Any]
    present: Codes
    n_classes: int
    name: str

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """Return the probabilities of all classes, shape (n_rows, n_classes); 0 for a class without training rows.

        Raises
        ------
        ConfigError
            If the classifier gives anything but probabilities.
        """
        answer = np.zeros((len(X), self.n_classes))
        if len(X):
            given = np.asarray(self.model.predict_proba(self.read(X)), dtype=np.float64)
            answer[:, self.present] = self._checked(given, len(X))
        return answer

    def _checked(self, given: Floats, n_rows: int) -> Floats:
        if given.shape != (n_rows, len(self.present)):
            raise ConfigError(
                f"predict_proba of {self.name} gave shape {given.shape} for {n_rows} rows and {len(self.present)} "
                "classes. Use a classifier that gives one probability per row and class."
            )
        with np.errstate(invalid="ignore"):
            sums = given.sum(axis=1, keepdims=True)
            is_good = ((given >= 0) & (np.abs(sums - 1) <= MAX_DEVIATION)).all(axis=1)
        if not is_good.all():
            first = int(np.argmin(is_good))
            raise ConfigError(
                f"predict_proba of {self.name} gave no probabilities for {int((~is_good).sum())} of {n_rows} rows: the "
                f"first of them has {given[first].tolist()}. They must be numbers from 0 on that add up to 1. Use "
                "another learner, or fill missing values before it (Pipeline)."
            )
        return np.asarray(given / sums, dtype=np.float64)


def present_classes(y: Codes) -> tuple[Codes, Codes]:
    """Return the classes that occur in ``y``, and ``y`` as positions among them.

    Raises
    ------
    DataError
        If there are fewer than two.

    Examples
    --------
    >>> present, positions = present_classes(np.array([0, 2, 2]))
    >>> present.tolist(), positions.tolist()
    ([0, 2], [0, 1, 1])
    """
    present, positions = np.unique(np.asarray(y, dtype=np.int64), return_inverse=True)
    if len(present) < 2:
        raise DataError(
            f"the {len(y)} training rows hold {len(present)} class{'es' * (len(present) != 1)}, and no classifier can "
            "learn from fewer than two. Use fewer folds, or give more rows of the rare classes."
        )
    return present, positions.astype(np.int64)
