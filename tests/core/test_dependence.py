from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from autosynth import CheckResult, Table
from autosynth.checks.association import Moments, influence_spreads
from autosynth.checks.batch import Batch
from autosynth.checks.families import FAMILIES
from autosynth.checks.family import Context
from autosynth.checks.features import MAX_FEATURES, FeaturePairs, choose_features, feature_scores
from autosynth.checks.group_summary import cell_codes
from autosynth.checks.reference import Reference


def tied(n_rows: int, seed: int) -> pd.DataFrame:
    """Numbers, categories and gaps that hang on one hidden quantity, and a column that hangs on nothing."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n_rows)
    return pd.DataFrame(
        {
            "a": hidden + 0.5 * rng.normal(size=n_rows),
            "b": np.exp(hidden + 0.5 * rng.normal(size=n_rows)),
            "colour": np.where(hidden + 0.5 * rng.normal(size=n_rows) > 0.3, "red", "blue"),
            "gap": np.where(hidden + 0.2 * rng.normal(size=n_rows) > 0.4, np.nan, rng.normal(size=n_rows)),
            "alone": rng.normal(size=n_rows),
            "y": rng.permutation(np.arange(n_rows) % 2),
        }
    )


def shuffled(rows: pd.DataFrame, *columns: str, seed: int = 0) -> pd.DataFrame:
    """Shuffle columns within the classes, each by itself."""
    rng = np.random.default_rng(seed)
    parts = [
        part.assign(**{name: part[name].to_numpy()[rng.permutation(len(part))] for name in columns})
        for _, part in rows.groupby("y")
    ]
    return pd.concat(parts, ignore_index=True)


def verdict(real: pd.DataFrame, synthetic: pd.DataFrame) -> dict[tuple[str, str], CheckResult]:
    reference = Reference.of(Table.from_frame(real, label="y"))
    results = FAMILIES["dependence"].ask_all(Context(reference, Batch.read(synthetic, reference)))
    return {(found.name, found.subject): found for found in results}


def test_fresh_rows_pass_and_rows_without_dependence_fail() -> None:
    real, fresh = tied(1000, 0), tied(1000, 1)
    assert all(found.passed for found in verdict(real, fresh).values())
    found = verdict(real, shuffled(fresh, "a", "b", "colour", "gap", "alone"))
    assert not any(one.passed for one in found.values())
    assert set(found) == {(name, f"y={y}") for name in ("dependence", "farthest_pair") for y in (0, 1)}


@pytest.mark.parametrize("column", ["a", "colour", "gap"])
def test_the_farthest_pairs_name_the_column_that_lost_its_ties(column: str) -> None:
    real, fresh = tied(2000, 0), tied(2000, 1)
    found = verdict(real, shuffled(fresh, column))["farthest_pair", "y=0"]
    assert not found.passed
    assert all(column in offender.name for offender in found.offenders[:2])
    assert found.offenders[0].observed > found.offenders[0].limit


def test_both_sides_are_named_gaps_and_values_too() -> None:
    real, fresh = tied(2000, 0), tied(2000, 1)
    found = verdict(real, shuffled(fresh, "gap"))
    (worst, *_) = found["farthest_pair", "y=0"].offenders
    assert re.fullmatch(r"\S+ × gap missing \(-?\d\.\d\d among real, -?0\.\d\d among synthetic rows\)", worst.name)
    assert found["farthest_pair", "y=0"].message.startswith(worst.name.partition(" (")[0] + ": ")
    assert any("colour = " in offender.name for offender in found["dependence", "y=0"].offenders)


def test_another_scale_is_no_loss_of_dependence() -> None:
    real, fresh = tied(1000, 0), tied(1000, 1)
    squeezed = fresh.assign(a=fresh["a"] * 0.7 + 0.1, b=fresh["b"] * 1.2)
    assert all(found.passed for found in verdict(real, squeezed).values())


def test_a_column_that_no_longer_varies_has_lost_its_ties() -> None:
    real, fresh = tied(1000, 0), tied(1000, 1)
    assert not verdict(real, fresh.assign(b=1.0))["farthest_pair", "y=0"].passed


def test_too_few_rows_are_skipped_and_a_single_column_has_no_pair() -> None:
    real = tied(400, 0)
    found = verdict(real, tied(400, 1).groupby("y").head(15))
    assert {one.status for one in found.values()} == {"skipped"}
    assert "15 synthetic rows" in found["dependence", "y=0"].message
    assert not verdict(real[["a", "y"]], tied(400, 1)[["a", "y"]])
    assert not verdict(real.groupby("y").head(15).reset_index(drop=True), tied(400, 1))


def test_so_many_columns_are_looked_at_and_no_more() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(300, MAX_FEATURES + 7)), columns=[f"x{n}" for n in range(MAX_FEATURES + 7)])
    found = verdict(wide.assign(y=np.arange(300) % 2), wide[::-1].assign(y=np.arange(300) % 2))
    assert "7 more" in found["dependence", "y=0"].message


def test_correlations_are_those_of_numpy_and_of_all_rows_but_some() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random((200, 4))
    scores[:, 3] = 0.5
    everyone, some = Moments.of(scores), Moments.of(scores[:80])
    np.testing.assert_allclose(everyone.correlations[:3, :3], np.corrcoef(scores[:, :3].T))
    assert not everyone.correlations[3].any()
    np.testing.assert_allclose((everyone - some).correlations[:3, :3], np.corrcoef(scores[80:, :3].T))


def test_the_spread_of_a_correlation_is_that_of_many_draws() -> None:
    rng = np.random.default_rng(0)
    cover = np.array([[1.0, 0.6, 0.2], [0.6, 1.0, 0.0], [0.2, 0.0, 1.0]])
    draws = rng.random((400, 500, 1)) ** 3 @ np.ones((1, 3)) * 0.5 + rng.multivariate_normal(
        [0, 0, 0], cover, (400, 500)
    )
    seen = np.array([np.corrcoef(draw.T) for draw in draws]).std(axis=0) * np.sqrt(500)
    expected = influence_spreads(draws.reshape(-1, 3))
    np.testing.assert_allclose(seen[np.triu_indices(3, 1)], expected[np.triu_indices(3, 1)], rtol=0.15)


def test_features_are_ranks_gaps_and_frequent_categories() -> None:
    rows = tied(600, 0)
    reference = Reference.of(Table.from_frame(rows, label="y"))
    summary = reference.summaries[0]
    assert summary is not None
    features, n_left_out = choose_features(summary.columns)
    names = [(summary.columns[feature.column].name, feature.cell is None) for feature in features]
    assert names == [("a", True), ("b", True), ("colour", False), ("gap", True), ("gap", False), ("alone", True)]
    assert n_left_out == 0
    pairs = FeaturePairs.of(features)
    assert pairs.n_blocks == 10  # pairs of five columns; a column has no pair with its own gaps
    group = rows[rows["y"] == reference.groups[0]["y"]]
    scores = feature_scores(cell_codes(group, reference.schema, summary.columns), summary.columns, features)
    assert scores.min() >= 0
    assert scores.max() <= 1
    np.testing.assert_allclose(scores[:, 0].mean(), 0.5, atol=0.02)
    assert scores[:, 4].tolist() == group["gap"].isna().astype(float).tolist()
