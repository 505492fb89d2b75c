"""The model before any training: a Gaussian copula within each group, in any order of the columns.

The network learns what this leaves over.  So a table with ten minority rows, or with columns that are nearly copies of
each other, starts from a sound guess that training can only improve on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.cells import CellCodec, Cells

    Codes = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]
    Singles = npt.NDArray[np.float32]

MIN_VARIANCE = 0.01
MIN_DEVIATION = 0.02  # of a score given the others: columns that determine each other stay apart by this much
MAX_EDGE = 3.5  # stands for the open ends of the outermost bins
SILVERMAN = 0.9
PRIOR_ROWS = 2.0  # what all groups share counts as much as this many rows of a group


@dataclass(frozen=True)
class Shrinkage:
    """How far the base trusts a small group.

    Attributes
    ----------
    covariance_rows : float
        The covariance pooled over the groups counts as much as this many rows of a group.
    dependence : float
        Factor on all correlations, 0 to 1; with 0 the columns are independent within the group.
    """

    covariance_rows: float
    dependence: float


@dataclass(frozen=True)
class CopulaBase:
    """Means, covariances and shares of tokens, per group.

    Attributes
    ----------
    means : ndarray of shape (n_groups, n_columns)
        Mean score of every ordered column; 0 for the others.
    covariances : ndarray of shape (n_groups, n_columns, n_columns)
        Of the scores; rows and columns of unordered cells are those of the identity.
    shares : ndarray of shape (n_groups, n_columns, n_tokens)
        Smoothed share of every token in every group; 0 beyond the last token of a column.
    edges : ndarray of shape (n_columns, n_tokens + 1)
        Limits of the tokens as scores; +inf beyond the last one.
    points : ndarray of shape (n_columns, n_tokens)
        Score of a token that stands for one value; NaN for a bin.
    is_ordered : ndarray of bool, shape (n_columns,)
    has_missing : ndarray of bool, shape (n_columns,)
    n_tokens : ndarray of int, shape (n_columns,)
    """

    means: Floats
    covariances: Floats
    shares: Floats
    edges: Floats
    points: Floats
    is_ordered: npt.NDArray[np.bool_]
    has_missing: npt.NDArray[np.bool_]
    n_tokens: Codes

    def factors(self, orders: Codes) -> tuple[Singles, Singles]:
        """Return what predicts each column from those before it, for every group and order.

        Parameters
        ----------
        orders : ndarray of int, shape (n_orders, n_columns)
            Permutations of the columns.

        Returns
        -------
        weights : ndarray of shape (n_groups, n_orders, n_columns, n_columns)
            ``weights @ (scores - means)``, both in the order, is the expected deviation of each score from its mean;
            strictly lower triangular.
        deviations : ndarray of shape (n_groups, n_orders, n_columns)
            Standard deviation of each score given those before it.
        """
        n_columns = orders.shape[1]
        weights = np.zeros((len(self.means), len(orders), n_columns, n_columns), dtype=np.float32)
        deviations = np.zeros((len(self.means), len(orders), n_columns), dtype=np.float32)
        for group, covariance in enumerate(self.covariances):
            permuted = covariance[orders[:, :, None], orders[:, None, :]]
            lower = np.linalg.cholesky(permuted)
            scale = np.diagonal(lower, axis1=1, axis2=2)
            inverse = np.tril(np.linalg.inv(lower))
            weights[group] = np.eye(n_columns) - scale[:, :, None] * inverse
            deviations[group] = np.maximum(scale, MIN_DEVIATION)
        return weights, deviations


@dataclass(frozen=True)
class CopulaStatistics:
    """What real rows say of every group; a base follows for any shrinkage, at little cost.

    Attributes
    ----------
    sizes : ndarray of int, shape (n_groups,)
    means : ndarray of shape (n_groups, n_columns)
    scatter : ndarray of shape (n_groups, n_columns, n_columns)
        Sums of products of the scores, less their means.
    shares : ndarray of shape (n_groups, n_columns, n_tokens)
    tokens : TokenScale
    """

    sizes: Codes
    means: Floats
    scatter: Floats
    shares: Floats
    tokens: TokenScale

    @classmethod
    def learn(
        cls, codec: CellCodec, tokens: Codes, latent: Floats, group_codes: Codes, n_groups: int
    ) -> CopulaStatistics:
        """Estimate means, scatter and shares; means and shares are shrunk towards what all groups share."""
        scale = TokenScale.of(codec)
        sizes = np.bincount(group_codes, minlength=n_groups)
        means = _means(latent, group_codes, sizes)
        scatter = np.zeros((n_groups, latent.shape[1], latent.shape[1]))
        for group in np.flatnonzero(sizes):
            centred = latent[group_codes == group] - means[group]
            scatter[group] = centred.T @ centred
        deviations = np.sqrt(np.maximum(np.diagonal(_pooled(scatter, sizes)), MIN_VARIANCE))
        return cls(sizes, means, scatter, _shares(tokens, group_codes, sizes, scale, deviations), scale)

    def base(self, shrinkage: Shrinkage) -> CopulaBase:
        """Return the base for a shrinkage."""
        prior, is_ordered = shrinkage.covariance_rows, self.tokens.is_ordered
        covariances: Floats = (self.scatter + prior * _pooled(self.scatter, self.sizes)) / (
            self.sizes[:, None, None] + prior
        )
        diagonal = np.einsum("gii->gi", covariances).copy()
        covariances *= shrinkage.dependence * np.outer(is_ordered, is_ordered)
        position = np.arange(len(is_ordered))
        variances = np.maximum(diagonal, MIN_VARIANCE) + MIN_DEVIATION**2
        covariances[:, position, position] = np.where(is_ordered, variances, 1.0)
        return CopulaBase(
            means=self.means,
            covariances=covariances,
            shares=self.shares,
            edges=self.tokens.edges,
            points=self.tokens.points,
            is_ordered=is_ordered,
            has_missing=self.tokens.has_missing,
            n_tokens=self.tokens.n_tokens,
        )


@dataclass(frozen=True)
class TokenScale:
    """Where the tokens of every column lie as scores.

    Attributes
    ----------
    edges : ndarray of shape (n_columns, n_tokens + 1)
    points : ndarray of shape (n_columns, n_tokens)
    is_ordered, has_missing : ndarray of bool, shape (n_columns,)
    n_tokens : ndarray of int, shape (n_columns,)
    """

    edges: Floats
    points: Floats
    is_ordered: npt.NDArray[np.bool_]
    has_missing: npt.NDArray[np.bool_]
    n_tokens: Codes

    @classmethod
    def of(cls, codec: CellCodec) -> TokenScale:
        """Read the scale off a codec."""
        n_tokens = codec.n_tokens
        edges = np.full((len(n_tokens), int(n_tokens.max()) + 1), np.inf)
        points = np.full((len(n_tokens), int(n_tokens.max())), np.nan)
        for position, column in enumerate(codec.columns):
            if column.score_edges is not None and column.score_points is not None:
                edges[position, : len(column.score_edges)] = column.score_edges
                points[position, : len(column.score_points)] = column.score_points
        return cls(
            edges=edges,
            points=points,
            is_ordered=np.array([column.score_edges is not None for column in codec.columns]),
            has_missing=np.array([column.has_missing for column in codec.columns]),
            n_tokens=n_tokens,
        )


def latent_scores(codec: CellCodec, cells: Cells, rng: np.random.Generator) -> Floats:
    """Return scores as a Gaussian would have drawn them, shape (n_rows, n_columns).

    Where many rows share a value (a level, a spike), each of them gets a random score out of the value's interval: a
    Gaussian that was rounded to the value.  With the one score in the middle, a column of 96 % zeros would seem to have
    next to no spread, and the other 4 % would be out of its reach.
    """
    latent = cells.scores.copy()
    for position, column in enumerate(codec.columns):
        edges, points = column.score_edges, column.score_points
        if edges is None or points is None:
            continue
        tokens = np.minimum(cells.tokens[:, position], len(points) - 1)
        is_shared = ~np.isnan(points[tokens]) & (cells.tokens[:, position] < len(points))
        low, high = ndtr(edges[tokens]), ndtr(edges[tokens + 1])
        drawn = ndtri(low + (high - low) * rng.uniform(0.001, 0.999, size=len(tokens)))
        latent[:, position] = np.where(is_shared, drawn, latent[:, position])
    return latent


def _means(scores: Floats, group_codes: Codes, sizes: Codes) -> Floats:
    sums = np.zeros((len(sizes), scores.shape[1]))
    np.add.at(sums, group_codes, scores)
    overall = _average(sums, sizes)
    means: Floats = (sums + PRIOR_ROWS * overall) / (sizes[:, None] + PRIOR_ROWS)
    return means


def _average(sums: Floats, sizes: Codes) -> Floats:
    """Return the mean over rows, a group counting by the root of its rows: more than its rows, less than equally."""
    weight = np.sqrt(sizes)
    share = (weight / np.maximum(sizes, 1) / weight.sum()).reshape(-1, *[1] * (sums.ndim - 1))
    return np.asarray((sums * share).sum(axis=0), dtype=np.float64)


def _pooled(scatter: Floats, sizes: Codes) -> Floats:
    """Return the covariance within groups, a group counting by the root of its rows."""
    row_weight = 1.0 / np.sqrt(np.maximum(sizes, 1))
    return np.asarray((scatter * row_weight[:, None, None]).sum(axis=0) / (sizes * row_weight).sum(), dtype=np.float64)


def _shares(tokens: Codes, group_codes: Codes, sizes: Codes, scale: TokenScale, deviations: Floats) -> Floats:
    """Return the share of every token in every group, smoothed over near bins and towards all groups."""
    n_columns, most = scale.points.shape
    counts = np.zeros((len(sizes), n_columns, most))
    np.add.at(counts, (group_codes[:, None], np.arange(n_columns), tokens), 1.0)
    for column in np.flatnonzero(scale.is_ordered):
        limits = scale.edges[column, : scale.n_tokens[column] + 1]
        bins = np.flatnonzero(np.isnan(scale.points[column, : len(limits) - 1]) & (limits[1:] > limits[:-1]))
        if len(bins) > 1:
            near = _kernels(limits[bins], limits[bins + 1], deviations[column], sizes)
            counts[:, column, bins] = np.einsum("gk,gkj->gj", counts[:, column, bins], near)
    exists = np.arange(most) < scale.n_tokens[:, None]
    overall = np.where(exists, 0.99 * _average(counts, sizes) + 0.01 / scale.n_tokens[:, None], 0.0)
    shares: Floats = (counts + PRIOR_ROWS * overall) / (sizes[:, None, None] + PRIOR_ROWS)
    return shares


def _kernels(low: Floats, high: Floats, deviation: float, sizes: Codes) -> Floats:
    """Return what a row in each bin counts for every bin within Silverman's bandwidth, shape (n_groups, n, n).

    A few rows of a group fill single bins; taken at their word, every synthetic value would lie in one of those, which
    a learner sees at once.
    """
    low, high = (np.clip(edge, -MAX_EDGE, MAX_EDGE) for edge in (low, high))
    widths, centres = np.maximum(high - low, 1e-9), (low + high) / 2
    bandwidths = SILVERMAN * deviation * np.maximum(sizes, 1)[:, None, None] ** -0.2
    near = np.exp(-(((centres[:, None] - centres[None, :]) / bandwidths) ** 2) / 2) * widths
    return np.asarray(near / near.sum(axis=-1, keepdims=True), dtype=np.float64)
