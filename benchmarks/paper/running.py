"""The command line that the figures share, and the loop over cases."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quiet import quiet

from paper.arms import GENERATORS
from paper.opal import SEEDS, Opal

if TYPE_CHECKING:
    from paper.cases import Case
    from paper.results import Results

NO_DATA = (
    "No --data: only the simulated table is measured. Missing are the paper's tables (splits, recorded rows of GPT-4), "
    "which have no licence and are not part of this project."
)


def parse_arguments(
    doc: str | None, script: str, *, ratios: tuple[int, ...], generators: tuple[str, ...] = GENERATORS
) -> argparse.Namespace:
    """Return the options of a figure; ``doc`` is what ``--help`` says, and results go beside the file ``script``."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the paper's data; without it, only simulated tables")
    parser.add_argument("--tables", nargs="+", metavar="TABLE", help="only these tables")
    parser.add_argument("--ratios", nargs="+", type=int, default=list(ratios), help="majority to minority rows")
    parser.add_argument(
        "--seeds", type=int, default=5, help=f"splits per table (default 5; the paper's tables have {len(SEEDS)})"
    )
    parser.add_argument("--generators", nargs="+", default=generators, metavar="NAME", help="registered generators")
    parser.add_argument("--learner", default="xgboost", choices=("xgboost", "logistic"))
    parser.add_argument("--out", type=Path, default=Path(script).with_suffix(".csv"), help="CSV; pictures go beside it")
    parser.add_argument("--plot-only", action="store_true", help="draw what the CSV holds, measure nothing")
    return parser.parse_args()


def opal_of(arguments: argparse.Namespace) -> Opal | None:
    """Return the paper's data, or say what is missing without them."""
    if arguments.data is None:
        print(NO_DATA, flush=True)
        return None
    return Opal(arguments.data)


def run_cases(cases: Iterable[Case], results: Results, measure: Callable[[Case], Iterable[dict[str, Any]]]) -> None:
    """Measure the cases that are not there yet, and append them as they come."""
    done = results.finished()
    for case in cases:
        key = {"table": case.split.table, "ratio": case.ratio, "seed": case.split.seed}
        if tuple(key.values()) in done:
            continue
        started = time.process_time()
        with quiet():
            records = list(measure(case))
        results.append(key, records)
        failed = sorted({record["arm"] for record in records if record["status"] != "ok"})
        told = f", failed: {', '.join(failed)}" if failed else ""
        print(f"{case.name}: {len(records)} scores, {time.process_time() - started:.1f} s CPU{told}", flush=True)
