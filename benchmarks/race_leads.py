"""Claim: by how much rows lead in cross-validation says little about what they bring on test rows.

    OMP_NUM_THREADS=1 nice python benchmarks/race_leads.py --data FOLDER

Every arm of every race of benchmarks/do_no_harm.py runs through all folds of three repeats, without halving.  For the
best arm with rows the table says by how many standard errors it leads the best one without, in the first repeat and in
all three, and what it gains over that one on the test rows of the split.  On the test rows all of them are calibrated,
and in the race all that are better for it: the closed form is left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from harm.arms import Arm
from harm.automatic import RACING, treatment_of
from harm.metrics import RowScores, TestRows, draw
from harm.prediction import predict, train_xgboost
from harm.sources import read_setting, setting_names
from harm.splits import Split, splits
from harm.verdicts import losses
from quiet import quiet

import autosynth
from autosynth.tuning.candidate import spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autosynth.tuning.candidate import Scored
    from autosynth.tuning.report import TuningReport

N_REPEATS = 3
GAINS = ("auc", "average_precision", "balanced_ce_shifted")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.csv and the tables it names")
    parser.add_argument("--ledger", type=Path, default=Path("race_leads_ledger"), help="folder for the races")
    parser.add_argument("--settings", nargs="+", metavar="NAME", help="tables; all without groups by default")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "harm" / "race_leads.csv")
    return parser.parse_args()


def race(split: Split, folder: Path, repeats: int) -> TuningReport:
    return autosynth.tune(
        split.train, label=split.label, random_state=split.seed("tune"), progress=False, generators=RACING,
        ledger=folder / f"{split.name}_{split.index}_{repeats}", repeats=repeats, halving=False,
    )  # fmt: skip


def champions(report: TuningReport) -> tuple[Scored, Scored]:
    """Return the best candidates with rows and without, among those that are as they come or calibrated."""
    known = [each for each in report.scored if each.is_complete and each.candidate.shift != "prior"]
    kinds = [[each for each in known if each.candidate.arm.is_synthetic == wanted] for wanted in (True, False)]
    return min(kinds[0], key=lambda each: each.loss), min(kinds[1], key=lambda each: each.loss)


def lead(first: Scored, second: Scored) -> float:
    ahead = second.draws - first.draws
    return float(ahead[0] / spread(ahead))


def gains(split: Split, pair: Sequence[Scored]) -> dict[str, float]:
    """Return how much lower the first one's losses are on the test rows."""
    arms = [Arm(name=each.name, model=each.name, shift="calibrated", later_shift="calibrated") for each in pair]
    scores = {
        arm.name: RowScores.of([arm], [split], [predict(split, treatment_of(each.candidate.arm), train_xgboost)])
        for arm, each in zip(arms, pair, strict=True)
    }
    draws = draw(scores, TestRows.of([split]), n_bootstrap=1)
    return {name: float(losses(draws, arms[1].name, name)[0] - losses(draws, arms[0].name, name)[0]) for name in GAINS}


def record(split: Split, folder: Path, repeats: int) -> dict[str, Any]:
    report = race(split, folder, repeats)
    best, without = champions(report)
    return {
        "table": split.name, "split": split.index, "repeats": repeats, "with_rows": best.candidate.arm.name,
        "without": without.candidate.arm.name, "lead": lead(best, without), "takes_rows": report.best.uses_synthetic,
        **{f"gain_{name}": gain for name, gain in gains(split, (best, without)).items()},
    }  # fmt: skip


def main() -> None:
    arguments = parse_arguments()
    names = arguments.settings or [name for name in setting_names(arguments.data) if " by " not in name]
    records = []
    for name in names:
        for split in splits(read_setting(arguments.data, name)):
            for repeats in (1, N_REPEATS):
                with quiet():
                    records.append(record(split, arguments.ledger, repeats))
            print(name, split.index, *(f"{one['lead']:.1f}" for one in records[-2:]), flush=True)
    found = pd.DataFrame(records)
    found.round(6).to_csv(arguments.out, index=False)
    for repeats, some in found.groupby("repeats"):
        ranks = [np.round(some["lead"].corr(some[f"gain_{name}"], method="spearman"), 2) for name in GAINS]
        told = ", ".join(f"{name} {rank}" for name, rank in zip(GAINS, ranks, strict=True))
        print(f"{repeats} repeats, rank correlation of lead and gain over {len(some)} races: {told}")


if __name__ == "__main__":
    main()
