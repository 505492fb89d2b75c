"""The GX context of a run: our own, so that the caller's is left as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from great_expectations.data_context import EphemeralDataContext
from great_expectations.data_context.data_context.context_factory import project_manager
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.exceptions import DataContextRequiredError
from tqdm import tqdm


def own_context() -> EphemeralDataContext:
    """Return a context in memory: no files, no analytics, no progress bars, and nobody's current one."""
    config = DataContextConfig(
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
        store_backend_defaults=InMemoryStoreBackendDefaults(),
    )
    return EphemeralDataContext(project_config=config)


@contextmanager
def as_current(context: Any) -> Iterator[None]:
    """Make a context the current one of the process, which Great Expectations looks up, and put the former one back."""
    try:
        before = project_manager.get_current_project()
    except DataContextRequiredError:
        before = None
    project_manager.set_project(context)
    try:
        yield
    finally:
        project_manager.set_project(before)


@contextmanager
def without_progress_bars(context: Any) -> Iterator[None]:
    """Keep a context, which may be the caller's, from drawing on stderr, and tqdm from starting a thread for that."""
    before, interval = context.variables.progress_bars, tqdm.monitor_interval
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    tqdm.monitor_interval = 0
    try:
        yield
    finally:
        tqdm.monitor_interval = interval
        context.variables.progress_bars = before
