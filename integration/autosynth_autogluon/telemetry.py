"""Keeps the libraries below AutoGluon from reporting home; what the user has set stands."""

from __future__ import annotations

import os


def without_telemetry() -> None:
    """Switch off Ray's usage reports, which are on by default and start when AutoGluon fits folds in parallel."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
