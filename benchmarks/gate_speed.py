"""Claim: the gate takes below 2 s for 10,000 x 20 and below 20 s for 200,000 x 20.

    OMP_NUM_THREADS=1 python benchmarks/gate_speed.py

The table is that of gate_speed_gx.py, and every repeat runs in a fresh process.  Timed are the summary of the real
rows, placing them for the search of copies, and all checks of as many synthetic rows; a tenth as many rows are held
out.  The imports are timed apart, since they are paid once.  Seconds of the wall clock and of the processor, and the
peak of the resident memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from gate_speed_gx import table

LIMITS_S = {10_000: 2.0, 200_000: 20.0}


def measure(n_rows: int, *, quick_only: bool) -> dict[str, float]:
    """Return the seconds of the steps, in this process."""
    taken: dict[str, float] = {}

    def timed(step: str, work: Callable[[], object]) -> object:
        wall, processor = time.perf_counter(), time.process_time()
        result = work()
        taken[f"{step}_s"] = round(time.perf_counter() - wall, 3)
        taken[f"{step}_cpu_s"] = round(time.process_time() - processor, 3)
        return result

    timed("import", _import)
    from autosynth.checks.batch import Batch
    from autosynth.checks.families import run_families
    from autosynth.checks.family import Context
    from autosynth.checks.real_rows import RealRows
    from autosynth.checks.reference import Reference
    from autosynth.table import Table

    real, synthetic, held_out = table(n_rows, 0), table(n_rows, 1), table(n_rows // 10, 2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start, processor = time.perf_counter(), time.process_time()
    known = timed("table", lambda: Table.from_frame(real, label="label", group_by="sex"))
    rows = RealRows(known, held_out)
    timed("place", lambda: rows.known)
    reference = timed("reference", lambda: Reference.of(known, rules=["price > 0"]))
    batch = timed("read", lambda: Batch.read(synthetic, reference))
    results = timed("checks", lambda: run_families(Context(reference, batch, rows), quick_only=quick_only))
    taken["all_s"] = round(time.perf_counter() - start, 3)
    taken["all_cpu_s"] = round(time.process_time() - processor, 3)
    taken["n_checks"] = len(results)
    taken["n_failed"] = sum(not result.passed for result in results)
    taken["rows_mib"] = round(before)
    taken["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return taken


def _import() -> None:
    import sklearn.ensemble
    import sklearn.metrics
    import sklearn.model_selection  # noqa: F401 - what the checks import when they are asked for the first time

    import autosynth.checks  # noqa: F401


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--one", nargs=2, metavar=("ROWS", "QUICK"), help="measure in this process and print JSON")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(int(arguments.one[0]), quick_only=arguments.one[1] == "quick")))
        return
    records = []
    for n_rows, limit in LIMITS_S.items():
        for which in ("all", "quick"):
            for repeat in range(arguments.repeats):
                command = [sys.executable, __file__, "--one", str(n_rows), which]
                told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                records.append({"n_rows": n_rows, "families": which, "repeat": repeat, **told})
            mine = pd.DataFrame(records).query("n_rows == @n_rows and families == @which")
            print(
                f"{n_rows:>7,} rows, {which} families, {int(mine['n_checks'].iloc[0])} checks: "
                + ", ".join(f"{name} {_range(mine[name])}" for name in ("all_s", "all_cpu_s", "import_s", "peak_mib"))
                + f" (limit {limit:g} s)",
                flush=True,
            )
    pd.DataFrame(records).to_csv(Path(__file__).with_suffix(".csv"), index=False)


def _range(values: pd.Series) -> str:
    return f"{values.median():g} ({values.min():g} to {values.max():g})"


if __name__ == "__main__":
    main()
