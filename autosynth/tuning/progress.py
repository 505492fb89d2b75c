"""A progress bar on stderr while a race goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autosynth.tuning.arm import Arm
    from autosynth.tuning.race import OnTrial

__all__ = ["trial_progress"]


@contextmanager
def trial_progress(show: bool | None) -> Iterator[OnTrial]:
    """Yield what is to be told of every trial; None shows the bar where stderr is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    is_shown = console.is_terminal if show is None else show
    with Progress(*columns, console=console, transient=True, disable=not is_shown) as bar:
        task = bar.add_task("starting", total=None)

        def tell(arm: Arm, n_trials: int, n_planned: int) -> None:
            bar.update(task, completed=n_trials, total=n_planned, description=arm.name)

        yield tell
