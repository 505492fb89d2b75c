from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from autosynth import risk
from autosynth.predictions import Predictions, Target
from autosynth.risk import (
    Cells,
    Ranking,
    brier_scores,
    calibration_errors,
    cross_entropy,
    draw_metrics,
    poisson_weights,
    ranking_replicates,
)

EPS = float(np.finfo(np.float64).eps)


def binary(n_rows: int = 400, seed: int = 0) -> tuple[Target, Predictions]:
    rng = np.random.default_rng(seed)
    probability = rng.beta(1, 3, n_rows).round(2)  # rounding makes ties, zeros and ones
    codes = (rng.random(n_rows) < probability).astype(np.int64)
    probabilities = np.column_stack([1 - probability, probability])
    hits = ((probability > 0.5) == codes).astype(float)
    return Target("y", ("no", "yes"), codes, 1), Predictions(probabilities, hits, EPS)


def test_losses_average_to_those_of_sklearn() -> None:
    target, model = binary()
    assert cross_entropy(model, target, resolution=EPS).mean() == pytest.approx(
        log_loss(target.codes, model.probabilities)
    )
    assert brier_scores(model, target).mean() == pytest.approx(
        brier_score_loss(target.codes, model.probabilities[:, 1])
    )


def test_brier_score_of_several_classes_sums_over_them() -> None:
    target = Target("y", ("a", "b", "c"), np.array([0, 2]), None)
    model = Predictions(np.array([[0.5, 0.3, 0.2], [0.0, 0.0, 1.0]]), np.ones(2), EPS)
    assert brier_scores(model, target).tolist() == pytest.approx([0.25 + 0.09 + 0.04, 0.0])


def test_a_confident_mistake_costs_much_and_not_infinity() -> None:
    target = Target("y", (0, 1), np.array([1]), 1)
    model = Predictions(np.array([[1.0, 0.0]]), np.zeros(1), EPS)
    assert cross_entropy(model, target, resolution=EPS)[0] == pytest.approx(-np.log(EPS))


def test_calibration_errors_add_up_to_the_binned_definition() -> None:
    target, model = binary()
    probability = model.probabilities[:, 1]
    bins = np.minimum((probability * 15).astype(int), 14)
    expected = sum(
        (bins == place).mean() * abs(target.codes[bins == place].mean() - probability[bins == place].mean())
        for place in np.unique(bins)
    )
    assert np.abs(calibration_errors(model, target).sum(axis=0)).sum() / len(bins) == pytest.approx(expected)


@pytest.mark.parametrize("decimals", [1, 2, 17])
def test_weighted_auc_and_average_precision_are_those_of_sklearn(decimals: int) -> None:
    rng = np.random.default_rng(1)
    scores, is_positive = rng.random(120).round(decimals), rng.random(120) < 0.3
    weights = rng.poisson(1, (5, 120)).astype(np.float32)
    auc, average_precision = Ranking.from_scores(scores, is_positive).auc_and_average_precision(weights)
    for place, weight in enumerate(weights):
        assert auc[place] == pytest.approx(roc_auc_score(is_positive, scores, sample_weight=weight))
        assert average_precision[place] == pytest.approx(
            average_precision_score(is_positive, scores, sample_weight=weight)
        )


def test_ranking_of_one_label_is_undefined() -> None:
    for label in (True, False):
        ranking = Ranking.from_scores(np.array([0.1, 0.2]), np.array([label, label]))
        assert np.isnan(ranking.auc_and_average_precision(np.ones((2, 2), np.float32))).all()


def test_a_replicate_without_one_label_is_undefined_and_others_are_not() -> None:
    ranking = Ranking.from_scores(np.array([0.9, 0.2]), np.array([True, False]))
    auc, _ = ranking.auc_and_average_precision(np.array([[0, 2], [1, 1]], np.float32))
    assert np.isnan(auc[0])
    assert auc[1] == 1.0


def test_cells_are_slices_of_the_sorted_rows() -> None:
    labels, segments = np.array([1, 0, 1, 0, 1]), np.array([1, 0, 0, 0, 1])
    cells = Cells.from_codes(labels, segments)
    assert [cells.order[rows].tolist() for rows in cells.slices()] == [[1, 3], [2], [0, 4]]
    assert cells.label.tolist() == [0, 1, 1]
    assert cells.segment.tolist() == [0, 0, 1]
    assert cells.membership().tolist() == [[1, 0, 1], [1, 0, 1], [0, 1, 1]]
    assert [cells.order[rows].tolist() for rows in cells.segment_slices()] == [[1, 3, 2], [0, 4], [1, 3, 2, 0, 4]]


def test_weights_are_poisson_with_mean_and_variance_one() -> None:
    cells = Cells.from_codes(np.zeros(2000, np.int64), np.zeros(2000, np.int64))
    weights = np.concatenate(
        [block for _, block in poisson_weights(cells, n_bootstrap=300, rng=np.random.default_rng(0))]
    )
    assert weights.shape == (300, 2000)
    assert weights.mean() == pytest.approx(1, abs=0.005)
    assert weights.var() == pytest.approx(1, abs=0.01)
    assert (weights == 0).mean() == pytest.approx(np.exp(-1), abs=0.003)


def test_no_cell_vanishes_from_a_replicate() -> None:
    cells = Cells.from_codes(np.array([0, 1, 1, 0]), np.array([0, 0, 0, 1]))
    for _, weights in poisson_weights(cells, n_bootstrap=500, rng=np.random.default_rng(0)):
        assert min(weights[:, rows].sum(axis=1).min() for rows in cells.slices()) == 1


def test_replicates_come_in_bounded_blocks_that_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(risk, "BLOCK", 1000)
    cells = Cells.from_codes(np.zeros(300, np.int64), np.zeros(300, np.int64))
    blocks = list(poisson_weights(cells, n_bootstrap=10, rng=np.random.default_rng(0)))
    assert [(rows.start, rows.stop) for rows, _ in blocks] == [(1, 4), (4, 7), (7, 10), (10, 11)]
    assert all(weights.size <= 1000 for _, weights in blocks)


def test_ranking_metrics_of_large_segments_use_fewer_replicates() -> None:
    assert ranking_replicates(5_000, 1000) == 1000
    assert ranking_replicates(50_000, 1000) == 400
    assert ranking_replicates(10_000_000, 1000) == 200
    assert ranking_replicates(10_000_000, 50) == 50


def test_two_equal_models_differ_by_nothing_in_every_replicate() -> None:
    target, model = binary()
    cells = Cells.from_codes(target.codes, np.arange(400) % 3)
    first, second = draw_metrics([model, model], target, cells, n_bootstrap=20, rng=np.random.default_rng(0))
    difference = first.minus(second)
    for draws in (*difference.cells.values(), *difference.segments.values()):
        assert np.nansum(np.abs(draws)) == 0


def test_the_losses_of_two_models_are_clipped_alike() -> None:
    target, model = binary()
    coarse = Predictions(model.probabilities, model.hits, float(np.finfo(np.float32).eps))
    cells = Cells.from_codes(target.codes, np.zeros(400, np.int64))
    first, second = draw_metrics([model, coarse], target, cells, n_bootstrap=0, rng=np.random.default_rng(0))
    assert first.cells["risk"].tolist() == second.cells["risk"].tolist()
