"""What rebalanced() makes of hyperparameters, presets and options, without fitting anything."""

from __future__ import annotations

import copy
import os
import pickle

import pandas as pd
import pytest

pytest.importorskip("autogluon.tabular")

from autogluon.common import space
from autogluon.tabular.configs.hyperparameter_configs import get_hyperparameter_config
from autogluon.tabular.registry import ag_model_registry

from autosynth import AutosynthWarning
from autosynth.plugins import current_plugins
from autosynth.toy import shortcut_table
from autosynth_autogluon import rebalanced
from autosynth_autogluon.in_fold import InFoldRebalancing
from autosynth_autogluon.model_classes import rebalanced_class


def model_types(portfolio):
    return {key: [entry["ag_args"]["model_type"] for entry in entries] for key, entries in portfolio.items()}


def test_every_configuration_of_a_named_set_is_rebalanced_under_its_own_key():
    converted = rebalanced("default", generator="ros")[1]
    given = get_hyperparameter_config("default")
    assert set(converted) == set(given)
    for key, entries in converted.items():
        n_given = len(given[key]) if isinstance(given[key], list) else 1
        assert len(entries) == n_given
        assert all(issubclass(entry["ag_args"]["model_type"], InFoldRebalancing) for entry in entries)


def test_other_settings_of_a_configuration_stay_as_they_are():
    (entry,) = rebalanced({"GBM": {"num_leaves": 9, "ag_args": {"name_suffix": "Fast"}}}, generator="ros")[1]["GBM"]
    assert entry["num_leaves"] == 9
    assert entry["ag_args"]["name_suffix"] == "Fast_Syn"


def test_hyperparameters_given_are_not_changed():
    given = {"GBM": [{"num_leaves": 9, "ag_args": {"name_suffix": "X"}}]}
    before = copy.deepcopy(given)
    rebalanced(given, generator="ros", keep_plain=True)
    assert given == before


def test_stacking_levels_keep_their_own_sets_and_only_the_first_is_rebalanced():
    converted = rebalanced({1: {"GBM": {}}, 2: {"LR": {}}}, generator="ros", keep_plain=True)
    assert set(converted) == {1, 2}
    assert len(converted[1]["GBM"]) == 2
    assert converted[2] == {"LR": {}}
    stacked = rebalanced({1: {"GBM": {}}, 2: {"LR": {}}}, generator="ros", stack=True)
    assert stacked[2]["LR"][0]["ag_args"]["name_suffix"] == "_Syn"


def test_presets_bring_their_own_models():
    assert set(rebalanced(presets="best_quality", generator="ros")[1]) == set(get_hyperparameter_config("zeroshot"))


def test_presets_that_choose_models_while_fitting_are_refused():
    with pytest.raises(ValueError, match="Give hyperparameters instead"):
        rebalanced(presets="extreme_quality_v140", generator="ros")


def test_keep_plain_adds_to_the_plain_models():
    converted = rebalanced({"GBM": [{"num_leaves": 9}, {"num_leaves": 20}]}, generator="ros", keep_plain=True)
    assert [entry["num_leaves"] for entry in converted[1]["GBM"]] == [9, 20, 9, 20]


@pytest.mark.parametrize("key", ["TABICL", ag_model_registry.key_to_cls("TABICL")], ids=["key", "class"])
def test_foundation_models_are_left_plain_and_that_is_said(key):
    with pytest.warns(AutosynthWarning, match="TABICL is left plain") as warned:
        converted = rebalanced({key: {"n_estimators": 2}, "GBM": {}}, generator="ros", keep_plain=True)
    assert converted[1][key] == [{"n_estimators": 2}]
    assert warned[0].filename == __file__  # where the user can act on it


def test_search_spaces_become_parameters_of_every_model():
    converted = rebalanced({"GBM": {}}, generator="ros", ratio=space.Real(0.1, 1.0))
    (entry,) = converted[1]["GBM"]
    assert (entry["autosynth_ratio"].lower, entry["autosynth_ratio"].upper) == (0.1, 1.0)


def test_classes_are_found_again_by_name_in_any_process():
    made = rebalanced_class("GBM")
    assert pickle.loads(pickle.dumps(made)) is made
    assert made.__name__ == "RebalancedLGBModel"
    assert rebalanced_class(made) is made


def test_a_model_of_a_script_or_function_is_refused():
    base = rebalanced_class("LR").__mro__[2]

    class Local(base):
        pass

    with pytest.raises(ValueError, match="defined in a script or function"):
        rebalanced({Local: {}}, generator="ros")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"generator": "smoote"}, "Did you mean 'smote'"),
        ({"generator": "rows", "generator_options": {"path": "x.csv"}}, "learns nothing from a fold's rows"),
        ({"generator": "ros", "generator_options": {"k": 1}}, "has no option 'k'"),
        ({"generator": "ros", "ratio": 0.0}, r"ratio=0.0. Use a share"),
        ({"generator": "ros", "ratio": "x"}, r"ratio='x'. Use a share"),
        ({"generator": "ros", "synthetic_weight": -3}, "synthetic_weight=-3"),
        ({"generator": "ros", "augment": -1}, "augment=-1"),
        ({"generator": "ros", "augment": 5, "alpha": 2}, "alpha=2"),
        ({"generator": "ros", "random_state": None}, "folds must agree on it"),
        ({"generator": "ros", "max_time_share": 1.5}, "max_time_share=1.5"),
        ({"generator": "ros", "on_timeout": "ignore"}, "on_timeout='ignore' is unknown"),
        ({"generator": "ros", "space": "raw"}, "space='raw' is unknown"),
        ({"generator": "ros", "space": "original"}, "data=train"),
        ({"generator": "ros", "hyperparameters": "defualt"}, "'defualt' is unknown to AutoGluon"),
        ({"generator": "ros", "hyperparameters": {"GBMM": {}}}, "Did you mean 'GBM'"),
        ({"generator": "ros", "presets": "bets_quality"}, "Did you mean 'best_quality'"),
        ({"generator": "ros", "hyperparameters": {"GBM": "GBMLarge"}}, "AutoGluon wants a dict"),
        ({"generator": "ros", "group_by": "sexx", "data": shortcut_table(50)}, "'sexx' is not a column of data"),
    ],
)
def test_wrong_arguments_are_said_before_anything_is_fitted(arguments, message):
    with pytest.raises(ValueError, match=message):
        rebalanced(**arguments)


def test_ray_does_not_report_home_unless_the_user_said_so(monkeypatch):
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED", raising=False)
    rebalanced({"GBM": {}}, generator="ros")
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    rebalanced({"GBM": {}}, generator="ros")
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "1"


def test_a_generator_object_is_treated_like_its_name():
    rows = current_plugins().build("rows", {"path": "x.csv"})
    with pytest.raises(ValueError, match="learns nothing from a fold's rows"):
        rebalanced(generator=rows)
    copula = current_plugins().build("gaussian_copula")
    with pytest.raises(ValueError, match="data=train"):
        rebalanced(generator=copula)
    assert "AUTOSYNTH_AHEAD" in rebalanced(generator=copula, data=shortcut_table(50))[1]


def test_a_repeated_index_is_refused():
    twice = pd.concat([shortcut_table(20), shortcut_table(20)])
    with pytest.raises(ValueError, match="duplicate labels"):
        rebalanced(generator="ros", data=twice, group_by="hospital")


def test_columns_of_mixed_types_are_refused():
    table = shortcut_table(20).assign(ward=["a", 1] * 10)
    with pytest.raises(ValueError, match=r"'ward' is of dtype object and holds"):
        rebalanced(generator="ros", data=table)
