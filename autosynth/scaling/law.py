"""ScalingLaw: risk = a + b N^-c through measured points, with limits that hold where the points say little."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from autosynth.exceptions import ConfigError, DataError
from autosynth.interval import Interval
from autosynth.options import check_number
from autosynth.plain_data import to_plain
from autosynth.scaling.least_squares import LeastSquares, Region
from autosynth.scaling.noise import PointNoise
from autosynth.scaling.words import law_sentences, scatter_sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]

__all__ = ["FALLS", "FLAT", "MIN_POINTS", "RISES", "ScalingLaw"]

MIN_POINTS = 4  # three parameters, and one point to see by that the law may be wrong
FALLS, FLAT, RISES = "falls", "flat", "rises"
LARGEST_SIZE = 1e15  # beyond this many rows, a limit counts as infinite


@dataclass(frozen=True)
class ScalingLaw:
    """Risk against the number N of synthetic rows added per group: risk(N) = a + b N^-c.

    The form comes from Nakada, Xu, Li and Zhang.  They study a learner that minimises the loss over real rows, rows
    that oversample the small groups, and N augmented rows per group, and its balanced excess risk: how much more it
    loses, as a mean over groups, than the best model of its class.  They show that this falls polynomially in the
    number of synthetic rows, until what remains is the generator's own error.  For the three parameters that means:

    - ``a``, the floor, is the risk of the best model plus the price of the generator's bias.  More rows of the same
      generator do not get below it; another generator, or real rows, may.
    - ``c``, the exponent, is the rate at which the class of models learns.  It depends on how rich the class is and on
      how smooth the truth is, so it belongs to the learner and the table rather than to the generator.
    - ``b`` is the excess over the floor at N = 1, a mere extrapolation, and its limits are as wide as that sounds.

    What is promised rests on assumptions that a table need not meet: rows drawn independently, a generator whose
    distribution is close to the truth and stays the same however many rows it gives, a loss that behaves, and a learner
    that finds the minimum over its class.  Rates of this kind are bounds, for many rows.  Boosted trees of fixed
    settings do not minimise over a class, and a generator fitted on the very rows that train the model gives rows that
    depend on them, with few parents in small groups.  Risk may then fall by another law, or fall and rise again as the
    generator's errors outweigh the real rows.  So the law is fitted and not assumed: ``shape`` says what was seen, and
    ``extra_scatter`` how far the points lie off the law beyond their noise.

    Attributes
    ----------
    a : Interval
        The floor, in the unit of the risk; never below 0, as no risk is.  NaN where the risk rises.
    b : Interval
        Excess over the floor at N = 1, in the unit of the risk; from 0 on.  NaN where no decay is seen.
    c : Interval
        The exponent, above 0.  NaN where no decay is seen; limits of 0 and infinity say that it is not identified.
    shape : str
        "falls", "flat" where points of one constant risk are as likely, "rises" where more rows do harm.
    sizes, risks, standard_errors : tuple of float
        The points; the errors hold the extra scatter.
    level : float
        Confidence level of all limits.
    extra_scatter : float
        Standard deviation of the points around the law beyond the noise that was given, in the unit of the risk; such
        as the luck of training.  All limits allow for it.
    sentences : tuple of str
        What was found, in plain words.

    Notes
    -----
    Generalised least squares with a, b >= 0 and c > 0.  Limits are those of the profile likelihood: the range that a,
    b, c, the risk at some N, or the N of :meth:`enough` take over all laws that the points do not reject at the level.
    ``benchmarks/scaling_law.py`` measures how often they hold the truth.

    References
    ----------
    Nakada, Xu, Li, Zhang. Synthetic oversampling: theory and a practical approach using LLMs to address data imbalance.
    arXiv 2406.03628.
    Venzon, Moolgavkar. A method for computing profile-likelihood-based confidence intervals. Applied Statistics 37,
    1988.

    Examples
    --------
    >>> n = [50, 100, 200, 400, 800, 1600]
    >>> law = ScalingLaw.fit(n, [0.3 + 2 * size**-0.5 for size in n], [0.002] * 6)
    >>> print(law.c, law.shape)
    0.500 [0.456, 0.544] falls
    >>> round(law.enough(0.01).value)
    3431
    """

    a: Interval
    b: Interval
    c: Interval
    shape: str
    sizes: tuple[float, ...]
    risks: tuple[float, ...]
    standard_errors: tuple[float, ...]
    level: float
    extra_scatter: float
    sentences: tuple[str, ...]
    region: Region = field(repr=False, compare=False)
    best: tuple[float, float, float] = field(repr=False, compare=False)  # floor, excess at the smallest size, exponent

    @classmethod
    def fit(
        cls,
        n: Sequence[float] | Floats,
        risk: Sequence[float] | Floats,
        se: Sequence[float] | Floats | None = None,
        *,
        covariance: Floats | None = None,
        level: float = 0.95,
    ) -> ScalingLaw:
        """Fit the law to at least 4 points.

        Parameters
        ----------
        n : sequence of shape (n_points,)
            Synthetic rows per group, above 0 and rising.
        risk : sequence of shape (n_points,)
            Risk at each of them, in any unit such as nats, from 0 on; lower is better.
        se : sequence of shape (n_points,), optional
            Standard errors, when the points are independent of each other.
        covariance : ndarray of shape (n_points, n_points), optional
            Instead of ``se``: the covariance of the points, such as that of bootstrap replicates which the points
            share.  Points scored on the same rows share their luck; their differences are known better than each of
            them.  What they share is smoothed over the sizes.
        level : float
            Confidence level of the limits, above 0 and below 1.

        Returns
        -------
        ScalingLaw
            With neither ``se`` nor ``covariance``, the noise is taken as equal and read off the points' own scatter.

        Raises
        ------
        ConfigError
            If both ``se`` and ``covariance`` are given, or ``level`` is out of range.
        DataError
            If there are fewer than 4 points, sizes are not rising, or a number is missing or out of range.
        """
        sizes, risks = _read_points(n, risk)
        _check_level(level)
        noise = PointNoise.read(sizes, risks, se, covariance)
        points = LeastSquares.of(sizes, risks, noise.covariance)
        exponent, (floor, excess), left = points.best_exponent()
        tolerated = noise.quantile(level) ** 2
        region = Region.around(points, exponent, left + tolerated)
        shape = _shape(points, left, tolerated)
        if shape != FALLS:
            floor, excess = points.flat[0], 0.0
        a, b, c = _parameters(region, (floor, excess, exponent), float(sizes[0]), shape)
        return cls(
            a=a,
            b=b,
            c=c,
            shape=shape,
            sizes=tuple(sizes.tolist()),
            risks=tuple(risks.tolist()),
            standard_errors=tuple(np.sqrt(np.diag(noise.covariance)).tolist()),
            level=level,
            extra_scatter=noise.extra,
            sentences=(
                *law_sentences(shape, a, b, c, sizes=(float(sizes[0]), float(sizes[-1])), level=level),
                *(scatter_sentences(noise.extra) if noise.is_misfit else ()),
            ),
            region=region,
            best=(float(floor), float(excess), exponent),
        )

    @property
    def floor(self) -> Interval:
        """What more rows of this generator lead to: ``a``."""
        return self.a

    @property
    def is_identified(self) -> bool:
        """Whether the points pin the exponent down: a decay is seen, and both limits are finite and above zero."""
        return self.shape == FALLS and self.c.low > 0 and math.isfinite(self.c.high)

    def predict(self, n: float) -> Interval:
        """Return the risk that the law expects at ``n`` synthetic rows per group, without the noise of a measurement.

        NaN where the risk rises, as there is no law then.

        Parameters
        ----------
        n : float
            Rows per group, above 0.  Far beyond the sizes measured, the limits widen, and hold only if the law does.

        Raises
        ------
        ConfigError
            If ``n`` is not above 0.
        """
        check_number("n", n, above=0.0)
        if self.shape == RISES:
            return Interval(math.nan)
        log_ratio = math.log(n / self.sizes[0])
        floor, excess, exponent = self.best
        value = floor + excess * _bounded_exp(-exponent * log_ratio) if excess else floor
        share = np.exp(np.minimum(-self.region.exponents * log_ratio, 700.0))
        low, high = self.region.extremes(np.column_stack([np.ones_like(share), share]))
        return Interval(value, min(value, float(low.min())), max(value, float(high.max())))

    def enough(self, gain: float) -> Interval:
        """Return the N from which on a further doubling of N lowers the risk by less than ``gain``.

        Doubling takes b N^-c (1 - 2^-c) away, which is less than the gain from N* = (b (1 - 2^-c) / gain)^(1/c) on.

        Parameters
        ----------
        gain : float
            In the unit of the risk (nats for the balanced cross-entropy), above 0.

        Returns
        -------
        Interval
            In rows per group; 0 where no decay is seen.  Values outside the sizes measured are extrapolated, and
            infinity stands for more rows than anyone would make.

        Raises
        ------
        ConfigError
            If ``gain`` is not above 0.
        """
        check_number("gain", gain, above=0.0)
        _, excess, exponent = self.best
        value = float(self._enough(np.array([excess]), np.array([exponent]), gain)[0])
        exponents = self.region.exponents
        low, high = self.region.extremes(np.tile([0.0, 1.0], (len(exponents), 1)))
        lows, highs = self._enough(low, exponents, gain), self._enough(high, exponents, gain)
        return Interval(value, min(value, float(lows.min())), max(value, float(highs.max())))

    def _enough(self, excess: Floats, exponents: Floats, gain: float) -> Floats:
        """Return N* for excesses at the smallest size; in logs, as slow decays need astronomical numbers."""
        with np.errstate(divide="ignore"):  # no excess: N* is 0
            first_doubling = np.log(excess * -np.expm1(-exponents * math.log(2)) / gain)
        sizes = np.exp(np.minimum(math.log(self.sizes[0]) + first_doubling / exponents, 700.0))
        return np.where(sizes > LARGEST_SIZE, np.inf, sizes)

    def to_dict(self) -> dict[str, Any]:
        """Return the law as plain data; what is not finite is None."""
        names = ("shape", "a", "b", "c", "is_identified", "level", "extra_scatter", "sizes", "risks", "standard_errors")
        return {name: to_plain(getattr(self, name)) for name in (*names, "sentences")}

    def __str__(self) -> str:
        return "\n".join(self.sentences)


def _read_points(n: Any, risk: Any) -> tuple[Floats, Floats]:
    try:
        sizes, risks = np.asarray(n, dtype=float).reshape(-1), np.asarray(risk, dtype=float).reshape(-1)
    except (TypeError, ValueError) as error:
        raise DataError(f"sizes and risks must be numbers: {error}.") from error
    if len(sizes) != len(risks):
        raise DataError(f"{len(sizes)} sizes and {len(risks)} risks do not belong together. Give one risk per size.")
    if len(sizes) < MIN_POINTS:
        raise DataError(
            f"{len(sizes)} points are too few for a law of three parameters. Give at least {MIN_POINTS} sizes, "
            "each about twice the one before."
        )
    if not (np.isfinite(sizes).all() and sizes[0] > 0 and (np.diff(sizes) > 0).all()):
        raise DataError(f"sizes are {sizes.tolist()}. Give numbers above 0 that rise from one to the next.")
    if not (np.isfinite(risks).all() and (risks >= 0).all()):
        raise DataError(f"risks are {risks.tolist()}. Give finite numbers from 0 on; leave out sizes without a risk.")
    return sizes, risks


def _check_level(level: float) -> None:
    check_number("level", level, above=0.0, high=1.0)
    if level == 1:
        raise ConfigError("level=1 admits every law. Use a number above 0 and below 1, such as 0.95.")


def _shape(points: LeastSquares, left: float, tolerated: float) -> str:
    """Return what the points show: one constant risk, unless that leaves too much unexplained."""
    left_by_constant = points.flat[1]
    if left_by_constant > left + tolerated:
        return FALLS
    _, left_by_any, is_rising = points.of_any_sign()
    return RISES if is_rising and left_by_constant > left_by_any + tolerated else FLAT


def _parameters(
    region: Region, best: tuple[float, float, float], smallest: float, shape: str
) -> tuple[Interval, Interval, Interval]:
    floor, excess, exponent = best
    exponents = region.exponents
    floors = region.extremes(np.tile([1.0, 0.0], (len(exponents), 1)))
    low, high = (side * smallest**exponents for side in region.extremes(np.tile([0.0, 1.0], (len(exponents), 1))))
    steepest = math.inf if region.open_above else float(exponents[-1])
    a = Interval(float(floor), min(float(floor), float(floors[0].min())), max(float(floor), float(floors[1].max())))
    if shape != FALLS:
        unknown = Interval(math.nan, 0.0, math.inf)
        return (a if shape == FLAT else Interval(math.nan)), unknown, unknown
    b = float(excess) * smallest**exponent
    limits_b = min(b, float(low.min())), math.inf if region.open_above else max(b, float(high.max()))
    slowest = 0.0 if region.open_below else min(exponent, float(exponents[0]))
    return a, Interval(b, *limits_b), Interval(exponent, slowest, max(exponent, steepest))


def _bounded_exp(power: float) -> float:
    return math.exp(min(power, 700.0))
