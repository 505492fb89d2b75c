"""The prior that probabilities are brought to: that of the training rows, an even one, or one that the user names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from autosynth import Group
from autosynth.exceptions import ConfigError, nearest
from autosynth.schema import plain

Floats: TypeAlias = npt.NDArray[np.float64]
Prior: TypeAlias = "str | Mapping[Any, float]"

PRIORS = ("train", "balanced", "as trained")


def check_prior(prior: Any) -> None:
    """Raise ConfigError unless ``prior`` is one of the words, or shares by class or by group."""
    if isinstance(prior, Mapping):
        numbers = [value for value in prior.values() if _is_share(value)]
        if len(numbers) < len(prior) or not any(numbers):
            raise ConfigError(
                f"prior={dict(prior)!r} must give finite shares from 0 on, at least one of them above 0: by class, or "
                "by (class, group values ...)."
            )
    elif not isinstance(prior, str) or prior not in PRIORS:
        raise ConfigError(
            f"prior={prior!r} is unknown.{nearest(prior, PRIORS)} Use one of {', '.join(map(repr, PRIORS))}, or shares "
            "such as {'no': 0.99, 'yes': 0.01}."
        )


def target_cells(prior: Prior, real: Floats, classes: Sequence[Any], cells: Mapping[Group, tuple[int, int]]) -> Floats:
    """Return the weight of every cell segment x class under the prior asked for, shape (n_segments, n_classes).

    Parameters
    ----------
    prior : "train", "balanced" or mapping
        The real rows' own; even classes in every segment, of those that it has; or shares.  Shares by class leave the
        distribution of each class over the segments as it is.
    real : ndarray of shape (n_segments, n_classes)
        Weight of the real rows.
    classes : sequence
        In the order of the columns.
    cells : mapping of Group to (int, int)
        Segment and class of every group.

    Raises
    ------
    ConfigError
        If the shares name what training did not hold, or lack what it held.
    """
    if isinstance(prior, Mapping):
        by_class = {plain(value): position for position, value in enumerate(classes)}
        keys = [plain(key) for key in prior]
        if all(not isinstance(key, tuple | Group) for key in keys):
            _check_keys(keys, list(by_class))
            shares = np.zeros(len(classes))
            shares[[by_class[key] for key in keys]] = list(prior.values())
            sums = real.sum(axis=0)
            return np.asarray(real * np.divide(shares, sums, out=np.zeros_like(shares), where=sums > 0))
        return _by_group(prior, real, cells)
    return (real > 0).astype("float64") if prior == "balanced" else real


def _by_group(prior: Mapping[Any, float], real: Floats, cells: Mapping[Group, tuple[int, int]]) -> Floats:
    places = {group.values: place for group, place in cells.items()}
    keys = [key.values if isinstance(key, Group) else key for key in prior]
    _check_keys(keys, list(places))
    target = np.zeros_like(real)
    for key, share in zip(keys, prior.values(), strict=True):
        target[places[key]] += share
    return target


def _check_keys(keys: Sequence[Any], known: Sequence[Any]) -> None:
    unknown = [key for key in keys if key not in known]
    if unknown:
        raise ConfigError(
            f"prior names {unknown[0]!r}, which the training rows do not hold.{nearest(unknown[0], known)} They hold "
            f"{', '.join(map(repr, known))}."
        )
    absent = [key for key in known if key not in keys]
    if absent:
        raise ConfigError(f"prior lacks {', '.join(map(repr, absent))}. Give a share for each, 0 for one that is gone.")


def _is_share(value: Any) -> bool:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return is_number and bool(np.isfinite(value)) and value >= 0
