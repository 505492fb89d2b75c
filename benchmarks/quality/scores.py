"""Scores of predictions on real test rows, group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

LOWER_IS_BETTER = ("balanced_ce", "minority_ce", "worst_group_ce", "distance", "association_error")
SCORES = ("auc", "average_precision", "balanced_ce", "minority_ce", "worst_group_ce", "balanced_accuracy")


def score(
    y: npt.NDArray[np.int64],
    proba: npt.NDArray[np.float64],
    groups: npt.NDArray[np.int64],
    minorities: Sequence[int],
    threshold: float = 0.5,
) -> dict[str, float]:
    """Return all scores of one model.

    Parameters
    ----------
    y, proba : ndarray of shape (n_rows,)
        Target and probability of the positive label, strictly between 0 and 1.
    groups : ndarray of int, shape (n_rows,)
        Group of every row: its class, or its cell of label x group columns.
    minorities : sequence of int
        The minority groups.
    threshold : float
        Probability from which a row counts as positive.

    Returns
    -------
    dict of str to float
        ``balanced_ce`` and ``balanced_accuracy`` are means over groups of the mean within each, ``minority_ce`` over
        the minority groups, ``worst_group_ce`` the largest of the groups' cross-entropies.
    """
    loss = -np.where(y == 1, np.log(proba), np.log1p(-proba))
    right = (proba >= threshold) == (y == 1)
    risks = {int(group): float(loss[groups == group].mean()) for group in np.unique(groups)}
    accuracies = [float(right[groups == group].mean()) for group in risks]
    return {
        "auc": float(roc_auc_score(y, proba)),
        "average_precision": float(average_precision_score(y, proba)),
        "balanced_ce": float(np.mean(list(risks.values()))),
        "minority_ce": float(np.mean([risks[group] for group in minorities if group in risks])),
        "worst_group_ce": max(risks.values()),
        "balanced_accuracy": float(np.mean(accuracies)),
    }
