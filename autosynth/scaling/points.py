"""The points of a scaling curve, and the models without augmentation that they are held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.interval import Interval, normal_interval
from autosynth.tuning.candidate import spread

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.tuning.outcome import ArmOutcome

    Floats: TypeAlias = npt.NDArray[np.float64]

__all__ = ["LEVEL", "Reference", "ScalingPoint", "covariance_of"]

LEVEL = 0.95  # of all intervals of a curve
FEWEST_REPLICATES = 20


@dataclass(frozen=True)
class ScalingPoint:
    """The risk of models that got N rows more per group.

    Attributes
    ----------
    n : int
        N.
    risk : Interval
        On real validation rows; its limits are those of other validation rows, which all points share.
    standard_error : float
        Of the risk; differences of points are known better.
    n_added : float
        Rows added to a training part, oversampled ones among them, as a mean over folds.
    seconds : float
        Time spent on the models.
    """

    n: int
    risk: Interval
    standard_error: float
    n_added: float
    seconds: float

    @classmethod
    def of(cls, n: int, draws: Floats, outcome: ArmOutcome) -> ScalingPoint:
        """Return the point of a model whose draws of the risk are given, the value first and then the replicates."""
        return cls(n, normal_interval(draws, LEVEL), spread(draws), outcome.n_synthetic, outcome.seconds)


@dataclass(frozen=True)
class Reference:
    """The risk of models without augmentation.

    Attributes
    ----------
    name : str
        "oversampled only", "none", "none, corrected prior", "class weights", ...
    risk : Interval
    """

    name: str
    risk: Interval


def covariance_of(draws: Floats) -> Floats | None:
    """Return the covariance of points over the replicates that they share; None where too few tell it.

    Parameters
    ----------
    draws : ndarray of shape (1 + n_replicates, n_points)
        Row 0 on the rows as they are.
    """
    replicates = draws[1:][np.isfinite(draws[1:]).all(axis=1)]
    if len(replicates) < max(FEWEST_REPLICATES, 2 * draws.shape[1]):
        return None
    covariance = np.atleast_2d(np.cov(replicates.T))
    return covariance if (np.diag(covariance) > 0).all() else None
