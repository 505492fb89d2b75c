"""Least squares of the law a + b N^-c: what is left to explain at every exponent, and all laws that explain enough.

For a fixed exponent the law is linear in the floor and in the excess at the smallest size, so both follow in closed
form, and so do the laws whose sum of squares stays below a limit: an ellipse, cut by the axes that neither may cross.
Only the exponent needs a grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]

__all__ = ["LeastSquares", "Region"]

SLOWEST = 1e-3  # exponent times the log of the range of sizes: the decay looks like a straight line in log N
STEEPEST = 14.0  # exponent times the log of the first step of sizes: e^-14 of the excess is left at the second size
FASTEST_RISE = 2.0  # risk that rises with the square of N
N_EXPONENTS = 400
FINEST = 1e-7  # relative distance of exponents beside the best one


@dataclass(frozen=True)
class LeastSquares:
    """Points whitened by their covariance: their noise is independent with variance 1.

    Attributes
    ----------
    log_sizes : ndarray of shape (n_points,)
        Log of every size over the smallest one, from 0 on.
    inverse_root : ndarray of shape (n_points, n_points)
        Turns points into whitened points.
    ones, risks : ndarray of shape (n_points,)
        A constant and the risks, whitened.
    """

    log_sizes: Floats
    inverse_root: Floats
    ones: Floats
    risks: Floats

    @classmethod
    def of(cls, sizes: Floats, risks: Floats, covariance: Floats) -> LeastSquares:
        """Whiten points; raises numpy's LinAlgError when the covariance is not positive definite."""
        inverse_root = np.linalg.inv(np.linalg.cholesky(covariance))
        log_sizes = np.log(sizes / sizes[0])
        return cls(log_sizes, inverse_root, inverse_root.sum(axis=1), inverse_root @ risks)

    @property
    def exponents(self) -> Floats:
        """Exponents from one too slow to a straight line in log N, to one too steep to a single step."""
        return np.geomspace(SLOWEST / self.log_sizes[-1], STEEPEST / self.log_sizes[1], N_EXPONENTS)

    @property
    def flat(self) -> tuple[float, float]:
        """The best constant risk, and the sum of squares that it leaves."""
        constant = max(0.0, float(self.ones @ self.risks / (self.ones @ self.ones)))
        return constant, float(np.sum((self.risks - constant * self.ones) ** 2))

    def decays(self, exponents: Floats) -> Floats:
        """Return the whitened share of the excess that is left at every point, shape (n_exponents, n_points)."""
        return np.asarray(np.exp(-np.outer(exponents, self.log_sizes)) @ self.inverse_root.T)

    def sums(self, exponents: Floats, laws: Floats) -> Floats:
        """Return what laws leave unexplained, shape (n_exponents, ...), for laws of shape (n_exponents, ..., 2)."""
        decays = self.decays(exponents).reshape(len(exponents), *[1] * (laws.ndim - 2), -1)
        fitted = laws[..., :1] * self.ones + laws[..., 1:] * decays
        return np.asarray(np.sum((self.risks - fitted) ** 2, axis=-1))

    def free(self, exponents: Floats) -> Floats:
        """Return the best floor and excess at every exponent, below zero if they like, shape (n_exponents, 2)."""
        size = self.ones @ self.ones
        level = self.ones @ self.risks / size
        decays = self.decays(exponents)
        shares = decays @ self.ones / size
        contrasts = decays - shares[:, None] * self.ones
        excess = contrasts @ (self.risks - level * self.ones) / np.sum(contrasts**2, axis=1)
        return np.column_stack([level - excess * shares, excess])

    def best(self, exponents: Floats) -> tuple[Floats, Floats]:
        """Return the best floor and excess from zero on at every exponent, and what they leave unexplained."""
        decays = self.decays(exponents)
        free = self.free(exponents)
        no_floor = np.maximum(0.0, decays @ self.risks / np.sum(decays**2, axis=1))
        nothing = np.zeros(len(exponents))
        edges = [np.column_stack([nothing, no_floor]), np.column_stack([nothing + self.flat[0], nothing])]
        candidates = np.stack([free, *edges], axis=1)
        sums = self.sums(exponents, candidates)
        sums[(candidates < 0).any(axis=2)] = np.inf
        chosen = sums.argmin(axis=1)
        rows = np.arange(len(exponents))
        return candidates[rows, chosen], sums[rows, chosen]

    def of_any_sign(self) -> tuple[Floats, float, bool]:
        """Return the best law if risk may also rise with N, at a rate that falls or grows.

        Returns
        -------
        risks : ndarray of shape (n_points,)
            What it expects, not whitened.
        left : float
            What it leaves unexplained.
        is_rising : bool
        """
        exponents = np.r_[self.exponents, -np.geomspace(SLOWEST / self.log_sizes[-1], FASTEST_RISE, N_EXPONENTS // 4)]
        laws = self.free(exponents)
        sums = self.sums(exponents, laws)
        at = int(sums.argmin())
        floor, excess = laws[at]
        risks = floor + excess * np.exp(-exponents[at] * self.log_sizes)
        return risks, float(sums[at]), bool(risks[-1] > risks[0])

    def best_exponent(self) -> tuple[float, Floats, float]:
        """Return the best law of all: its exponent, its floor and excess, and what it leaves unexplained."""
        from scipy.optimize import minimize_scalar

        exponents = self.exponents
        at = int(self.best(exponents)[1].argmin())
        neighbours = np.log([exponents[max(at - 1, 0)], exponents[min(at + 1, len(exponents) - 1)]])
        found = minimize_scalar(
            lambda log_exponent: float(self.best(np.exp([log_exponent]))[1][0]),
            bounds=tuple(neighbours),
            method="bounded",
            options={"xatol": 1e-9},
        )
        both = np.array([exponents[at], np.exp(found.x)])
        laws, sums = self.best(both)
        chosen = int(sums.argmin())
        return float(both[chosen]), laws[chosen], float(sums[chosen])


@dataclass(frozen=True)
class Region:
    """All laws that leave no more than a limit unexplained: the range of whatever follows from a law is read off them.

    Attributes
    ----------
    points : LeastSquares
        The whitened points.
    exponents : ndarray of shape (n_exponents,)
        Rising, those with at least one law in the region; denser around the best one.
    limit : float
        The largest sum of squares.
    open_below, open_above : bool
        Whether arbitrarily slow and arbitrarily steep decays are among the laws.
    """

    points: LeastSquares
    exponents: Floats
    limit: float
    open_below: bool
    open_above: bool

    @classmethod
    def around(cls, points: LeastSquares, exponent: float, limit: float) -> Region:
        """Return the region of a limit, given the best exponent."""
        coarse = points.exponents
        steps = np.geomspace(FINEST, 1.0, 100)
        grid = np.unique(np.r_[coarse, exponent, exponent * np.exp(steps), exponent * np.exp(-steps)])
        grid = grid[(grid >= coarse[0]) & (grid <= coarse[-1])]
        sums = points.best(grid)[1]
        inside = np.flatnonzero(sums <= limit)
        first, last = int(inside[0]), int(inside[-1])
        ends = [_crossing(grid, sums, first - 1, limit), _crossing(grid, sums, last, limit)]
        exponents = np.unique(np.r_[ends[0], grid[inside], ends[1]])
        return cls(points, exponents, limit, first == 0, last == len(grid) - 1)

    def extremes(self, coefficients: Floats) -> tuple[Floats, Floats]:
        """Return the smallest and the largest value of a linear combination of floor and excess, at every exponent.

        Parameters
        ----------
        coefficients : ndarray of shape (n_exponents, 2)
            Of the floor and of the excess.
        """
        laws = np.concatenate([self._tangents(coefficients), self._edges()], axis=1)
        slack = 1e-9 * max(1.0, self.limit)
        feasible = (laws >= 0).all(axis=2) & (self.points.sums(self.exponents, laws) <= self.limit + slack)
        best = self.points.best(self.exponents)[0]  # inside by construction: rounding leaves no exponent without a law
        laws, feasible = np.concatenate([laws, best[:, None]], axis=1), np.pad(feasible, ((0, 0), (0, 1)))
        feasible[:, -1] = True
        values = np.einsum("eld,ed->el", laws, coefficients)
        return np.where(feasible, values, np.inf).min(axis=1), np.where(feasible, values, -np.inf).max(axis=1)

    def _tangents(self, coefficients: Floats) -> Floats:
        """Return the two laws where a linear combination is extreme on the ellipse, shape (n_exponents, 2, 2)."""
        ones, decays = self.points.ones, self.points.decays(self.exponents)
        uu, uv, vv = ones @ ones, decays @ ones, np.sum(decays**2, axis=1)
        contrasts = decays - (uv / uu)[:, None] * ones
        determinant = uu * np.sum(contrasts**2, axis=1)
        floor, excess = coefficients.T
        direction = np.column_stack([vv * floor - uv * excess, uu * excess - uv * floor]) / determinant[:, None]
        norm = np.sum(coefficients * direction, axis=1)
        centre = self.points.free(self.exponents)
        left = np.maximum(0.0, self.limit - self.points.sums(self.exponents, centre))
        reach = direction * np.sqrt(left / norm)[:, None]
        return np.stack([centre - reach, centre + reach], axis=1)

    def _edges(self) -> Floats:
        """Return where the ellipse crosses the axes, or zero where it holds that; shape (n_exponents, 4, 2)."""
        ones, risks, decays = self.points.ones, self.points.risks, self.points.decays(self.exponents)
        floors = _crossings_of_line(np.broadcast_to(ones, decays.shape), risks, self.limit)
        excesses = _crossings_of_line(decays, risks, self.limit)
        nothing = np.zeros_like(floors)
        return np.concatenate([np.stack([floors, nothing], axis=2), np.stack([nothing, excesses], axis=2)], axis=1)


def _crossing(grid: Floats, sums: Floats, left: int, limit: float) -> Floats:
    """Return the exponent between two neighbours at which the sum of squares passes the limit; none at the ends."""
    if left < 0 or left + 1 >= len(grid):
        return np.empty(0)
    share = (limit - sums[left]) / (sums[left + 1] - sums[left])
    return np.array([np.exp((1 - share) * np.log(grid[left]) + share * np.log(grid[left + 1]))])


def _crossings_of_line(directions: Floats, risks: Floats, limit: float) -> Floats:
    """Return the multiples of each direction that leave exactly the limit, cut at zero; NaN where none does."""
    size, along = np.sum(directions**2, axis=1), directions @ risks
    centre = along / size
    left = limit - np.sum((risks - centre[:, None] * directions) ** 2, axis=1)
    reach = np.sqrt(np.where(left >= 0, left, np.nan) / size)
    both = np.column_stack([centre - reach, centre + reach])
    return np.where(both[:, 1:] < 0, np.nan, np.maximum(both, 0.0))
