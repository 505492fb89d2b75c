"""Predictions: labels, class probabilities and group columns of the same rows, read as users hold them, and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from autosynth.exceptions import ConfigError, DataError, nearest
from autosynth.groups import Group
from autosynth.schema import plain

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

__all__ = ["Predictions", "Target", "check_same_rows", "read_predictions", "read_segments", "read_target"]

SUM_TOLERANCE = 1e-3  # rounded or float16 probabilities pass, scores and percentages do not
EDGE_TOLERANCE = 1e-6  # float32 arithmetic may end a hair outside [0, 1]
MAX_SHOWN = 5


@dataclass(frozen=True)
class Target:
    """The classes, the class of every row, and which class is the positive one."""

    name: str
    classes: tuple[Any, ...]
    codes: Codes  # (n_rows,), positions in ``classes``
    positive: int | None  # position of the positive class; None with more than two classes


@dataclass(frozen=True)
class Predictions:
    """What one model says about the rows."""

    probabilities: Floats  # (n_rows, n_classes)
    hits: Floats  # (n_rows,): 1 where the predicted label is the true one, else 0; all NaN if no label was predicted
    resolution: float  # machine epsilon of the dtype the probabilities came in


def check_same_rows(**inputs: Any) -> int:
    """Return how many rows the inputs have; those that are None are left out.

    Raises
    ------
    DataError
        If an input is no sequence, lengths differ, there are no rows, or two pandas indexes are not equal.
    """
    given = {name: values for name, values in inputs.items() if values is not None}
    for name, values in given.items():
        if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
            raise DataError(
                f"{name} is a {type(values).__name__}. Pass an array, a list, a Series or a DataFrame of rows."
            )
    lengths = {name: len(values) for name, values in given.items()}
    if len(set(lengths.values())) > 1:
        seen = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise DataError(f"numbers of rows differ: {seen}. Pass one entry per row in each of them.")
    n_rows = next(iter(lengths.values()))
    if n_rows == 0:
        raise DataError("there are no rows to report on. Pass the labels and probabilities of at least two rows.")
    indexed = {name: values.index for name, values in given.items() if isinstance(values, pd.Series | pd.DataFrame)}
    for name, index in list(indexed.items())[1:]:
        first = next(iter(indexed))
        if not indexed[first].equals(index):
            raise DataError(
                f"{first} and {name} have different indexes, so their rows may not belong together. Bring them into "
                f"one order with {name}.loc[{first}.index], or pass {name}.to_numpy() if the order is right already."
            )
    return n_rows


def read_target(y_true: Any, y_proba: Any, *, classes: Sequence[Any] | None, positive_class: Any) -> Target:
    """Return the classes (from ``y_proba``'s columns, ``classes``, or the two labels seen) and the class of every row.

    Raises
    ------
    ConfigError
        If the classes cannot be told, contradict the columns of ``y_proba``, or lack ``positive_class``.
    DataError
        If a label is missing or not among the classes, or all rows have one label.
    """
    if np.ndim(y_true) != 1:
        raise DataError(f"y_true has {np.ndim(y_true)} dimensions. Pass one label per row, such as frame['label'].")
    row_codes, seen = _factorize(y_true)
    n_missing = int((row_codes < 0).sum())
    if n_missing:
        raise DataError(f"y_true has {n_missing} missing labels. Drop those rows from every input before the report.")
    known = _known_classes(y_proba, classes, seen)
    if len(set(known)) != len(known):
        raise ConfigError(f"the classes {_show(known)} name one twice. Name every column of y_proba once, in order.")
    if len(seen) == 1:
        raise DataError(f"y_true has one label only, {seen[0]!r}. Risks per group need rows of at least two labels.")
    positions = {value: position for position, value in enumerate(known)}
    unknown = [value for value in seen if value not in positions]
    if unknown:
        raise DataError(
            f"y_true holds labels without a probability: {_show(unknown)}. Known classes: {_show(known)}."
            f"{nearest(unknown[0], known)} Labels and classes must have the same type."
        )
    codes = np.array([positions[value] for value in seen], dtype=np.int64)[row_codes]
    name = str(y_true.name) if isinstance(y_true, pd.Series) and y_true.name is not None else "label"
    return Target(name, known, codes, _positive(positive_class, known))


def read_predictions(
    y_proba: Any, target: Target, *, name: str = "y_proba", y_pred: Any = None, threshold: float | None = None
) -> Predictions:
    """Return one model's probabilities, shape (n_rows, n_classes), and which rows it predicts rightly.

    The predicted label is ``y_pred``, or the positive class where its probability is above the threshold (0.5 when not
    given), or with more than two classes the most probable one.

    Raises
    ------
    ConfigError
        If a threshold comes with ``y_pred`` or more than two classes, or is no probability.
    DataError
        If ``y_proba`` has the wrong shape, is no number somewhere, leaves [0, 1], or does not sum to 1.
    """
    probabilities = _read_probabilities(y_proba, target, name)
    if threshold is not None:
        _check_threshold(threshold, target, y_pred)
    if y_pred is not None:
        predicted = _read_predicted(y_pred, target)
    elif target.positive is not None:
        # Strictly above, as AutoGluon and scikit-learn decide it.
        is_positive = probabilities[:, target.positive] > (0.5 if threshold is None else threshold)
        predicted = np.where(is_positive, target.positive, 1 - target.positive)
    else:
        predicted = probabilities.argmax(axis=1)
    return Predictions(probabilities, (predicted == target.codes).astype(float), _resolution(y_proba))


def read_segments(groups: Any, n_rows: int) -> tuple[tuple[Group, ...], Codes]:
    """Return the value combinations of the group columns that occur, and the combination of every row.

    Values keep their sorted order (categories theirs); a missing value is a group of its own and comes last.
    """
    if groups is None:
        return (Group(()),), np.zeros(n_rows, dtype=np.int64)
    frame = _group_frame(groups)
    if not frame.columns.is_unique:
        raise DataError(f"groups has two columns of one name: {_show(frame.columns)}. Rename one of them.")
    per_row = np.zeros((n_rows, frame.shape[1]), dtype=np.int64)
    values: list[list[Any]] = []
    for position, column in enumerate(frame.columns):
        codes, seen = _factorize(frame[column])
        per_row[:, position] = np.where(codes < 0, len(seen), codes)
        values.append([*seen, None])
    cells, codes = np.unique(per_row, axis=0, return_inverse=True)
    names = list(frame.columns)
    segments = tuple(
        Group(tuple((name, options[code]) for name, options, code in zip(names, values, cell, strict=True)))
        for cell in cells
    )
    return segments, codes.reshape(-1).astype(np.int64)


def _group_frame(groups: Any) -> pd.DataFrame:
    if isinstance(groups, pd.DataFrame):
        return groups
    if isinstance(groups, pd.Series):
        return groups.to_frame("group" if groups.name is None else groups.name)
    if np.ndim(groups) == 1:
        return pd.DataFrame({"group": pd.Series(groups)})
    frame = pd.DataFrame(groups)
    return frame.set_axis([f"group_{position + 1}" for position in range(frame.shape[1])], axis=1)


def _factorize(values: Any) -> tuple[Codes, list[Any]]:
    """Return the position of every value in the sorted distinct values (-1 for a missing one), and these values."""
    series = pd.Series(values)
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.cat.remove_unused_categories()
        return series.cat.codes.to_numpy().astype(np.int64), [plain(value) for value in series.cat.categories]
    codes, distinct = pd.factorize(series)
    seen = [plain(value) for value in distinct]
    ordered = _sorted(seen)
    rank = {value: position for position, value in enumerate(ordered)}
    ranks = np.array([*(rank[value] for value in seen), -1], dtype=np.int64)  # code -1, missing, reads the last entry
    return ranks[codes].astype(np.int64), ordered


def _sorted(values: Iterable[Any]) -> list[Any]:
    values = list(values)
    try:
        return sorted(values)
    except TypeError:  # labels of several types have no order of their own
        return sorted(values, key=lambda value: (type(value).__name__, str(value)))


def _known_classes(y_proba: Any, classes: Sequence[Any] | None, seen: list[Any]) -> tuple[Any, ...]:
    given = None if classes is None else tuple(plain(value) for value in classes)
    if isinstance(y_proba, pd.DataFrame):
        columns = tuple(plain(value) for value in y_proba.columns)
        if given is not None and given != columns:
            raise ConfigError(
                f"classes are {_show(given)}, but y_proba has the columns {_show(columns)}. "
                "Leave classes out: a DataFrame's columns name them."
            )
        return columns
    n_columns = 2 if np.ndim(y_proba) == 1 else np.shape(y_proba)[-1]
    if given is not None:
        if len(given) != n_columns:
            raise ConfigError(f"classes names {len(given)} classes, y_proba has {n_columns}. Name each once, in order.")
        return given
    if np.ndim(y_proba) != 1:
        raise ConfigError(
            f"y_proba has {n_columns} columns without names. Pass classes=[...] in the order of the columns, such as "
            "model.classes_, or a DataFrame whose columns are the classes."
        )
    if len(seen) > 2:
        raise DataError(
            f"y_proba has one probability per row, but y_true has {len(seen)} labels: {_show(seen)}. "
            "Pass one column per class, as predict_proba gives."
        )
    return tuple(seen)


def _positive(positive_class: Any, known: tuple[Any, ...]) -> int | None:
    if len(known) != 2:
        if positive_class is not None:
            raise ConfigError(
                f"positive_class={positive_class!r} is for two classes, and there are {len(known)}. Leave it out."
            )
        return None
    if positive_class is None:
        return 1  # the second class, as in scikit-learn and AutoGluon
    if positive_class not in known:
        raise ConfigError(
            f"positive_class={positive_class!r} is not a class. Use one of {_show(known)}."
            f"{nearest(positive_class, known)}"
        )
    return known.index(positive_class)


def _read_probabilities(y_proba: Any, target: Target, name: str) -> Floats:
    if isinstance(y_proba, pd.DataFrame):
        columns = [plain(column) for column in y_proba.columns]
        if set(columns) != set(target.classes):
            raise DataError(
                f"{name} has the columns {_show(columns)}, the classes are {_show(target.classes)}. Pass one each."
            )
        y_proba = y_proba.iloc[:, [columns.index(value) for value in target.classes]]
    try:
        numbers = (
            y_proba.to_numpy(dtype=float, na_value=np.nan)
            if isinstance(y_proba, pd.Series | pd.DataFrame)
            else np.asarray(y_proba, dtype=float)
        )
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} holds something that is no number ({error}). Pass probabilities in [0, 1].") from error
    n_classes = len(target.classes)
    if (numbers.ndim != 1 and (numbers.ndim != 2 or numbers.shape[1] != n_classes)) or (
        numbers.ndim == 1 and n_classes != 2
    ):
        raise DataError(
            f"{name} has the shape {numbers.shape}. Pass (n_rows, {n_classes}), one column per class"
            f"{', or the probability of the positive class alone' if n_classes == 2 else ''}."
        )
    _check_probabilities(numbers, name)
    numbers = numbers.clip(0, 1)
    if numbers.ndim == 1:
        numbers = np.column_stack([1 - numbers, numbers][:: 1 if target.positive == 1 else -1])
    return numbers


def _check_probabilities(numbers: Floats, name: str) -> None:
    n_missing = int(np.isnan(numbers.reshape(len(numbers), -1)).any(axis=1).sum())
    if n_missing:
        raise DataError(f"{name} is NaN in {n_missing} rows. Predict them again, or drop those rows from every input.")
    if numbers.min() < -EDGE_TOLERANCE or numbers.max() > 1 + EDGE_TOLERANCE:
        raise DataError(
            f"{name} ranges from {numbers.min():.4g} to {numbers.max():.4g}. Probabilities lie in [0, 1]: "
            "pass predict_proba's output, not labels, scores or percentages."
        )
    if numbers.ndim == 2:
        off = np.abs(numbers.sum(axis=1) - 1)
        if off.max() > SUM_TOLERANCE:
            worst = int(off.argmax())
            raise DataError(
                f"{name} sums to {numbers[worst].sum():.4g} in row {worst}, "
                f"and is off in {(off > SUM_TOLERANCE).sum()} rows. "
                "Every row must sum to 1: divide by the row sums, and pass all classes."
            )


def _check_threshold(threshold: float, target: Target, y_pred: Any) -> None:
    if y_pred is not None:
        raise ConfigError("threshold and y_pred both say what the predicted labels are. Pass one of them.")
    if target.positive is None:
        raise ConfigError(f"threshold is for two classes, and there are {len(target.classes)}. Pass y_pred instead.")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float | np.number) or not 0 <= threshold <= 1:
        raise ConfigError(f"threshold={threshold!r} is no probability. Use a number in [0, 1], or None for 0.5.")


def _read_predicted(y_pred: Any, target: Target) -> Codes:
    if np.ndim(y_pred) != 1:
        raise DataError(f"y_pred has {np.ndim(y_pred)} dimensions. Pass one predicted label per row.")
    row_codes, seen = _factorize(y_pred)
    positions = {value: position for position, value in enumerate(target.classes)}
    unknown = [value for value in seen if value not in positions]
    if unknown or (row_codes < 0).any():
        raise DataError(
            f"y_pred holds {_show(unknown) if unknown else 'missing labels'}. Known classes: {_show(target.classes)}. "
            "Pass one of them for every row."
        )
    return np.array([positions[value] for value in seen], dtype=np.int64)[row_codes]


def _resolution(y_proba: Any) -> float:
    dtypes = list(y_proba.dtypes) if isinstance(y_proba, pd.DataFrame) else [getattr(y_proba, "dtype", None)]
    floats = [dtype for dtype in dtypes if isinstance(dtype, np.dtype) and dtype.kind == "f"]
    return max((float(np.finfo(dtype).eps) for dtype in floats), default=float(np.finfo(np.float64).eps))


def _show(values: Iterable[Any]) -> str:
    values = list(values)
    more = f", ... ({len(values)} in all)" if len(values) > MAX_SHOWN else ""
    return ", ".join(repr(value) for value in values[:MAX_SHOWN]) + more
