"""Claim: in-fold SMOTE costs at most 10 % more wall time than the same AutoGluon fit on as many rows.

    python benchmarks/in_fold_overhead.py --data FOLDER

Ours makes the rows inside each fold.  The other side gets as many SMOTE rows from outside at no cost, through
AutoGluon's own path for extra training rows (fit_extra with pseudo_data), which adds them to every fold's training
part and scores real rows alone, as ours does.  Early stopping is off, so that both train equally long.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from autogluon.tabular import TabularPredictor
from tables import LABELS, add_data_option, read

import autosynth
from autosynth_autogluon import rebalanced

MODELS: dict[str, Any] = {
    "GBM": {"num_boost_round": 200, "ag.early_stop": None},
    "XGB": {"n_estimators": 200, "ag.early_stop": None},
    "CAT": {"iterations": 200, "ag.early_stop": None},
    "RF": {"n_estimators": 100, "ag_args_ensemble": {"use_child_oof": False}},
}
FOLDS = 5


def timed_fit(train: pd.DataFrame, label: str, models: Any, extra: pd.DataFrame | None = None) -> tuple[float, int]:
    """Return wall seconds of fitting the models, without AutoGluon's reading and preprocessing, and generator fits."""
    with tempfile.TemporaryDirectory() as folder:
        predictor = TabularPredictor(label=label, path=folder, eval_metric="roc_auc", verbosity=0).fit(
            train,
            hyperparameters={"DUMMY": {}},
            num_bag_folds=FOLDS,
            fit_weighted_ensemble=False,
            num_cpus=1,
            num_gpus=0,
            ag_args_ensemble={"fold_fitting_strategy": "sequential_local"},
        )
        started = time.perf_counter()
        pseudo = {} if extra is None else {"pseudo_data": extra}
        predictor.fit_extra(models, fit_weighted_ensemble=False, num_cpus=1, num_gpus=0, **pseudo)
        seconds = time.perf_counter() - started
        if len(predictor.model_names()) != len(MODELS) + 1:
            raise SystemExit(f"some models failed: {predictor.model_names()}")
        return seconds, len(list(Path(folder).rglob("*-generator.pkl")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument("--tables", nargs="+", default=["adult", "mammography"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of a table that are used at most")
    options = parser.parse_args()
    records = []
    for name in options.tables:
        frame = read(options.data, name)
        train = frame.sample(min(options.rows, len(frame)), random_state=0).reset_index(drop=True)
        made = autosynth.rebalance(train, label=LABELS[name], generator="smote", check="off").synthetic
        extra = made.sample(frac=(FOLDS - 1) / FOLDS, random_state=0).reset_index(drop=True)
        print(f"{name}: {len(train)} rows, {len(extra)} synthetic ones for each fold", flush=True)
        timed_fit(train.head(1_000), LABELS[name], MODELS)  # not counted: the first fit loads the learners
        ratios = []
        for repeat in range(options.repeats):
            if repeat % 2:  # taking turns, so that a drift of the machine's speed favours neither side
                other, _ = timed_fit(train, LABELS[name], MODELS, extra)
            ours, fits = timed_fit(train, LABELS[name], rebalanced(MODELS, generator="smote"))
            if not repeat % 2:
                other, _ = timed_fit(train, LABELS[name], MODELS, extra)
            if fits != FOLDS:
                raise SystemExit(f"{fits} generator fits for {FOLDS} folds and {len(MODELS)} models")
            ratios.append(ours / other)
            print(f"  in-fold {ours:.1f} s with {fits} generator fits, rows for free {other:.1f} s", flush=True)
        median = statistics.median(ratios)
        print(f"{name}: in-fold / rows for free: {median:.3f} ({min(ratios):.3f} to {max(ratios):.3f})", flush=True)
        records.append({"table": name, "ratio": median, "lowest": min(ratios), "highest": max(ratios)})
    print(json.dumps(records))


if __name__ == "__main__":
    main()
