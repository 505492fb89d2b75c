"""Association: correlations within a group of real rows, and how far those of fresh rows may be from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.checks.embedding import spread as evenly_spaced
from autosynth.checks.features import (
    MAX_FEATURES,
    Feature,
    FeaturePairs,
    choose_features,
    feature_scores,
    feature_variances,
)
from autosynth.checks.noise import Noise, deviations, spread
from autosynth.checks.parts import Parts
from autosynth.checks.summary import N_SPLITS, NullDistance
from autosynth.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from autosynth.checks.summary import ColumnSummary

    Codes = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

MAX_ROWS = 10_000  # correlations of more rows than that get no sharper than anybody needs
MAX_SPLIT_ROWS = 2_000  # of which halves are taken
MIN_ROWS = 20  # for a correlation to mean anything
MIN_EXPECTED = 5  # rows that hold what an indicator indicates, or do not
DECIMALS = 4  # of what is kept
LEAST_VARIANCE = 1e-10  # of features between 0 and 1; anything smaller is rounding


@dataclass(frozen=True)
class Association:
    """Correlations within a group of real rows, and how sure they are.

    Attributes
    ----------
    features : tuple of Feature
        In the order of their columns.
    n_left_out : int
        Features beyond those that are looked at.
    correlations, spreads : tuple of float
        Of the pairs of features of different columns, row by row of the upper triangle; a correlation of n rows
        deviates by about spread / sqrt(n).
    variances : tuple of float
        Of each feature p (1 - p), where p is the share of its most frequent cell, or 1/2 if that is less.
    null : NullDistance
        The typical difference of correlations between random halves.
    """

    features: tuple[Feature, ...]
    n_left_out: int
    correlations: tuple[float, ...]
    spreads: tuple[float, ...]
    variances: tuple[float, ...]
    null: NullDistance

    @classmethod
    def of(cls, codes: Codes, columns: Sequence[ColumnSummary]) -> Association | None:
        """Measure the rows of a group; None where they are too few, or fewer than two columns vary.

        Parameters
        ----------
        codes : ndarray of int, shape (n_rows, n_columns)
            The cell of every value; at most MAX_ROWS rows.
        columns : sequence of ColumnSummary
            What the cells are.
        """
        features, n_left_out = choose_features(columns)
        pairs = FeaturePairs.of(features)
        if len(codes) < MIN_ROWS or not pairs.n_blocks:
            return None
        scores = feature_scores(codes, columns, features)
        correlations, spreads = pairs.take(Moments.of(scores).correlations), pairs.take(influence_spreads(scores))
        return cls(
            features,
            n_left_out,
            tuple(correlations.round(DECIMALS).tolist()),
            tuple(spreads.round(DECIMALS).tolist()),
            tuple(feature_variances(columns, features).round(DECIMALS).tolist()),
            _null_difference(scores[evenly_spaced(len(codes), MAX_SPLIT_ROWS)], pairs),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the correlations as plain data for JSON."""
        return {
            "features": [[feature.column, feature.cell] for feature in self.features],
            "n_left_out": self.n_left_out,
            "correlations": list(self.correlations),
            "spreads": list(self.spreads),
            "variances": list(self.variances),
            "null": self.null.to_dict(),
        }

    @classmethod
    def from_dict(cls, state: Any, columns: Sequence[ColumnSummary]) -> Association:
        """Return what :meth:`to_dict` wrote.

        Raises
        ------
        DataError
            If it is none, or speaks of other columns.
        """
        parts = Parts(state, of="the dependence of columns")
        features = tuple(_read_feature(feature, columns) for feature in parts.items("features"))
        if len(features) > MAX_FEATURES:
            raise DataError(f"the dependence of columns is damaged: it names more than {MAX_FEATURES} features.")
        n_pairs = len(FeaturePairs.of(features).first)
        variances = parts.numbers("variances", len(features))
        if not n_pairs or not all(0 < variance <= 0.25 for variance in variances):
            raise DataError("the dependence of columns is damaged: it needs pairs, and variances above 0 up to 1/4.")
        return cls(
            features,
            parts.whole("n_left_out"),
            parts.numbers("correlations", n_pairs),
            parts.numbers("spreads", n_pairs),
            variances,
            NullDistance.from_dict(parts.part("null")),
        )

    @cached_property
    def pairs(self) -> FeaturePairs:
        """The pairs of features that are correlated."""
        return FeaturePairs.of(self.features)

    @property
    def n_needed(self) -> int:
        """How many synthetic rows it takes for every feature to vary among them, as in half of the real ones."""
        return max(MIN_ROWS, math.ceil(MIN_EXPECTED / min(self.variances)))

    def of_rows(self, codes: Codes, columns: Sequence[ColumnSummary]) -> Floats:
        """Return the correlations of the same features among other rows, shape (n_pairs,)."""
        return self.pairs.take(Moments.of(feature_scores(codes, columns, self.features)).correlations)

    def noise(self, n_real: int, n_made: int, level: float) -> Noise:
        """Return the noise of the typical difference of correlations."""
        return self.null.noise(n_real, n_made, level, lambda n, m: math.sqrt(spread(n - 1, m - 1)))

    def limits(self, n_real: int, n_made: int, level: float) -> Floats:
        """Return the difference of each pair that is hardly ever exceeded by chance, shape (n_pairs,)."""
        each = level / len(self.correlations)
        # One row may count for many where an indicator is rare, and no real row need have shown it: Bernstein's term.
        variances = np.minimum(*(np.asarray(self.variances)[some] for some in (self.pairs.first, self.pairs.second)))
        rare = math.log(1 / each) / (3 * min(n_real, n_made) * variances)
        return np.asarray(deviations(each / 2) * np.asarray(self.spreads) * math.sqrt(spread(n_real, n_made)) + rare)


def _null_difference(scores: Floats, pairs: FeaturePairs) -> NullDistance:
    """Return the typical difference of correlations between random halves, always the same for the same rows."""
    rng, half, everyone = np.random.default_rng(0), len(scores) // 2, Moments.of(scores)
    distances = []
    for _ in range(N_SPLITS):
        some = Moments.of(scores[rng.permutation(len(scores))[:half]])
        gaps = pairs.take(some.correlations - (everyone - some).correlations)
        distances.append(typical(pairs.largest(gaps)))
    return NullDistance.of(distances, half, len(scores) - half)


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over rows that correlations follow from, so that those of all rows but some need no second pass.

    Attributes
    ----------
    n_rows : int
        Rows summed over.
    sums : ndarray of float, shape (n_features,)
        Of the features.
    products : ndarray of float, shape (n_features, n_features)
        Of their products.
    """

    n_rows: int
    sums: Floats
    products: Floats

    @classmethod
    def of(cls, scores: Floats) -> Moments:
        """Sum features, which lie between 0 and 1."""
        return cls(len(scores), scores.sum(axis=0), scores.T @ scores)

    def __sub__(self, others: Moments) -> Moments:
        return Moments(self.n_rows - others.n_rows, self.sums - others.sums, self.products - others.products)

    @property
    def correlations(self) -> Floats:
        """Correlations of the features, shape (n_features, n_features); 0 where one does not vary."""
        means = self.sums / self.n_rows
        covariances = self.products / self.n_rows - np.outer(means, means)
        variances = np.diag(covariances)
        scale = np.sqrt(np.where(variances > LEAST_VARIANCE, variances, np.inf))
        return np.asarray(covariances / np.outer(scale, scale))


def influence_spreads(scores: Floats) -> Floats:
    """Return by how much correlations deviate, times the root of the number of rows.

    A row with standardised values u and v moves their correlation r by u v - r (u² + v²) / 2.
    """
    centred = scores - scores.mean(axis=0)
    scale = np.sqrt(np.mean(centred**2, axis=0))
    u = centred / np.where(scale**2 > LEAST_VARIANCE, scale, np.inf)
    squares, n_rows = u**2, len(u)
    r = u.T @ u / n_rows
    both = squares.T @ squares / n_rows
    cubes = (squares * u).T @ u / n_rows
    fourth = np.mean(squares**2, axis=0)
    variance = both - r * (cubes + cubes.T) + r**2 / 4 * (fourth[:, None] + fourth[None] + 2 * both)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def typical(values: Floats) -> float:
    """Return the root of the mean square: a few large differences among many small ones are to be seen."""
    return float(np.sqrt(np.mean(values**2)))


def _read_feature(state: Any, columns: Sequence[ColumnSummary]) -> Feature:
    if isinstance(state, list) and len(state) == 2 and type(state[0]) is int and 0 <= state[0] < len(columns):
        column, cell = state
        if cell is None or (type(cell) is int and 0 <= cell < columns[column].n_cells):
            return Feature(column, cell)
    raise DataError(f"the dependence of columns is damaged: {str(state)[:80]} is no feature of the columns.")
