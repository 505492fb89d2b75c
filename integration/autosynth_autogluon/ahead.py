"""A placeholder that AutoGluon trains first: it makes the synthetic rows of every fold, then steps aside.

A slow generator would otherwise run inside the first model of every fold and eat that model's time.  As the first
"model" it is given the time limit that AutoGluon gives to any first model, and uses its own share of it.  Once each row
was validated by some fold, it leaves with AutoGluon's error for models that do not apply, which the trainer logs in one
line, so that no such model appears in the leaderboard or an ensemble.  Its folds run one after the other, in this
process, also where Ray runs those of the models.  A second set of folds (``num_bag_sets``) and the folds of a
hyperparameter search are made by the first model that needs them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from autogluon.core.models.dummy.dummy_model import DummyModel
from autogluon.core.utils.exceptions import ConstraintViolationError
from autogluon.tabular.registry import ag_model_registry

from autosynth_autogluon.in_fold import InFoldRebalancing

AHEAD_KEY = "AUTOSYNTH_AHEAD"
AHEAD_NAME = "SyntheticRows"

_validated: dict[str, set[Any]] = {}  # the folder of a bag to the index labels that its folds have validated so far


class RowsAhead(InFoldRebalancing, DummyModel):  # type: ignore[misc]
    """Makes the rows of each fold and predicts nothing of use."""

    ag_key = AHEAD_KEY
    ag_name = AHEAD_NAME

    @property
    def _honours_weights(self) -> bool:
        return True  # the request that most families share

    def _fit(self, X: pd.DataFrame, y: pd.Series[Any], X_val: pd.DataFrame | None = None, **kwargs: Any) -> Any:
        reason = self._reason_to_stay_plain()
        if reason:
            raise ConstraintViolationError(reason)
        addition = self.make_rows(X, y, kwargs.get("time_limit"))
        self.added = dict(addition.facts)
        if self._has_validated_all(X.index, pd.Index([]) if X_val is None else X_val.index):
            made = self.added.get("left_plain") or f"{len(addition.X)} rows for a fold of {len(X)}"
            raise ConstraintViolationError(f"it only makes synthetic rows ahead of the models ({made})")
        return DummyModel._fit(self, X=X, y=y, **kwargs)

    def _has_validated_all(self, trained: pd.Index, validated: pd.Index) -> bool:
        """Note which rows this fold validates, and return whether some fold has validated each row by now."""
        bag = Path(self.path).parent
        if bag.name == "models":  # a model on its own, with one split
            return True
        seen = _validated.setdefault(str(bag), set())
        seen.update(validated)
        if not seen.issuperset(trained):
            return False
        del _validated[str(bag)]
        return True


if AHEAD_KEY not in ag_model_registry.keys:
    ag_model_registry.add(RowsAhead)
