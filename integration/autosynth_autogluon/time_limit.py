"""Runs a function in a process of its own that is ended when its time is up: a hard limit for any generator."""

from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from autosynth.exceptions import AutosynthError, GenerationError

T = TypeVar("T")

LOGGED = "autosynth-log:"  # starts the lines of stderr that carry a log record
MAX_COMPLAINTS = 200  # lines of stderr that are kept


class GeneratorTimeoutError(GenerationError):
    """A generator did not finish within its share of the time limit."""


def run_within(seconds: float, name: str, function: Callable[..., T], *arguments: Any) -> T:
    """Return ``function(*arguments)``, computed in another process, or raise when ``seconds`` of wall time have passed.

    Parameters
    ----------
    seconds : float
        Wall time, the start of the process included.
    name : str
        The generator's name, for messages.
    function, arguments
        Must pickle; the function is one of a module, not of a script.

    Raises
    ------
    GeneratorTimeoutError
        If time is up; the process is gone then.
    GenerationError
        If the process failed in another way.  Errors of ours come through as they were raised.
    """
    with tempfile.TemporaryDirectory(prefix="autosynth-") as folder:
        job, answer = Path(folder) / "job.pkl", Path(folder) / "answer.pkl"
        job.write_bytes(pickle.dumps((function, arguments)))
        try:
            returncode, complaints = _run([str(job), str(answer)], seconds)
        except subprocess.TimeoutExpired as error:
            raise GeneratorTimeoutError(
                f"generator {name!r} did not finish within its {seconds:.0f} s. Give fit a longer time_limit, raise "
                "max_time_share, or choose a faster generator."
            ) from error
        if returncode != 0:
            last_line = (complaints.strip().splitlines() or ["no message"])[-1]
            raise GenerationError(f"generator {name!r} failed in its own process: {last_line}")
        value = pickle.loads(answer.read_bytes())  # noqa: S301 - written by our own process
    if isinstance(value, AutosynthError):
        raise value
    return value  # type: ignore[no-any-return]


def _run(arguments: list[str], seconds: float) -> tuple[int, str]:
    """Run this module and return its exit code and stderr; when time is up, end it with all that it started."""
    with subprocess.Popen(  # noqa: S603 - our own module, with paths that we made
        [sys.executable, "-m", "autosynth_autogluon.time_limit", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:
        complaints: deque[str] = deque(maxlen=MAX_COMPLAINTS)
        listener = threading.Thread(target=_listen, args=(process.stderr, complaints), daemon=True)
        listener.start()
        try:
            process.wait(timeout=seconds)
        except BaseException:  # an interrupt too must not leave it running
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            listener.join(timeout=5)
    return process.returncode, "".join(complaints)


def _listen(stderr: IO[str], complaints: deque[str]) -> None:
    """Log here and at once what the other process logs, such as what is about to be sent away; keep the rest."""
    for line in stderr:
        if line.startswith(LOGGED):
            name, level, message = json.loads(line.removeprefix(LOGGED))
            logging.getLogger(name).log(level, "%s", message)
        else:
            complaints.append(line)


class _LogToParent(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        line = LOGGED + json.dumps([record.name, record.levelno, record.getMessage()])
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - the pipe to run_within


def _main(job: str, answer: str) -> None:
    logging.getLogger().addHandler(_LogToParent())
    function, arguments = pickle.loads(Path(job).read_bytes())  # noqa: S301 - written by run_within
    try:
        value = function(*arguments)
    except AutosynthError as error:
        value = error
    Path(answer).write_bytes(pickle.dumps(value))


if __name__ == "__main__":
    _main(*sys.argv[1:])
