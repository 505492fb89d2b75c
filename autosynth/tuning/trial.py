"""One arm in one fold: a model trained on the rows that the arm makes of the training part, and its predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autosynth.plan import group_weights
from autosynth.rebalancing import augmented_rows
from autosynth.tuning.fold_source import FoldRows, plan_of
from autosynth.tuning.label_codes import Coded

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.table import Table
    from autosynth.tuning.arm import Arm
    from autosynth.tuning.folds import Folds
    from autosynth.tuning.learners import TableLearner

    Floats = npt.NDArray[np.float64]

__all__ = ["FoldParts", "FoldResult", "run_trial"]


@dataclass(frozen=True)
class FoldParts:
    """The two parts of a fold.

    Attributes
    ----------
    train : Table
        The training rows, which is all that generators and learners ever see with a label.
    validation : DataFrame of shape (n_validation, n_features)
        The rows to predict, without the label.
    coded : Coded
        Classes and segments of the training rows.
    """

    train: Table
    validation: pd.DataFrame
    coded: Coded

    @classmethod
    def of(cls, table: Table, folds: Folds, repeat: int, fold: int) -> FoldParts:
        """Split a table."""
        train = table.keep(folds.trains(repeat, fold))
        validation = table.frame.loc[folds.validates(repeat, fold)].drop(columns=table.label)
        return cls(train, validation, Coded.of(train))


@dataclass(frozen=True)
class FoldResult:
    """What one arm did in one fold.

    Attributes
    ----------
    probabilities : ndarray of shape (n_validation, n_classes)
        Of the validation rows, in their order in the table.
    trained : ndarray of shape (n_segments, n_classes)
        The sum of the training weights per segment and class.
    n_synthetic : int
        Rows added.
    seconds : float
        Time spent, the generator's work among it if it was done for this arm.
    notes : mapping of str to int
        What the generator reported.
    """

    probabilities: Floats
    trained: Floats
    n_synthetic: int = 0
    seconds: float = 0.0
    notes: Mapping[str, int] = field(default_factory=dict)


def run_trial(arm: Arm, parts: FoldParts, learner: TableLearner, rows: FoldRows | None = None) -> FoldResult:
    """Train on what an arm makes of the training part and predict the validation part.

    Parameters
    ----------
    arm : Arm
        What to do to the training rows.
    parts : FoldParts
        Real rows.
    learner : TableLearner
        What is trained.
    rows : FoldRows, optional
        Where an arm with synthetic rows takes its rows from; at least as many as it asks for.
    """
    if not arm.is_synthetic or rows is None:
        weights = group_weights(parts.train) if arm.class_weights else np.ones(len(parts.train))
        return _fit_and_predict(parts, learner, parts.train.frame, parts.train.group_codes, weights)
    plan = plan_of(arm, parts.train)
    some = rows.first(plan)
    frame = pd.concat([parts.train.frame, some.frame], ignore_index=True) if len(some.frame) else parts.train.frame
    group_codes = np.concatenate([parts.train.group_codes, some.group_codes])
    weights = plan.weights(augmented_rows(plan, some.group_codes))
    result = _fit_and_predict(parts, learner, frame, group_codes, weights)
    return FoldResult(result.probabilities, result.trained, n_synthetic=len(some.frame), notes=some.notes)


def _fit_and_predict(
    parts: FoldParts,
    learner: TableLearner,
    frame: pd.DataFrame,
    group_codes: npt.NDArray[np.int64],
    weights: Floats,
) -> FoldResult:
    labels = parts.coded.group_labels[group_codes]
    trained = np.zeros((parts.coded.n_segments, parts.coded.n_classes))
    np.add.at(trained, (parts.coded.group_segments[group_codes], labels), weights)
    sample_weight = None if np.all(weights == 1) else weights
    model = learner.fit(frame.drop(columns=parts.train.label), labels, sample_weight)
    return FoldResult(np.asarray(model.predict_proba(parts.validation), dtype=np.float64), trained)
