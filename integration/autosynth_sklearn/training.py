"""The rows that an estimator is trained on: real ones first, then synthetic ones, with their weights."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils.validation import has_fit_parameter

from autosynth import Group, RebalanceReport
from autosynth.calibration import cell_weights
from autosynth.exceptions import ConfigError
from autosynth.segments import Segments
from autosynth_sklearn.containers import extended
from autosynth_sklearn.grouped_rows import GroupedRows
from autosynth_sklearn.resampled_rows import ResampledRows
from autosynth_sklearn.rows import Rows, named


@dataclass(frozen=True)
class TrainingRows:
    """Rows, labels and weights to fit an estimator on, and what was done.

    Attributes
    ----------
    X : DataFrame or ndarray of shape (n_rows, n_features)
        What ``fit`` was given, and synthetic rows after it.
    codes : ndarray of int, shape (n_rows,)
        Positions of the labels among the classes.
    weights : ndarray of shape (n_rows,) or None
        Mean 1; None where all rows count the same.
    rows : GroupedRows
        The real rows, with their groups.
    segments : Segments
        Combinations of those group columns that are features, as the real rows have them.
    user_weights : ndarray of shape (n_real,) or None
        What the user weighed real rows with.
    report : RebalanceReport
        Plan, checks and refusals, without any row.
    """

    X: Rows
    codes: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64] | None
    rows: GroupedRows
    segments: Segments
    user_weights: npt.NDArray[np.float64] | None
    report: RebalanceReport

    @classmethod
    def make(
        cls, X: Rows, rows: GroupedRows, user_weights: npt.NDArray[np.float64] | None, options: Mapping[str, Any]
    ) -> TrainingRows:
        """Rebalance the rows; ``options`` are those of :func:`autosynth.rebalance`."""
        resampled = ResampledRows.make(rows, user_weights, options)
        (label,) = rows.targets
        segments = Segments.from_table(rows.table)
        weights = resampled.weights / resampled.weights.mean()
        return cls(
            X=extended(X, resampled.synthetic[rows.features]),
            codes=resampled.frame[label].cat.codes.to_numpy().astype(np.int64),
            weights=None if np.allclose(weights, 1.0) else weights,
            rows=rows,
            segments=replace(
                segments, axes=tuple(axis for axis in segments.axes if axis.column.name not in rows.asides)
            ).seen_in(rows.table.frame),
            user_weights=user_weights,
            report=resampled.report,
        )

    def trained_cells(self, n_classes: int, *, has_weights: bool) -> npt.NDArray[np.float64]:
        """Return the weight of each class in each segment among all rows, shape (n_segments, n_classes)."""
        weights = self.weights if has_weights else None
        return self._cells(named(self.X, self.columns), self.codes, n_classes, weights)

    def real_cells(self, n_classes: int, *, has_weights: bool) -> npt.NDArray[np.float64]:
        """Return the same of the real rows, under the user's own weights."""
        table = self.rows.table
        weights = self.user_weights if has_weights else None
        return self._cells(table.frame, self.codes[: len(table)], n_classes, weights)

    @property
    def cells(self) -> dict[Group, tuple[int, int]]:
        """The segment and the class of every group."""
        table = self.rows.table
        _, first = np.unique(table.group_codes, return_index=True)
        segments = self.segments.codes(table.frame.iloc[first])
        return {
            group: (int(segment), int(self.codes[position]))
            for group, segment, position in zip(table.groups, segments, first, strict=True)
        }

    @property
    def columns(self) -> list[Hashable]:
        """The names of the features."""
        return self.rows.features

    def _cells(
        self,
        frame: pd.DataFrame,
        codes: npt.NDArray[np.int64],
        n_classes: int,
        weights: npt.NDArray[np.float64] | None,
    ) -> npt.NDArray[np.float64]:
        return cell_weights(
            codes,
            self.segments.codes(frame),
            n_labels=n_classes,
            n_segments=len(self.segments.cells),
            weights=weights,
        )


def weight_keyword(estimator: Any) -> str | None:
    """Return the argument under which an estimator's ``fit`` takes weights, in a pipeline its last step's, or None."""
    steps = getattr(estimator, "steps", None)
    if steps:
        inner = weight_keyword(steps[-1][1])
        return None if inner is None else f"{steps[-1][0]}__{inner}"
    return "sample_weight" if has_fit_parameter(estimator, "sample_weight") else None


def fit_arguments(estimator: Any, rows: TrainingRows) -> dict[str, Any]:
    """Return what ``fit`` is to be called with beside rows and labels.

    Raises
    ------
    ConfigError
        If rows count differently, and the estimator takes no weights.
    """
    if rows.weights is None:
        return {}
    keyword = weight_keyword(estimator)
    if keyword is None:
        raise ConfigError(
            f"{type(estimator).__name__} takes no sample_weight, and the rows weigh from {rows.weights.min():.3g} to "
            f"{rows.weights.max():.3g}. Use synthetic_weight=1, alpha=None and no sample_weight, or another estimator."
        )
    return {keyword: rows.weights}
