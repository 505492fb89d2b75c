from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from autosynth.calibration import UNSEEN, cell_weights, correct_prior
from autosynth.exceptions import DataError

SHARES = st.lists(st.floats(0.01, 1), min_size=3, max_size=3)
COUNTS = arrays(float, st.just((4, 3)), elements=st.floats(0.5, 1000))  # (n_segments, n_classes)
PROBA = arrays(float, st.just((8, 3)), elements=st.floats(0.01, 1)).map(lambda some: some / some.sum(1, keepdims=True))
CODES = arrays(np.int64, 8, elements=st.integers(-1, 3))


@given(proba=SHARES, trained=SHARES, target=SHARES)
@settings(max_examples=50, deadline=None)
def test_correction_and_its_inverse_cancel(proba: list[float], trained: list[float], target: list[float]) -> None:
    given_proba = np.array([proba]) / sum(proba)
    there = correct_prior(given_proba, trained=trained, target=target)
    assert there.sum() == pytest.approx(1)
    np.testing.assert_allclose(correct_prior(there, trained=target, target=trained), given_proba, rtol=1e-9)
    np.testing.assert_allclose(correct_prior(given_proba, trained=trained, target=trained), given_proba)


@given(proba=PROBA, trained=COUNTS, target=COUNTS, segments=CODES)
@settings(max_examples=50, deadline=None)
def test_by_group_too_the_inverse_cancels_and_rows_sum_to_one(
    proba: np.ndarray, trained: np.ndarray, target: np.ndarray, segments: np.ndarray
) -> None:
    there = correct_prior(proba, trained=trained, target=target, segments=segments)
    np.testing.assert_allclose(there.sum(axis=1), 1)
    back = correct_prior(there, trained=target, target=trained, segments=segments)
    np.testing.assert_allclose(back, proba, rtol=1e-9)


@given(proba=PROBA, trained=COUNTS, target=COUNTS)
@settings(max_examples=25, deadline=None)
def test_with_one_segment_it_is_the_correction_by_class(
    proba: np.ndarray, trained: np.ndarray, target: np.ndarray
) -> None:
    by_class = correct_prior(proba, trained=trained[0], target=target[0])
    one = np.zeros(len(proba), dtype=int)
    by_group = correct_prior(proba, trained=trained[:1], target=target[:1], segments=one)
    np.testing.assert_allclose(by_group, by_class)


@given(proba=PROBA, trained=COUNTS, target=COUNTS, segments=CODES, scale=st.floats(0.01, 100))
@settings(max_examples=25, deadline=None)
def test_the_weight_of_a_segment_as_a_whole_does_not_matter(
    proba: np.ndarray, trained: np.ndarray, target: np.ndarray, segments: np.ndarray, scale: float
) -> None:
    segments = np.abs(segments)  # segments that training held: the others are corrected by all of them together
    heavier = trained * np.array([[scale], [1], [1], [1]])
    expected = correct_prior(proba, trained=trained, target=target, segments=segments)
    np.testing.assert_allclose(correct_prior(proba, trained=heavier, target=target, segments=segments), expected)


@given(
    majority=arrays(float, 3, elements=st.floats(50, 1000)),
    share=arrays(float, 3, elements=st.floats(0.01, 0.5)),
    given_share=st.floats(0.05, 0.95),
)
@settings(max_examples=50, deadline=None)
def test_oversampling_raised_the_minority_and_the_real_prior_lowers_it_in_every_segment(
    majority: np.ndarray, share: np.ndarray, given_share: float
) -> None:
    real = np.column_stack([majority, majority * share])
    oversampled = np.column_stack([majority, majority])
    proba = np.tile([1 - given_share, given_share], (3, 1))
    segments = np.arange(3)
    to_real = correct_prior(proba, trained=oversampled, target=real, segments=segments)
    to_balanced = correct_prior(proba, trained=real, target=oversampled, segments=segments)
    assert (to_real[:, 1] < given_share).all()
    assert (to_balanced[:, 1] > given_share).all()
    # the rarer the minority of a segment, the farther both go
    rarest_first = np.argsort(share)
    assert (np.diff(to_real[rarest_first, 1]) >= -1e-12).all()
    assert (np.diff(to_balanced[rarest_first, 1]) <= 1e-12).all()


def test_the_correction_is_bayes_rule_for_two_gaussians() -> None:
    x = np.linspace(-3, 4, 50)
    density = np.exp(-0.5 * np.column_stack([x, x - 1]) ** 2)

    def posterior(prior: np.ndarray) -> np.ndarray:
        joint = density * prior
        return joint / joint.sum(axis=1, keepdims=True)

    balanced, real = np.array([0.5, 0.5]), np.array([0.97, 0.03])
    np.testing.assert_allclose(correct_prior(posterior(balanced), trained=balanced, target=real), posterior(real))


@given(
    trained=arrays(float, (3, 3), elements=st.floats(0.5, 100)),
    target=arrays(float, (3, 3), elements=st.floats(0.5, 100)),
)
@settings(max_examples=25, deadline=None)
def test_by_group_it_is_exact_where_only_the_shares_of_cells_were_changed(
    trained: np.ndarray, target: np.ndarray
) -> None:
    """Rows of every cell are normal around a centre of their own, so p(y | x, s) is known for any shares of cells."""
    centres = np.array([[0.0, 1.0, 2.5], [1.0, -1.0, 0.0], [0.0, 0.2, 0.4]])  # (n_segments, n_classes)
    x, segments = np.tile(np.linspace(-3, 4, 20), 3), np.repeat(np.arange(3), 20)

    def posterior(cells: np.ndarray) -> np.ndarray:
        joint = np.exp(-0.5 * (x[:, None] - centres[segments]) ** 2) * cells[segments]
        return joint / joint.sum(axis=1, keepdims=True)

    corrected = correct_prior(posterior(trained), trained=trained, target=target, segments=segments)
    np.testing.assert_allclose(corrected, posterior(target), atol=1e-12)


def test_a_learned_posterior_comes_back_to_that_of_real_rows() -> None:
    """Frequencies of a table with few distinct rows are the best a model can learn; minority cells are repeated."""
    rng = np.random.default_rng(0)
    segments = rng.integers(0, 2, 20_000)
    labels = (rng.random(20_000) < np.where(segments == 0, 0.04, 0.3)).astype(int)
    x = (rng.random(20_000) < 0.3 + 0.4 * labels).astype(int)
    weights = np.where(labels == 1, np.where(segments == 0, 24.0, 2.0), 1.0)

    def learn(weights: np.ndarray) -> np.ndarray:
        cells = cell_weights(labels, segments * 2 + x, n_labels=2, n_segments=4, weights=weights)
        return (cells / cells.sum(axis=1, keepdims=True))[segments * 2 + x]

    real = cell_weights(labels, segments, n_labels=2, n_segments=2)
    trained = cell_weights(labels, segments, n_labels=2, n_segments=2, weights=weights)
    corrected = correct_prior(learn(weights), trained=trained, target=real, segments=segments)
    np.testing.assert_allclose(corrected, learn(np.ones(20_000)), atol=1e-12)
    by_class = correct_prior(learn(weights), trained=trained.sum(axis=0), target=real.sum(axis=0))
    assert np.abs(by_class - learn(np.ones(20_000))).max() > 0.1


def test_counts_serve_as_well_as_shares() -> None:
    by_counts = correct_prior([[0.4, 0.6]], trained=[50, 50], target=[90, 10])
    np.testing.assert_allclose(by_counts, correct_prior([[0.4, 0.6]], trained=[0.5, 0.5], target=[0.9, 0.1]))


def test_a_class_without_weight_in_training_keeps_probability_zero() -> None:
    corrected = correct_prior([[0.5, 0.5, 0.0]], trained=[1, 1, 0], target=[1, 1, 2])
    assert corrected.tolist() == [[0.5, 0.5, 0.0]]
    by_group = correct_prior([[0.4, 0.4, 0.2]], trained=[[1, 1, 0]], target=[[1, 1, 2]], segments=[0])
    assert by_group.tolist() == [[0.5, 0.5, 0.0]]


def test_a_row_without_any_target_weight_stays_as_it_is() -> None:
    assert correct_prior([[0.0, 1.0]], trained=[1, 1], target=[1, 0]).tolist() == [[0.0, 1.0]]
    by_group = correct_prior([[0.0, 1.0]], trained=[[1, 1], [1, 1]], target=[[1, 0], [1, 1]], segments=[0])
    assert by_group.tolist() == [[0.0, 1.0]]


def test_unseen_segments_and_those_without_weight_are_corrected_by_class_over_all_segments() -> None:
    trained, target = np.array([[50, 50], [50, 50], [0, 0]]), np.array([[90, 10], [60, 40], [0, 0]])
    half = np.full((2, 2), 0.5)
    corrected = correct_prior(half, trained=trained, target=target, segments=[UNSEEN, 2])
    np.testing.assert_allclose(corrected, correct_prior(half, trained=[100, 100], target=[150, 50]))


def test_a_cell_that_training_did_not_hold_takes_the_ratio_of_its_class() -> None:
    trained, target = np.array([[50, 50], [100, 0]]), np.array([[90, 10], [100, 0]])
    corrected = correct_prior([[0.5, 0.5]], trained=trained, target=target, segments=[1])
    pooled = (10 / 200) / (50 / 200)
    np.testing.assert_allclose(corrected, [[1 / (1 + pooled), pooled / (1 + pooled)]])


def test_cells_are_weighed_and_rows_of_no_known_segment_left_out() -> None:
    weighed = cell_weights([0, 1, 1, 2], [0, 1, 1, UNSEEN], n_labels=3, n_segments=2, weights=[1, 0.5, 2, 9])
    assert weighed.tolist() == [[1, 0, 0], [0, 2.5, 0]]
    assert cell_weights([1, 1], n_labels=2).tolist() == [[0, 2]]


@pytest.mark.parametrize(
    ("proba", "trained", "target", "message"),
    [
        ([0.5, 0.5], [1, 1], [1, 1], r"probabilities of shape \(2,\) do not fit priors of shapes \(2,\) and \(2,\)"),
        ([[0.5, 0.5]], [1, 1, 1], [1, 1], r"shapes \(3,\) and \(2,\). Give \(n_rows, n_classes\)"),
        ([[0.5, 0.5]], [1, -1], [1, 1], r"class priors are \[1.0, -1.0\] .* must not be negative or all zero"),
        ([[0.5, 0.5]], [1, 1], [0, 0], "must not be negative or all zero"),
        ([[0.5, 0.5]], [1, np.nan], [1, 1], "must be finite"),
    ],
)
def test_priors_that_do_not_fit_are_refused(proba: object, trained: object, target: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        correct_prior(proba, trained=trained, target=target)


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ([0, 1], r"segments have shape \(2,\) .* for 1 rows"),
        ([0.5], "dtype float64 for 1 rows. Give a whole number per row"),
        ([2], "segments run from 2 to 2, and the priors have 2 of them. Use 0 to 1, or -1"),
        ([-2], "segments run from -2 to -2"),
        (None, r"Give \(n_rows, n_classes\) and twice \(n_classes,\)"),
    ],
)
def test_segments_that_do_not_fit_are_refused(segments: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        correct_prior([[0.5, 0.5]], trained=np.ones((2, 2)), target=np.ones((2, 2)), segments=segments)
