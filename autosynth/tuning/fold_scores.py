"""Metrics that are taken fold by fold: the order of rows within a fold, and functions of the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from autosynth.exceptions import ConfigError
from autosynth.risk import Ranking
from autosynth.seeding import as_generator

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.table import Table
    from autosynth.tuning.metrics import Metric
    from autosynth.tuning.out_of_fold import OutOfFold
    from autosynth.tuning.replicates import Replicates

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

__all__ = ["fold_draws", "ranking_draws", "ranking_scores"]


def ranking_scores(said: OutOfFold, positive: int | None) -> tuple[float, float]:
    """Return AUC and average precision: means over folds, of the positive class against the rest.

    With more than two classes the mean of each class against the rest.  A fold that lacks a class says nothing of it.
    """
    found = [
        ranking.auc_and_average_precision(np.ones((1, len(rows)), dtype=np.float32))
        for ranking, rows in _rankings(said, positive)
    ]
    if not found:
        return float("nan"), float("nan")
    return float(np.mean([auc for auc, _ in found])), float(np.mean([precision for _, precision in found]))


def ranking_draws(said: OutOfFold, positive: int | None, replicates: Replicates) -> tuple[Floats, Floats]:
    """Return the same on the rows as they are and on the shared replicates, each of shape (1 + n_bootstrap,)."""
    auc, precision = replicates.ranking(list(_rankings(said, positive)))
    return _mean(auc), _mean(precision)


def fold_draws(said: OutOfFold, table: Table, metric: Metric, n_bootstrap: int) -> Floats:
    """Return a user's metric as a loss, shape (1 + n_bootstrap,): its mean over folds, and how much that varies.

    Nothing is known of such a function but its value per fold, so its spread is that of the folds.  Training parts
    overlap, which makes folds look more alike than fresh data; the correction of the reference widens the spread.

    References
    ----------
    Nadeau, Bengio. Inference for the generalization error. Machine Learning 52, 2003.
    """
    values = np.array(
        [_value(said, table, metric, repeat, fold) for repeat, fold in zip(*np.nonzero(said.judged), strict=True)]
    )
    draws = np.full(1 + n_bootstrap, np.nan)
    draws[0] = metric.loss(values.mean())
    n_folds = len(values)
    if n_folds > 1:
        test_share = 1 / said.folds.n_folds
        width = np.sqrt((1 / n_folds + test_share / (1 - test_share)) / (n_folds - 1))
        steps = as_generator(n_folds).normal(size=(n_bootstrap, n_folds))  # the same for all candidates
        draws[1:] = draws[0] + width * steps @ (values - values.mean())
    return draws


def _rankings(said: OutOfFold, positive: int | None) -> Iterator[tuple[Ranking, Codes]]:
    """Yield a ranking for each judged fold and class (the positive one of two) that has rows there, and not all."""
    for repeat, fold in zip(*np.nonzero(said.judged), strict=True):
        rows = said.rows(repeat, fold)
        for code in range(said.coded.n_classes) if positive is None else [positive]:
            is_positive = said.coded.label_codes[rows] == code
            if 0 < is_positive.sum() < len(rows):
                yield Ranking.from_scores(said.order[repeat, rows, code], is_positive), rows


def _mean(draws: Floats) -> Floats:
    """Return the mean over rankings, shape (n_draws,); one that a replicate left without a class is left out."""
    defined = np.isfinite(draws)
    total, count = np.where(defined, draws, 0.0).sum(axis=1), defined.sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(len(draws), np.nan), where=count > 0))


def _value(said: OutOfFold, table: Table, metric: Metric, repeat: int, fold: int) -> float:
    rows = said.rows(repeat, fold)
    y_true = table.frame[table.label].iloc[rows]
    y_proba = pd.DataFrame(said.probabilities(repeat, rows), index=y_true.index, columns=list(said.coded.classes))
    assert metric.function is not None  # noqa: S101 - the caller has looked
    value = metric.function(y_true, y_proba)
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"metric {metric.name!r} returned {value!r}. It must return one number.") from error
    if not np.isfinite(number):
        raise ConfigError(
            f"metric {metric.name!r} returned {number} for fold {fold + 1} of {said.folds.n_folds} ({len(rows)} rows). "
            "It must return a finite number for every fold: use fewer folds, or handle this case."
        )
    return number
