"""A run of MLflow: writes a record to it, under a name that nothing else in the run has."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from autosynth_mlflow.keys import Keys, key_part

if TYPE_CHECKING:
    from autosynth_mlflow.record import Record

__all__ = ["Run"]

MAX_PARAM = 500  # characters; servers of MLflow 3 take 6000, older ones 500
MAX_TAG = 5000
TAGS = "autosynth/"
NO_TELEMETRY = "MLFLOW_DISABLE_TELEMETRY"

_one_at_a_time = threading.RLock()


@dataclass(frozen=True)
class Run:
    """One run, by its id, in the store that the process tracks to."""

    mlflow: Any
    run_id: str

    def write(self, record: Record, *, name: str | None = None, files: bool = True) -> str:
        """Write a record, and return the name under which it stands: the first one that is free of x, x-2, x-3, ...

        Parameters
        ----------
        record : Record
            What to write.
        name : str, optional
            What to call it; None takes the record's kind.
        files : bool
            Whether its files go along.
        """
        with _one_at_a_time, _no_telemetry():
            client = self.mlflow.MlflowClient()
            free = self._free_name(client, key_part(name or record.kind))
            self._write_facts(client, record, free)
            if files:
                self._write_files(client, record, free)
        return free

    def _free_name(self, client: Any, wanted: str) -> str:
        """Return a name that no parameter, metric or tag starts with: parameters of a run can never change."""
        data = client.get_run(self.run_id).data
        taken = {key.split("/")[0].casefold() for key in (*data.params, *data.metrics)}
        taken |= {key.removeprefix(TAGS).casefold() for key in data.tags if key.startswith(TAGS)}
        names = (wanted if number == 1 else f"{wanted}-{number}" for number in count(1))
        return next(name for name in names if name.casefold() not in taken)

    def _write_facts(self, client: Any, record: Record, name: str) -> None:
        entities = self.mlflow.entities
        param_keys, metric_keys, now = Keys(name), Keys(name), int(time.time() * 1000)
        client.log_batch(
            self.run_id,
            params=[
                entities.Param(param_keys.of(*param), _cut(_text(value), MAX_PARAM))
                for param, value in record.params.items()
            ],
            metrics=[
                entities.Metric(metric_keys.of(*metric), value, now, step) for metric, step, value in record.points
            ],
            tags=[entities.RunTag(TAGS + name, _cut(record.verdict, MAX_TAG))],
            synchronous=True,
        )

    def _write_files(self, client: Any, record: Record, name: str) -> None:
        with TemporaryDirectory() as folder:
            for file, write in record.files.items():
                write(Path(folder) / file)
            client.log_artifacts(self.run_id, folder, artifact_path=name)


@contextmanager
def _no_telemetry() -> Iterator[None]:
    """Keep MLflow from counting our calls: it reports the use of itself home, and nobody asked us to add to that."""
    before = os.environ.get(NO_TELEMETRY)
    os.environ[NO_TELEMETRY] = "true"  # MLflow asks at every call
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(NO_TELEMETRY, None)
        else:
            os.environ[NO_TELEMETRY] = before


def _text(value: object) -> str:
    is_nothing = value is None or (isinstance(value, str | Mapping | tuple | list) and not value)
    return "none" if is_nothing else " ".join(str(value).split())  # stores of files hold one line


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 4]} ..."
