"""AutoGluon's heavier machinery: Ray workers, repeated bagging, dynamic stacking, presets, neural networks."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("autogluon.tabular")

from autogluon.tabular import TabularPredictor

from autosynth.testing import contract_table
from autosynth.toy import overlapping_classes
from autosynth_autogluon import rebalanced
from tests.integration.autogluon_helpers import QUICK, additions, fit
from tests.integration.recording import RecordingCopies

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def rare():
    return overlapping_classes(300, minority_share=0.1, n_features=5)


def n_fits(folder):
    return len(list(folder.glob("fit-*.txt")))


def test_ray_workers_share_one_generator_fit_per_fold(rare, tmp_path):
    ray = pytest.importorskip("ray")
    models = rebalanced(QUICK, generator=RecordingCopies(str(tmp_path)))
    parallel = {"ag_args_ensemble": {"fold_fitting_strategy": "parallel_local"}, "num_cpus": 2}
    try:
        in_workers = fit(rare, models, tmp_path, **parallel)
        assert n_fits(tmp_path) == 3
        assert all(added["n_synthetic"] == 160 for _, _, added in additions(in_workers))
        here = fit(rare, models, tmp_path / "here")
        np.testing.assert_allclose(in_workers.predict_proba(rare)[1], here.predict_proba(rare)[1], atol=1e-9)
    finally:
        ray.shutdown()


def test_repeated_bagging_has_folds_of_its_own(rare, tmp_path):
    models = rebalanced({"LR": {}}, generator=RecordingCopies(str(tmp_path)))
    fit(rare, models, tmp_path, num_bag_sets=2)
    assert n_fits(tmp_path) == 6


def test_dynamic_stacking_rebalances_its_trial_fits(rare, tmp_path):
    models = rebalanced({"GBM": {"num_boost_round": 5}}, generator="ros")
    options = {"dynamic_stacking": True, "ds_args": {"memory_safe_fits": False}, "num_stack_levels": 1}
    predictor = fit(rare, models, tmp_path, **options)
    assert any(added["n_synthetic"] for _, _, added in additions(predictor))


def test_a_preset_with_its_own_models_runs_within_its_time(tmp_path):
    train = contract_table(300).frame
    predictor = TabularPredictor(label="ill", path=str(tmp_path / "p"), verbosity=0).fit(
        train,
        presets="medium_quality",
        hyperparameters=rebalanced(presets="medium_quality", generator="smote", keep_plain=True),
        time_limit=120,
        num_gpus=0,
    )
    assert any(name.endswith("_Syn") for name in predictor.model_names())


@pytest.mark.parametrize("generator", ["smote", "adasyn", "borderline_smote"])
def test_every_family_on_two_cores_takes_rows(generator, tmp_path):
    train = contract_table(400).frame.drop(columns="hospital")
    models = {
        "GBM": {"num_boost_round": 5},
        "CAT": {"iterations": 5},
        "XGB": {"n_estimators": 5},
        "RF": {"n_estimators": 5},
        "XT": {"n_estimators": 5},
        "KNN": {},
        "LR": {},
        "NN_TORCH": {"num_epochs": 2},
    }
    predictor = fit(train, rebalanced(models, generator=generator), tmp_path, label="ill", num_bag_folds=2)
    families = {name for name, _, added in additions(predictor) if added["n_synthetic"]}
    assert len(families) == len(models)


@pytest.mark.parametrize(
    ("generator", "options"), [("ctgan", {"epochs": 2}), ("tvae", {"epochs": 2}), ("gaussian_copula", {})]
)
def test_sdv_generators_work_in_folds_on_original_columns(generator, options, tmp_path):
    frame = contract_table(300).frame
    models = rebalanced(
        QUICK, generator=generator, generator_options=options, data=frame, group_by="hospital", keep_plain=True
    )
    predictor = fit(frame, models, tmp_path, label="ill", time_limit=400)
    found = [added for _, _, added in additions(predictor)]
    assert found
    assert all(added["n_synthetic"] > 0 for added in found), [added.get("left_plain") for added in found]
