"""What a comparison was asked for, as text for its report: without secrets, and without rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autosynth.hidden import without_secrets

PLAIN = (str, int, float, bool)


def asked(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the arguments that say something, each as text.

    What its name says is a secret is hidden; a table, a model or another object becomes the name of its type.

    Examples
    --------
    >>> asked({"label": "ill", "presets": None, "generator_options": {"api_key": "k1", "k": 5}, "metric": object()})
    {'label': 'ill', 'generator_options': "{'api_key': '(hidden)', 'k': 5}", 'metric': 'an object'}
    """
    given = {name: value for name, value in arguments.items() if value is not None and not _is_empty(value)}
    told = {name: _told(value) for name, value in without_secrets(given).items()}
    return {name: value if isinstance(value, str) else repr(value) for name, value in told.items()}


def _is_empty(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple) and not value


def _told(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key if isinstance(key, PLAIN) else str(key): _told(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_told(inner) for inner in value]
    if value is None or isinstance(value, PLAIN):
        return value
    kind = type(value).__name__
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"
