from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autosynth import CheckResult, Table
from autosynth.checks.batch import Batch
from autosynth.checks.coverage import _nearest, coverage
from autosynth.checks.embedding import INDICATOR, Embedding, spread, spread_over_groups
from autosynth.checks.families import FAMILIES
from autosynth.checks.family import Context
from autosynth.checks.real_rows import RealRows
from autosynth.checks.reference import Reference
from autosynth.schema import infer_column


def clouds(n_rows: int, seed: int = 0) -> pd.DataFrame:
    """Two classes of mixed columns, one of them rare; numbers hang together, some are missing."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n_rows) % 4 == 0).astype(int)
    latent = rng.normal(size=(n_rows, 3)) + y[:, None]
    frame = pd.DataFrame({f"x{i}": latent[:, i % 3] + 0.4 * rng.normal(size=n_rows) for i in range(6)})
    frame["x5"] = frame["x5"].mask(rng.random(n_rows) < 0.1)
    frame["colour"] = np.where(latent[:, 0] > 1, "red", rng.choice(["green", "blue"], n_rows))
    return frame.assign(y=y)


def verdict(real: pd.DataFrame, synthetic: pd.DataFrame) -> dict[str, CheckResult]:
    table = Table.from_frame(real, label="y")
    batch = Batch.of_groups(synthetic.reset_index(drop=True), table.grouping.codes(synthetic))
    results = FAMILIES["coverage"].ask_all(Context(Reference.of(table), batch, RealRows(table)))
    return {result.subject: result for result in results}


def modes_of(real: pd.DataFrame, n_rows: int, n_modes: int = 10, seed: int = 0) -> pd.DataFrame:
    """Rows that repeat a few real ones of each class, with some noise on the numbers."""
    rng = np.random.default_rng(seed)
    parts = [some.iloc[rng.integers(0, n_modes, n_rows)] for _, some in real.groupby("y")]
    made = pd.concat(parts, ignore_index=True)
    numbers = [name for name in made if str(name).startswith("x")]
    return made.assign(**{name: made[name] + 0.05 * rng.normal(size=len(made)) for name in numbers})


@pytest.mark.parametrize("n_modes", [2, 10])
def test_rows_that_repeat_a_few_modes_fail(n_modes: int) -> None:
    results = verdict(clouds(1200), modes_of(clouds(1200), 400, n_modes))
    assert set(results) == {"y=0", "y=1"}
    for result in results.values():
        assert (result.status, result.severity) == ("failed", "critical")
        assert result.observed < 0.4
        assert "400 synthetic" in result.message


@pytest.mark.parametrize("n_synthetic", [40, 200, 3000])
def test_fresh_rows_pass_however_few_or_many_they_are(n_synthetic: int) -> None:
    for seed in range(5):
        results = verdict(clouds(800, seed), clouds(n_synthetic, 100 + seed))
        assert all(result.passed for result in results.values())
    assert results["y=0"].observed == pytest.approx(1, abs=0.3)


def test_few_rows_that_could_not_fail_are_skipped() -> None:
    for real, made in ((clouds(2000), clouds(8, 1)), (clouds(8), clouds(2000, 1)), (clouds(4), clouds(400, 1))):
        assert all(result.passed for result in verdict(real, made).values())
    few = verdict(clouds(2000), clouds(8, 1))["y=1"]
    assert few.status == "skipped"
    assert "500 real rows, 2 synthetic are too few" in few.message
    assert verdict(clouds(4), clouds(400, 1))["y=1"].status == "skipped"


def test_ties_are_no_advantage_and_no_blame() -> None:
    """Where rows coincide all the time, fresh rows reach what they are expected to reach."""
    rng = np.random.default_rng(0)
    shares = [coverage(*rng.integers(0, 3, (2, 300, 3)).astype(float)).share for _ in range(20)]
    assert np.mean(shares) == pytest.approx(1, abs=0.02)


def test_copies_cover_everything() -> None:
    points = np.random.default_rng(0).normal(size=(300, 4))
    assert coverage(points, points).covered == 1


@given(st.integers(2, 60), st.integers(1, 60), st.integers(1, 4), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_coverage_is_a_share_and_what_is_expected_of_fresh_rows_too(n: int, m: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = coverage(rng.normal(size=(n, d)), rng.normal(size=(m, d)))
    assert 0 <= found.covered <= 1
    assert 0 < found.expected <= 1
    assert found.deviation >= 0


def test_the_closed_form_is_what_fresh_rows_cover_on_average() -> None:
    rng = np.random.default_rng(0)
    found = [coverage(rng.normal(size=(80, 5)), rng.normal(size=(30, 5))) for _ in range(200)]
    covered = np.array([one.covered for one in found])
    assert covered.mean() == pytest.approx(found[0].expected, abs=3 * covered.std() / np.sqrt(200))
    assert covered.std() == pytest.approx(np.mean([one.deviation for one in found]), rel=0.35)


def test_fresh_rows_of_small_groups_in_wide_tables_reach_what_they_should() -> None:
    """On a scale of the real rows alone these lie inside its ends and fresh ones do not, and the share is 0.8."""
    shares = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        real, fresh = (
            pd.DataFrame(rng.lognormal(size=(n_rows, 200)), columns=[f"x{i}" for i in range(200)]).assign(
                y=[0] * (n_rows - n_rare) + [1] * n_rare
            )
            for n_rows, n_rare in ((60, 20), (60, 40))
        )
        result = verdict(real, fresh)["y=1"]
        assert result.status == "passed"
        shares.append(result.observed)
    assert np.mean(shares) == pytest.approx(1, abs=0.05)


def test_groups_of_few_real_rows_are_skipped() -> None:
    result = verdict(clouds(76), modes_of(clouds(76), 400))["y=1"]
    assert result.status == "skipped"
    assert "19 real rows, 400 synthetic: fewer than 20" in result.message
    assert verdict(clouds(80), clouds(400, 1))["y=1"].status == "passed"


def test_the_deviation_is_that_of_real_and_made_points_in_random_order() -> None:
    rng = np.random.default_rng(0)
    real, made = rng.normal(size=(30, 2)), rng.normal(size=(12, 2))
    nearest = _nearest(real, made, 5, rng)
    is_made = rng.permuted(np.tile(np.arange(42) >= 30, (20_000, 1)), axis=1)
    by_chance = is_made[:, nearest].any(axis=2).mean(axis=1).std()
    assert coverage(real, made).deviation == pytest.approx(by_chance, rel=0.03)


@pytest.mark.parametrize("at_most", [100, 2000])
def test_the_order_of_the_synthetic_rows_does_not_matter(at_most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autosynth.checks.coverage.MAX_ROWS", at_most)
    real, made = clouds(600).round(), clouds(600, 1).round()
    assert verdict(real, made) == verdict(real, made.sample(frac=1, random_state=0))


def test_the_same_rows_give_the_same_share_again() -> None:
    real, made = clouds(900), clouds(900, 1)
    assert verdict(real, made) == verdict(real, made)


def test_a_table_of_nothing_but_labels_and_groups_has_nothing_to_cover() -> None:
    assert verdict(clouds(100)[["y"]], clouds(100, 1)[["y"]]) == {}


def test_an_embedding_tells_missing_unknown_and_long_texts_apart() -> None:
    texts = [f"{'word ' * (i % 7)}{i}" for i in range(120)]
    real = pd.DataFrame({"x": [*np.arange(119.0), None], "kind": ["a", "b", None] * 40, "text": texts})
    embedding = Embedding.fit(real, [infer_column(real[name]) for name in real])
    features = embedding.features(real)
    assert embedding.names == ["x", "kind", "text"]
    assert features[119, 0] == features[2, 1] == -1
    assert features[:, 2].min() == 0
    assert features[:, 2].max() == 1
    unknown = embedding.features(real.head(1).assign(kind="c"))
    assert unknown[0, 1] == 2
    points = embedding.coordinates(real)
    assert points.shape == (120, 2 + 4 + 1)
    np.testing.assert_allclose(np.sum((points[0, 2:6] - points[1, 2:6]) ** 2), 2 * INDICATOR**2)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.integers(5, 60))
@settings(deadline=None)
def test_rows_spread_over_groups_keep_every_group_and_the_limit(groups: list[int], at_most: int) -> None:
    codes = np.array(groups)
    chosen = spread_over_groups(codes, at_most)
    assert len(chosen) <= max(at_most, len(set(groups)))
    assert set(codes[chosen]) == set(groups)
    assert len(set(chosen)) == len(chosen)
    if len(groups) <= at_most:
        assert len(chosen) == len(groups)
    assert len(set(spread(len(groups), at_most))) == min(len(groups), at_most)


@given(data=st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_kind_of_column_is_embedded(data: st.DataObject, any_column: st.SearchStrategy[pd.Series]) -> None:
    values = pd.concat([data.draw(any_column)] * 6, ignore_index=True)
    real = pd.DataFrame({("x", 1): values, "y": np.arange(len(values)) % 2})
    embedding = Embedding.fit(real, [infer_column(real[name]) for name in real])
    for numbers in (embedding.features(real), embedding.coordinates(real)):
        assert len(numbers) == len(real)
        assert np.isfinite(numbers).all()
    table = Table.from_frame(real, label="y")
    context = Context(Reference.of(table), Batch.of_groups(real, table.group_codes), RealRows(table))
    for name in ("coverage", "label_fidelity", "detectability"):
        results = FAMILIES[name].ask_all(context)
        assert not any(result.error for result in results)
        assert all(result.passed for result in results)
