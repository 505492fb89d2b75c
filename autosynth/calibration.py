"""Prior correction: probabilities of a model trained on rebalanced rows, brought back to the prior of real rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.exceptions import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

__all__ = ["UNSEEN", "cell_weights", "correct_prior"]

UNSEEN = -1  # the code of a segment that training did not hold


def correct_prior(
    proba: npt.ArrayLike,
    *,
    trained: npt.ArrayLike,
    target: npt.ArrayLike,
    segments: npt.ArrayLike | None = None,
) -> Floats:
    """Return probabilities as they would be under another prior of the classes, or of class x group.

    By Bayes' rule p_target(y | x) is proportional to p_trained(y | x) · target(y) / trained(y), exactly so when the
    rows within each class have the same distribution under both priors: sampling ratios alone differ.

    With ``segments`` (combinations of group columns) this holds cell by cell.  For a row of segment s,
    p_target(y | x) is proportional to p_trained(y | x) · target(y | s) / trained(y | s), exactly so when the rows
    within each cell class x segment have the same distribution under both priors, and s can be told from x: then
    it does not matter how much weight a segment as a whole had in training.

    Parameters
    ----------
    proba : array of shape (n_rows, n_classes)
        Probabilities of the trained model; every row sums to 1.
    trained, target : array of shape (n_classes,), or (n_segments, n_classes) with ``segments``
        Shares (or counts) in training, weights included, and in the population asked about.  A class that had no
        weight in training keeps probability 0.  Where one cell of a class x segment had none, or a whole segment has
        none in ``trained`` or in ``target``, nothing is known of it, and the correction of the classes over all
        segments stands in.
    segments : array of int, shape (n_rows,), optional
        The segment of every row, a row of ``trained`` and ``target``; -1 for one that they do not hold, which gets the
        correction of the classes over all segments.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        Every row sums to 1.

    Raises
    ------
    DataError
        If shapes differ, a prior is negative or not finite, or a segment is out of range.

    Notes
    -----
    Repeated real rows and row weights meet the assumption.  Rows of a generator do as far as they are like the real
    ones: a model that tells them apart has raised its probabilities of real rows by less than their number says, and
    is corrected too far; so is one that knows its rows by heart.  Compare both on held-out real rows
    (:func:`autosynth.group_report` with the uncorrected probabilities as ``baseline``).

    References
    ----------
    Saerens, Latinne, Decaestecker. Adjusting the outputs of a classifier to new a priori probabilities. Neural
    Computation 14(1), 2002. Equation 2.4.

    Examples
    --------
    >>> correct_prior([[0.5, 0.5]], trained=[0.5, 0.5], target=[0.9, 0.1]).round(3).tolist()
    [[0.9, 0.1]]

    Trained on even groups; among the real rows, the second class is rare in the first segment alone:

    >>> even, real = [[50, 50], [50, 50]], [[90, 10], [50, 50]]
    >>> correct_prior([[0.5, 0.5], [0.5, 0.5]], trained=even, target=real, segments=[0, 1]).round(3).tolist()
    [[0.9, 0.1], [0.5, 0.5]]
    """
    given = np.asarray(proba, dtype="float64")
    before, after = np.asarray(trained, dtype="float64"), np.asarray(target, dtype="float64")
    _check_shapes(given, before, after, has_segments=segments is not None)
    _check_priors(before, after)
    if segments is None:
        factors = _factors(before[None], after[None])[np.zeros(len(given), dtype=np.int64)]
    else:
        factors = _factors(before, after)[_read_segments(segments, n_rows=len(given), n_segments=len(before))]
    corrected = given * factors
    total = corrected.sum(axis=1, keepdims=True)
    # A row whose whole probability lies on classes without target weight has no corrected form; it stays as it is.
    return np.where(total > 0, corrected / np.where(total > 0, total, 1.0), given)


def cell_weights(
    labels: npt.ArrayLike,
    segments: npt.ArrayLike | None = None,
    *,
    n_labels: int,
    n_segments: int = 1,
    weights: npt.ArrayLike | None = None,
) -> Floats:
    """Return the total weight of the rows in every cell, as `correct_prior` takes it; shape (n_segments, n_labels).

    Parameters
    ----------
    labels : array of int, shape (n_rows,)
        Class codes from 0 to ``n_labels`` - 1.
    segments : array of int, shape (n_rows,), optional
        Segment codes from 0 to ``n_segments`` - 1; rows of code -1 are left out.  None puts all rows into one segment.
    n_labels, n_segments : int
        How many classes and segments there are.
    weights : array of shape (n_rows,), optional
        What every row counts; None counts rows.

    Examples
    --------
    >>> cell_weights([0, 0, 1], [0, 1, 1], n_labels=2, n_segments=2).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    codes = np.asarray(labels, dtype=np.int64)
    places = np.zeros(len(codes), dtype=np.int64) if segments is None else np.asarray(segments, dtype=np.int64)
    counted = np.ones(len(codes)) if weights is None else np.asarray(weights, dtype="float64")
    known = places != UNSEEN
    cells = places[known] * n_labels + codes[known]
    sums = np.bincount(cells, weights=counted[known], minlength=n_segments * n_labels)
    return sums.astype("float64").reshape(n_segments, n_labels)


def _factors(before: Floats, after: Floats) -> Floats:
    """Return what to multiply probabilities by, a row per segment and at last one for segments that are not known."""
    pooled = _ratio(before.sum(axis=0), after.sum(axis=0))
    factors = np.array(
        [_ratio(*pair) if all(part.any() for part in pair) else pooled for pair in zip(before, after, strict=True)]
    )
    return np.vstack([np.where(before > 0, factors, pooled), pooled])


def _ratio(before: Floats, after: Floats) -> Floats:
    before, after = before / before.sum(), after / after.sum()
    return np.divide(after, before, out=np.zeros_like(after), where=before > 0)


def _check_shapes(proba: Floats, trained: Floats, target: Floats, *, has_segments: bool) -> None:
    width = proba.shape[1:]
    fits = trained.ndim == 2 and trained.shape[1:] == width if has_segments else trained.shape == width
    if proba.ndim != 2 or not fits or target.shape != trained.shape:
        wanted = "(n_segments, n_classes) with segments" if has_segments else "(n_classes,)"
        raise DataError(
            f"probabilities of shape {proba.shape} do not fit priors of shapes {trained.shape} and {target.shape}. "
            f"Give (n_rows, n_classes) and twice {wanted}."
        )


def _check_priors(trained: Floats, target: Floats) -> None:
    for prior in (trained, target):
        if not np.isfinite(prior).all() or (prior < 0).any() or prior.sum() <= 0:
            raise DataError(
                f"class priors are {trained.tolist()} and {target.tolist()}. They must be finite, and must not be "
                "negative or all zero."
            )


def _read_segments(segments: npt.ArrayLike, *, n_rows: int, n_segments: int) -> Codes:
    codes = np.asarray(segments)
    if codes.shape != (n_rows,) or not np.issubdtype(codes.dtype, np.integer):
        raise DataError(
            f"segments have shape {codes.shape} and dtype {codes.dtype} for {n_rows} rows. Give a whole number per row."
        )
    if len(codes) and not (codes.min() >= UNSEEN and codes.max() < n_segments):
        raise DataError(
            f"segments run from {codes.min()} to {codes.max()}, and the priors have {n_segments} of them. Use 0 to "
            f"{n_segments - 1}, or -1 for a segment that they do not hold."
        )
    return codes.astype(np.int64)
