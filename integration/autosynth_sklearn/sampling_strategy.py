"""imbalanced-learn's ``sampling_strategy``, for classes and for groups: how many rows each of them gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from imblearn.utils import check_sampling_strategy

from autosynth import Group
from autosynth.exceptions import ConfigError, nearest
from autosynth.schema import plain
from autosynth_sklearn.grouped_rows import GroupedRows

SamplingStrategy: TypeAlias = (
    "str | float | Mapping[Any, int] | Callable[[npt.NDArray[Any]], Mapping[Any, int]]"  # as imbalanced-learn takes it
)

KIND = "over-sampling"
NAMES = ("auto", "minority", "not minority", "not majority", "all")


def rows_to_add(strategy: SamplingStrategy, labels: npt.NDArray[Any], rows: GroupedRows) -> dict[Any, int]:
    """Return the rows to add to each class, or group, that a strategy aims at.

    Parameters
    ----------
    strategy
        Without group columns everything that imbalanced-learn's over-samplers take, as they take it: a name, a ratio
        for two classes, rows in total by class, or a callable that gives these for the labels.  With groups, names mean
        groups, a ratio is one of the largest group, and a mapping gives rows in total by group,
        ``{("yes", "south"): 500}``, or by class, ``{"yes": 900}``, which fills the smallest groups of it first.
    labels : ndarray of shape (n_rows,)
        What a callable is called with.
    rows : GroupedRows
        The groups.

    Returns
    -------
    dict
        By class; with groups by the values of the group, a tuple or a lone value.

    Raises
    ------
    ConfigError
        If the strategy is none of that, or asks for fewer rows than there are.
    """
    _check_form(strategy)
    if not rows.group_by:
        return _by_name(strategy, labels)
    sizes = rows.table.group_sizes
    if callable(strategy):
        strategy = _called(strategy, labels)
    if isinstance(strategy, str):
        added = _by_name(strategy, rows.table.group_codes)
    elif isinstance(strategy, Mapping):
        added = _by_totals(strategy, rows)
    else:
        target = round(float(strategy) * int(sizes.max()))
        added = {code: target - size for code, size in enumerate(sizes.tolist()) if size < target}
    keys = rows.keys
    return {keys[code]: count for code, count in added.items()}


def with_augmented(added: Mapping[Any, int], rows: GroupedRows, augment: int) -> dict[Any, int]:
    """Return the rows to add with ``augment`` more for every group."""
    return {key: added.get(key, 0) + augment for key in rows.keys} if augment else dict(added)


def totals(added: Mapping[Any, int], rows: GroupedRows) -> dict[Group, int]:
    """Return the strategy that :func:`autosynth.rebalance` takes: rows in total, of the groups that get any."""
    places = {key: place for place, key in enumerate(rows.keys)}
    sizes = rows.table.group_sizes.tolist()
    return {rows.table.groups[places[key]]: sizes[places[key]] + count for key, count in added.items() if count}


def _by_name(strategy: SamplingStrategy, labels: npt.NDArray[Any]) -> dict[Any, int]:
    """Return what imbalanced-learn makes of a strategy.

    Examples
    --------
    >>> _by_name("auto", np.array(["no", "no", "no", "yes"]))
    {'yes': 2}
    """
    try:
        found = check_sampling_strategy(strategy, labels, KIND)
    except ValueError as error:
        raise ConfigError(f"sampling_strategy={strategy!r} does not fit these rows. {error}") from error
    return {plain(key): int(count) for key, count in found.items()}


def _called(strategy: Callable[[npt.NDArray[Any]], Any], labels: npt.NDArray[Any]) -> Mapping[Any, int]:
    answer = strategy(labels)
    if not isinstance(answer, Mapping):
        raise ConfigError(f"sampling_strategy returned {answer!r}. Let it return a mapping of rows in total.")
    return answer


def _check_form(strategy: Any) -> None:
    is_number = isinstance(strategy, int | float | np.number) and not isinstance(strategy, bool)
    if isinstance(strategy, str):
        if strategy in NAMES:
            return
        raise ConfigError(
            f"sampling_strategy={strategy!r} is unknown.{nearest(strategy, NAMES)} Use one of "
            f"{', '.join(map(repr, NAMES))}, a ratio in (0, 1], or a mapping of rows in total."
        )
    if not (is_number and 0 < strategy <= 1) and not isinstance(strategy, Mapping) and not callable(strategy):
        raise ConfigError(
            f"sampling_strategy={strategy!r} is out of range. Use a name such as 'auto', a ratio in (0, 1], a mapping "
            "of rows in total, or a callable that returns one."
        )


def _by_totals(strategy: Mapping[Any, Any], rows: GroupedRows) -> dict[int, int]:
    """Return the rows to add by position of the group."""
    added: dict[int, int] = {}
    for key, total in strategy.items():
        codes = _groups_of(key, rows)
        sizes = rows.table.group_sizes[codes]
        if isinstance(total, bool) or not isinstance(total, int | np.integer) or total < sizes.sum():
            raise ConfigError(
                f"sampling_strategy asks for {total!r} rows of {key!r}, which has {sizes.sum()} real ones. Use a whole "
                "number that is no smaller: real rows are never dropped."
            )
        if twice := [rows.cells[code] for code in codes if code in added]:
            raise ConfigError(f"sampling_strategy names the group {twice[0]} twice, the second time by {key!r}.")
        added.update(zip(codes, spread_evenly(sizes, int(total)), strict=True))
    return added


def _groups_of(key: Any, rows: GroupedRows) -> list[int]:
    """Return the positions of the groups that a key means: one group, or all groups of a class."""
    wanted = key.values if isinstance(key, Group) else key if isinstance(key, tuple) else (key,)
    exact = [code for code, cell in enumerate(rows.cells) if cell == wanted]
    by_class = [code for code, cell in enumerate(rows.cells) if rows.has_classes and (cell[0],) == wanted]
    if not exact and not by_class:
        raise ConfigError(
            f"sampling_strategy names {key!r}, which the rows do not hold.{nearest(key, rows.keys)} "
            f"Groups: {', '.join(map(repr, rows.keys))}."
        )
    return exact or by_class


def spread_evenly(sizes: npt.NDArray[np.int64], total: int) -> list[int]:
    """Return what to add to each group so that ``total`` rows are spread as evenly as may be.

    Examples
    --------
    >>> spread_evenly(np.array([50, 20, 5]), 110)
    [0, 10, 25]
    """
    filled = np.sort(sizes)
    level = filled[0]
    left = total - int(sizes.sum())
    for n_lowest, height in enumerate([*filled[1:].tolist(), np.inf], start=1):
        if left < n_lowest * (height - level):
            break
        left -= n_lowest * (height - level)
        level = height
    step, rest = divmod(left, n_lowest)
    added = np.maximum(level + step - sizes, 0).astype(np.int64)
    # what cannot be shared evenly goes to the first of the groups that were filled
    added[np.flatnonzero(sizes <= level)[: int(rest)]] += 1
    return [int(count) for count in added]
