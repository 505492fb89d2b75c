"""Small, quick AutoGluon runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from autogluon.tabular import TabularPredictor

QUICK = {"GBM": {"num_boost_round": 10}, "LR": {}}


def fit(
    train: pd.DataFrame,
    hyperparameters: Any,
    path: Path,
    *,
    label: str = "target",
    eval_metric: str = "average_precision",
    predictor_options: dict[str, Any] | None = None,
    **options: Any,
) -> TabularPredictor:
    """Fit on one core without Ray, and raise what AutoGluon would otherwise log."""
    bagging = {"num_bag_folds": 3, "ag_args_ensemble": {"fold_fitting_strategy": "sequential_local"}}
    given = {**bagging, "dynamic_stacking": False, "raise_on_model_failure": True, "num_cpus": 1, "num_gpus": 0}
    quiet = {"label": label, "eval_metric": eval_metric, "path": str(path / "predictor"), "verbosity": 0}
    predictor = TabularPredictor(**{**quiet, **(predictor_options or {})})
    return predictor.fit(train, hyperparameters=hyperparameters, **{**given, **options})


def additions(predictor: TabularPredictor) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield bag (or model), fold child and what was added, for every rebalanced model."""
    for name, info in predictor.info()["model_info"].items():
        children = info.get("children_info") or {name: info}
        for child, child_info in children.items():
            if child_info.get("autosynth"):
                yield name, child, child_info["autosynth"]
