"""Claim: validation scores of in-fold rebalancing agree with fresh rows; those of concatenated rows overstate.

    python benchmarks/leakage.py --data FOLDER

Average precision of AutoGluon's best model: out of fold (what a user sees) and on test rows that nothing has seen, per
table and seed, for no synthetic rows, SMOTE inside the folds, and SMOTE concatenated before the fit.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from autogluon.tabular import TabularPredictor
from sklearn.model_selection import train_test_split
from tables import LABELS, add_data_option, read

import autosynth
from autosynth_autogluon import rebalanced

MODELS: dict[str, Any] = {"GBM": {}, "XGB": {}, "RF": {}, "LR": {}}


def scores(train: pd.DataFrame, test: pd.DataFrame, label: str, models: Any) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        predictor = TabularPredictor(label=label, path=folder, eval_metric="average_precision", verbosity=0).fit(
            train,
            hyperparameters=models,
            num_bag_folds=5,
            num_cpus=1,
            num_gpus=0,
            ag_args_ensemble={"fold_fitting_strategy": "sequential_local"},
        )
        best = predictor.leaderboard(test).set_index("model").loc[predictor.model_best]
        return float(best["score_val"]), float(best["score_test"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument("--tables", nargs="+", default=["mammography", "wine_quality_white", "oil_spill"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=6_000, help="rows of a table that are used at most")
    options = parser.parse_args()
    records = []
    for name in options.tables:
        label = LABELS[name]
        frame = read(options.data, name)
        rare = frame[label].value_counts().idxmin()
        frame[label] = (frame[label] == rare).astype(int)
        for seed in range(options.seeds):
            used = frame.sample(min(options.rows, len(frame)), random_state=seed)
            train, test = train_test_split(used, test_size=0.5, stratify=used[label], random_state=seed)
            train, test = train.reset_index(drop=True), test.reset_index(drop=True)
            concatenated = autosynth.rebalance(train, label=label, check="off", random_state=seed).data
            arms = {
                "none": (train, MODELS),
                "in-fold smote": (train, rebalanced(MODELS, generator="smote", random_state=seed)),
                "concatenated smote": (concatenated.sample(frac=1, random_state=seed).reset_index(drop=True), MODELS),
            }
            for arm, (rows, models) in arms.items():
                validation, fresh = scores(rows, test, label, models)
                records.append({"table": name, "seed": seed, "arm": arm, "validation": validation, "test": fresh})
                print(f"{name:20} seed {seed} {arm:20} validation {validation:.3f} test {fresh:.3f}", flush=True)
    results = pd.DataFrame(records).assign(optimism=lambda frame: frame["validation"] - frame["test"])
    results.to_csv(Path(__file__).with_suffix(".csv"), index=False)
    summary = results.groupby(["table", "arm"])[["validation", "test", "optimism"]].agg(["mean", "std"]).round(3)
    print(summary.to_string())


if __name__ == "__main__":
    main()
