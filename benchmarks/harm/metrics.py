"""Metrics of arms on the test rows of all splits, once as they are and once per bootstrap replicate, shared by arms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.risk import Cells, Ranking, all_weights
from harm.shifts import SMALLEST, best_threshold, decisions, prior_offsets, shifted, tuned_offsets, tuned_temperature

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from harm.arms import Arm
    from harm.prediction import Prediction
    from harm.splits import Split

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

METRICS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "log_loss": "log loss, as it comes",
    "log_loss_corrected": "log loss, prior corrected",
    "balanced_ce": "balanced cross-entropy, as it comes",
    "balanced_ce_shifted": "balanced cross-entropy, shifted",
    "balanced_accuracy": "balanced accuracy",
    "worst_group_risk": "worst-group risk, shifted",
}
HIGHER_IS_BETTER = ("auc", "average_precision", "balanced_accuracy")
N_BOOTSTRAP = 1_000


@dataclass(frozen=True)
class TestRows:
    """The test rows of several splits of a setting under each other."""

    codes: Codes
    groups: Codes
    splits: Codes
    positive: int | None  # the rarer of two classes
    cells: Cells

    @classmethod
    def of(cls, splits: Sequence[Split]) -> TestRows:
        codes = np.concatenate([split.codes(split.test) for split in splits])
        groups = np.concatenate([split.group_codes(split.test) for split in splits])
        of_split = np.repeat(np.arange(len(splits)), [len(split.test) for split in splits])
        n_classes = len(splits[0].classes)
        positive = int(np.bincount(codes, minlength=2).argmin()) if n_classes == 2 else None
        return cls(codes, groups, of_split, positive, Cells.from_codes(groups, of_split))


@dataclass(frozen=True)
class RowScores:
    """What an arm gives every test row: losses, a hit, and the probabilities that rank it."""

    losses: Floats  # (n_rows, 4): log loss as it comes and corrected, cross-entropy as it comes and shifted
    hits: Floats  # (n_rows,)
    ranked: Floats  # (n_rows, n_classes)

    @classmethod
    def of(cls, arms: Sequence[Arm], splits: Sequence[Split], predictions: Sequence[Prediction]) -> RowScores:
        parts = [_score_split(*one) for one in zip(arms, splits, predictions, strict=True)]
        return cls(*(np.concatenate(some) for some in zip(*parts, strict=True)))


def _score_split(arm: Arm, split: Split, prediction: Prediction) -> tuple[Floats, Floats, Floats]:
    codes, segments = split.codes(split.test), split.segment_codes(split.test)
    in_training, known = split.codes(split.train), split.segment_codes(split.train)
    counts = np.zeros_like(prediction.trained)
    np.add.at(counts, (known, in_training), 1.0)
    inside, n_segments = prediction.out_of_fold, len(split.segments)
    offsets = {
        "none": np.zeros_like(counts),
        "prior": prior_offsets(prediction.trained),
        "tuned": tuned_offsets(inside, in_training, known, n_segments=n_segments),
        "real prior": prior_offsets(prediction.trained, counts),
    }
    test = {name: shifted(prediction.test, offset, segments) for name, offset in offsets.items()}
    if "calibrated" in (arm.shift, arm.later_shift):
        heat = tuned_temperature(inside, in_training, known)
        at_heat = tuned_offsets(inside, in_training, known, n_segments=n_segments, temperature=heat)
        test["calibrated"] = shifted(prediction.test, at_heat, segments, heat)
    shown = ("none", "real prior", arm.shift, arm.later_shift)
    of_truth = [test[name][np.arange(len(codes)), codes] for name in shown]
    losses = -np.log(np.clip(np.column_stack(of_truth), SMALLEST, 1.0))
    decided = _decide(arm, split, prediction, offsets, test)
    return losses, (decided == codes).astype(float), prediction.test


def _decide(
    arm: Arm, split: Split, prediction: Prediction, offsets: Mapping[str, Floats], test: Mapping[str, Floats]
) -> Codes:
    if not arm.tunes_threshold:
        return decisions(test[arm.shift], None, 0.5)
    if len(split.classes) > 2:
        return decisions(test["tuned"], None, 0.5)
    codes, groups = split.codes(split.train), split.group_codes(split.train)
    positive = int(np.bincount(codes, minlength=2).argmin())
    held = np.isfinite(prediction.out_of_fold).all(axis=1)
    # With groups the offsets of the segments come first, and one threshold is tuned on what they give.
    inside = shifted(prediction.out_of_fold[held], offsets["tuned"], split.segment_codes(split.train)[held])
    cut = best_threshold(inside[:, positive], codes[held] == positive, groups[held])
    return decisions(test["tuned"], positive, cut)


def draw(
    scores: Mapping[str, RowScores], rows: TestRows, *, n_bootstrap: int = N_BOOTSTRAP, seed: int = 0
) -> dict[str, dict[str, Floats]]:
    """Return arm -> metric -> values of shape (1 + n_bootstrap,), entry 0 on the rows as they are.

    Replicates are shared, so that a difference of two arms is a paired one.  Losses are means over the rows of a group
    in all splits; AUC and average precision are means over splits, as scores of two models rank no common list.
    """
    rankings = {name: _rankings(score, rows) for name, score in scores.items()}
    ranked = {name: np.full((1 + n_bootstrap, 2), np.nan) for name in scores}
    ones = np.ones((len(rows.codes), 1))
    columns = np.concatenate([np.column_stack([ones, one.losses, one.hits]) for one in scores.values()], axis=1)
    sums = np.zeros((1 + n_bootstrap, int(rows.groups.max()) + 1, columns.shape[1]))
    members = [np.flatnonzero(rows.groups == group) for group in range(sums.shape[1])]
    for block, weights in all_weights(rows.cells, n_bootstrap=n_bootstrap, rng=np.random.default_rng(seed)):
        own = np.empty_like(weights)
        own[:, rows.cells.order] = weights  # back to the order of the test rows
        for group, inside in enumerate(members):
            sums[block, group] = own[:, inside].astype(float) @ columns[inside]
        for name, some in rankings.items():
            ranked[name][block] = _rank(some, own)
    parts = np.split(sums, len(scores), axis=2)
    return {name: _metrics(part, ranked[name]) for name, part in zip(scores, parts, strict=True)}


def _rankings(score: RowScores, rows: TestRows) -> list[list[tuple[Codes, Ranking]]]:
    """Return per split the rows and rankings of the positive class, or of every class that the split holds."""
    classes = range(score.ranked.shape[1]) if rows.positive is None else [rows.positive]
    found = []
    for split in np.unique(rows.splits):
        inside = np.flatnonzero(rows.splits == split)
        here = [one for one in classes if 0 < (rows.codes[inside] == one).sum() < len(inside)]
        found.append(
            [(inside, Ranking.from_scores(score.ranked[inside, one], rows.codes[inside] == one)) for one in here]
        )
    return found


def _rank(rankings: list[list[tuple[Codes, Ranking]]], weights: npt.NDArray[np.float32]) -> Floats:
    per_split = [
        np.mean([ranking.auc_and_average_precision(weights[:, inside]) for inside, ranking in some], axis=0)
        for some in rankings
    ]
    return np.asarray(np.mean(per_split, axis=0)).T


def _metrics(sums: Floats, ranked: Floats) -> dict[str, Floats]:
    held = sums[0, :, 0] > 0
    means = sums[:, held, 1:] / sums[:, held, :1]
    totals = sums[:, held, 1:3].sum(axis=1) / sums[:, held, 0].sum(axis=1)[:, None]
    return {
        "auc": ranked[:, 0],
        "average_precision": ranked[:, 1],
        "log_loss": totals[:, 0],
        "log_loss_corrected": totals[:, 1],
        "balanced_ce": means[:, :, 2].mean(axis=1),
        "balanced_ce_shifted": means[:, :, 3].mean(axis=1),
        "balanced_accuracy": means[:, :, 4].mean(axis=1),
        "worst_group_risk": means[:, :, 3].max(axis=1),
    }
