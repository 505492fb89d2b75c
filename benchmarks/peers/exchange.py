"""What a peer's program is given and what it leaves behind, as files in one folder.

Given: ``train.csv`` and ``request.json`` (see :class:`Request`).  Left: ``rows.csv``, which grows while rows come, so
that a time-out keeps what was there, and ``timings.json``, rewritten after every step.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Request:
    """Rows wanted per value of the label, and the size of the training."""

    label: str
    counts: dict[str, int]
    epochs: int
    batch_size: int
    seed: int


@dataclass
class Exchange:
    """The folder that a peer's program works in."""

    folder: Path
    timings: dict[str, float] = field(default_factory=dict)
    _clocks: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def from_command_line(cls) -> Exchange:
        return cls(Path(sys.argv[1]))

    def request(self) -> Request:
        return Request(**json.loads((self.folder / "request.json").read_text()))

    def train(self, label: str) -> pd.DataFrame:
        """Return the training rows; the label is text, so that both peers take it for a category."""
        frame = pd.read_csv(self.folder / "train.csv", dtype={label: str}, keep_default_na=True)
        return frame[[label, *frame.columns.drop(label)]]

    def start(self) -> None:
        self._clocks = (time.perf_counter(), time.process_time())

    def stop(self, step: str) -> None:
        """Add the time since ``start`` to a step and write all timings."""
        wall, cpu = time.perf_counter() - self._clocks[0], time.process_time() - self._clocks[1]
        for name, seconds in ((f"{step}_wall_s", wall), (f"{step}_cpu_s", cpu)):
            self.timings[name] = self.timings.get(name, 0.0) + seconds
        self.timings["peak_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        (self.folder / "timings.json").write_text(json.dumps(self.timings))

    def add(self, rows: pd.DataFrame) -> None:
        path = self.folder / "rows.csv"
        rows.to_csv(path, mode="a", header=not path.exists(), index=False)

    def collect(self, wanted: dict[str, int], label: str, draw: Any, chunk: int) -> None:
        """Draw rows in chunks until every label has its rows; ``draw(value, n)`` returns a DataFrame.

        A row with another label than the one asked for is counted and dropped: a peer's word is not taken for it.
        """
        for value, n_wanted in wanted.items():
            n_rows = 0
            while n_rows < n_wanted:
                self.start()
                rows = draw(value, min(chunk, n_wanted - n_rows))
                right = rows[rows[label].astype(str) == value]
                self.timings["n_drawn"] = self.timings.get("n_drawn", 0) + len(rows)
                self.timings["n_other_label"] = self.timings.get("n_other_label", 0) + len(rows) - len(right)
                self.add(right.head(n_wanted - n_rows))
                n_rows += len(right)
                self.stop("sample")
