"""Options that hold several values, joined by commas or repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autosynth.commands.options import parse_options
from autosynth.exceptions import ConfigError


def names_of(given: Sequence[str] | None) -> list[str] | None:
    """Return the names of an option; None when it was left out.

    Examples
    --------
    >>> names_of(["smote, transformer", "independent"])
    ['smote', 'transformer', 'independent']
    """
    if given is None:
        return None
    return [part.strip() for text in given for part in text.split(",") if part.strip()]


def numbers_of(option: str, given: Sequence[str] | None) -> list[float | int] | None:
    """Return the numbers of an option, whole ones as int; None when it was left out.

    Raises
    ------
    ConfigError
        If a part is no number.

    Examples
    --------
    >>> numbers_of("--ratio", ["0.25,1"])
    [0.25, 1]
    """
    texts = names_of(given)
    return None if texts is None else [_number(option, text) for text in texts]


def options_by_name(settings: Sequence[str] | None) -> dict[str, dict[str, Any]] | None:
    """Return settings such as ``smote.k_neighbors=3`` as options per generator; None when there are none.

    Raises
    ------
    ConfigError
        If a setting names no generator.

    Examples
    --------
    >>> options_by_name(["smote.k_neighbors=3", "transformer.steps=50"])
    {'smote': {'k_neighbors': 3}, 'transformer': {'steps': 50}}
    """
    found: dict[str, dict[str, Any]] = {}
    for key, value in parse_options(settings).items():
        generator, separator, name = key.partition(".")
        if not (generator and separator and name):
            raise ConfigError(f"--option {key}={value} names no generator. Write generator.name=value.")
        found.setdefault(generator, {})[name] = value
    return found or None


def _number(option: str, text: str) -> float | int:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{option} holds {text!r}, which is no number. Write numbers joined by commas.") from None
