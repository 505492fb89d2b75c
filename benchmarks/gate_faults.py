"""Claim: the gate catches each planted fault by the check meant for it, and lets fresh real rows pass.

    OMP_NUM_THREADS=1 nice python benchmarks/gate_faults.py --data FOLDER

FOLDER holds Parquet tables; see faults/sources.py.  In each draw a table is cut into real rows (40 %), fresh rows
(40 %, large groups cut down, so that the mix of groups is another one) and held-out rows.  The gate knows the real and
the held-out rows.  Fresh rows must pass in at least 95 of 100 draws; with a fault planted in them, the check that is
meant for it must fail.  For one table, rows of SMOTE take the place of fresh rows.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import pandas as pd
from faults.planted import FAULTS
from faults.sources import SMOTE, TABLES, cut, read
from faults.summary import write_markdown
from faults.verdicts import Verdict, as_frame, judge_fault, judge_fresh


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with <table>.parquet files")
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=TABLES, metavar="TABLE")
    parser.add_argument("--faults", nargs="+", default=[fault.name for fault in FAULTS], metavar="FAULT")
    parser.add_argument("--seeds", type=int, default=3, help="draws per fault and table")
    parser.add_argument("--fresh", type=int, default=100, help="draws of fresh real rows per table")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    parser.add_argument("--summary-only", action="store_true", help="only rewrite the summary of what is there")
    return parser.parse_args()


def judge_table(name: str, arguments: argparse.Namespace) -> list[Verdict]:
    frame, label, group_by = read(name, arguments.data)
    faults = [fault for fault in FAULTS if fault.name in arguments.faults]
    n_fresh = min(arguments.fresh, arguments.seeds) if name.endswith(SMOTE) else arguments.fresh
    verdicts = []
    for seed in range(max(arguments.seeds, n_fresh)):
        trial = cut(name, frame, label, group_by, seed)
        if seed < n_fresh:
            verdicts.append(judge_fresh(trial))
        if seed < arguments.seeds:
            verdicts += [judge_fault(trial, fault) for fault in faults]
    return verdicts


def main() -> None:
    arguments = parse_arguments()
    warnings.simplefilter("ignore")  # SMOTE warns about tiny groups, which are the point here
    if not arguments.summary_only:
        verdicts = []
        for name in arguments.tables:
            started = time.perf_counter()
            verdicts += judge_table(name, arguments)
            print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
            as_frame(verdicts).to_csv(arguments.out, index=False)
    summary = write_markdown(pd.read_csv(arguments.out, keep_default_na=False))
    arguments.out.with_suffix(".md").write_text(summary)
    print(summary)


if __name__ == "__main__":
    main()
