"""prior_reliability(): what the prior correction did to a model's probabilities, on real rows that it has not seen."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth import GroupReport, group_report
from autosynth.exceptions import ConfigError, DataError, nearest
from autosynth_autogluon.in_fold import InFoldRebalancing

if TYPE_CHECKING:
    import numpy.typing as npt
    from autogluon.tabular import TabularPredictor

    Floats = npt.NDArray[np.float64]

SAME = 1e-4  # out-of-fold predictions are kept in float32


def prior_reliability(
    predictor: TabularPredictor,
    data: pd.DataFrame | None = None,
    *,
    model: str | None = None,
    groups: pd.Series[Any] | pd.DataFrame | None = None,
    n_bootstrap: int = 1000,
    random_state: int = 0,
) -> GroupReport:
    """Return how reliable a model's probabilities are with its prior correction, against the same without it.

    Parameters
    ----------
    predictor : TabularPredictor
        Fitted with ``rebalanced(..., correct_prior=...)``.
    data : DataFrame of shape (n_rows, n_features + 1), optional
        New real rows with the label.  None takes the rows that AutoGluon validated on: out-of-fold ones of a bag, or
        those held out.
    model : str, optional
        A model that corrects its prior; None takes the one with the best validation score.
    groups : Series or DataFrame, optional
        Group columns, with the index of the rows; for None the groups are the classes.
    n_bootstrap, random_state : int
        As in :func:`autosynth.group_report`.

    Returns
    -------
    GroupReport
        The corrected probabilities, with the uncorrected ones as baseline: ``difference.mean_risk`` is the change in
        log loss, the last of ``segments`` has the calibration error over all rows, and ``reliability`` the curves.
        Both are the model's own, before AutoGluon's temperature scaling.

    Raises
    ------
    ConfigError
        If no model corrects its prior, or ``model`` is none of those that do.
    DataError
        If AutoGluon validated on no rows, or its folds cannot be traced.

    Examples
    --------
    ::

        report = prior_reliability(predictor, groups=train[["sex"]])
        print(report)
        report.to_html("reliability.html")
    """
    name = _chosen(predictor, model)
    fitted = predictor._trainer.load_model(name)
    if data is not None:
        y, corrected, plain = _new_rows(predictor, fitted, data)
    elif getattr(fitted, "models", None):
        y, corrected, plain = _out_of_fold(predictor, fitted)
    else:
        y, corrected, plain = _held_out(predictor, fitted)
    labels = predictor.class_labels_internal_map
    columns = sorted(labels, key=lambda label: labels[label])
    y_true = pd.Series(np.array(columns, dtype=object)[y.to_numpy()], index=y.index, name=predictor.label)
    return group_report(
        y_true,
        pd.DataFrame(corrected, index=y.index, columns=columns),
        baseline=pd.DataFrame(plain, index=y.index, columns=columns),
        groups=None if groups is None else _of_rows(groups, y.index),
        positive_class=predictor.positive_class if len(columns) == 2 else None,
        n_bootstrap=n_bootstrap,
        random_state=random_state,
    )


def _chosen(predictor: TabularPredictor, model: str | None) -> str:
    scores = predictor.leaderboard(display=False).set_index("model")["score_val"]
    known = [name for name in scores.index if _corrects(predictor._trainer.load_model(name))]
    if not known:
        raise ConfigError(
            "no model of this predictor corrects its prior. Fit it with rebalanced(..., correct_prior=True); a fold "
            "without synthetic rows has nothing to correct."
        )
    if model is None:
        return str(scores[known].idxmax() if scores[known].notna().any() else known[0])
    if model not in known:
        raise ConfigError(
            f"model={model!r} corrects no prior.{nearest(model, known)} Those that do: {', '.join(known)}."
        )
    return model


def _corrects(fitted: Any) -> bool:
    return any(isinstance(child, InFoldRebalancing) and child._priors is not None for child in _children(fitted))


def _children(fitted: Any) -> Iterator[Any]:
    """Yield the models of a bag's folds, or the model itself."""
    children = getattr(fitted, "models", None)
    if not isinstance(children, list):
        yield fitted
        return
    for child in children:
        yield fitted.load_child(child)


def _both(child: Any, X: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return probabilities with and without the correction, each of shape (n_rows, n_classes)."""
    plain = copy.copy(child)
    plain._priors = None
    return _wide(child.predict_proba(X)), _wide(plain.predict_proba(X))


def _wide(proba: npt.NDArray[Any]) -> Floats:
    doubles = proba.astype("float64")
    return np.column_stack([1 - doubles, doubles]) if doubles.ndim == 1 else doubles


def _mean_over_children(fitted: Any, X: pd.DataFrame) -> tuple[Floats, Floats]:
    pairs = [_both(child, X) for child in _children(fitted)]
    return np.mean([pair[0] for pair in pairs], axis=0), np.mean([pair[1] for pair in pairs], axis=0)


def _new_rows(predictor: TabularPredictor, fitted: Any, data: pd.DataFrame) -> tuple[pd.Series[Any], Floats, Floats]:
    if predictor.label not in data.columns:
        raise DataError(f"data lacks the label {predictor.label!r}. Give rows whose class is known.")
    y = predictor.transform_labels(data[predictor.label])
    if y.isna().any():
        raise DataError(f"{int(y.isna().sum())} rows of data have a label that training did not hold. Leave them out.")
    X = predictor.transform_features(data.drop(columns=predictor.label))
    return y.astype("int64"), *_mean_over_children(fitted, X)


def _held_out(predictor: TabularPredictor, fitted: Any) -> tuple[pd.Series[Any], Floats, Floats]:
    trainer = predictor._trainer
    X, y = trainer.load_X_val(), trainer.load_y_val()
    if X is None or not len(X):
        raise DataError("AutoGluon held out no rows to validate on. Give data=, real rows that the model has not seen.")
    return y.astype("int64"), *_mean_over_children(fitted, X)


def _out_of_fold(predictor: TabularPredictor, fitted: Any) -> tuple[pd.Series[Any], Floats, Floats]:
    """Return what every fold's model says of the rows that this fold held out, a mean over repeats."""
    trainer = predictor._trainer
    if not fitted._bagged_mode or fitted._child_oof:
        raise DataError(
            f"model {fitted.name!r} was fitted on all rows (refit), so none is out of fold. Give data=, or the model "
            "that it was refitted from."
        )
    X, y = trainer.load_X(), trainer.load_y().astype("int64")
    sums = [np.zeros((len(X), fitted.num_classes)) for _ in range(2)]
    children = _children(fitted)
    for repeat, n_folds in enumerate(fitted._k_per_n_repeat):
        # as in AutoGluon's own importance of features: the splits of all repeats come in one list
        folds = fitted._cv_splitters[repeat].split(X=X, y=y)[repeat * n_folds : (repeat + 1) * n_folds]
        for _, held in folds:
            for total, proba in zip(sums, _both(next(children), X.iloc[held]), strict=True):
                total[held] += proba
    n_repeats = len(fitted._k_per_n_repeat)
    corrected, plain = (total / n_repeats for total in sums)
    if not np.allclose(corrected, _wide(trainer.get_model_oof(fitted.name)), atol=SAME):
        raise DataError(
            f"the folds of {fitted.name!r} cannot be traced: its predictions there are not those that AutoGluon kept. "
            "Give data=, real rows that the model has not seen."
        )
    return y, corrected, plain


def _of_rows(groups: pd.Series[Any] | pd.DataFrame, index: pd.Index) -> pd.Series[Any] | pd.DataFrame:
    absent = ~index.isin(groups.index)
    if absent.any():
        raise DataError(
            f"groups lack {int(absent.sum())} of {len(index)} rows. Give them the index of the rows they belong to."
        )
    return groups.loc[index]
