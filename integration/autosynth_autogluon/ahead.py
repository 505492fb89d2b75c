"""A placeholder that AutoGluon trains first: it makes the synthetic rows of every fold, then steps aside.

A slow generator would otherwise run inside the first model of every fold and eat that model's time.  As the first
"model" it is given the time limit that AutoGluon gives to any first model, and uses its own share of it.  After the
last fold it leaves with AutoGluon's error for models that do not apply, which the trainer logs in one line, so that no
such model appears in the leaderboard or an ensemble.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import pandas as pd
from autogluon.core.models.dummy.dummy_model import DummyModel
from autogluon.core.utils.exceptions import ConstraintViolationError
from autogluon.tabular.registry import ag_model_registry

from autosynth_autogluon.in_fold import InFoldRebalancing

logger = logging.getLogger(__name__)

AHEAD_KEY = "AUTOSYNTH_AHEAD"
FOLD_SUFFIX = re.compile(r"S1F(\d+)$")  # AutoGluon names the children of a bag S{set}F{fold}


class RowsAhead(InFoldRebalancing, DummyModel):  # type: ignore[misc]
    """Makes the rows of each fold and predicts nothing of use."""

    ag_key = AHEAD_KEY
    ag_name = "SyntheticRows"

    @property
    def _honours_weights(self) -> bool:
        return True  # the request that most families share

    def _fit(self, X: pd.DataFrame, y: pd.Series[Any], X_val: pd.DataFrame | None = None, **kwargs: Any) -> Any:
        reason = self._reason_to_stay_plain()
        if reason:
            raise ConstraintViolationError(reason)
        addition = self.make_rows(X, y, kwargs.get("time_limit"))
        self.added = dict(addition.facts)
        if self._is_last_fold(len(X), 0 if X_val is None else len(X_val)):
            made = self.added.get("left_plain") or f"{len(addition.X)} rows for a fold of {len(X)}"
            raise ConstraintViolationError(f"it only makes synthetic rows ahead of the models ({made})")
        return DummyModel._fit(self, X=X, y=y, **kwargs)

    def _is_last_fold(self, n_train: int, n_validation: int) -> bool:
        fold = FOLD_SUFFIX.search(self.name)
        if fold is None or not n_validation:
            return True
        return int(fold.group(1)) >= round((n_train + n_validation) / n_validation)


if AHEAD_KEY not in ag_model_registry.keys:
    ag_model_registry.add(RowsAhead)
