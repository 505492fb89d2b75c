"""Runs a coroutine from ordinary code, also where an event loop runs already, as in notebooks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

POLL_S = 0.1  # a wait without end could not be interrupted on every system


def run_in_own_loop(begin: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run ``begin()`` to its end in a thread and an event loop of its own, and return its result.

    An interrupt (Ctrl-C) cancels it at its next wait, and is raised again once it has cleaned up.

    Examples
    --------
    >>> async def answer() -> int:
    ...     return 42
    >>> run_in_own_loop(answer)
    42
    """
    runner = _Runner(begin)
    thread = threading.Thread(target=runner.run, name="autosynth-llm-api", daemon=True)
    thread.start()
    try:
        runner.wait()
    except BaseException:
        runner.cancel()
        runner.wait()
        raise
    if runner.error is not None:
        raise runner.error
    return runner.result  # type: ignore[no-any-return]  # set, as there was no error


class _Runner:
    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self._begin = begin
        self._started = threading.Event()
        self._ended = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    def run(self) -> None:
        try:
            self.result = asyncio.run(self._main())
        except BaseException as error:  # handed to the thread that waits
            self.error = error
        finally:
            self._started.set()
            self._ended.set()

    def wait(self) -> None:
        # Not Thread.join(): until Python 3.13, one that is interrupted takes the thread for stopped while it runs on.
        while not self._ended.wait(POLL_S):
            pass

    def cancel(self) -> None:
        self._started.wait()
        if self._loop is not None and self._task is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)

    async def _main(self) -> Any:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._started.set()
        return await self._begin()
