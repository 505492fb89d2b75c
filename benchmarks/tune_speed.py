"""Claim: tune over 3 generators x 4 sizes on a table of 5,000 rows x 20 columns takes less than 3 minutes on 2 cores.

    OMP_NUM_THREADS=2 python benchmarks/tune_speed.py

Every repeat tunes a simulated table of its own (15 numbers, 4 categories, label; 8 % minority) with a ledger, and then
once more with the same ledger, which is what taking up an interrupted call costs at most.  Wall times mean little on a
busy machine, so processor time and load stand beside them.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import autosynth

GENERATORS = ("smote", "independent", "transformer")
RATIOS = (0.25, 0.5, 0.75, 1.0)


def table(n_rows: int, seed: int) -> pd.DataFrame:
    """Return 15 numbers, 4 categories and a label whose minority depends on sums, products and one category."""
    rng = np.random.default_rng([seed, n_rows])
    numbers = rng.normal(size=(n_rows, 15))
    frame = pd.DataFrame(numbers, columns=[f"number_{column}" for column in range(15)])
    for column, n_levels in enumerate((3, 5, 8, 12)):
        frame[f"category_{column}"] = rng.choice([f"level {level}" for level in range(n_levels)], size=n_rows)
    score = numbers[:, 0] + numbers[:, 1] * numbers[:, 2] + (frame["category_0"] == "level 0")
    risk = 1 / (1 + np.exp(3.7 - score))
    return frame.assign(label=np.where(rng.random(n_rows) < risk, "yes", "no"))


def tuned(frame: pd.DataFrame, seed: int, folder: str) -> tuple[autosynth.TuningReport, float, float]:
    """Return the report with the wall and the processor time it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    report = autosynth.tune(
        frame,
        label="label",
        generators=GENERATORS,
        ratios=RATIOS,
        synthetic_weights=(0.3,),
        ledger=folder,
        random_state=seed,
    )
    return report, time.perf_counter() - wall, time.process_time() - cpu


def measure(n_rows: int, seed: int) -> dict[str, object]:
    frame = table(n_rows, seed)
    with tempfile.TemporaryDirectory() as folder:
        report, wall, cpu = tuned(frame, seed, folder)
        n_models = len(list(Path(folder).glob("*.npz")))
        again, resumed, _ = tuned(frame, seed, folder)
    assert str(again.best) == str(report.best)
    return {
        "n_rows": n_rows,
        "n_columns": frame.shape[1],
        "minority_rows": int((frame["label"] == "yes").sum()),
        "seed": seed,
        "generators": " ".join(GENERATORS),
        "sizes": len(RATIOS),
        "models": n_models,
        "wall_s": wall,
        "cpu_s": cpu,
        "resumed_s": resumed,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "load": os.getloadavg()[0],
        "threads": int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
        "chosen": report.best.name,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    records = []
    for seed in range(arguments.repeats):
        records.append(measure(arguments.rows, seed))
        shown = records[-1]
        print(
            f"seed {seed}: {shown['models']} models in {shown['wall_s']:.0f} s ({shown['cpu_s']:.0f} s of processor "
            f"time, load {shown['load']:.1f}), again {shown['resumed_s']:.1f} s, peak {shown['peak_mib']:.0f} MiB: "
            f"{shown['chosen']}"
        )
    pd.DataFrame(records).round(2).to_csv(Path(__file__).with_suffix(".csv"), index=False)


if __name__ == "__main__":
    main()
