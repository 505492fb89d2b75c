"""Runs a peer's program, under a limit, in the environment that ``benchmarks/peers/setup.py`` builds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from quality.apart import WALL_FACTOR, limit_cpu

if TYPE_CHECKING:
    from autosynth.table import Table
    from quality.splits import Split

PROGRAMS = Path(__file__).parent.parent / "peers"
ROW_EPOCHS = 10_000  # training passes over rows: 100 epochs of 100 rows, 10 of 1,000


@dataclass(frozen=True, kw_only=True)
class PeerRun:
    """How peers are run: their environment, the processor seconds for one, and how many draws are asked for."""

    environment: Path | None
    limit_s: float
    n_draws: int


@dataclass(frozen=True, kw_only=True)
class PeerAnswer:
    """What a peer left behind: "ok", "timeout" (rows may have come before it), "failed" or "not applicable"."""

    status: str
    rows: pd.DataFrame
    timings: dict[str, float]
    notes: str


def run_peer(name: str, split: Split, table: Table, run: PeerRun) -> PeerAnswer:
    """Train a peer on the training rows and draw the rows that balance the classes, ``n_draws`` times over.

    Reaching the limit is a result: what was written until then is returned.  The label goes out as text and comes
    back in the values of the table; labels are what the peer wrote, never what was asked for.
    """
    if run.environment is None:
        notes = "no environment was given with --peers"
        return PeerAnswer(status="not applicable", rows=split.train.iloc[:0], timings={}, notes=notes)
    sizes = table.group_sizes
    by_text = {str(group.values[0]): group.values[0] for group in table.groups}
    counts = {
        text: run.n_draws * int(sizes.max() - size)
        for text, size in zip(by_text, sizes, strict=True)
        if size < sizes.max()
    }
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        split.train.to_csv(folder / "train.csv", index=False)
        request = {
            "label": split.label,
            "counts": counts,
            "seed": split.seed,
            "batch_size": 16,
            "epochs": max(5, min(200, ROW_EPOCHS // len(split.train))),
        }
        (folder / "request.json").write_text(json.dumps(request))
        status, notes = _run(run.environment / "bin" / "python", PROGRAMS / f"{name}_rows.py", folder, run.limit_s)
        timings = _read_json(folder / "timings.json")
        rows = _read_rows(folder / "rows.csv", split, by_text)
    return PeerAnswer(status=status, rows=rows, timings=timings, notes=notes)


def _run(python: Path, program: Path, folder: Path, limit_s: float) -> tuple[str, str]:
    """Run the program and return how it ended, as a status and in words."""
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    with (folder / "log.txt").open("w+") as log:
        command = [str(python), str(program), str(folder)]
        try:
            code = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
                timeout=WALL_FACTOR * limit_s,
                check=False,
                preexec_fn=partial(limit_cpu, limit_s),
            ).returncode
        except subprocess.TimeoutExpired:
            return "timeout", f"stopped after {WALL_FACTOR * limit_s:g} s by the clock"
        if code == -signal.SIGXCPU:
            return "timeout", f"stopped after {limit_s:g} processor seconds"
        log.seek(0)
        last = (log.read().strip().splitlines() or [""])[-1]
    return ("ok", "complete") if code == 0 else ("failed", f"ended with {code}: {last[-200:]}")


def _read_json(path: Path) -> dict[str, float]:
    return json.loads(path.read_text()) if path.is_file() else {}


def _read_rows(path: Path, split: Split, by_text: dict[str, object]) -> pd.DataFrame:
    if not path.is_file():
        return split.train.iloc[:0]
    texts = [name for name in split.train if not pd.api.types.is_numeric_dtype(split.train[name])]
    rows = pd.read_csv(path, dtype=dict.fromkeys([*texts, split.label], str), on_bad_lines="skip")
    rows = rows[rows[split.label].isin(list(by_text))]
    return rows.assign(**{split.label: rows[split.label].map(by_text)})[split.train.columns]
