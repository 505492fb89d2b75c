"""Runs a piece of work in a forked process, under a limit, so that no method can take the others down.

Limits are in processor seconds: on a busy machine they cut off the same work as on an idle one.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


WALL_FACTOR = 10  # a process that waits for nothing is ended after this many times its limit by the clock


class NoResultError(Exception):
    """The work has nothing to return, and that is a result: its status ("not applicable" or "timeout"), and why."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the work returned, or how it ended: "ok", "failed", "not applicable", "timeout" or "crashed", and why.

    ``wall_s`` and ``cpu_s`` are the seconds of the child process and of what it started.
    """

    status: str
    result: Any = None
    reason: str = ""
    wall_s: float = 0.0
    cpu_s: float = 0.0


def limit_cpu(limit_s: float) -> None:
    """Let the system end this process, by the signal SIGXCPU, once it has used ``limit_s`` processor seconds."""
    whole = max(1, round(limit_s))
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 5))


def run_apart(work: Callable[[], Any], *, limit_s: float) -> Outcome:
    """Run ``work`` in a child process; whatever it raises becomes an outcome."""
    wall, cpu = time.perf_counter(), _cpu_of_children()
    outcome = _run(work, limit_s)
    return replace(outcome, wall_s=time.perf_counter() - wall, cpu_s=_cpu_of_children() - cpu)


def _run(work: Callable[[], Any], limit_s: float) -> Outcome:
    context = multiprocessing.get_context("fork")  # shares the tables and imports of this process
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_report, args=(work, limit_s, theirs))
    child.start()
    theirs.close()
    try:
        if not ours.poll(WALL_FACTOR * limit_s):
            return Outcome(status="timeout", reason=f"stopped after {WALL_FACTOR * limit_s:g} s by the clock")
        return Outcome(**ours.recv())
    except EOFError:
        child.join()
        if child.exitcode == -signal.SIGXCPU:
            return Outcome(status="timeout", reason=f"stopped after {limit_s:g} processor seconds")
        return Outcome(status="crashed", reason=f"the process ended with exit code {child.exitcode}")
    finally:
        child.kill()
        child.join()


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _report(work: Callable[[], Any], limit_s: float, channel: Connection) -> None:
    limit_cpu(resource.getrusage(resource.RUSAGE_SELF).ru_utime + limit_s)
    try:
        answer = {"status": "ok", "result": work()}
    except NoResultError as error:
        answer = {"status": error.status, "reason": str(error)}
    except Exception as error:  # whatever a method raises is a result of the benchmark
        traceback.print_exc()
        answer = {"status": "failed", "reason": f"{type(error).__name__}: {error}".split("\n")[0][:300]}
    channel.send(answer)
    channel.close()
