"""Risk per group under row weights: cross-entropy and its companions, on the rows as they are and on replicates.

Everything that is a mean (risk, accuracy, Brier score, calibration error) follows from sums per cell, so one matrix
product per cell and block of replicates gives them all; sums of cells are sums of their segment.  AUC and average
precision need the rows in order of their score, which is sorted once, and a cumulative sum per replicate.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from autosynth.predictions import Predictions, Target

    Floats: TypeAlias = npt.NDArray[np.float64]
    Weights: TypeAlias = npt.NDArray[np.float32]
    Codes: TypeAlias = npt.NDArray[np.int64]

__all__ = [
    "Cells",
    "Collector",
    "MetricDraws",
    "Ranking",
    "all_weights",
    "brier_scores",
    "cross_entropy",
    "draw_metrics",
    "poisson_weights",
    "ranking_replicates",
]

N_CALIBRATION_BINS = 15
BLOCK = 4_000_000  # weights held at a time: 16 MB as float32, about 150 MB with everything derived from them
RANKING_BUDGET = 20_000_000  # weights sorted per segment, class and model; bounds the time for large tables
MIN_RANKING_REPLICATES = 200  # enough for a standard error (5 % off), too few for percentiles
TINY_CELL = 50  # all Poisson weights of a larger cell are zero with probability below e**-50


@dataclass(frozen=True)
class Cells:
    """Rows sorted by segment and label, so that every cell and every segment is a slice of them."""

    order: Codes  # (n_rows,): row numbers of the input, sorted
    bounds: Codes  # (n_cells + 1,): cell i holds the sorted rows from bounds[i] to bounds[i + 1]
    label: Codes  # (n_cells,): class of the cell
    segment: Codes  # (n_cells,)

    @classmethod
    def from_codes(cls, labels: Codes, segments: Codes) -> Cells:
        """Return the cells that occur among rows with these classes and segments."""
        order = np.lexsort((labels, segments))
        keys = np.column_stack([segments, labels])[order]
        starts = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]).any(axis=1)])
        return cls(order, np.r_[starts, len(order)], keys[starts, 1], keys[starts, 0])

    @property
    def sizes(self) -> Codes:
        return np.diff(self.bounds)

    def segment_codes(self) -> Codes:
        """Return the segment of every row, in the order of the input rows."""
        codes = np.empty(len(self.order), dtype=np.int64)
        codes[self.order] = np.repeat(self.segment, self.sizes)
        return codes

    def slices(self) -> list[slice]:
        """Return the sorted rows of every cell."""
        return [slice(start, stop) for start, stop in pairwise(self.bounds)]

    def segment_slices(self) -> list[slice]:
        """Return the sorted rows of every segment, and last those of all rows if there are several segments."""
        firsts = np.flatnonzero(np.r_[True, self.segment[1:] != self.segment[:-1]])
        starts = np.r_[self.bounds[firsts], self.bounds[-1]]
        slices = [slice(start, stop) for start, stop in pairwise(starts)]
        return slices if len(slices) == 1 else [*slices, slice(0, len(self.order))]

    def membership(self) -> Floats:
        """Return which cells make up which segment, shape (n_cells, n_segments); all rows last, as above."""
        inside = (self.segment[:, None] == np.unique(self.segment)).astype(float)
        return inside if inside.shape[1] == 1 else np.column_stack([inside, np.ones(len(self.segment))])


@dataclass(frozen=True)
class MetricDraws:
    """Every metric of one model; row 0 on the rows as they are, then one row per bootstrap replicate.

    Cells hold one label, so their recall is their accuracy, and what needs several labels exists for segments alone.
    Ranking metrics of large segments have fewer replicates; the rest of their column is NaN.
    """

    cells: dict[str, Floats]  # metric -> (1 + n_replicates, n_cells)
    segments: dict[str, Floats]  # metric -> (1 + n_replicates, n_segments)

    def minus(self, other: MetricDraws) -> MetricDraws:
        """Return the difference of every draw, a paired one as both models share their replicates."""
        return MetricDraws(
            {metric: draws - other.cells[metric] for metric, draws in self.cells.items()},
            {metric: draws - other.segments[metric] for metric, draws in self.segments.items()},
        )


def cross_entropy(predictions: Predictions, target: Target, *, resolution: float) -> Floats:
    """Return -log of the probability that each row's true class was given, in nats, shape (n_rows,).

    Probabilities are clipped to [resolution, 1 - resolution], as scikit-learn's log_loss does, so that a confident
    mistake costs much and not infinity.
    """
    of_truth = predictions.probabilities[np.arange(len(target.codes)), target.codes]
    losses: Floats = -np.log(of_truth.clip(resolution, 1 - resolution))
    return losses


def brier_scores(predictions: Predictions, target: Target) -> Floats:
    """Return the squared error of the probabilities, shape (n_rows,).

    With two classes that of the positive class, 0 to 1; with more the sum over classes, 0 to 2, which for two classes
    would be twice the first.

    References
    ----------
    Brier. Verification of forecasts expressed in terms of probability. Monthly Weather Review 78, 1950.
    """
    truth = np.eye(len(target.classes))[target.codes]
    errors = (predictions.probabilities - truth) ** 2
    return errors[:, target.positive] if target.positive is not None else errors.sum(axis=1)


def calibration_errors(predictions: Predictions, target: Target) -> Floats:
    """Return outcome minus probability in the column of the probability's bin, shape (n_rows, n_bins), zero elsewhere.

    Summed over rows, the absolute values add up to the expected calibration error times the number of rows.  With two
    classes the probability is that of the positive class; with more, that of the most probable one.

    References
    ----------
    Naeini, Cooper, Hauskrecht. Obtaining well calibrated probabilities using Bayesian binning. AAAI 2015.
    Guo, Pleiss, Sun, Weinberger. On calibration of modern neural networks. ICML 2017, for the most probable class.
    """
    if target.positive is not None:
        probability = predictions.probabilities[:, target.positive]
        outcome = target.codes == target.positive
    else:
        probability = predictions.probabilities.max(axis=1)
        outcome = target.codes == predictions.probabilities.argmax(axis=1)
    bins = np.minimum((probability * N_CALIBRATION_BINS).astype(int), N_CALIBRATION_BINS - 1)
    errors = np.zeros((len(probability), N_CALIBRATION_BINS))
    errors[np.arange(len(probability)), bins] = outcome - probability
    return errors


@dataclass(frozen=True)
class Ranking:
    """Rows by falling score: what AUC and average precision of any row weights need, found once."""

    order: Codes  # (n_rows,)
    positives: Codes  # (n_positive,): places of the positive rows in the order
    above: Codes  # (n_positive,): rows with a higher score than that of the positive row
    through: Codes  # (n_positive,): those, and the rows tied with it
    positives_above: Codes
    positives_through: Codes

    @classmethod
    def from_scores(cls, scores: Floats, is_positive: npt.NDArray[np.bool_]) -> Ranking:
        """Return the ranking of rows by ``scores``, with ties kept together."""
        order = np.argsort(-scores, kind="stable")
        ranked = -scores[order]
        positives = np.flatnonzero(is_positive[order])
        above = np.searchsorted(ranked, ranked[positives], side="left")
        through = np.searchsorted(ranked, ranked[positives], side="right")
        return cls(
            order,
            positives,
            above,
            through,
            np.searchsorted(positives, above),
            np.searchsorted(positives, through),
        )

    def auc_and_average_precision(self, weights: Weights) -> tuple[Floats, Floats]:
        """Return both for every row of ``weights``, shape (n_replicates, n_rows), whole numbers; NaN with one label.

        AUC counts a tie as half.  Average precision is the sum of precision times the step in recall over the distinct
        scores, without interpolation: both as scikit-learn defines them.
        """
        n_replicates = len(weights)
        if len(self.positives) in (0, len(self.order)):
            undefined = np.full(n_replicates, np.nan)
            return undefined, undefined
        ranked = weights[:, self.order]
        of_positives = ranked[:, self.positives]
        # Whole numbers below 2**24 add up exactly in float32.
        total = _cumulative(ranked)
        positive = _cumulative(of_positives)
        n_positive = positive[:, -1].astype(float)
        n_negative = total[:, -1] - n_positive
        positive_through = positive[:, self.positives_through]
        total_through = total[:, self.through]
        negatives_above = total[:, self.above] - positive[:, self.positives_above]
        negatives_through = total_through - positive_through
        # A row of weight 0 may have nobody above it; it counts nothing, so any divisor above 0 will do.
        precision = np.divide(positive_through, np.maximum(total_through, 1), dtype=float)
        with np.errstate(invalid="ignore", divide="ignore"):  # a replicate without one of the labels is NaN
            ties_halved = np.einsum("ij,ij->i", of_positives, negatives_above + negatives_through, dtype=float) / 2
            auc = 1 - ties_halved / (n_positive * n_negative)
            average_precision = np.einsum("ij,ij->i", of_positives, precision) / n_positive
        return auc, average_precision


class Collector(Protocol):
    """Adds up something of its own over the replicates, so that it is paired with the metrics."""

    def add(self, replicates: slice, weights: Weights) -> None: ...


def draw_metrics(
    models: Sequence[Predictions],
    target: Target,
    cells: Cells,
    *,
    n_bootstrap: int,
    rng: np.random.Generator,
    collectors: Sequence[Collector] = (),
) -> list[MetricDraws]:
    """Return every metric of every model, on the rows as they are and on replicates that the models share.

    Shared replicates make the difference of two models a paired one.

    Parameters
    ----------
    models : sequence of Predictions
        About the same rows.
    target : Target
        The classes, and the class of every row.
    cells : Cells
        The partition of the rows into label x group columns.
    n_bootstrap : int
        Replicates; 0 leaves row 0 alone.
    rng : numpy Generator
        Source of the weights, which depend on the cells and not on the models.
    collectors : sequence of Collector
        Are given the same replicates.
    """
    resolution = max(model.resolution for model in models)  # both losses are clipped alike
    scores = [_MetricSums(model, target, cells, resolution, n_bootstrap) for model in models]
    for rows, weights in all_weights(cells, n_bootstrap=n_bootstrap, rng=rng):
        for collector in (*scores, *collectors):
            collector.add(rows, weights)
    return [score.finish() for score in scores]


def all_weights(cells: Cells, *, n_bootstrap: int, rng: np.random.Generator) -> Iterator[tuple[slice, Weights]]:
    """Yield row 0, where every row counts once, and then the blocks of `poisson_weights`."""
    yield slice(0, 1), np.ones((1, len(cells.order)), dtype=np.float32)
    yield from poisson_weights(cells, n_bootstrap=n_bootstrap, rng=rng)


def poisson_weights(cells: Cells, *, n_bootstrap: int, rng: np.random.Generator) -> Iterator[tuple[slice, Weights]]:
    """Yield blocks of replicates: their place after row 0, and Poisson(1) weights of shape (n_block, n_rows).

    Every row draws for itself, so cells are resampled apart from each other.  A replicate in which a tiny cell drew
    only zeros gives one of its rows, picked at random, the weight 1: no group vanishes from a replicate.

    References
    ----------
    Chamandy, Muralidharan, Najmi, Naidu. Estimating uncertainty for massive data streams. Google, 2012.
    """
    # 16 random bits looked up in a table are several times as fast as Generator.poisson, probabilities 1/65536 off.
    probabilities = np.exp(-1.0) / np.cumprod(np.r_[1.0, np.arange(1.0, 9.0)])
    steps = np.floor(np.cumsum(probabilities) * 2**16)
    lookup = np.searchsorted(steps, np.arange(2**16), side="right").astype(np.float32)
    n_rows = len(cells.order)
    tiny = [rows for rows, size in zip(cells.slices(), cells.sizes, strict=True) if size < TINY_CELL]
    n_block = max(1, BLOCK // n_rows)
    for start in range(0, n_bootstrap, n_block):
        n_replicates = min(n_block, n_bootstrap - start)
        weights = lookup[rng.integers(2**16, size=(n_replicates, n_rows), dtype=np.uint16)]
        for rows in tiny:
            empty = np.flatnonzero(weights[:, rows].sum(axis=1) == 0)
            weights[empty, rng.integers(rows.start, rows.stop, size=len(empty))] = 1
        yield slice(1 + start, 1 + start + n_replicates), weights


def ranking_replicates(n_rows: int, n_bootstrap: int) -> int:
    """Return how many of the replicates AUC and average precision of a segment are computed on."""
    return min(n_bootstrap, max(MIN_RANKING_REPLICATES, RANKING_BUDGET // n_rows))


class _MetricSums:
    """Collects one model's weighted sums, block by block, and turns them into metrics."""

    def __init__(self, model: Predictions, target: Target, cells: Cells, resolution: float, n_bootstrap: int) -> None:
        self.target = target
        self.cells = cells
        loss, brier = cross_entropy(model, target, resolution=resolution), brier_scores(model, target)
        # (n_rows, 4 + n_bins): a one counts the rows
        columns = [np.ones(len(loss)), loss, model.hits, brier, calibration_errors(model, target)]
        self.columns = np.column_stack(columns)[cells.order]
        self.sums = np.empty((1 + n_bootstrap, len(cells.label), self.columns.shape[1]))
        self.rankings = [self._rank(model, rows) for rows in cells.segment_slices()]
        shape = (1 + n_bootstrap, len(self.rankings))
        self.auc, self.average_precision = np.full(shape, np.nan), np.full(shape, np.nan)

    def _rank(self, model: Predictions, rows: slice) -> list[Ranking]:
        """Rank a segment's rows by the positive class, or one against the rest for each of several classes."""
        numbers = self.cells.order[rows]
        classes = range(len(self.target.classes)) if self.target.positive is None else [self.target.positive]
        return [
            Ranking.from_scores(model.probabilities[numbers, position], self.target.codes[numbers] == position)
            for position in classes
        ]

    def add(self, replicates: slice, weights: Weights) -> None:
        for cell, rows in enumerate(self.cells.slices()):
            self.sums[replicates, cell] = weights[:, rows].astype(float) @ self.columns[rows]
        for segment, rows in enumerate(self.cells.segment_slices()):
            last = 1 + ranking_replicates(rows.stop - rows.start, len(self.sums) - 1)
            if replicates.start < last:
                block = slice(replicates.start, min(replicates.stop, last))
                of_segment = weights[: block.stop - block.start, rows]
                both = [ranking.auc_and_average_precision(of_segment) for ranking in self.rankings[segment]]
                # The macro mean is NaN if any class lacks rows here: leaving it out would compare different things.
                self.auc[block, segment] = np.mean([auc for auc, _ in both], axis=0)
                self.average_precision[block, segment] = np.mean([precision for _, precision in both], axis=0)

    def finish(self) -> MetricDraws:
        undefined = np.full(self.sums.shape[:2], np.nan)  # one label only: nothing to rank, nothing to calibrate
        in_cells = _means(self.sums)
        cells = in_cells | {
            "recall": in_cells["accuracy"],
            "auc": undefined,
            "average_precision": undefined,
            "calibration_error": undefined,
        }
        sums = np.einsum("bcm,cs->bsm", self.sums, self.cells.membership(), optimize=True)
        segments = _means(sums) | {
            "recall": self._segment_recall(),
            "auc": self.auc,
            "average_precision": self.average_precision,
            "calibration_error": np.abs(sums[:, :, 4:]).sum(axis=2) / sums[:, :, 0],
        }
        return MetricDraws(cells, segments)

    def _segment_recall(self) -> Floats:
        """Return recall of the positive class, or its mean over several classes; NaN where a class has no rows."""
        positive = self.target.positive
        recalls = []
        for position in range(len(self.target.classes)) if positive is None else [positive]:
            inside = self.cells.membership() * (self.cells.label == position)[:, None]
            rows, hits = self.sums[:, :, 0] @ inside, self.sums[:, :, 2] @ inside
            recalls.append(np.divide(hits, rows, out=np.full_like(hits, np.nan), where=rows > 0))
        return np.asarray(np.mean(recalls, axis=0))


def _means(sums: Floats) -> dict[str, Floats]:
    rows = sums[:, :, 0]
    return {"risk": sums[:, :, 1] / rows, "accuracy": sums[:, :, 2] / rows, "brier": sums[:, :, 3] / rows}


def _cumulative(weights: Weights) -> Weights:
    """Return how much weight lies before every place, and in all, shape (n_replicates, n_rows + 1)."""
    sums = np.zeros((weights.shape[0], weights.shape[1] + 1), dtype=np.float32)
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums
