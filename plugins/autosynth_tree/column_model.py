"""The model of one column given any of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth import require_extra
from autosynth_tree.shares import group_shares

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth_tree.masking import Codes, Context, TokenRows
    from autosynth_tree.options import TreeOptions

    Floats = npt.NDArray[np.float64]

MAX_SPLIT_POINTS = 64  # per column; most have fewer tokens


@dataclass(frozen=True)
class ColumnModel:
    """Draws the tokens of one column.

    Attributes
    ----------
    tokens : ndarray of int, shape (n_tokens,)
        The tokens seen in training, in rising order.
    log_shares : ndarray of float, shape (n_groups, n_tokens)
        What is known before any other cell is: the shares of the tokens in each group.
    booster : xgboost.Booster or None
        What the other cells change about it; None where there is but one token.
    """

    tokens: Codes
    log_shares: npt.NDArray[np.float32]
    booster: Any

    @classmethod
    def fit(cls, rows: TokenRows, column: int, n_shown: int, options: TreeOptions, seed: int) -> ColumnModel:
        """Train the model of ``column`` on ``n_shown`` masked rows."""
        tokens, classes = np.unique(rows.tokens[:, column], return_inverse=True)
        log_shares = np.log(group_shares(classes, rows.groups, rows.axes)).astype(np.float32)
        if len(tokens) == 1:
            return cls(tokens, log_shares, None)
        positions, context = rows.shown(column, n_shown, np.random.default_rng(seed))
        offsets = log_shares[rows.groups[positions]]
        # A real row counts once however often it is shown, so that penalties mean the same for all sizes of table.
        weight = len(rows.groups) / n_shown
        booster = _boosted(context, classes[positions], offsets, weight, rows.axes.shape[1], options, seed)
        return cls(tokens, log_shares, booster)

    def draw(self, context: Context, groups: Codes, uniforms: Floats) -> Codes:
        """Return one token per row of the context; ``uniforms`` in [0, 1) go through the inverse distribution."""
        if self.booster is None:
            return np.full(len(context), self.tokens[0])
        return self.tokens[inverse_cdf(self.probabilities(context, groups), uniforms)]

    def probabilities(self, context: Context, groups: Codes) -> Floats:
        """Return the probability of every token, shape (n_rows, n_tokens)."""
        if self.booster is None:
            return np.ones((len(context), 1))
        given = self.booster.inplace_predict(context, base_margin=self.log_shares[groups])
        return np.asarray(given, dtype=np.float64)


def inverse_cdf(probabilities: Floats, uniforms: Floats) -> Codes:
    """Return the class in which each uniform number falls.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_rows, n_classes)
        Each row adds up to 1, up to rounding.
    uniforms : ndarray of float, shape (n_rows,)
        In [0, 1).

    Examples
    --------
    >>> inverse_cdf(np.array([[0.2, 0.8], [0.2, 0.8]]), np.array([0.1, 0.3])).tolist()
    [0, 1]
    """
    upper = probabilities.cumsum(axis=1)
    reached = uniforms * upper[:, -1]
    classes = (upper <= reached[:, None]).sum(axis=1)
    return np.asarray(np.minimum(classes, probabilities.shape[1] - 1), dtype=np.int64)


def _boosted(
    context: Context,
    classes: Codes,
    offsets: npt.NDArray[np.float32],
    weight: float,
    n_axes: int,
    options: TreeOptions,
    seed: int,
) -> Any:
    """Train on top of the shares of the groups, so that strong penalties lead back to independent columns."""
    xgboost = require_extra("xgboost", extra="tree")
    n_features = context.shape[1]
    # Trees that may not look at the group cannot tell how it changes a dependence; so it is nearly always on offer.
    favour = np.where(np.arange(n_features) < n_axes, float(n_features), 1.0)
    data = xgboost.QuantileDMatrix(
        context,
        classes,
        weight=np.full(len(classes), weight, dtype=np.float32),
        base_margin=offsets,
        feature_weights=favour,
        max_bin=MAX_SPLIT_POINTS,
        nthread=1,
    )
    settings = {
        "objective": "multi:softprob",
        "num_class": offsets.shape[1],
        "max_depth": options.max_depth,
        "eta": options.learning_rate,
        "lambda": options.reg_lambda,
        "min_child_weight": 0.0,  # its unit is not rows; the penalty on leaf weights does its work
        "subsample": options.subsample,
        "colsample_bytree": min(1.0, (options.columns_per_tree + n_axes) / n_features),
        "tree_method": "hist",
        "max_bin": MAX_SPLIT_POINTS,
        "nthread": 1,  # columns are trained in parallel instead, so that sums do not depend on the number of cores
        "seed": seed,
        "verbosity": 0,
    }
    return xgboost.train(settings, data, options.n_rounds)
