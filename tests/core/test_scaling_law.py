from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autosynth import AutosynthError, ScalingLaw
from autosynth.interval import Interval

SIZES = 50 * 2.0 ** np.arange(7)


def law_at(a: float, excess: float, c: float, sizes: np.ndarray = SIZES) -> np.ndarray:
    """Return risks of a law whose excess over the floor at the smallest size is given."""
    return a + excess * (sizes / sizes[0]) ** -c


def holds(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def shared_noise(of_all: float, of_each: float, n_points: int = len(SIZES)) -> np.ndarray:
    return of_all**2 * np.ones((n_points, n_points)) + of_each**2 * np.eye(n_points)


def test_points_on_a_law_give_its_parameters_back() -> None:
    law = ScalingLaw.fit(SIZES, 0.3 + 2 * SIZES**-0.7, [1e-5] * 7)
    assert (law.a.value, law.b.value, law.c.value) == pytest.approx((0.3, 2, 0.7), rel=1e-4)
    assert law.shape == "falls"
    assert law.is_identified
    assert all(each.low < each.value < each.high for each in (law.a, law.b, law.c))


@pytest.mark.parametrize(("c", "given"), [(0.5, "standard errors"), (1.0, "a covariance")])
def test_limits_hold_a_known_law_in_at_least_90_of_100_repeats(c: float, given: str) -> None:
    rng = np.random.default_rng(0)
    truth, noise = law_at(0.3, 0.3, c), shared_noise(0.05 if given == "a covariance" else 0.0, 0.01)
    told: dict[str, Any] = {"covariance": noise} if given == "a covariance" else {"se": np.sqrt(np.diag(noise))}
    laws = [ScalingLaw.fit(SIZES, rng.multivariate_normal(truth, noise), **told) for _ in range(100)]
    assert sum(holds(law.c, c) for law in laws) >= 90
    assert sum(holds(law.a, 0.3) for law in laws) >= 90
    assert sum(holds(law.b, 0.3 * 50**c) for law in laws) >= 90
    assert np.median([law.c.high - law.c.low for law in laws]) < 0.8  # limits of zero and infinity would hold it too


def test_limits_are_those_of_a_search_through_all_laws() -> None:
    """An independent oracle: laws on a fine grid of floor, excess and exponent that the points do not reject."""
    noise = 0.01
    risks = law_at(0.2, 0.3, 0.6) + noise * np.array([0.5, -1.0, 0.8, 0.1, -0.6, 0.9, -0.4])
    law = ScalingLaw.fit(SIZES, risks, [noise] * 7)
    assert law.extra_scatter == 0
    a, excess, c = np.meshgrid(
        np.linspace(0, 0.4, 121), np.linspace(0.2, 0.45, 81), np.geomspace(0.2, 2, 150), indexing="ij"
    )
    left = sum(
        ((risk - a - excess * (size / SIZES[0]) ** -c) / noise) ** 2 for size, risk in zip(SIZES, risks, strict=True)
    )
    inside = left <= left.min() + 1.96**2
    assert (law.a.low, law.a.high) == pytest.approx((a[inside].min(), a[inside].max()), abs=0.006)
    assert (law.c.low, law.c.high) == pytest.approx((c[inside].min(), c[inside].max()), rel=0.03)
    far = a + excess * (20_000 / SIZES[0]) ** -c
    predicted = law.predict(20_000)
    assert (predicted.low, predicted.high) == pytest.approx((far[inside].min(), far[inside].max()), abs=0.006)


def test_a_flat_curve_identifies_no_exponent_and_says_so() -> None:
    noise = 0.01 * np.array([0.3, -0.6, 0.2, 0.7, -0.5, 0.4, -0.2])
    law = ScalingLaw.fit(SIZES, 0.4 + noise, [0.01] * 7)
    assert law.shape == "flat"
    assert not law.is_identified
    for interval in (law.b, law.c):
        assert math.isnan(interval.value)
        assert (interval.low, interval.high) == (0, math.inf)
    assert law.enough(0.001).value == 0
    assert law.predict(10_000).value == pytest.approx(0.4, abs=0.005)
    assert "No decay is seen" in str(law)
    assert "no finite interval" in str(law)


@pytest.mark.parametrize("power", [-0.5, 0.4])
def test_risk_that_rises_is_called_harm_and_follows_no_law(power: float) -> None:
    law = ScalingLaw.fit(
        SIZES, 0.5 + 0.1 * np.sign(power) * (SIZES / SIZES[0]) ** power, covariance=shared_noise(0.1, 0.004)
    )
    assert law.shape == "rises"
    assert "do harm" in str(law)
    assert math.isnan(law.predict(100).value)
    assert math.isnan(law.c.value)


def test_a_decay_that_is_over_at_once_has_an_exponent_that_is_bounded_below_alone() -> None:
    law = ScalingLaw.fit(SIZES, [0.6, *[0.3] * 6], [0.02] * 7)
    assert law.shape == "falls"
    assert law.c.low > 1
    assert law.c.high == law.b.high == math.inf
    assert not law.is_identified
    assert "at least" in str(law)


def test_the_floor_is_never_negative_and_an_open_one_is_named() -> None:
    sizes = SIZES[:4]
    law = ScalingLaw.fit(sizes, law_at(0.0, 0.5, 0.4, sizes) - np.array([0.0, 0.01, 0.0, 0.03]), [0.03] * 4)
    assert law.a.low == 0
    assert "floor of zero is not ruled out" in str(law)


def test_points_that_share_their_luck_tell_the_exponent_better_than_their_own_errors_would() -> None:
    risks, covariance = law_at(0.3, 0.3, 0.6), shared_noise(0.05, 0.005)
    together = ScalingLaw.fit(SIZES, risks, covariance=covariance)
    apart = ScalingLaw.fit(SIZES, risks, np.sqrt(np.diag(covariance)))
    assert together.c.high - together.c.low < 0.5 * (apart.c.high - apart.c.low)
    assert together.a.high - together.a.low > 0.1  # what all share, no difference of points can remove


def test_a_point_that_is_low_by_chance_does_not_draw_the_law_below_all_points() -> None:
    risks = np.array([0.62, 0.58, 0.64, 0.6, 0.59, 0.63, 0.56])
    covariance = 0.3**2 * np.outer(risks, risks) + 0.03**2 * np.eye(7)
    assert risks.min() < ScalingLaw.fit(SIZES, risks, covariance=covariance).a.value < risks.max()


def test_scatter_beyond_the_noise_widens_the_limits_and_is_said() -> None:
    scattered = law_at(0.3, 0.3, 0.6) + 0.02 * np.array([1, -1, 1.2, -0.9, 1, -1.1, 0.8])
    law = ScalingLaw.fit(SIZES, scattered, [0.001] * 7)
    assert 0.01 < law.extra_scatter < 0.05
    assert min(law.standard_errors) > 0.01
    assert "beyond their noise" in str(law)
    assert ScalingLaw.fit(SIZES, law_at(0.3, 0.3, 0.6), [0.001] * 7).extra_scatter == 0


@settings(max_examples=20, deadline=None)
@given(a=st.floats(0, 1), excess=st.floats(0.1, 1), c=st.floats(0.3, 1.5), share=st.floats(0.01, 0.3))
def test_beyond_enough_a_doubling_gains_less_than_asked_for(a: float, excess: float, c: float, share: float) -> None:
    law = ScalingLaw.fit(SIZES, law_at(a, excess, c), [0.002 * excess] * 7)
    n = law.enough(share * excess)
    assert n.low <= n.value <= n.high
    gained = law.predict(n.value).value - law.predict(2 * n.value).value
    assert gained == pytest.approx(share * excess, rel=1e-6)
    b, c_ = law.b.value, law.c.value
    assert n.value == pytest.approx((b * (1 - 2**-c_) / (share * excess)) ** (1 / c_), rel=1e-6)


@settings(max_examples=10, deadline=None)
@given(unit=st.sampled_from([0.001, 7.0, 1000.0]), seed=st.integers(0, 100))
def test_the_unit_of_the_risk_changes_nothing_but_the_unit(unit: float, seed: int) -> None:
    risks = law_at(0.3, 0.3, 0.6) + np.random.default_rng(seed).normal(0, 0.01, 7)
    law, other = (ScalingLaw.fit(SIZES, scale * risks, [scale * 0.01] * 7) for scale in (1.0, unit))
    assert other.c.value == pytest.approx(law.c.value, rel=1e-3)
    assert other.a.high == pytest.approx(unit * law.a.high, rel=1e-3)
    assert other.enough(0.01 * unit).value == pytest.approx(law.enough(0.01).value, rel=1e-2)


def test_a_law_becomes_plain_data() -> None:
    plain = json.loads(json.dumps(ScalingLaw.fit(SIZES, [0.4] * 7, [0.01] * 7).to_dict()))
    assert plain["shape"] == "flat"
    assert plain["c"] == {"value": None, "low": 0.0, "high": None}
    assert plain["sizes"] == SIZES.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": [1, 2, 3], "risk": [3, 2, 1]}, "3 points are too few.*at least 4"),
        ({"n": [1, 2, 4, 3], "risk": [4, 3, 2, 1]}, "rise from one to the next"),
        ({"n": [0, 2, 4, 8], "risk": [4, 3, 2, 1]}, "numbers above 0"),
        ({"n": [1, 2, 4, 8], "risk": [4, 3, 2, math.nan]}, "finite numbers from 0 on"),
        ({"n": [1, 2, 4, 8], "risk": [4, 3, 2]}, "4 sizes and 3 risks"),
        ({"n": [1, 2, 4, 8], "risk": list("abcd")}, "must be numbers"),
        ({"n": [1, 2, 4, 8], "risk": [4, 3, 2, 1], "se": [0.1, 0.1, 0.1, 0]}, "no finite variances above 0"),
        ({"n": [1, 2, 4, 8], "risk": [4, 3, 2, 1], "se": [0.1]}, "shape"),
        ({"n": [1, 2, 4, 8], "risk": [4, 3, 2, 1], "se": [0.1] * 4, "covariance": np.eye(4)}, "Give one of them"),
        ({"n": [1, 2, 4, 8], "risk": [4, 3, 2, 1], "level": 1}, "level=1"),
    ],
)
def test_points_that_make_no_curve_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(AutosynthError, match=message):
        ScalingLaw.fit(**arguments)


@pytest.mark.parametrize("ask", [lambda law: law.enough(0), lambda law: law.predict(0), lambda law: law.enough("much")])
def test_gains_and_sizes_are_numbers_above_zero(ask: Any) -> None:
    with pytest.raises(AutosynthError, match="out of range"):
        ask(ScalingLaw.fit(SIZES, law_at(0.3, 0.3, 0.6), [0.01] * 7))
