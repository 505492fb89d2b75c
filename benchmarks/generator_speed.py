"""Claim: what training plus sampling to balance costs, per generator and table size, in time and memory.

    OMP_NUM_THREADS=2 python benchmarks/generator_speed.py [--peers ENVIRONMENT]

Simulated tables of 20 columns (whole, skewed, correlated and rounded numbers, categories, missing values), 10 % of the
rows minority; the minority is brought to the size of the majority, so 80 % as many rows are made as there are.  Every
case has a process of its own, under a limit in processor seconds; importing what a generator needs is timed apart from
its work.  ENVIRONMENT is what peers/setup.py built; peers get the small tables.  Wall times mean little on a busy
machine, so processor time and load stand beside them.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from quality.apart import NoResultError, limit_cpu
from quality.methods import PEERS, Cost, Method
from quality.peers import PeerRun
from quality.splits import Split

from autosynth.plan import SamplingPlan
from autosynth.plugins import current_plugins

GENERATORS = ("transformer", "tree", "independent", "smote", "gaussian_copula", "ctgan")
SIZES = (100, 1_000, 20_000, 100_000)
LARGEST_FOR_PEERS = 1_000
CSV = Path(__file__).with_suffix(".csv")


def simulated(n_rows: int, seed: int) -> pd.DataFrame:
    """Return 20 feature columns and a label with 10 % minority rows that differ in location, spread and categories."""
    rng = np.random.default_rng([seed, n_rows])
    label = np.zeros(n_rows, dtype=int)
    label[rng.choice(n_rows, size=n_rows // 10, replace=False)] = 1
    latent = rng.normal(size=(n_rows, 4)) + label[:, None] * np.array([1.0, 0.5, 0.0, -0.5])
    frame = pd.DataFrame(latent @ rng.normal(size=(4, 14)) + rng.normal(scale=0.5, size=(n_rows, 14)))
    frame.columns = [f"number_{column}" for column in range(14)]
    frame[["number_0", "number_1", "number_2"]] = np.exp(frame[["number_0", "number_1", "number_2"]] / 2).round(2)
    for name in ("number_3", "number_4", "number_5"):
        frame[name] = (5 * frame[name]).round().astype("int64")
    frame.loc[rng.random(n_rows) < 0.1, "number_6"] = np.nan
    for column, n_levels in enumerate((2, 3, 5, 8, 12, 30)):
        codes = (n_levels * rng.beta(1 + label, 2 - label)).astype(int)
        frame[f"category_{column}"] = pd.Categorical.from_codes(codes, [f"level {code}" for code in range(n_levels)])
    return frame.assign(label=label)


def run_one(method: Method, n_rows: int, seed: int, run: PeerRun) -> dict[str, Any]:
    """Measure one case in this process."""
    frame = simulated(n_rows, seed)
    split = Split(
        table=f"{n_rows:,} x 20",
        minority=n_rows // 10,
        majority_cap=0,
        seed=seed,
        train=frame,
        test=frame,
        label="label",
        positive=1,
    )
    table = split.groups().table
    counts = {row.group: row.n_oversample for row in SamplingPlan.make(table).groups if row.n_oversample}
    _, loading = Cost.of(lambda: _import_requirements(method))
    start_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    learned = method.learn(split, table, run)
    drawn = learned.draw(counts, 0)
    fit, sample, n_made = learned.fit_cost, drawn.cost, len(drawn.rows)
    return {
        "outcome": "ok" if n_made == sum(counts.values()) else "short",
        "notes": drawn.notes,
        "n_made": n_made,
        "valid_share": drawn.valid_share,
        "import_wall_s": loading.wall_s,
        "import_cpu_s": loading.cpu_s,
        "fit_wall_s": fit.wall_s,
        "fit_cpu_s": fit.cpu_s,
        "sample_wall_s": sample.wall_s,
        "sample_cpu_s": sample.cpu_s,
        "total_wall_s": fit.wall_s + sample.wall_s,
        "total_cpu_s": fit.cpu_s + sample.cpu_s,
        "rows_per_wall_s": n_made / sample.wall_s,
        "rows_per_cpu_s": n_made / max(sample.cpu_s, 1e-9),
        "start_mib": start_mib,
        "peak_mib": sample.peak_rss_mib,
    }


def _import_requirements(method: Method) -> None:
    registry = current_plugins()
    if method.name in registry.names:
        for module in registry.info(method.name).requires:
            importlib.import_module(module)


def run_apart(arguments: argparse.Namespace, method: str, n_rows: int, seed: int) -> dict[str, Any]:
    """Measure one case in a process of its own."""
    command = [sys.executable, __file__, "--one", method, str(n_rows), str(seed)]
    command += ["--limit-s", str(arguments.limit_s)]
    command += ["--peers", str(arguments.peers)] if arguments.peers else []
    facts: dict[str, Any] = {"n_rows": n_rows, "method": method, "repeat": seed}
    load = os.getloadavg()[0]
    # The limit of a peer is kept by the process that runs it, and what came until then is reported.
    answer = subprocess.run(
        command, capture_output=True, text=True, check=False, preexec_fn=partial(limit_cpu, arguments.limit_s)
    )
    if answer.returncode == -signal.SIGXCPU:
        facts |= {"outcome": "timeout", "notes": f"stopped after {arguments.limit_s:g} processor seconds"}
    else:
        lines = answer.stdout.splitlines()
        crashed = {"outcome": "crashed", "notes": (answer.stderr.strip().splitlines() or [""])[-1][:200]}
        facts |= json.loads(lines[-1]) if answer.returncode == 0 and lines else crashed
    facts |= {"threads": os.environ.get("OMP_NUM_THREADS", f"default, {os.cpu_count()} cores"), "load": load}
    told = (
        f"{facts['total_wall_s']:.2f} s wall, {facts['total_cpu_s']:.2f} s CPU, {facts['rows_per_cpu_s']:,.0f} rows "
        f"per CPU second, peak {facts['peak_mib']:.0f} MiB"
        if "total_wall_s" in facts
        else facts["notes"]
    )
    print(f"{n_rows:,} x 20, {method}, repeat {seed}: {facts['outcome']}, {told}", flush=True)
    return facts


def summarize(results: pd.DataFrame) -> str:
    """Return the medians over repeats, one line per size and method."""
    wanted = ["total_wall_s", "total_cpu_s", "fit_cpu_s", "sample_cpu_s", "rows_per_wall_s", "rows_per_cpu_s"]
    wanted += ["peak_mib", "valid_share"]
    medians = results.reindex(columns=["n_rows", "method", *wanted]).groupby(["n_rows", "method"])[wanted].median()
    return medians.map(lambda value: f"{value:.4g}").to_string()


def cases(arguments: argparse.Namespace) -> list[tuple[str, int, int]]:
    """Return (method, rows, repeat): methods take turns, so that a slow moment falls on all of them."""
    return [
        (method, n_rows, repeat)
        for n_rows in arguments.sizes
        for repeat in range(arguments.repeats)
        for method in arguments.methods
        if method not in PEERS or (n_rows <= LARGEST_FOR_PEERS and repeat == 0)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, help="environment that peers/setup.py built")
    parser.add_argument("--methods", nargs="+", default=[*GENERATORS, *PEERS])
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="rows of the tables")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit-s", type=float, default=1_800, help="processor seconds for one case")
    parser.add_argument("--out", type=Path, default=CSV)
    parser.add_argument("--one", nargs=3, metavar=("METHOD", "ROWS", "SEED"), help="measure here, print JSON")
    arguments = parser.parse_args()
    if arguments.one:
        warnings.simplefilter("ignore")
        name, n_rows, seed = arguments.one
        run = PeerRun(environment=arguments.peers, limit_s=arguments.limit_s, n_draws=1)
        try:
            facts = run_one(Method(name=name), int(n_rows), int(seed), run)
        except NoResultError as error:
            facts = {"outcome": error.status, "notes": str(error)}
        print(json.dumps(facts))
        return
    records = []
    for case in cases(arguments):
        records.append(run_apart(arguments, *case))
        pd.DataFrame(records).round(4).to_csv(arguments.out, index=False)  # after every case: a run may be cut off
    print(summarize(pd.DataFrame(records)))


if __name__ == "__main__":
    main()
