"""Claim: whether correcting a generator's bias, as seen on the majority, makes models of oversampled rows better.

    OMP_NUM_THREADS=1 nice python benchmarks/bias_correction.py --data FOLDER

The idea is that of Lyu, Ma, Zhang, Zhang (arXiv 2510.26046): a generator that has learned from as few majority rows as
there are minority rows errs there in a way that can be measured, since the truth is known; the minority's loss is
corrected by what is measured.  Compared on real test rows with plain oversampling by the same rows and with the
posterior of unbalanced training divided by its prior.  Results go to a CSV file beside this script, a row per table,
minority size, generator, seed, learner and method; what is there is not run again.
"""

from __future__ import annotations

import argparse
import csv
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bias.learners import LEARNERS
from bias.summary import write_markdown
from bias.tables import PUBLIC, SIMULATED, cut
from bias.trials import LABEL, MAX_PARTS, SignedRows, Trial, objective
from quality.learners import TINIEST, StandardEncoding
from sklearn.metrics import average_precision_score, roc_auc_score

from autosynth.schema import TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

METHODS = ("none", "synthetic", "own label, one part", "own label", "moved", "ratio")
COLUMNS = (
    "table", "n_minority", "generator", "seed", "learner", "method", "balanced_ce", "auc", "average_precision",
)  # fmt: skip


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the public tables; without it, simulated tables only")
    parser.add_argument("--tables", nargs="+", default=[*SIMULATED, *PUBLIC])
    parser.add_argument("--generators", nargs="+", default=["smote", "independent"])
    parser.add_argument("--minority", nargs="+", type=int, default=[20, 100])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--parts", type=int, default=MAX_PARTS, help="parts of the majority that are estimated on")
    parser.add_argument("--until", help="start nothing new after this time of day, such as 14:00")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    return parser.parse_args()


def run(
    table: str, n_minority: int, generator: str, seed: int, parts: int, data: Path | None
) -> Iterator[dict[str, Any]]:
    """Yield one record per learner and method."""
    train, test = cut(table, seed, n_minority, data)
    trial = Trial.make(train, test, generator, seed, parts)
    encoding = StandardEncoding.fit(train, TableSchema.infer(train, label=LABEL, group_by=()))
    asked, is_minority = encoding.transform(test), (test[LABEL] == 1).to_numpy()
    facts = {"table": table, "n_minority": n_minority, "generator": generator, "seed": seed}
    for learner, fit in LEARNERS.items():
        plain = _prior_corrected(fit(_plain(trial, encoding), asked), train[LABEL].mean())
        yield {**facts, "learner": learner, "method": "none + corrected prior", **_scores(plain, is_minority)}
        for method in METHODS:
            proba = fit(objective(trial, encoding, method), asked)
            yield {**facts, "learner": learner, "method": method, **_scores(proba, is_minority)}


def _plain(trial: Trial, encoding: Any) -> SignedRows:
    """Return the real rows with equal weights, in the sum that all methods have: 2."""
    n_rows = len(trial.train)
    labels = trial.train[LABEL].to_numpy(dtype="float64")
    return SignedRows(encoding.transform(trial.train), labels, np.full(n_rows, 2 / n_rows))


def _prior_corrected(proba: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.float64]:
    positive, negative = proba / share, (1 - proba) / (1 - share)
    return positive / (positive + negative)


def _scores(proba: npt.NDArray[np.float64], is_minority: npt.NDArray[np.bool_]) -> dict[str, float]:
    proba = np.clip(proba, TINIEST, 1 - TINIEST)
    risks = -np.log(proba[is_minority]).mean(), -np.log1p(-proba[~is_minority]).mean()
    return {
        "balanced_ce": float(np.mean(risks)),
        "auc": float(roc_auc_score(is_minority, proba)),
        "average_precision": float(average_precision_score(is_minority, proba)),
    }


def main() -> None:
    arguments = parse_arguments()
    warnings.simplefilter("ignore")  # checks and generators warn about small groups, which are the point here
    known = pd.read_csv(arguments.out) if arguments.out.is_file() else pd.DataFrame(columns=list(COLUMNS))
    done = set(known[["table", "n_minority", "generator", "seed"]].itertuples(index=False, name=None))
    with arguments.out.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if known.empty:
            writer.writeheader()
        for seed in range(arguments.seeds):
            for table in arguments.tables:
                for n_minority in arguments.minority:
                    for generator in arguments.generators:
                        if arguments.until and time.strftime("%H:%M") >= arguments.until:
                            break
                        if (table, n_minority, generator, seed) in done:
                            continue
                        for record in run(table, n_minority, generator, seed, arguments.parts, arguments.data):
                            numbers = {name: f"{record[name]:.5f}" for name in COLUMNS[-3:]}
                            writer.writerow({**record, **numbers})
                        file.flush()
    summary = write_markdown(pd.read_csv(arguments.out))
    arguments.out.with_suffix(".md").write_text(summary)
    print(summary)


if __name__ == "__main__":
    main()
