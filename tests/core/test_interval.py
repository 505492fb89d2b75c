from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from autosynth.interval import (
    Interval,
    gap_interval,
    normal_interval,
    percentile_interval,
    pivotal_interval,
    widest_interval,
    wilson_interval,
    worst_interval,
)


def draws_of(values: list[float], spread: float, n_replicates: int = 2000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.vstack([values, np.array(values) + rng.normal(0, spread, (n_replicates, len(values)))])


@pytest.mark.parametrize(("n_hits", "n_rows"), [(0, 7), (3, 10), (12, 12), (480, 1000)])
def test_wilson_limits_are_those_of_scipy(n_hits: int, n_rows: int) -> None:
    ours = wilson_interval(n_hits, n_rows, 0.9)
    theirs = binomtest(n_hits, n_rows).proportion_ci(0.9, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_percentile_limits_leave_out_undefined_replicates() -> None:
    draws = np.r_[0.5, np.linspace(0, 1, 101), np.full(50, np.nan)]
    interval = percentile_interval(draws, 0.9)
    assert (interval.value, interval.low, interval.high) == pytest.approx((0.5, 0.05, 0.95))


def test_limits_are_nan_without_replicates() -> None:
    for make in (percentile_interval, pivotal_interval, normal_interval, widest_interval):
        interval = make(np.array([0.4]), 0.95)
        assert interval.value == 0.4
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)
    for make in (worst_interval, gap_interval):
        assert math.isnan(make(np.array([[0.4, 0.2]]), 0.95).high)


def test_pivotal_limits_mirror_the_percentiles_and_hold_the_value() -> None:
    biased = np.r_[0.1, np.linspace(0.1, 0.3, 1001)]
    interval = pivotal_interval(biased, 0.95, floor=0.0)
    assert interval.low == 0.0
    assert interval.low <= interval.value <= interval.high


def test_normal_limits_reach_z_standard_errors_and_stop_at_the_edges() -> None:
    draws = np.r_[0.98, 0.98 + 0.02 * np.random.default_rng(0).normal(size=5000)]
    interval = normal_interval(draws, 0.95, ceiling=1.0)
    assert interval.low == pytest.approx(0.98 - 1.96 * 0.02, abs=0.002)
    assert interval.high == 1.0


def test_worst_and_gap_of_one_clear_worst_cell_are_close_to_its_own_limits() -> None:
    draws = draws_of([0.2, 0.3, 2.0], spread=0.05)
    own = percentile_interval(draws[:, 2], 0.95)
    worst = worst_interval(draws, 0.95)
    assert worst.value == 2.0
    assert worst.low == pytest.approx(own.low, abs=0.03)
    assert worst.high == pytest.approx(own.high, abs=1e-9)
    gap = gap_interval(draws, 0.95)
    assert gap.value == pytest.approx(1.8)
    assert 1.5 < gap.low < 1.8 < gap.high < 2.1


def test_gap_of_cells_that_cannot_be_told_apart_reaches_down_to_zero() -> None:
    assert gap_interval(draws_of([0.30, 0.31, 0.32], spread=0.05), 0.95).low == 0.0


def test_worst_of_one_cell_is_that_cell() -> None:
    draws = draws_of([0.4], spread=0.1)
    assert worst_interval(draws, 0.95).high == percentile_interval(draws[:, 0], 0.95).high
    assert gap_interval(draws, 0.95) == Interval(0.0, 0.0, 0.0)


def test_cells_without_spread_do_not_break_the_band() -> None:
    draws = draws_of([0.4, 0.2], spread=0.1)
    draws[:, 1] = 0.2
    assert 0.1 < worst_interval(draws, 0.95).low < 0.4


def test_band_holds_the_worst_risk_of_equal_small_cells_where_percentiles_do_not() -> None:
    rng = np.random.default_rng(0)
    n_tables, n_cells, n_rows, truth = 150, 4, 40, 0.4
    held = {"percentile": 0, "band": 0, "percentile gap": 0, "band gap": 0}
    for _ in range(n_tables):
        losses = rng.exponential(truth, (n_cells, n_rows))
        weights = rng.poisson(1, (300, n_cells, n_rows))
        replicates = (weights * losses).sum(axis=2) / weights.sum(axis=2)
        draws = np.vstack([losses.mean(axis=1), replicates])
        for name, interval, true_value in (
            ("percentile", percentile_interval(draws.max(axis=1), 0.95), truth),
            ("band", worst_interval(draws, 0.95), truth),
            ("percentile gap", percentile_interval(np.ptp(draws, axis=1), 0.95), 0.0),
            ("band gap", gap_interval(draws, 0.95), 0.0),
        ):
            held[name] += interval.low <= true_value <= interval.high
    assert held["percentile"] < 0.75 * n_tables
    assert held["band"] > 0.93 * n_tables
    assert held["percentile gap"] == 0
    assert held["band gap"] > 0.90 * n_tables
