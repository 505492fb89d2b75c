"""A placeholder that AutoGluon trains first: it makes the synthetic rows of every fold, then steps aside.

A slow generator would otherwise run inside the first model of every fold and eat that model's time.  As the first
"model" it is given the time limit that AutoGluon gives to any first model, and uses its own share of it.  Once each row
was validated by some fold, it leaves with AutoGluon's error for models that do not apply, which the trainer logs in one
line, so that no such model appears in the leaderboard or an ensemble.  Its folds run one after the other, in this
process, also where Ray runs those of the models.  A second set of folds (``num_bag_sets``) and the folds of a
hyperparameter search are made by the first model that needs them.

Ray shows nothing of what its workers log, so this is also where the user is told which folds stay plain.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from autogluon.core.models.dummy.dummy_model import DummyModel
from autogluon.core.utils.exceptions import ConstraintViolationError
from autogluon.tabular.registry import ag_model_registry

from autosynth.check_text import printable
from autosynth_autogluon.in_fold import InFoldRebalancing

logger = logging.getLogger(f"autogluon.{__name__}")  # shown at the verbosity that fit was given

AHEAD_KEY = "AUTOSYNTH_AHEAD"
AHEAD_NAME = "SyntheticRows"

# by the folder of a bag, for as long as it has folds to come:
_validated: dict[str, set[Any]] = {}  # the index labels that its folds have validated so far
_left_plain: dict[str, list[str]] = {}  # why each fold so far trains on real rows alone; empty where it does not


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
        bag = str(Path(self.path).parent)
        _left_plain.setdefault(bag, []).append(str(self.added.get("left_plain") or ""))
        if self._has_validated_all(X.index, pd.Index([]) if X_val is None else X_val.index):
            _log_plain_folds(_left_plain.pop(bag))
            weights = "class weights and " * (addition.group_weights is not None)
            made = self.added.get("left_plain") or f"{weights}{len(addition.X)} rows for a fold of {len(X)}"
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


def _log_plain_folds(reasons: Sequence[str]) -> None:
    """Say in one line how many folds train without synthetic rows, and why; nothing when none does."""
    plain = Counter(reason.rstrip(".") for reason in reasons if reason)
    if plain:
        why = "; ".join(reason for reason, _ in plain.most_common())
        folds = f"{plain.total()} of {len(reasons)} {'fold' if len(reasons) == 1 else 'folds'}"
        logger.warning("\t%s", printable(f"{folds} train without synthetic rows: {why}."))


if AHEAD_KEY not in ag_model_registry.keys:
    ag_model_registry.add(RowsAhead)
