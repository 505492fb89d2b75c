"""FLAML searches the amount of rows along with the model: the code of the page, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

# importing FLAML here would start a Java machine where Spark is installed
pytestmark = pytest.mark.skipif(find_spec("flaml") is None, reason="needs flaml")

PAGE = Path(__file__).parents[2] / "docs" / "scikit-learn.md"
# FLAML does without these, and imports them where it finds them.
BEFORE = """
import json, os, sys
sys.modules.update(dict.fromkeys(("pyspark", "mlflow", "ray")))
calls = []
sys.addaudithook(lambda event, _: calls.append(event) if event == "socket.connect" else None)

from autosynth.toy import overlapping_classes
X = overlapping_classes(600, minority_share=0.1, n_features=4)
y = X.pop("target")
fresh = overlapping_classes(2000, minority_share=0.1, n_features=4, random_state=1)
"""
AFTER = """
from sklearn.metrics import log_loss, roc_auc_score

from imblearn.pipeline import make_pipeline
from autosynth_sklearn import SyntheticSampler


class Piped(Rebalanced):
    @staticmethod
    def build(ratio, C, **_):
        sampler = SyntheticSampler(sampling_strategy=max(ratio, 0.2), random_state=0)
        return make_pipeline(sampler, LogisticRegression(C=C))


piped = AutoML()
piped.add_learner("piped", Piped)
settings = {"task": "classification", "metric": "roc_auc", "eval_method": "cv", "n_splits": 3, "time_budget": -1}
piped.fit(X, y, estimator_list=["piped"], max_iter=3, seed=0, verbose=0, **settings)
sampler = piped.model.estimator[0]
again = Rebalanced.build(**automl.best_config_per_estimator["rebalanced"]).fit(X, y)
print(json.dumps({
    "loss": automl.best_loss_per_estimator["rebalanced"],
    "tried": sorted(automl.best_loss_per_estimator),
    "ratio": automl.best_config_per_estimator["rebalanced"]["ratio"],
    "fresh_loss": log_loss(fresh["target"], again.predict_proba(fresh.drop(columns="target"))),
    "said": float(automl.predict_proba(X)[:, 1].mean()),
    "piped_auc": 1 - piped.best_loss,
    "piped_fresh_auc": roc_auc_score(fresh["target"], piped.predict_proba(fresh.drop(columns="target"))[:, 1]),
    "piped_rows": [int(sampler.is_synthetic_.sum()), sampler.plan_.n_synthetic],
    "calls": calls,
    "files": os.listdir(),
}))
"""


def test_flaml_searches_the_amount_inside_its_folds_offline_and_leaves_no_file(tmp_path: Path) -> None:
    (block,) = [code for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL) if "AutoML()" in code]
    answer = subprocess.run(
        [sys.executable, "-c", BEFORE + block + AFTER],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    facts = json.loads(answer.stdout.splitlines()[-1])
    assert facts["calls"] == []
    assert facts["files"] == []
    assert facts["tried"] == ["lrl1", "rebalanced"]
    assert 0.1 <= facts["ratio"] <= 1
    # rows made before the split would let validation promise what fresh rows do not keep
    assert facts["loss"] == pytest.approx(facts["fresh_loss"], abs=0.05)
    assert facts["piped_auc"] == pytest.approx(facts["piped_fresh_auc"], abs=0.1)
    assert facts["piped_rows"][0] == facts["piped_rows"][1] > 0
    assert facts["said"] == pytest.approx(0.1, abs=0.03)
