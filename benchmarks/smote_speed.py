"""Claim: `smote` is at least 5 times as fast as imbalanced-learn's SMOTENC on KDD Cup 99, and stays below 2 GiB.

    python benchmarks/smote_speed.py --data FOLDER

FOLDER holds kddcup99_10pct.parquet: 494,021 rows, 34 numeric and 7 categorical columns, label `attack_category` with
5 classes.  Every class below a tenth of the largest one is brought to that size, on both sides.  A second table, drawn
here, has 40,000 rows and two categorical columns of 5,000 levels.  Every run has a process of its own; timed is
autosynth.rebalance(check="off") against SMOTENC.fit_resample, without imports and reading.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

KDD_FILE = "kddcup99_10pct.parquet"
LABELS = {"kddcup99_10pct": "attack_category", "two_times_5000_levels": "label"}
STRATEGIES = {"kddcup99_10pct": 0.1, "two_times_5000_levels": "balance"}
SIDES = ("autosynth", "imbalanced-learn")


def load(table: str, data: Path | None) -> pd.DataFrame:
    if table == "kddcup99_10pct":
        assert data is not None
        return pd.read_parquet(data / KDD_FILE)
    rng = np.random.default_rng(0)
    n_rows, n_levels = 40_000, 5_000
    frame = pd.DataFrame(rng.normal(size=(n_rows, 4)), columns=list("abcd"))
    for name in ("shop", "city"):
        frame[name] = pd.Series([f"{name} {code}" for code in rng.integers(0, n_levels, n_rows)], dtype="category")
    return frame.assign(label=rng.choice(["rare", "common"], n_rows, p=[0.2, 0.8]))


def prepare_autosynth(frame: pd.DataFrame, table: str, seed: int) -> Callable[[], pd.DataFrame]:
    import autosynth

    def work() -> pd.DataFrame:
        return autosynth.rebalance(
            frame,
            label=LABELS[table],
            generator="smote",
            strategy=STRATEGIES[table],
            check="off",
            random_state=seed,
        ).data

    return work


def prepare_imbalanced_learn(frame: pd.DataFrame, table: str, seed: int) -> Callable[[], pd.DataFrame]:
    from imblearn.over_sampling import SMOTENC

    label, strategy = LABELS[table], STRATEGIES[table]
    sizes = frame[label].value_counts()
    target = sizes.max() if strategy == "balance" else round(strategy * sizes.max())
    X, y = frame.drop(columns=label), frame[label]
    sampler = SMOTENC(
        "auto",  # all categorical columns have pandas' category dtype
        sampling_strategy={name: max(int(size), int(target)) for name, size in sizes.items()},
        random_state=seed,
    )

    def work() -> pd.DataFrame:
        features, labels = sampler.fit_resample(X, y)
        return pd.DataFrame(features).assign(**{label: labels})

    return work


def run_one(side: str, table: str, data: Path | None, seed: int, limit_gib: float) -> dict[str, Any]:
    """Measure one side in this process."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (int(limit_gib * 2**30),) * 2)
    frame = load(table, data)
    prepare = prepare_autosynth if side == "autosynth" else prepare_imbalanced_learn
    work = prepare(frame, table, seed)
    facts: dict[str, Any] = {"side": side, "table": table, "seed": seed, "outcome": "ok"}
    facts["start_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        facts["n_rows_out"] = len(work())
    except MemoryError as error:
        facts["outcome"] = f"MemoryError under a limit of {limit_gib:g} GiB: {error}"
    facts["wall_s"], facts["cpu_s"] = time.perf_counter() - wall, time.process_time() - cpu
    facts["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return facts


def run_apart(arguments: argparse.Namespace, side: str, table: str, seed: int) -> dict[str, Any]:
    """Measure one side in a process of its own."""
    command = [sys.executable, __file__, "--one", side, table, str(seed), "--limit-gib", str(arguments.limit_gib)]
    command += ["--data", str(arguments.data)] if arguments.data else []
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise SystemExit(f"{side} on {table} ended with {answer.returncode}:\n{answer.stderr[-2000:]}")
    facts: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    print(
        f"{table}, {side}, seed {seed}: {facts['wall_s']:.2f} s wall, {facts['cpu_s']:.2f} s CPU, "
        f"peak {facts['peak_mib']:.0f} MiB ({facts['start_mib']:.0f} before), {facts['outcome']}",
        flush=True,
    )
    return facts


def summarize(table: str, records: list[dict[str, Any]]) -> None:
    runs = {side: [r for r in records if (r["table"], r["side"]) == (table, side)] for side in SIDES}
    for side, of_side in runs.items():
        if not of_side:
            continue
        walls = [record["wall_s"] for record in of_side]
        peak = max(record["peak_mib"] for record in of_side)
        print(
            f"{table}, {side}: median {statistics.median(walls):.2f} s ({min(walls):.2f} to {max(walls):.2f}, "
            f"{len(walls)} runs), peak {peak:.0f} MiB, rows {of_side[0].get('n_rows_out', 'none')}"
        )
    for clock in ("wall_s", "cpu_s"):
        times = {side: [r[clock] for r in of_side if r["outcome"] == "ok"] for side, of_side in runs.items()}
        if not all(times.values()):
            continue
        own, theirs = times["autosynth"], times["imbalanced-learn"]
        print(
            f"{table}: ratio of median {clock} {statistics.median(theirs) / statistics.median(own):.1f} "
            f"(lowest {min(theirs) / max(own):.1f}, highest {max(theirs) / min(own):.1f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help=f"folder with {KDD_FILE}")
    parser.add_argument("--repeats", type=int, default=5, help="runs of autosynth per table")
    parser.add_argument("--their-repeats", type=int, default=2, help="runs of imbalanced-learn per table")
    parser.add_argument("--limit-gib", type=float, default=14, help="address space that a run may take")
    parser.add_argument("--one", nargs=3, metavar=("SIDE", "TABLE", "SEED"), help="measure in this process, print JSON")
    arguments = parser.parse_args()
    if arguments.one:
        side, table, seed = arguments.one
        print(json.dumps(run_one(side, table, arguments.data, int(seed), arguments.limit_gib)))
        return
    tables = list(LABELS)
    if arguments.data is None or not (arguments.data / KDD_FILE).is_file():
        print(f"kddcup99_10pct is left out: --data {arguments.data} holds no {KDD_FILE}.")
        tables.remove("kddcup99_10pct")
    records = []
    for table in tables:
        # The sides take turns, so that a slow moment of the machine does not fall on one of them only.
        for seed in range(max(arguments.repeats, arguments.their_repeats)):
            if seed < arguments.repeats:
                records.append(run_apart(arguments, "autosynth", table, seed))
            if seed < arguments.their_repeats:
                records.append(run_apart(arguments, "imbalanced-learn", table, seed))
        summarize(table, records)
    pd.DataFrame(records).round(3).to_csv(Path(__file__).with_suffix(".csv"), index=False)


if __name__ == "__main__":
    main()
