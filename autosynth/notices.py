"""Notices: plugins hear what a call has found, and what goes wrong with them there harms nobody."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from autosynth.exceptions import AutosynthWarning
from autosynth.plugins import current_plugins

__all__ = ["announce", "unannounced"]

_is_silent: ContextVar[bool] = ContextVar("autosynth_notices_silent", default=False)


def announce(hook: str, *, stacklevel: int = 3, **what: Any) -> None:
    """Call a hook of every plugin; one that raises becomes a warning, as the answer is complete without it.

    Parameters
    ----------
    hook : str
        Such as "autosynth_reported".
    stacklevel : int
        Where the warning points: 3 is the caller of the function that announces.
    **what
        The hook's arguments.
    """
    if _is_silent.get():
        return
    with unannounced():  # what a tracker computes for itself is no news
        errors = current_plugins().call_each(hook, **what)
    for error in errors:
        message = f"{error} Nothing of the answer is lost, and others were told."
        warnings.warn(message, AutosynthWarning, stacklevel=stacklevel)


@contextmanager
def unannounced() -> Iterator[None]:
    """Tell plugins nothing inside a ``with`` block: for calls that are mere steps of another, such as those of folds.

    Examples
    --------
    >>> import autosynth
    >>> from autosynth.toy import shortcut_table
    >>> with unannounced():
    ...     result = autosynth.rebalance(shortcut_table(200), label="ill", generator="ros")
    """
    token = _is_silent.set(True)
    try:
        yield
    finally:
        _is_silent.reset(token)
