"""Prior correction: probabilities of a model trained on rebalanced rows, brought back to the prior of real rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autosynth.exceptions import DataError

if TYPE_CHECKING:
    import numpy.typing as npt


def correct_prior(proba: npt.ArrayLike, *, trained: npt.ArrayLike, target: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return probabilities as they would be under another class prior.

    By Bayes' rule p_target(y | x) is proportional to p_trained(y | x) · target(y) / trained(y), exactly so when the
    rows within each class have the same distribution under both priors: sampling ratios alone differ.

    Parameters
    ----------
    proba : array of shape (n_rows, n_classes)
        Probabilities of the trained model; every row sums to 1.
    trained, target : array of shape (n_classes,)
        Class shares (or counts) in training, weights included, and in the population asked about.  A class that had
        no weight in training keeps probability 0.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        Every row sums to 1.

    Raises
    ------
    DataError
        If shapes differ or a prior is negative.

    References
    ----------
    Saerens, Latinne, Decaestecker. Adjusting the outputs of a classifier to new a priori probabilities. Neural
    Computation 14(1), 2002. Equation 2.4.

    Examples
    --------
    >>> correct_prior([[0.5, 0.5]], trained=[0.5, 0.5], target=[0.9, 0.1]).round(3).tolist()
    [[0.9, 0.1]]
    """
    given = np.asarray(proba, dtype="float64")
    before, after = np.asarray(trained, dtype="float64"), np.asarray(target, dtype="float64")
    if given.ndim != 2 or before.shape != (given.shape[1],) or after.shape != before.shape:
        raise DataError(
            f"probabilities of shape {given.shape} do not fit priors of shapes {before.shape} and {after.shape}. "
            "Give (n_rows, n_classes) and twice (n_classes,)."
        )
    if (before < 0).any() or (after < 0).any() or before.sum() <= 0 or after.sum() <= 0:
        raise DataError(
            f"class priors are {before.tolist()} and {after.tolist()}. They must not be negative or all zero."
        )
    before, after = before / before.sum(), after / after.sum()
    ratio = np.divide(after, before, out=np.zeros_like(after), where=before > 0)
    corrected = given * ratio
    total = corrected.sum(axis=1, keepdims=True)
    # A row whose whole probability lies on classes without target weight has no corrected form; it stays as it is.
    return np.where(total > 0, corrected / np.where(total > 0, total, 1.0), given)
