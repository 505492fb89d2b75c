"""Progress on stderr, for people who watch; silent where stderr is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from autosynth.commands.streams import is_watched


@contextmanager
def rows_made(what: str) -> Iterator[Callable[[int], None]]:
    """Show that work goes on and how many rows there are; yields what is to be called with rows that came."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}: {task.completed} rows"), TimeElapsedColumn())
    # FORCE_COLOR makes a terminal of any pipe for rich, and a bar in a log file helps nobody.
    is_silent = not is_watched(sys.stderr)
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=is_silent) as progress:
        task = progress.add_task(what, total=None)
        yield lambda n_rows: progress.advance(task, n_rows)
