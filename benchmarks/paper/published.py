"""The published error rates of the paper, made anew from its rows and compared to the digit.

    OMP_NUM_THREADS=1 nice -n 19 python benchmarks/paper/published.py --data FOLDER

Every published number is a mean, with a standard deviation, of the error rate over 5 seeds.  Each is computed anew
from the same training rows, the same test rows and the same synthetic rows, with the paper's classifiers: logistic
regression without a penalty, random forests, and CatBoost where it is installed.  Writes published.csv: the new mean
and standard deviation of all of them, and how far each is from the published one.  A run goes on where the last one
stopped.  FOLDER holds the paper's data with published_results.csv.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the benchmarks' packages lie one folder up

import numpy as np
import pandas as pd

from paper.opal import SEEDS, Opal
from paper.refit import METRICS, errors_of_split

TOLERANCE = 1e-9
NAMES = ["setting", "dataset", "classifier", "method"]
VALUES = ("mean", "std")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the paper's data")
    parser.add_argument("--classifiers", nargs="+", default=["logistic", "catBoost", "randomForest"], metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    return parser.parse_args()


def remake(opal: Opal, published: pd.DataFrame, classifiers: list[str], out: Path) -> pd.DataFrame:
    """Return the new numbers with their distance to the published ones, appending to ``out`` as they come."""
    done = pd.read_csv(out) if out.is_file() else pd.DataFrame(columns=NAMES)
    finished = set(done[NAMES].itertuples(index=False, name=None))
    known: dict[Any, Any] = {}
    for names, theirs in published.groupby(NAMES, sort=False):
        if names[2] not in classifiers or names in finished:
            continue
        setting, table, classifier, method = names
        ours = [errors_of_split(opal, setting, table, classifier, method, seed, known) for seed in SEEDS]
        rows = compare(theirs, pd.DataFrame(_long(ours, METRICS[setting])))
        rows.to_csv(out, mode="a", header=not out.is_file(), index=False)
        print(f"{', '.join(names)}: {int(rows['agrees'].sum())} of {len(rows)} agree", flush=True)
    return pd.read_csv(out)


def _long(seeds: list[list[dict[str, float]]], metrics: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return mean and standard deviation over seeds for every metric and step."""
    found = []
    for metric in metrics:
        for step in range(len(seeds[0])):
            values = np.array([seed[step][metric] for seed in seeds])
            found.append(
                {"metric": metric, "n_added_step": step, "new_mean": values.mean(), "new_std": values.std(ddof=1)}
            )
    return found


def compare(theirs: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """Return the new numbers, how far they are from the published ones, and whether both agree within `TOLERANCE`."""
    columns = [*NAMES, "metric", "n_added_step", *VALUES]
    both = theirs[columns].merge(ours, on=["metric", "n_added_step"], how="left", validate="one_to_one")
    gaps = np.abs([both[name] - both[f"new_{name}"] for name in VALUES])
    ours_alone = both.drop(columns=list(VALUES))  # the authors' numbers stay in the authors' file
    return ours_alone.assign(difference=gaps.max(axis=0), agrees=(gaps <= TOLERANCE).all(axis=0))


def summary(found: pd.DataFrame, n_published: int) -> str:
    """Return how many numbers agree, in all and by classifier and method, and a list of those that do not."""
    lines = [
        f"{int(found['agrees'].sum())} of {n_published} published numbers (mean and standard deviation each) agree "
        f"within {TOLERANCE:g}; {n_published - len(found)} were not made anew.",
        found.groupby(["setting", "classifier", "method"])["agrees"].agg(["sum", "size"]).to_string(),
    ]
    apart = found[~found["agrees"]]
    if len(apart):
        worst = apart.groupby([*NAMES, "metric"])["difference"].agg(["size", "max"])
        lines.append("Apart, with the number of steps and the largest difference:\n" + worst.to_string())
    return "\n\n".join(lines)


def main() -> None:
    arguments = parse_arguments()
    warnings.simplefilter("ignore")
    opal = Opal(arguments.data)
    published = opal.read("published_results.csv")
    classifiers = list(arguments.classifiers)
    if "catBoost" in classifiers and find_spec("catboost") is None:
        print("CatBoost is not installed: its numbers are left out (pip install catboost).", flush=True)
        classifiers.remove("catBoost")
    found = remake(opal, published, classifiers, arguments.out)
    print(summary(found, len(published)))


if __name__ == "__main__":
    main()
