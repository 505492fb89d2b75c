"""The prior that a model was trained with and that of its fold's real rows, kept with the model for its predictions."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from autosynth import Table
from autosynth.calibration import UNSEEN, cell_weights, correct_prior
from autosynth.exceptions import ConfigError
from autosynth.groups import GroupAxis
from autosynth.schema import infer_column, plain
from autosynth.segments import Segments

if TYPE_CHECKING:
    import numpy.typing as npt

PriorWish: TypeAlias = Literal[False, True, "class", "group"]
PRIOR_WISHES: tuple[PriorWish, ...] = (False, True, "class", "group")


@dataclass(frozen=True)
class Counted:
    """Rows and what each counts: encoded features, class codes, and weights (None where every row counts 1)."""

    X: pd.DataFrame
    y: pd.Series[Any]
    weights: npt.NDArray[np.float64] | None

    def cells(self, segments: Segments | None, n_classes: int) -> npt.NDArray[np.float64]:
        """Return the weight of every class in every segment, shape (n_segments, n_classes)."""
        return cell_weights(
            self.y.to_numpy(dtype="int64"),
            None if segments is None else segments.codes(self.X),
            n_labels=n_classes,
            n_segments=1 if segments is None else len(segments.cells),
            weights=self.weights,
        )


@dataclass(frozen=True)
class FoldPrior:
    """What `correct_prior` needs to know of one model in one fold.

    Attributes
    ----------
    trained, target : ndarray of shape (n_segments, n_classes)
        Weight of every cell among the rows that the model learned from, and among the real ones under the user's own
        weights.
    segments : Segments or None
        How encoded features tell a row's segment; None corrects by class alone.
    reason : str
        Why it is by class although there are group columns; empty otherwise.
    """

    trained: npt.NDArray[np.float64]
    target: npt.NDArray[np.float64]
    segments: Segments | None = None
    reason: str = ""

    @classmethod
    def learn(cls, trained: Counted, real: Counted, n_classes: int, found: Segments | str) -> FoldPrior:
        """Count both priors, in the segments that were found, or by class where there is a reason instead."""
        segments, reason = (None, found) if isinstance(found, str) else (found, "")
        return cls(trained.cells(segments, n_classes), real.cells(segments, n_classes), segments, reason)

    @property
    def facts(self) -> dict[str, Any]:
        """What ``predictor.info()`` shows."""
        by = "class" if self.segments is None else "group"
        return {"prior_corrected_by": by, **({"prior_reason": self.reason} if self.reason else {})}

    def correct(self, proba: npt.NDArray[Any], X: Any, features: Sequence[Hashable]) -> npt.NDArray[np.float64]:
        """Return the probabilities that real rows call for, in the shape that was given.

        Parameters
        ----------
        proba : ndarray of shape (n_rows,) or (n_rows, n_classes)
            Of the second class alone, or of every class.
        X : DataFrame of shape (n_rows, n_features), or a data set of the model's own
            The rows as the model is given them.  A network that watches its validation rows while it trains asks about
            a data set of its own, which names no group column; these rows are corrected by class.
        features : sequence
            The model's features under their own names; some families rename columns, and none reorders them.
        """
        whole = np.column_stack([1 - proba, proba]) if proba.ndim == 1 else proba
        if self.segments is None:
            corrected = correct_prior(whole, trained=self.trained[0], target=self.target[0])
        else:
            is_named = isinstance(X, pd.DataFrame)
            segments = self.segments.codes(_under_own_names(X, features)) if is_named else np.full(len(whole), UNSEEN)
            corrected = correct_prior(whole, trained=self.trained, target=self.target, segments=segments)
        return corrected[:, 1] if proba.ndim == 1 else corrected


def find_segments(
    wish: PriorWish, X: pd.DataFrame, features: Sequence[Hashable], table: Table, seen: npt.NDArray[np.bool_]
) -> Segments | str:
    """Return the segments that encoded features tell apart, or why the correction goes by class.

    Parameters
    ----------
    wish : False, True, "class" or "group"
        What the user asked for.
    X : DataFrame of shape (n_rows, n_features)
        Encoded features of the fold's real rows.
    features : sequence
        Those that the model uses.
    table : Table
        The fold as the generator sees it, with the groups.
    seen : ndarray of bool, shape (n_rows,)
        Which rows of ``X`` the table holds.

    Raises
    ------
    ConfigError
        If the user asked for "group", and a group column is no feature of the model.
    """
    axes = [axis for axis in table.grouping.axes if axis.column.name != table.label]
    if wish == "class" or not axes:
        return ""
    encoded: list[GroupAxis] = []
    for axis in axes:
        found = _encoded_axis(axis, X, features, table, seen)
        if isinstance(found, str) and wish == "group":
            raise ConfigError(
                f"correct_prior='group' needs group columns that the model sees when it predicts, and {found}. Use "
                "correct_prior=True, which corrects such models by class, or make the column a feature."
            )
        if isinstance(found, str):
            return found
        encoded.append(found)
    return Segments(tuple(encoded), pd.Index([])).seen_in(X)


def _encoded_axis(
    axis: GroupAxis, X: pd.DataFrame, features: Sequence[Hashable], table: Table, seen: npt.NDArray[np.bool_]
) -> GroupAxis | str:
    """Return the axis of a group column in the codes that AutoGluon gave its values, or why there is none."""
    name = axis.column.name
    if name not in features or name not in X.columns:
        return f"group column {name!r} is no feature of this model"
    values = X[name]
    if axis.edges is None:
        distinct = tuple(plain(value) for value in values.dropna().unique())
        return GroupAxis(infer_column(values), (*distinct, *((None,) if values.isna().any() else ())))
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return f"group column {name!r} is cut into bins, and AutoGluon made categories of it"
    encoded = replace(axis, column=infer_column(values))
    given = table.frame[name]
    # dates become whole numbers, whose unit need not be that of the edges; missing ones become their mean
    agree = encoded.codes(values[seen]) == axis.codes(given)
    if not agree[given.notna().to_numpy()].all():
        return f"group column {name!r} is cut into bins, which its encoded values do not tell apart"
    return encoded


def _under_own_names(X: pd.DataFrame, features: Sequence[Hashable]) -> pd.DataFrame:
    """Undo what LightGBM's class does for all children of a bag at once: it takes signs such as spaces out of names."""
    return X if set(features) <= set(X.columns) else X.set_axis(pd.Index(list(features)), axis=1)
