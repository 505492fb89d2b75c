"""Checks for the options of generators: each says what was seen and what is accepted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autosynth.exceptions import ConfigError, nearest


def check_whole(name: str, value: Any, *, minimum: int = 1) -> None:
    """Raise unless ``value`` is a whole number from ``minimum`` on.

    Raises
    ------
    ConfigError
        With the name and the value.

    Examples
    --------
    >>> check_whole("batch_size", 64)
    >>> check_whole("batch_size", 0.5)
    Traceback (most recent call last):
    autosynth.exceptions.ConfigError: batch_size=0.5 is out of range. Use a whole number from 1 on.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise ConfigError(f"{name}={value!r} is out of range. Use a whole number from {minimum} on.")


def check_number(
    name: str, value: Any, *, above: float = -math.inf, low: float = -math.inf, high: float = math.inf
) -> None:
    """Raise unless ``value`` is a finite number greater than ``above`` and within ``low`` to ``high``.

    Raises
    ------
    ConfigError
        With the name, the value and the limits.
    """
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
    if is_number and value > above and low <= value <= high:
        return
    limits = [f"above {above:g}"] * (above > -math.inf)
    limits += [f"from {low:g}"] * (low > -math.inf) + [f"up to {high:g}"] * (high < math.inf)
    raise ConfigError(f"{name}={value!r} is out of range. Use a number {' '.join(limits)}".rstrip() + ".")


def check_choice(name: str, value: Any, accepted: Iterable[Any]) -> None:
    """Raise unless ``value`` is one of ``accepted``.

    Raises
    ------
    ConfigError
        With the nearest accepted value.
    """
    known = list(accepted)
    if value not in known:
        raise ConfigError(
            f"{name}={value!r} is unknown.{nearest(value, known)} Use one of {', '.join(map(repr, known))}."
        )


def check_flag(name: str, value: Any) -> None:
    """Raise unless ``value`` is True or False.

    Raises
    ------
    ConfigError
        With the name and the value.
    """
    if not isinstance(value, bool | np.bool_):
        raise ConfigError(f"{name}={value!r} is no truth value. Use True or False.")
