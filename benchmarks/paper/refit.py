"""The paper's experiment made anew: its three classifiers, its features, its steps, its error rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.ensemble import RandomForestClassifier

from paper.opal import ATTRIBUTES, TARGETS, Opal

N_STEPS = 5
N_RAW = {"craft": 100, "gender": 50, "heart_failure": 50, "openmlDiabetes": 100}  # rows added in five steps
ROWS_OF = {"OPAL": "gpt4_parsed", "SMOTE": "smote_rows", "duplication": "duplicate_rows"}
METRICS = {"imbalanced": ("overall",), "spurious": ("overall", "minority", "majority", "worst", "diff")}
FORESTS = {"openmlDiabetes": (21, 352), "heart_failure": (74, 244), "gender": (47, 335)}  # depth and trees, where tuned
TINY = float(np.finfo(float).eps)

Predict = Callable[[np.ndarray], np.ndarray]


def errors_of_split(
    opal: Opal, setting: str, table: str, classifier: str, method: str, seed: int, known: dict[Any, Any] | None = None
) -> list[dict[str, float]]:
    """Return the error rates of one split by metric, one mapping per step 0 to 5.

    Step k trains on the real rows and the first k fifths of the method's rows, in the order of the file.  Step 0 holds
    no row of any method: ``known`` keeps it for the next one.
    """
    train, test = (opal.part(table, setting, part, seed) for part in ("train", "test"))
    made = opal.part(table, setting, ROWS_OF[method], seed)
    features = features_of(list(train.columns), setting)
    found = []
    for step in range(N_STEPS + 1):
        key = (setting, table, classifier, seed)
        if step == 0 and known is not None and key in known:
            found.append(known[key])
            continue
        rows = pd.concat([train, made[train.columns].iloc[: step * N_RAW[table] // N_STEPS]])
        found.append(_error_rates(classifier, setting, table, rows, test, features))
        if step == 0 and known is not None:
            known[key] = found[0]
    return found


def _error_rates(
    classifier: str, setting: str, table: str, rows: pd.DataFrame, test: pd.DataFrame, features: list[str]
) -> dict[str, float]:
    """Return the error rates on ``test`` after training on ``rows``."""

    def rates_with_constant(position: int) -> dict[str, float]:
        y = rows[TARGETS[table]].to_numpy(float)
        predict = fit(classifier, _design(rows, features, position), y, setting, table)
        is_wrong = (predict(_design(test, features, position)) > 0.5) != (test[TARGETS[table]] == 1).to_numpy()
        return _rates(is_wrong, test, table, setting)

    rates = rates_with_constant(0)
    if classifier == "randomForest" and setting == "spurious":
        # For "diff" alone the constant came last, and a forest's draws depend on where a column stands.
        rates["diff"] = rates_with_constant(len(features))["diff"]
    return rates


def features_of(columns: list[str], setting: str) -> list[str]:
    """Return the features that were used: in ``imbalanced`` the last one was cut off together with the label.

    Examples
    --------
    >>> features_of(["a", "b", "label"], "imbalanced"), features_of(["a", "b", "label"], "spurious")
    (['a'], ['a', 'b'])
    """
    return columns[: -2 if setting == "imbalanced" else -1]


def fit(classifier: str, X: np.ndarray, y: np.ndarray, setting: str, table: str) -> Predict:
    """Return the prediction of class 1 (a probability, or 0 and 1) after training as the paper's code did.

    Raises
    ------
    ModuleNotFoundError
        If CatBoost is wanted and not installed.
    """
    if classifier == "logistic":
        coefficients = logistic_coefficients(X, y)
        return lambda rows: expit(rows @ coefficients)
    if classifier == "randomForest":
        return _forest(setting, table).fit(X, y).predict
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(
        iterations=200,
        learning_rate=0.05,
        depth=6,
        random_state=42,
        verbose=0,
        thread_count=1,
        allow_writing_files=False,
    )
    model.fit(X, y)
    return lambda rows: model.predict(rows)


def logistic_coefficients(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return maximum-likelihood coefficients without a penalty, by iteratively re-weighted least squares.

    Start, tolerance and limit are those usual for generalised linear models (100 steps, or a deviance that moves by
    less than 1e-8), since on separable rows the likelihood has no maximum and the answer hangs on where the steps end.

    References
    ----------
    McCullagh, Nelder. Generalized Linear Models, 2nd ed., 1989. Section 2.5.
    """
    odds = logit((y + 0.5) / 2)
    mean = (y + 0.5) / 2
    deviance = np.inf
    coefficients = np.zeros(X.shape[1])
    for _ in range(100):
        clipped = np.clip(mean, TINY, 1 - TINY)
        slope = 1.0 / (clipped * (1 - clipped))  # of the log odds
        target = odds + slope * (y - mean)
        root = np.sqrt(1.0 / (slope**2 * (clipped * (1 - clipped))))
        coefficients = np.linalg.lstsq(root[:, None] * X, root * target, rcond=-1)[0]
        odds = X @ coefficients
        with np.errstate(over="ignore"):
            mean = 1.0 / (1.0 + np.exp(-odds))
        likelihood = np.where(y == 1, mean, 1 - mean) + 1e-20
        before, deviance = deviance, -2 * float(np.log(likelihood).sum())
        if abs(before - deviance) <= 1e-8:
            break
    return coefficients


def _forest(setting: str, table: str) -> RandomForestClassifier:
    if setting == "imbalanced" and table in FORESTS:
        depth, n_trees = FORESTS[table]
        return RandomForestClassifier(max_depth=depth, max_features="log2", n_estimators=n_trees, random_state=1)
    return RandomForestClassifier(n_estimators=200, max_features="sqrt", min_samples_leaf=2, random_state=1)


def _design(rows: pd.DataFrame, features: list[str], position: int) -> np.ndarray:
    """Return the unscaled features with a constant column at a position, which trees cannot use but may draw."""
    return np.insert(rows[features].to_numpy(float), position, 1.0, axis=1)


def _rates(is_wrong: np.ndarray, test: pd.DataFrame, table: str, setting: str) -> dict[str, float]:
    rates = {"overall": float(is_wrong.mean())}
    if setting == "imbalanced":
        return rates
    attribute = (test[ATTRIBUTES[table]] > 0).to_numpy()
    classes = (test[TARGETS[table]] == 1).to_numpy()
    agrees = attribute == classes
    cells = [is_wrong[(attribute == a) & (classes == c)].mean() for a in (False, True) for c in (False, True)]
    return rates | {
        "minority": float(is_wrong[~agrees].mean()),
        "majority": float(is_wrong[agrees].mean()),
        "worst": float(max(cells)),
        "diff": float(max(cells) - min(cells)),
    }
