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

    @classmethod
    def learn(
        cls, codec: CellCodec, tokens: Codes, latent: Floats, group_codes: Codes, n_groups: int, shrinkage: Shrinkage
    ) -> CopulaBase:
        """Estimate everything from real rows, groups shrunk towards what all groups share."""
        is_ordered = np.array([column.score_edges is not None for column in codec.columns])
        n_tokens = codec.n_tokens
        edges = np.full((len(n_tokens), int(n_tokens.max()) + 1), np.inf)
        points = np.full((len(n_tokens), int(n_tokens.max())), np.nan)
        for position, column in enumerate(codec.columns):
            if column.score_edges is not None and column.score_points is not None:
                edges[position, : len(column.score_edges)] = column.score_edges
                points[position, : len(column.score_points)] = column.score_points
        sizes = np.bincount(group_codes, minlength=n_groups)
        means = _means(latent, group_codes, sizes)
        covariances = _covariances(latent, group_codes, sizes, means, is_ordered, shrinkage)
        deviations = np.sqrt(np.einsum("gii->gi", covariances))
        return cls(
            means=means,
            covariances=covariances,
            shares=_shares(tokens, group_codes, sizes, n_tokens, _kernels(edges, points, deviations, sizes)),
            edges=edges,
            points=points,
            is_ordered=is_ordered,
            has_missing=np.array([column.has_missing for column in codec.columns]),
            n_tokens=n_tokens,
        )

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


def _covariances(
    scores: Floats,
    group_codes: Codes,
    sizes: Codes,
    means: Floats,
    is_ordered: npt.NDArray[np.bool_],
    shrinkage: Shrinkage,
) -> Floats:
    n_columns = scores.shape[1]
    scatter = np.zeros((len(sizes), n_columns, n_columns))
    for group in np.flatnonzero(sizes):
        centred = scores[group_codes == group] - means[group]
        scatter[group] = centred.T @ centred
    row_weight = 1.0 / np.sqrt(np.maximum(sizes, 1))
    pooled = (scatter * row_weight[:, None, None]).sum(axis=0) / (sizes * row_weight).sum()
    prior = shrinkage.covariance_rows
    covariances: Floats = (scatter + prior * pooled) / (sizes[:, None, None] + prior)
    diagonal = np.einsum("gii->gi", covariances).copy()
    covariances *= shrinkage.dependence * np.outer(is_ordered, is_ordered)
    position = np.arange(n_columns)
    covariances[:, position, position] = np.where(is_ordered, np.maximum(diagonal, 1e-2) + MIN_DEVIATION**2, 1.0)
    return covariances


def _shares(tokens: Codes, group_codes: Codes, sizes: Codes, n_tokens: Codes, kernels: Floats) -> Floats:
    """Return the share of every token in every group, smoothed over near bins and towards all groups."""
    n_groups, n_columns, most = len(sizes), len(n_tokens), int(n_tokens.max())
    counts = np.zeros((n_groups, n_columns, most))
    np.add.at(counts, (group_codes[:, None], np.arange(n_columns), tokens), 1.0)
    counts = np.einsum("gck,gckj->gcj", counts, kernels)
    exists = np.arange(most) < n_tokens[:, None]
    overall = np.where(exists, 0.99 * _average(counts, sizes) + 0.01 / n_tokens[:, None], 0.0)
    shares: Floats = (counts + PRIOR_ROWS * overall) / (sizes[:, None, None] + PRIOR_ROWS)
    return shares


def _kernels(edges: Floats, points: Floats, deviations: Floats, sizes: Codes) -> Floats:
    """Return what a row in each token counts for every token: its own, or the bins within Silverman's bandwidth.

    Shape (n_groups, n_columns, n_tokens, n_tokens).  A few rows of a group fill single bins; taken at their word, every
    synthetic value would lie in one of those, which a learner sees at once.
    """
    limits = np.clip(np.nan_to_num(edges, posinf=MAX_EDGE, neginf=-MAX_EDGE), -MAX_EDGE, MAX_EDGE)
    widths, centres = np.diff(limits, axis=1), (limits[:, 1:] + limits[:, :-1]) / 2
    is_bin = np.isnan(points) & (widths > 0)
    bandwidths = SILVERMAN * deviations * np.maximum(sizes, 1)[:, None] ** -0.2
    apart = (centres[:, :, None] - centres[:, None, :]) / bandwidths[:, :, None, None]
    near = np.exp(-(apart**2) / 2) * widths[:, None, :] * (is_bin[:, :, None] & is_bin[:, None, :])
    alone = np.eye(edges.shape[1] - 1) * ~is_bin[:, :, None]
    total = near.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(near, total, out=np.zeros_like(near), where=total > 0) + alone, dtype=np.float64)
