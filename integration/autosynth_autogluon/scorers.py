"""Balanced and worst-class metrics as AutoGluon scorers, for ``eval_metric`` and ``leaderboard(extra_metrics=...)``."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from autogluon.core.metrics import make_scorer

SMALLEST = 1e-15  # probabilities are clipped here, as AutoGluon's log_loss does


def class_risks(y_true: npt.ArrayLike, y_proba: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the mean cross-entropy of every class that occurs: R^(g) of arXiv 2406.03628 with classes as groups.

    Parameters
    ----------
    y_true : array of int, shape (n_rows,)
        Class codes 0 to n_classes - 1, as AutoGluon passes them.
    y_proba : array of shape (n_rows,) or (n_rows, n_classes)
        Probability of class 1, or of every class.

    Examples
    --------
    >>> class_risks([0, 0, 1], [0.5, 0.5, 1.0]).round(3).tolist()
    [0.693, 0.0]
    """
    labels = np.asarray(y_true, dtype="int64")
    proba = np.asarray(y_proba, dtype="float64")
    if proba.ndim == 1:
        proba = np.column_stack([1 - proba, proba])
    losses = -np.log(np.clip(proba[np.arange(len(labels)), labels], SMALLEST, 1.0))
    counts = np.bincount(labels)
    sums = np.bincount(labels, weights=losses)
    return sums[counts > 0] / counts[counts > 0]


def _balanced_log_loss(y_true: npt.ArrayLike, y_proba: npt.ArrayLike, **_: Any) -> float:
    return float(class_risks(y_true, y_proba).mean())


def _worst_class_log_loss(y_true: npt.ArrayLike, y_proba: npt.ArrayLike, **_: Any) -> float:
    return float(class_risks(y_true, y_proba).max())


def _worst_class_recall(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, **_: Any) -> float:
    labels, predicted = np.asarray(y_true), np.asarray(y_pred)
    return float(min(np.mean(predicted[labels == value] == value) for value in np.unique(labels)))


balanced_log_loss = make_scorer(
    "balanced_log_loss", _balanced_log_loss, optimum=0, greater_is_better=False, needs_proba=True
)
worst_class_log_loss = make_scorer(
    "worst_class_log_loss", _worst_class_log_loss, optimum=0, greater_is_better=False, needs_proba=True
)
worst_class_recall = make_scorer(
    "worst_class_recall", _worst_class_recall, optimum=1, greater_is_better=True, needs_class=True
)
