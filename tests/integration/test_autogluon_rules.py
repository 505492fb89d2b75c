"""Rules between columns inside AutoGluon's folds, with real AutoGluon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("autogluon.tabular")

from autosynth import Group, Table
from autosynth.exceptions import ConfigError
from autosynth_autogluon import compare_arms, describe_folds, rebalanced
from autosynth_autogluon.cache import FOLDER
from tests.integration.autogluon_helpers import additions, fit

pytestmark = pytest.mark.filterwarnings("ignore")  # AutoGluon's and its learners' own

RULES = ["start <= end"]


class Careless:
    """Repeats real rows, and swaps the two dates of every other one."""

    def fit(self, table: Table, *, rng: np.random.Generator) -> Careless:
        self.table_ = table
        return self

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> Any:
        drawn = [rng.choice(self.table_.positions(group), size=count) for group, count in counts.items()]
        rows = self.table_.frame.iloc[np.concatenate(drawn)].reset_index(drop=True)
        swapped = rng.random(len(rows)) < 0.5
        rows.loc[swapped, ["start", "end"]] = rows.loc[swapped, ["end", "start"]].to_numpy()
        return rows


@pytest.fixture
def stays() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    start = rng.normal(50.0, 10.0, 300).round(2)
    ill = np.arange(300) % 5 == 0
    end = (start + rng.exponential(np.where(ill, 9.0, 4.0))).round(2) + 0.01
    return pd.DataFrame({"start": start, "end": end, "target": ill.astype(int)})


def refusals(predictor) -> list[dict[str, int]]:
    return [added["refusals"] for _, _, added in additions(predictor)]


def test_rows_that_break_a_rule_are_refused_and_drawn_again_in_every_fold(stays, tmp_path):
    models = rebalanced({"KNN": {}, "LR": {}}, generator=Careless(), data=stays, space="original", rules=RULES)
    predictor = fit(stays, models, tmp_path)
    for found in refusals(predictor):
        assert found["breaks the rule start <= end"] > 10
    rows = [pd.read_pickle(path).frame for path in (tmp_path / "predictor" / FOLDER).glob("*-rows.pkl")]
    assert len(rows) == 3
    assert all(len(made) > 50 and (made["start"] <= made["end"]).all() for made in rows)
    assert "rows refused: breaks the rule start <= end" in describe_folds(predictor)


def test_what_remains_is_checked_against_the_rules(stays, tmp_path):
    models = rebalanced({"LR": {}}, generator=Careless(), data=stays, rules=RULES)
    with_rules = fit(stays, models, tmp_path / "with")
    without = fit(
        stays, rebalanced({"LR": {}}, generator=Careless(), data=stays, space="original"), tmp_path / "without"
    )
    counts = [{added["checks"]["n_checks"] for _, _, added in additions(each)} for each in (with_rules, without)]
    assert counts[0] == {count + 1 for count in counts[1]}
    assert not any("breaks the rule" in str(found) for found in refusals(without))


def test_rules_reach_generators_that_work_on_encoded_features_otherwise(stays, tmp_path):
    predictor = fit(stays, rebalanced({"LR": {}}, generator="smote", data=stays, rules="start <= end"), tmp_path)
    for _, _, added in additions(predictor):
        assert added["space"] == "original"
        assert added["n_synthetic"] > 0


def test_rules_that_no_fold_could_apply_are_refused_at_once(stays):
    with pytest.raises(ConfigError, match="Give data=train"):
        rebalanced("default", rules=RULES)
    with pytest.raises(ConfigError, match="Give data=train"):
        rebalanced("default", data=stays, space="model", rules=RULES)
    with pytest.raises(ConfigError, match="names 'begin', which is no column"):
        rebalanced("default", data=stays, rules=["begin <= end"])
    with pytest.raises(ConfigError, match="is it the wrong way round"):
        rebalanced("default", data=stays, rules=["end <= start"])


def test_other_rules_make_other_rows(stays):
    configs = [
        rebalanced({"LR": {}}, data=stays, space="original", rules=rules)[1]["LR"][0]["ag.autosynth"]
        for rules in ((), RULES, ["start < end"])
    ]
    assert len({config.fingerprint for config in configs}) == 3


def test_the_arms_of_a_comparison_keep_the_rules_and_say_so(stays, tmp_path):
    report = compare_arms(
        stays,
        label="target",
        hyperparameters={"LR": {}},
        num_bag_folds=2,
        path=tmp_path / "arms",
        rules=["start <= end", "start > 0"],
        fit_options={"ag_args_ensemble": {"fold_fitting_strategy": "sequential_local"}, "num_cpus": 1, "num_gpus": 0},
    )
    assert report.settings["rules"] == "['start <= end', 'start > 0']"
    assert report.folds
    assert all(fold.n_synthetic > 0 for fold in report.folds)
