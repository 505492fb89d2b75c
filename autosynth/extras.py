"""Import a heavy package at the moment of use, or name the extra that brings it."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from autosynth.exceptions import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable


def require_extra(module: str, *, extra: str | None = None, distribution: str = "autosynth") -> Any:
    """Import ``module`` and return it.

    Parameters
    ----------
    module : str
        What is wanted, such as "torch".
    extra : str, optional
        The extra that brings it; None where it is installed by its own name.
    distribution : str
        Whose extra that is.

    Returns
    -------
    module

    Raises
    ------
    MissingExtraError
        If the top-level package is absent, with the pip command that brings it.  An import error *inside* an
        installed package is not hidden: it is raised as it came.

    Examples
    --------
    >>> require_extra("json", extra="smote").dumps([1])
    '[1]'
    """
    missing = missing_modules([module])
    if missing:
        raise MissingExtraError(missing[0], extra, distribution)
    return importlib.import_module(module)


def missing_modules(modules: Iterable[str]) -> list[str]:
    """Return the top-level packages of ``modules`` that are not installed, without importing any of them."""
    packages = dict.fromkeys(module.partition(".")[0] for module in modules)
    return [package for package in packages if find_spec(package) is None]
