"""Learners for rows of which some have negative weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

if TYPE_CHECKING:
    from bias.trials import Floats, SignedRows

RIDGE = 1e-3  # of the logistic regression, on standardised columns, against a mean loss per class
N_TREES, DEPTH, RATE = 100, 6, 0.3  # XGBoost's defaults


def logistic(rows: SignedRows, asked: Floats) -> Floats:
    """Return probabilities of label 1 by a ridge logistic regression; with negative weights a local minimum."""
    X = np.column_stack([np.ones(len(rows.X)), rows.X])

    def loss_and_slope(beta: Floats) -> tuple[float, Floats]:
        odds = X @ beta
        penalty = RIDGE * beta
        penalty[0] = 0.0
        loss = rows.weights @ (np.logaddexp(0.0, odds) - rows.y * odds)
        slope = X.T @ (rows.weights * (expit(odds) - rows.y))
        return float(loss + (penalty * beta).sum() / 2), slope + penalty

    found = minimize(loss_and_slope, np.zeros(X.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return np.asarray(expit(found.x[0] + asked @ found.x[1:]))


def boosted(rows: SignedRows, asked: Floats) -> Floats:
    """Return probabilities of label 1 by XGBoost; negative weights turn gradients round and keep curvatures positive.

    XGBoost refuses negative weights, so they enter through an objective.  The curvature of a row counts with the size
    of its weight: a step is shorter than Newton's where rows of both signs meet, and never goes the wrong way.
    """
    import xgboost

    weights = rows.weights * len(rows.weights) / np.abs(rows.weights).sum()

    def derivatives(odds: Floats, _: xgboost.DMatrix) -> tuple[Floats, Floats]:
        proba = expit(odds)
        return weights * (proba - rows.y), np.abs(weights) * np.maximum(proba * (1 - proba), 1e-6)

    model = xgboost.train(
        # With an objective of one's own the base score is a margin: 0 is even odds.
        {"max_depth": DEPTH, "eta": RATE, "tree_method": "hist", "nthread": 1, "seed": 0, "base_score": 0.0},
        xgboost.DMatrix(rows.X, rows.y), num_boost_round=N_TREES, obj=derivatives,
    )  # fmt: skip
    return np.asarray(expit(model.predict(xgboost.DMatrix(asked), output_margin=True).astype("float64")))


LEARNERS = {"logistic": logistic, "xgboost": boosted}
