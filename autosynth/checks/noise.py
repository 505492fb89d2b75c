"""Noise: how far fresh real rows may lie from the real rows, by chance alone.

Every limit of the gate is a tolerance, for what generators may do, plus noise, for what chance does.  A whole report of
fresh real rows fails in about FALSE_ALARM_RATE of all cases: each family of checks gets an equal share of it, and each
test within a family an equal share of that (Bonferroni).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betaln, gammaln

if TYPE_CHECKING:
    import numpy.typing as npt

FALSE_ALARM_RATE = 0.02  # of a whole report
N_FAMILIES = 16  # of critical checks, that share it
KOLMOGOROV_MEAN = math.sqrt(math.pi / 2) * math.log(2)
KOLMOGOROV_SD = math.sqrt(math.pi**2 / 12 - KOLMOGOROV_MEAN**2)


def level_of_each(n_tests: int) -> float:
    """Return how often one of the tests of a family may fail by chance."""
    return FALSE_ALARM_RATE / N_FAMILIES / max(n_tests, 1)


def deviations(level: float) -> float:
    """Return how many standard deviations above its mean a normal quantity lies with this probability."""
    return -NormalDist().inv_cdf(level)


def kolmogorov_deviations(level: float) -> float:
    """Return how many standard deviations above its mean a Kolmogorov-Smirnov distance lies with this probability.

    More than a normal quantity: Kolmogorov's distribution is skewed.

    Examples
    --------
    >>> round(deviations(0.0001), 2), round(kolmogorov_deviations(0.0001), 2)
    (3.72, 5.21)
    """
    return (math.sqrt(math.log(2 / level) / 2) - KOLMOGOROV_MEAN) / KOLMOGOROV_SD


@dataclass(frozen=True)
class Noise:
    """A distance between two samples of one distribution: what it is on average, and how far it may lie above that.

    Attributes
    ----------
    bias : float
        Its mean.
    deviation : float
        What it exceeds its mean by no more often than the level that was asked for.
    """

    bias: float
    deviation: float

    def plus(self, shift: float) -> Noise:
        """Return the noise of samples that a shift of this size sets apart as well."""
        return Noise(math.hypot(self.bias, shift), self.deviation)

    @property
    def total(self) -> float:
        """The distance that is hardly ever exceeded by chance."""
        return self.bias + self.deviation

    def limit(self, tolerance: float) -> float:
        """Return the largest distance to let pass, where a true distance of ``tolerance`` is let pass.

        A true distance and the bias add up like independent errors, by squares.

        Examples
        --------
        >>> Noise(bias=0.04, deviation=0.02).limit(0.03)
        0.07
        """
        return min(1.0, math.hypot(tolerance, self.bias) + self.deviation)


def spread(n_real: float, n_made: float) -> float:
    """Return the variance of a difference of means, in units of the variance of one row."""
    return 1 / n_real + 1 / n_made


def number_noise(n_real: float, n_made: float, level: float) -> Noise:
    """Return the noise of a Kolmogorov-Smirnov distance: its asymptotic mean, and the bound of Massart.

    References
    ----------
    Massart. The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality. Annals of Probability 18, 1990.
    """
    scale = math.sqrt(spread(n_real, n_made))
    bias = mean_number_noise(n_real, n_made)
    return Noise(bias, max(0.0, math.sqrt(math.log(2 / level) / 2) * scale - bias))


def mean_number_noise(n_real: float, n_made: float) -> float:
    """Return the mean Kolmogorov-Smirnov distance of two samples of one continuous distribution.

    The asymptotic mean of Kolmogorov's distribution less a part for small samples, fitted to simulated ones of 5 to
    1,000 rows; it is then right to 3 %.
    """
    scale = math.sqrt(spread(n_real, n_made))
    return KOLMOGOROV_MEAN * scale - 0.2 * scale**2


def mean_level_noise(shares: npt.NDArray[np.float64], n_real: int, n_made: int) -> float:
    """Return the mean total variation distance of two samples whose categories have these shares.

    A frequent category deviates by sqrt(2 p (1 - p) (1/n + 1/m) / π) on average, one that hardly occurs by 2 p.
    """
    frequent = np.sqrt(2 / math.pi * shares * (1 - shares) * spread(n_real, n_made))
    rare = 2 * shares
    both = np.hypot(frequent, rare)
    return float(np.sum(np.divide(frequent * rare, both, out=np.zeros_like(both), where=both > 0)) / 2)


def level_noise(n_real: float, n_made: float, n_values: int, level: float) -> Noise:
    """Return the noise of a total variation distance of ``n_values`` categories.

    Its mean is at most sqrt((k - 1) (1/n + 1/m)) / 2 by Cauchy-Schwarz; what it exceeds that by follows from
    McDiarmid's inequality.
    """
    scale = math.sqrt(spread(n_real, n_made))
    bias = math.sqrt(max(n_values - 1, 1)) * scale / 2
    deviation = math.sqrt(math.log(1 / level) / 2) * scale
    return Noise(bias, deviation)


@dataclass(frozen=True)
class Chance:
    """A share that fresh rows of the same mix of groups are expected to have, and the real rows that it rests on.

    Attributes
    ----------
    share : float
        0 to 1.
    n_real : float
        Rows that say as much about this mix of groups as the real ones do: fewer where small groups weigh much.
    """

    share: float
    n_real: float

    @classmethod
    def of_mix(cls, counts: npt.ArrayLike, sizes: npt.ArrayLike, mix: npt.ArrayLike) -> Chance:
        """Return the share that ``counts`` of ``sizes`` real rows per group give in a mix of groups.

        Parameters
        ----------
        counts, sizes : array of shape (n_groups,)
            Real rows of each group that count, and all of them.
        mix : array of shape (n_groups,)
            Synthetic rows of each group; where there are none at all, the mix of the real rows is taken.

        Examples
        --------
        >>> Chance.of_mix([0, 10], [900, 100], [50, 50]).share
        0.05
        """
        hits, sizes, weights = (np.asarray(some, dtype=np.float64) for some in (counts, sizes, mix))
        weights = weights if weights.sum() else sizes
        asked = (weights > 0) & (sizes > 0)
        if not asked.any():
            return cls(0.0, 0.0)
        weights = weights[asked] / weights[asked].sum()
        n_real = 1 / float(np.sum(weights**2 / sizes[asked]))
        return cls(float(np.sum(weights * hits[asked] / sizes[asked])), n_real)

    def highest(self, n_made: int, level: float, tolerance: float = 0.0) -> float:
        """Return the largest share among ``n_made`` rows that may be chance, plus a tolerance.

        The number of fresh rows that count, given how many of the real ones do, follows a beta-binomial distribution
        (with Jeffreys' prior); one more than its quantile is too many.

        Examples
        --------
        >>> Chance(share=0.0, n_real=1000).highest(1000, level=0.001)
        0.008
        """
        if not n_made or self.n_real < 1:
            return 1.0
        return min(1.0, self._quantile(n_made, level) / n_made + tolerance)

    def lowest(self, n_made: int, level: float, tolerance: float = 0.0) -> float:
        """Return the smallest share among ``n_made`` rows that may be chance, less a tolerance."""
        return 1 - Chance(1 - self.share, self.n_real).highest(n_made, level, tolerance)

    def _quantile(self, n_made: int, level: float) -> int:
        """Return the smallest number of rows that is exceeded with at most this probability."""
        hits, misses = self.share * self.n_real + 0.5, (1 - self.share) * self.n_real + 0.5
        share, weight = hits / (hits + misses), hits + misses
        mean = n_made * share
        reach = 12 * math.sqrt(mean * (1 - share) * (weight + n_made) / (weight + 1)) + 40
        counts = np.arange(max(0, math.floor(mean - reach)), min(n_made, math.ceil(mean + reach)) + 1)
        logs = betaln(counts + hits, n_made - counts + misses) - gammaln(counts + 1) - gammaln(n_made - counts + 1)
        mass = np.exp(logs - logs.max())
        above = np.cumsum(mass[::-1])[::-1] / mass.sum()  # of each count and more
        return int(counts[np.flatnonzero(above > level)[-1]])
