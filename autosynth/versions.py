"""Versions of what decides a result, so that it can be repeated."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version

__all__ = ["packages_of", "versions_of"]


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of those packages that are installed.

    Examples
    --------
    >>> sorted(versions_of(["numpy", "no-such-package"]))
    ['numpy', 'python']
    """
    found = {package: _version(package) for package in packages}
    return {"python": platform.python_version(), **{package: known for package, known in found.items() if known}}


@cache
def packages_of(module: str) -> tuple[str, ...]:
    """Return the names of the installed packages that a top-level module comes from.

    Examples
    --------
    >>> packages_of("sklearn")
    ('scikit-learn',)
    """
    return tuple(sorted(set(packages_distributions().get(module, ()))))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
