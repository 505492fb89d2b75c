"""The rows that an estimator is trained on: real ones first, then synthetic ones, with their weights."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils.validation import has_fit_parameter

from autosynth import AutosynthWarning, Group, RebalanceReport, RebalanceResult, Table, rebalance
from autosynth.calibration import cell_weights
from autosynth.exceptions import ConfigError
from autosynth.segments import Segments
from autosynth_sklearn.rows import Rows, named

LABEL = "label"
NOTHING_TO_ADD = "the plan adds no row"


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
    table : Table
        The real rows, with their groups.
    segments : Segments
        Combinations of group columns that the real rows have.
    user_weights : ndarray of shape (n_real,) or None
        What the user weighed real rows with.
    report : RebalanceReport
        Plan, checks and refusals, without any row.
    """

    X: Rows
    codes: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64] | None
    table: Table
    segments: Segments
    user_weights: npt.NDArray[np.float64] | None
    report: RebalanceReport

    @classmethod
    def make(
        cls,
        X: Rows,
        codes: npt.NDArray[np.int64],
        classes: Sequence[Any],
        user_weights: npt.NDArray[np.float64] | None,
        options: Mapping[str, Any],
    ) -> TrainingRows:
        """Rebalance the rows; ``options`` are those of :func:`autosynth.rebalance`."""
        features = named(X)
        label = _free_name(features)
        frame = features.assign(**{label: pd.Categorical.from_codes(codes, categories=pd.Index(list(classes)))})
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=NOTHING_TO_ADD, category=AutosynthWarning)
            result = rebalance(frame, label=label, **options)
        table = Table.from_frame(frame, label=label, group_by=options.get("group_by"))
        all_rows = result.data.drop(columns=label)
        return cls(
            X=all_rows if isinstance(X, pd.DataFrame) else _stack(X, all_rows),
            codes=result.data[label].cat.codes.to_numpy().astype(np.int64),
            weights=_weights(result, table, user_weights),
            table=table,
            segments=Segments.from_table(table),
            user_weights=user_weights,
            # what the checks compared is left out: a model is no place for training rows
            report=dataclasses.replace(result.report, checks=dataclasses.replace(result.checks, evidence=None)),
        )

    def trained_cells(self, n_classes: int, *, has_weights: bool) -> npt.NDArray[np.float64]:
        """Return the weight of each class in each segment among all rows, shape (n_segments, n_classes)."""
        weights = self.weights if has_weights else None
        return self._cells(named(self.X, self.columns), self.codes, n_classes, weights)

    def real_cells(self, n_classes: int, *, has_weights: bool) -> npt.NDArray[np.float64]:
        """Return the same of the real rows, under the user's own weights."""
        n_real = len(self.table)
        weights = self.user_weights if has_weights else None
        return self._cells(self.table.frame, self.codes[:n_real], n_classes, weights)

    @property
    def cells(self) -> dict[Group, tuple[int, int]]:
        """The segment and the class of every group."""
        _, first = np.unique(self.table.group_codes, return_index=True)
        segments = self.segments.codes(self.table.frame.iloc[first])
        return {
            group: (int(segment), int(self.codes[position]))
            for group, segment, position in zip(self.table.groups, segments, first, strict=True)
        }

    @property
    def columns(self) -> list[Any]:
        """The names of the features."""
        return [name for name in self.table.frame.columns if name != self.table.label]

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


def _weights(
    result: RebalanceResult, table: Table, user_weights: npt.NDArray[np.float64] | None
) -> npt.NDArray[np.float64] | None:
    """Return the plan's weights times the user's; synthetic rows inherit the mean of their group."""
    weights = result.weights.to_numpy(dtype="float64")
    if user_weights is not None:
        means = np.bincount(table.group_codes, user_weights) / table.group_sizes
        inherited = means[table.grouping.codes(result.synthetic)]
        weights = weights * np.concatenate([user_weights, inherited])
        weights = weights / weights.mean()
    return None if np.allclose(weights, 1.0) else np.asarray(weights, dtype="float64")


def _stack(X: npt.NDArray[Any], all_rows: pd.DataFrame) -> npt.NDArray[Any]:
    """Return real rows exactly as they were given, and synthetic ones below them in the same dtype."""
    return np.concatenate([X, all_rows.iloc[len(X) :].to_numpy(dtype=X.dtype)])


def _free_name(features: pd.DataFrame) -> str:
    name = LABEL
    while name in features.columns:
        name = f"{name}_"
    return name
