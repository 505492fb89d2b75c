"""Reliability: how often a class occurs where a model gives it a certain probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from autosynth.interval import wilson_interval

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.interval import Interval
    from autosynth.predictions import Target

    Floats: TypeAlias = npt.NDArray[np.float64]
    Mask: TypeAlias = npt.NDArray[np.bool_]

__all__ = ["Reliability", "ReliabilityBin", "ReliabilityCurve", "reliability_curves"]

MAX_BINS = 15
ROWS_PER_BIN = 25  # a share of fewer rows has limits too wide to say anything


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows with neighbouring probabilities.

    Attributes
    ----------
    predicted : float
        Mean probability of the class.
    observed : Interval
        Share of the rows that are of the class, with Wilson's limits.
    n_rows : int
        At least 1.
    """

    predicted: float
    observed: Interval
    n_rows: int


@dataclass(frozen=True)
class ReliabilityCurve:
    """One model and one class: bins by rising probability, with about the same number of rows in each."""

    label: Any
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True)
class Reliability:
    """Before and after, on the real rows that were given, counted as they are.

    A model that was made for even groups says a rare class more often than it occurs among such rows: there its
    curve lies below the diagonal, and that is no fault.

    Attributes
    ----------
    new : tuple of ReliabilityCurve
        Two classes: the positive one.  More: each.
    baseline : tuple of ReliabilityCurve or None
        The same classes; None without a baseline.
    """

    new: tuple[ReliabilityCurve, ...]
    baseline: tuple[ReliabilityCurve, ...] | None


def reliability_curves(probabilities: Floats, target: Target, *, level: float) -> tuple[ReliabilityCurve, ...]:
    """Return one curve for the positive class, or one for each of several classes.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_classes)
        Of real rows.
    target : Target
        The classes, and the class of every row.
    level : float
        Confidence level of the limits, in (0, 1).
    """
    positions = range(len(target.classes)) if target.positive is None else [target.positive]
    return tuple(
        ReliabilityCurve(target.classes[at], _bins(probabilities[:, at], target.codes == at, level)) for at in positions
    )


def _bins(probability: Floats, outcome: Mask, level: float) -> tuple[ReliabilityBin, ...]:
    order = np.argsort(probability, kind="stable")
    ordered, hits = probability[order], outcome[order]
    n_rows = len(order)
    n_bins = min(MAX_BINS, max(1, n_rows // ROWS_PER_BIN))
    cuts = np.arange(n_bins) * n_rows // n_bins
    # Rows of one probability stay together, in the bin where the first of them falls: so no bin is empty, and none
    # depends on the order of the rows.
    starts = np.unique(np.searchsorted(ordered, ordered[cuts], side="left"))
    stops = [*starts[1:], n_rows]
    return tuple(
        ReliabilityBin(
            predicted=float(ordered[start:stop].mean()),
            observed=wilson_interval(int(hits[start:stop].sum()), int(stop - start), level),
            n_rows=int(stop - start),
        )
        for start, stop in zip(starts, stops, strict=True)
    )
