"""Keeps AutoGluon and what lies below it from reporting home, and from complaining about what nobody asked for."""

from __future__ import annotations

import logging
import os
from importlib.util import find_spec

TORCH_COMPLAINT = "Failed to import torch"


def without_telemetry() -> None:
    """Switch off Ray's usage reports, which are on by default and start when AutoGluon fits folds in parallel.

    What the user has set stands.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


def without_torch_complaint() -> None:
    """Keep AutoGluon from logging an error for every model and fold where torch is not installed.

    It looks for GPUs through torch, and the models of a plain install need neither.
    """
    if find_spec("torch") is None:
        logging.getLogger("autogluon.common.utils.resource_utils").addFilter(_is_no_torch_complaint)


def _is_no_torch_complaint(record: logging.LogRecord) -> bool:
    return TORCH_COMPLAINT not in record.getMessage()
