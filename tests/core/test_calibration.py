from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autosynth.calibration import correct_prior
from autosynth.exceptions import DataError

SHARES = st.lists(st.floats(0.01, 1), min_size=3, max_size=3)


@given(proba=SHARES, trained=SHARES, target=SHARES)
@settings(max_examples=50, deadline=None)
def test_correction_and_its_inverse_cancel(proba: list[float], trained: list[float], target: list[float]) -> None:
    given_proba = np.array([proba]) / sum(proba)
    there = correct_prior(given_proba, trained=trained, target=target)
    assert there.sum() == pytest.approx(1)
    np.testing.assert_allclose(correct_prior(there, trained=target, target=trained), given_proba, rtol=1e-9)
    np.testing.assert_allclose(correct_prior(given_proba, trained=trained, target=trained), given_proba)


def test_the_correction_is_bayes_rule_for_two_gaussians() -> None:
    x = np.linspace(-3, 4, 50)
    density = np.exp(-0.5 * np.column_stack([x, x - 1]) ** 2)

    def posterior(prior: np.ndarray) -> np.ndarray:
        joint = density * prior
        return joint / joint.sum(axis=1, keepdims=True)

    balanced, real = np.array([0.5, 0.5]), np.array([0.97, 0.03])
    np.testing.assert_allclose(correct_prior(posterior(balanced), trained=balanced, target=real), posterior(real))


def test_counts_serve_as_well_as_shares() -> None:
    by_counts = correct_prior([[0.4, 0.6]], trained=[50, 50], target=[90, 10])
    np.testing.assert_allclose(by_counts, correct_prior([[0.4, 0.6]], trained=[0.5, 0.5], target=[0.9, 0.1]))


def test_a_class_without_weight_in_training_keeps_probability_zero() -> None:
    corrected = correct_prior([[0.5, 0.5, 0.0]], trained=[1, 1, 0], target=[1, 1, 2])
    assert corrected.tolist() == [[0.5, 0.5, 0.0]]


def test_a_row_without_any_target_weight_stays_as_it_is() -> None:
    assert correct_prior([[0.0, 1.0]], trained=[1, 1], target=[1, 0]).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize(
    ("proba", "trained", "target", "message"),
    [
        ([0.5, 0.5], [1, 1], [1, 1], r"probabilities of shape \(2,\) do not fit priors of shapes \(2,\) and \(2,\)"),
        ([[0.5, 0.5]], [1, 1, 1], [1, 1], r"shapes \(3,\) and \(2,\). Give \(n_rows, n_classes\)"),
        ([[0.5, 0.5]], [1, -1], [1, 1], r"class priors are \[1.0, -1.0\] .* must not be negative or all zero"),
        ([[0.5, 0.5]], [1, 1], [0, 0], "must not be negative or all zero"),
    ],
)
def test_priors_that_do_not_fit_are_refused(proba: object, trained: object, target: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        correct_prior(proba, trained=trained, target=target)
