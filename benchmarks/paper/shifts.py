"""Shifts of the prior, alike for every arm: none, in closed form, or tuned on real out-of-fold rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autosynth.prior_shift import fit_offsets, log_softmax

if TYPE_CHECKING:
    from quality.splits import Groups

SHIFTS = ("none", "prior", "tuned")


def prior_shifted(proba: np.ndarray, segments: np.ndarray, trained_odds: np.ndarray) -> np.ndarray:
    """Return probabilities as if every segment had been trained with balanced classes.

    Examples
    --------
    >>> prior_shifted(np.array([0.1]), np.array([0]), np.log([1 / 9])).round(3).tolist()
    [0.5]
    """
    return 1.0 / (1.0 + np.exp(trained_odds[segments] - np.log(proba) + np.log1p(-proba)))


def tuned_offsets(groups: Groups, y: np.ndarray, proba: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Return class offsets per segment with the least balanced cross-entropy on out-of-fold rows."""
    return fit_offsets(_logs(proba), y, segments, n_segments=int(groups.segments.max()) + 1)


def shifted(proba: np.ndarray, segments: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the probability of the positive label after the offsets."""
    return np.exp(log_softmax(_logs(proba) + offsets[segments]))[:, 1].clip(1e-9, 1 - 1e-9)


def _logs(proba: np.ndarray) -> np.ndarray:
    return np.log(np.column_stack([1 - proba, proba]))
