"""How long the gate takes through Great Expectations, and how much memory: one fresh process per measurement.

    python benchmarks/gate_speed_gx.py

Writes ``gate_speed_gx.csv``.  Seconds of the wall clock and of the processor, and the peak of the resident memory, for
building a suite (with its self-test), for the gate, and for the gate with Data Docs; the import is timed apart.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

SIZES = (10_000, 200_000)
LIMITS = {10_000: 10.0, 200_000: 60.0}  # seconds of the gate
MAX_MIB = 2048
HERE = Path(__file__).parent


def table(n_rows: int, seed: int) -> pd.DataFrame:
    """Return rows with 20 columns: 10 numbers, 3 whole numbers, 5 categories, a date, and a label with 10 % of rows."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n_rows)
    columns: dict[str, object] = {f"x{i}": rng.normal(size=n_rows) + 0.5 * common * (i % 2) for i in range(8)}
    columns["price"] = np.round(np.exp(rng.normal(3, 1, n_rows)), 2)
    columns["gap"] = np.where(rng.random(n_rows) < 0.1, np.nan, common)
    columns |= {f"n{i}": rng.poisson(5 * (i + 1), n_rows) for i in range(3)}
    columns |= {f"c{i}": rng.choice(list("abcdefgh")[: i + 2], n_rows) for i in range(4)}
    columns["sex"] = rng.choice(["F", "M"], n_rows)
    columns["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1000, n_rows), unit="D")
    columns["label"] = np.where(rng.random(n_rows) < 0.1 * np.exp(0.5 * common), "yes", "no")
    return pd.DataFrame(columns)


@contextmanager
def timed(what: str, measured: dict[str, float]) -> Iterator[None]:
    wall, processor = time.perf_counter(), time.process_time()
    yield
    measured[f"{what}_s"] = round(time.perf_counter() - wall, 2)
    measured[f"{what}_cpu_s"] = round(time.process_time() - processor, 2)


def measure(n_rows: int) -> dict[str, float]:
    """Return what one run takes in this process."""
    real, synthetic = table(n_rows, 0), table(n_rows, 1)
    measured: dict[str, float] = {"n_rows": n_rows, "n_columns": real.shape[1]}
    with timed("import", measured):
        from autosynth_gx import build_suite, run_gate
    with timed("build", measured):
        suite = build_suite(real, label="label", group_by="sex", holdout=table(n_rows // 4, 2))
    with timed("gate", measured):
        result = run_gate(suite, synthetic)
    measured["n_checks"] = len(result.report.results)
    measured["n_expectations"] = len(suite.expectations)
    measured["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    with tempfile.TemporaryDirectory() as folder, timed("gate_with_docs", measured):
        run_gate(suite, synthetic, docs_dir=folder)
    assert result.passed, str(result)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=SIZES)
    parser.add_argument("--one", type=int, help="measure one size in this process and print JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    rows = []
    for n_rows in options.rows:
        command = [sys.executable, __file__, "--one", str(n_rows)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
        rows.append(json.loads(answer.stdout.splitlines()[-1]))
        print(rows[-1], flush=True)
    found = pd.DataFrame(rows)
    found.to_csv(HERE / "gate_speed_gx.csv", index=False)
    print(found.T.to_string(header=False))
    for row in rows:
        seconds, limit = row["gate_s"], LIMITS.get(int(row["n_rows"]), float("inf"))
        if seconds > limit or row["peak_mib"] > MAX_MIB:
            sys.exit(f"{row['n_rows']} rows took {seconds} s (at most {limit}) and {row['peak_mib']} MiB ({MAX_MIB})")


if __name__ == "__main__":
    main()
