"""Prior correction in AutoGluon's folds, by class and by class x group, with real AutoGluon."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("autogluon.tabular")

from autogluon.tabular import TabularPredictor

from autosynth import Table
from autosynth.exceptions import ConfigError, DataError
from autosynth.segments import Segments
from autosynth.toy import overlapping_classes, shortcut_table
from autosynth_autogluon import prior_reliability, rebalanced, strip
from autosynth_autogluon.fold_prior import FoldPrior, find_segments
from tests.integration.autogluon_helpers import additions, fit

pytestmark = pytest.mark.filterwarnings("ignore")  # AutoGluon's and its learners' own

ONE_MODEL = {"num_bag_folds": 0, "fit_weighted_ensemble": False, "label": "ill"}
GROUPS = {"hospital site": None, "age": 2}


def told(predictor: TabularPredictor) -> set[tuple[str, str]]:
    return {(added["prior_corrected_by"], added.get("prior_reason", "")) for _, _, added in additions(predictor)}


def off_by_hospital(predictor: TabularPredictor, rows: pd.DataFrame) -> float:
    """Return how far the mean probability of a hospital lies from its share of ill patients, at most."""
    said = predictor.predict_proba(rows)["yes"].groupby(rows["hospital"]).mean()
    return float((said - (rows["ill"] == "yes").groupby(rows["hospital"]).mean()).abs().max())


@pytest.fixture(scope="module")
def train() -> pd.DataFrame:
    return shortcut_table(400, minority_share=0.2)


@pytest.fixture(scope="module")
def sites(train: pd.DataFrame) -> pd.DataFrame:
    """The same patients; LightGBM does not take the name of the group column, and its values are missing at times."""
    sites = train.rename(columns={"hospital": "hospital site"})
    sites.loc[sites.index[::9], "hospital site"] = None
    return sites


@pytest.fixture(scope="module")
def bagged(sites: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> TabularPredictor:
    """Three families in three folds, corrected by class x two group columns, one of them cut into bins."""
    given = rebalanced(
        {"LR": {}, "GBM": {"num_boost_round": 30}, "KNN": {}}, generator="ros", group_by=GROUPS, correct_prior=True
    )
    return fit(sites, given, tmp_path_factory.mktemp("bagged"), label="ill", eval_metric="log_loss")


def test_by_group_every_group_gets_its_real_share_of_the_class(train, tmp_path):
    off = {}
    for wish in (False, True):
        given = rebalanced({"LR": {}}, generator="ros", group_by="hospital", correct_prior=wish)
        off[wish] = off_by_hospital(fit(train, given, tmp_path / str(wish), **ONE_MODEL), train)
    assert off[True] < 0.04
    assert off[False] > 0.2


def test_a_family_that_leaves_the_group_column_out_is_corrected_by_class_and_says_so(bagged):
    def facts(family: str) -> list[tuple[str, str | None]]:
        model = bagged._trainer.load_model(f"{family}_Syn_BAG_L1")
        added = [model.load_child(child).added for child in model.models]
        return [(fold["prior_corrected_by"], fold.get("prior_reason")) for fold in added]

    assert facts("LinearModel") == facts("LightGBM") == [("group", None)] * 3
    assert facts("KNeighbors") == [("class", "group column 'hospital site' is no feature of this model")] * 3


def test_rows_without_columns_are_corrected_by_class(train):
    table = Table.from_frame(train, label="ill", group_by="hospital")
    trained, real = np.array([[50.0, 50.0], [50.0, 50.0]]), np.array([[90.0, 10.0], [60.0, 40.0]])
    prior = FoldPrior(trained, real, Segments.from_table(table))
    even = np.full((2, 2), 0.5)
    of_groups = prior.correct(even, train.iloc[[0, 1]], list(train.columns))
    assert set(of_groups[:, 1].round(6)) <= {0.1, 0.4}
    np.testing.assert_allclose(prior.correct(even, object(), list(train.columns)), [[0.75, 0.25]] * 2)


@pytest.mark.slow
def test_a_network_that_watches_its_validation_rows_is_corrected_by_group(train, tmp_path):
    # while it trains, it asks about a data set of its own, without any column
    given = rebalanced({"NN_TORCH": {"num_epochs": 2}}, generator="ros", group_by="hospital", correct_prior=True)
    predictor = fit(train, given, tmp_path, num_gpus=0, **ONE_MODEL)
    assert told(predictor) == {("group", "")}


def test_out_of_fold_rows_are_more_reliable_after_the_correction(bagged, sites):
    for model in (None, "LightGBM_Syn_BAG_L1", "KNeighbors_Syn_BAG_L1"):
        report = prior_reliability(bagged, model=model, groups=sites[["hospital site"]], n_bootstrap=50)
        assert report.difference is not None
        assert report.difference.mean_risk.high < 0
        assert report.difference.segments[-1].calibration_error.high < 0
        assert report.segments[-1].n_rows == len(sites)
        assert report.reliability is not None
        assert report.reliability.baseline is not None


def test_new_rows_are_reported_alike_and_other_requests_are_refused(bagged, sites):
    report = prior_reliability(bagged, sites.head(200), n_bootstrap=0)
    assert report.segments[-1].n_rows == 200
    assert report.positive_class == "yes"
    with pytest.raises(ConfigError, match=r"corrects no prior\. Did you mean 'LightGBM_Syn_BAG_L1'"):
        prior_reliability(bagged, model="LightGBM_BAG_L1")
    with pytest.raises(DataError, match="lacks the label 'ill'"):
        prior_reliability(bagged, sites.drop(columns="ill"))
    with pytest.raises(DataError, match="groups lack 300 of 400 rows"):
        prior_reliability(bagged, groups=sites["ward"].head(100))


def test_an_unseen_group_gets_the_correction_of_its_class_over_all_groups(bagged, sites):
    rows = sites.head(50).assign(**{"hospital site": "west"})
    model = bagged._trainer.load_model("LightGBM_Syn_BAG_L1")
    child = model.load_child(model.models[0])
    features = bagged.transform_features(rows)
    assert (child._priors.segments.codes(features) == -1).all()
    said = child.predict_proba(features)
    child._priors, prior = None, child._priors
    plain = child.predict_proba(features).astype("float64")
    odds = prior.target.sum(axis=0) / prior.trained.sum(axis=0)
    np.testing.assert_allclose(said / (1 - said), plain / (1 - plain) * odds[1] / odds[0], rtol=1e-4)


def test_every_segment_has_its_own_cells_and_missing_values_are_one(bagged):
    model = bagged._trainer.load_model("LinearModel_Syn_BAG_L1")
    for name in model.models:
        prior = model.load_child(name)._priors
        assert prior.trained.shape == prior.target.shape == (6, 2)  # north, south and missing x two bins of age
        assert (prior.trained >= prior.target).all()
        assert prior.trained[prior.target > 0] == pytest.approx(prior.target.max())


def test_a_moved_predictor_predicts_the_same_and_stripping_is_refused(bagged, sites, tmp_path):
    copy = TabularPredictor.load(bagged.clone(str(tmp_path / "copy")))
    pd.testing.assert_frame_equal(copy.predict_proba(sites), bagged.predict_proba(sites))
    with pytest.raises(ConfigError, match="corrects its prior"):
        strip(bagged, tmp_path / "deployed")


def test_a_refit_is_corrected_by_group_and_has_no_row_out_of_fold(bagged, sites, tmp_path):
    copy = TabularPredictor.load(bagged.clone(str(tmp_path / "copy")), verbosity=0)
    copy.refit_full("LinearModel_Syn_BAG_L1", num_cpus=1)
    refit = "LinearModel_Syn_BAG_L1_FULL"
    model = copy._trainer.load_model(refit)
    assert model.load_child(model.models[0])._priors.segments is not None
    near = (copy.predict_proba(sites, model=refit)["yes"].mean() - (sites["ill"] == "yes").mean()).item()
    assert abs(near) < 0.03
    with pytest.raises(DataError, match="Give data="):
        prior_reliability(copy, model=refit)


def test_many_classes_are_corrected_by_group(tmp_path):
    train = overlapping_classes(400, minority_share=0.2, n_features=4).rename(columns={"target": "ill"})
    train.loc[train.index[::7], "ill"] = 2
    train["site"] = np.where(np.random.default_rng(0).random(400) < 0.3 + 0.3 * (train["ill"] == 2), "a", "b")
    given = rebalanced({"GBM": {"num_boost_round": 20}}, generator="smote", group_by="site", correct_prior="group")
    predictor = fit(train, given, tmp_path, eval_metric="log_loss", **ONE_MODEL)
    report = prior_reliability(predictor, n_bootstrap=50)
    assert report.difference is not None
    assert report.difference.mean_risk.high < 0
    assert told(predictor) == {("group", "")}


def test_generators_that_see_original_columns_are_corrected_by_the_encoded_ones(sites, tmp_path):
    given = rebalanced({"LR": {}}, generator="ros", space="original", data=sites, group_by=GROUPS, correct_prior=True)
    predictor = fit(sites, given, tmp_path, **ONE_MODEL)
    assert told(predictor) == {("group", "")}
    prior = predictor._trainer.load_model(predictor.model_names()[0])._priors
    assert prior.trained[prior.target > 0] == pytest.approx(prior.target.max())


def test_groups_beside_the_features_are_corrected_by_class_and_refused_by_group(train, tmp_path, caplog):
    with pytest.raises(ConfigError, match=r"group_by is a Series beside the features\. Use correct_prior='class'"):
        rebalanced({"LR": {}}, group_by=train["hospital"], correct_prior="group")
    with caplog.at_level(logging.INFO, logger="autogluon"):
        given = rebalanced({"LR": {}}, generator="ros", group_by=train["hospital"], correct_prior=True)
    assert "corrected by class alone" in caplog.text
    predictor = fit(train.drop(columns="hospital"), given, tmp_path, **ONE_MODEL)
    assert told(predictor) == {("class", "group column 'hospital (given)' is no feature of this model")}


def test_a_group_column_that_only_data_holds_cannot_be_corrected_by_group(train, tmp_path):
    given = rebalanced({"LR": {}}, generator="ros", group_by="hospital", data=train, correct_prior="group")
    with pytest.raises(Exception, match=r"'hospital' is no feature of this model\. Use correct_prior=True"):
        fit(train.drop(columns="hospital"), given, tmp_path, **ONE_MODEL)


def test_nothing_to_correct_is_an_error(train, tmp_path):
    predictor = fit(train, rebalanced({"LR": {}}, generator="ros"), tmp_path, **ONE_MODEL)
    with pytest.raises(ConfigError, match="no model of this predictor corrects its prior"):
        prior_reliability(predictor)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ("group", "there are none. Name them with group_by"),
        ("classes", "correct_prior='classes' is unknown. Did you mean 'class'"),
        (2, "correct_prior=2 is unknown"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(wish: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        rebalanced({"LR": {}}, correct_prior=wish)


@pytest.fixture(scope="module")
def dated() -> pd.DataFrame:
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(60), unit="D")
    return pd.DataFrame({"admitted": days, "ill": np.where(np.arange(60) % 3 == 0, "yes", "no")})


@pytest.mark.parametrize(("unit", "is_told"), [(1, True), (1000, False)])
def test_dates_tell_segments_when_their_numbers_have_the_unit_of_the_edges(
    dated: pd.DataFrame, unit: int, is_told: bool
) -> None:
    table = Table.from_frame(dated, label="ill", group_by={"admitted": 2})
    encoded = pd.DataFrame({"admitted": dated["admitted"].astype("int64") // unit})
    found = find_segments(True, encoded, ["admitted"], table, np.ones(60, dtype=bool))
    if is_told:
        assert isinstance(found, Segments)
        assert np.bincount(found.codes(encoded)).tolist() == [30, 30]
    else:
        assert found == "group column 'admitted' is cut into bins, which its encoded values do not tell apart"
