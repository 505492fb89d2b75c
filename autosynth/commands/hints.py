"""Hints for what was written in the wrong place."""

from __future__ import annotations

from autosynth.plugins import current_plugins

__all__ = ["owners_of_option"]


def owners_of_option(name: str) -> tuple[str, str]:
    """Return an option as generators spell it, and which of them have it; empty texts where none has.

    Examples
    --------
    >>> owners_of_option("--k-neighbors")[0]
    'k_neighbors'
    >>> owners_of_option("--label")
    ('', '')
    """
    spelt = name.lstrip("-").replace("-", "_")
    owners = [info.name for info in current_plugins().generators if spelt in info.defaults]
    return (spelt, ", ".join(owners)) if owners else ("", "")
