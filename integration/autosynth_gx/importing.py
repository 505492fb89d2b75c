"""Loads Great Expectations and leaves the host program as it was."""

from __future__ import annotations

import logging
import threading
import warnings
from importlib import import_module
from typing import Any

import autosynth

# Together they load every module of Great Expectations that calls logging.captureWarnings(True).
MODULES = ("great_expectations.expectations", "great_expectations.checkpoint", "great_expectations.data_context")

_lock = threading.Lock()


def import_gx() -> Any:
    """Return the package great_expectations.

    Its import sends all warnings of the process to logging, adds filters of warnings and sets the level of a logger;
    all of this is undone.  It opens no connection and reports nothing to anyone.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    with _lock, warnings.catch_warnings():  # puts filters and showwarning back
        warnings.simplefilter("ignore")  # what it and its dependencies find odd in their own imports
        levels = _logger_levels()
        show = warnings.showwarning
        gx = autosynth.require_extra("great_expectations", extra="gx")
        for name in MODULES:
            import_module(name)
        if warnings.showwarning is not show:
            logging.captureWarnings(
                False
            )  # else logging believes that it still captures, and the host cannot ask it to
        _restore_levels(levels)
    return gx


def _logger_levels() -> dict[str, int]:
    loggers = logging.root.manager.loggerDict.items()
    levels = {name: logger.level for name, logger in loggers if isinstance(logger, logging.Logger)}
    return {**levels, "": logging.root.level}


def _restore_levels(before: dict[str, int]) -> None:
    """Set every logger that existed to its level; a new one of Great Expectations gets none of its own."""
    for name, level in _logger_levels().items():
        known = before.get(name, logging.NOTSET if name.startswith("great_expectations") else level)
        if level != known:
            logging.getLogger(name or None).setLevel(known)
