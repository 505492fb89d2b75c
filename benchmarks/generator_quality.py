"""Claim: how the generators compare, arm by arm, on real rows that none of them has seen.

    OMP_NUM_THREADS=1 nice python benchmarks/generator_quality.py --data FOLDER [--peers ENVIRONMENT]

FOLDER holds ``opal/`` (the paper's splits with recorded rows of GPT-4) and ``public/`` (Parquet tables); see
quality/sources.py.  Every method sees the same splits: half of a table is never touched, the minority of the other half
is thinned to 10, 50, 100 and 400 rows where there are as many, and the majority is capped at ``--majority`` rows.  Each
method learns once per split and is drawn from ``--draws`` times; each draw trains both learners.  Scores come once as
they are and once after a shift of prior and threshold fitted on real out-of-fold rows.  Every method runs in a process
of its own under a limit in processor seconds; what cannot run is recorded with its reason.

Results are appended to the CSV file as they come, and a run continues where the last one stopped: rows that are there
are not made again, whatever the options say.  Two runs on different tables may share the file.  The summary is Markdown
beside it.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from quality.apart import run_apart
from quality.ledger import Ledger
from quality.methods import METHODS, Method, parse_variant
from quality.peers import PeerRun
from quality.sources import TABLES, Request, splits
from quality.summary import write_markdown
from quality.trial import Settings, run_trial

if TYPE_CHECKING:
    from quality.splits import Split

TRIED_AT = {"transformer": (1.0, 0.3)}  # weights of a synthetic row against a real one


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with opal/ and public/")
    parser.add_argument("--peers", type=Path, help="environment that peers/setup.py built")
    parser.add_argument("--tables", nargs="+", default=TABLES, choices=TABLES, metavar="TABLE")
    parser.add_argument("--arms", nargs="+", default=METHODS, choices=METHODS, metavar="ARM")
    parser.add_argument(
        "--variant",
        nargs="+",
        type=parse_variant,
        default=[],
        metavar='NAME=GENERATOR:{"option":value}',
        help="further arms: a registered generator with options",
    )
    parser.add_argument("--weights", nargs="+", type=float, help="weights of synthetic rows, for all that make rows")
    parser.add_argument("--seeds", type=int, default=5, help="splits per table (the paper's tables have 5)")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--minority", nargs="+", type=int, default=[10, 50, 100, 400], help="minority rows to train on")
    parser.add_argument("--majority", type=int, default=2_000, help="other rows to train on, at most")
    parser.add_argument("--no-shift", action="store_true", help="leave out the scores after a shift, and their folds")
    parser.add_argument("--limit-s", type=float, default=1_800, help="processor seconds for a method on a split")
    parser.add_argument("--peer-limit-s", type=float, default=300, help="processor seconds for a peer on a split")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    parser.add_argument("--retry", action="store_true", help="try again what timed out or crashed")
    parser.add_argument("--compare", nargs="+", default=["transformer", "transformer w=0.3"], metavar="ARM")
    parser.add_argument("--summary-only", action="store_true", help="only rewrite the summary of what is there")
    return parser.parse_args()


def methods(arguments: argparse.Namespace) -> list[Method]:
    chosen = [Method(name=name) for name in arguments.arms] + arguments.variant
    return [dataclasses.replace(method, weights=_weights(method, arguments)) for method in chosen]


def _weights(method: Method, arguments: argparse.Namespace) -> tuple[float, ...]:
    if not method.makes_rows:
        return (1.0,)
    return tuple(arguments.weights or TRIED_AT.get(method.generator or method.name, (1.0,)))


def run_method(split: Split, method: Method, settings: Settings, limit_s: float, ledger: Ledger) -> None:
    """Run a method on a split unless all its arms are there, and append what came, be it a failure."""
    cell = (split.table, split.minority, split.majority_cap, split.seed)
    if {(*cell, arm) for arm in method.arms} <= ledger.finished(settings.retries):
        return
    outcome = run_apart(lambda: run_trial(split, method, settings), limit_s=limit_s)
    failures = [
        {"arm": arm, "generator": method.name, "draw": -1, "status": outcome.status, "reason": outcome.reason}
        for arm in method.arms
    ]
    records = outcome.result if outcome.status == "ok" else failures
    times = {"trial_wall_s": outcome.wall_s, "trial_cpu_s": outcome.cpu_s}
    ledger.append(split, [{**record, **times} for record in records])
    risks = [f"{one['learner']} {one['balanced_ce']:.3f}" for one in records if one["draw"] == 0]
    told = f"balanced cross-entropy {', '.join(risks)}" if risks else outcome.reason
    print(f"{split.name}, {method.name}: {outcome.status}, {outcome.cpu_s:.1f} s CPU; {told}", flush=True)


def main() -> None:
    arguments = parse_arguments()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")  # learners and generators warn about tiny groups, which are the point here
    ledger = Ledger(arguments.out)
    request = Request(
        tables=arguments.tables,
        minority=arguments.minority,
        n_seeds=arguments.seeds,
        majority_cap=arguments.majority,
        data=arguments.data,
    )
    # A peer must end before the process that watches it does.
    limit_s = min(arguments.peer_limit_s, 0.9 * arguments.limit_s)
    peers = PeerRun(environment=arguments.peers, limit_s=limit_s, n_draws=arguments.draws)
    settings = Settings(
        n_draws=arguments.draws, fits_shift=not arguments.no_shift, retries=arguments.retry, peers=peers
    )
    if not arguments.summary_only:
        for split in splits(request):
            for method in methods(arguments):
                run_method(split, method, settings, arguments.limit_s, ledger)
    summary = write_markdown(ledger.read(), arguments.compare)
    arguments.out.with_suffix(".md").write_text(summary)
    print(summary)


if __name__ == "__main__":
    main()
