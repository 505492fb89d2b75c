"""Judge: the loss of every candidate on real rows that its models left out, and how far chance may have moved it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from autosynth.groups import Group
from autosynth.options import check_whole
from autosynth.prior_shift import prior_offsets
from autosynth.risk import Cells
from autosynth.seeding import RandomState, as_generator
from autosynth.tuning.candidate import Candidate, Scored
from autosynth.tuning.fold_scores import fold_draws, ranking_draws, ranking_scores
from autosynth.tuning.label_codes import Coded
from autosynth.tuning.metrics import Metric, ScoreFunction, positive_code
from autosynth.tuning.out_of_fold import OutOfFold, folds_run
from autosynth.tuning.replicates import Replicates
from autosynth.tuning.shifts import FittedShift, shift_fitter

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.table import Table
    from autosynth.tuning.candidate import Shift
    from autosynth.tuning.folds import Folds
    from autosynth.tuning.outcome import ArmOutcome
    from autosynth.tuning.shifts import FitShift

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]
    Mask: TypeAlias = npt.NDArray[np.bool_]

__all__ = ["Judge"]

FEWEST_REPLICATES = 20


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Scores candidates, all on the same rows and the same bootstrap replicates.

    Attributes
    ----------
    table : Table
        The real rows.
    coded : Coded
        Classes and segments of its rows.
    folds : Folds
        Which fold validates which row.
    metric : Metric
    positive : int or None
        Code of the positive class; None with more than two classes.
    replicates : Replicates
    """

    table: Table
    coded: Coded
    folds: Folds
    metric: Metric
    positive: int | None
    replicates: Replicates

    @classmethod
    def of(
        cls,
        table: Table,
        folds: Folds,
        *,
        metric: str | ScoreFunction = "balanced_cross_entropy",
        positive_class: Any = None,
        n_bootstrap: int = 200,
        random_state: RandomState = 0,
    ) -> Judge:
        """Return the judge of a race over the rows of a table.

        Parameters
        ----------
        table : Table
            Real rows.
        folds : Folds
            Of these rows.
        metric : str or callable
            "balanced_cross_entropy", "worst_group_risk", "roc_auc", "average_precision", "log_loss",
            "balanced_accuracy", or a function ``(y_true: Series, y_proba: DataFrame) -> float`` in which greater is
            better, called fold by fold with one column per class.
        positive_class : optional
            For AUC and average precision of two classes; None stands for the second.
        n_bootstrap : int
            Replicates behind standard errors and intervals, from 20 on.
        random_state : int, numpy.random.Generator or None
            Decides the replicates.

        Raises
        ------
        ConfigError
            If an argument is wrong.
        """
        check_whole("n_bootstrap", n_bootstrap, minimum=FEWEST_REPLICATES)
        coded = Coded.of(table)
        cells = Cells.from_codes(coded.label_codes, coded.segment_codes)
        seed = int(as_generator(random_state).integers(2**63))
        return cls(
            table=table,
            coded=coded,
            folds=folds,
            metric=Metric.of(metric),
            positive=positive_code(positive_class, coded.classes),
            replicates=Replicates(cells, int(n_bootstrap), seed),
        )

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups that validate, label first: the columns of ``Scored.cell_risks`` of a complete candidate."""
        cells = self.replicates.cells
        validates = (self.folds.assignment.max(axis=0) >= 0)[cells.order]
        return tuple(
            Group(((self.table.label, self.coded.classes[label]), *self.coded.segments[segment].cell))
            for label, segment, rows in zip(cells.label, cells.segment, cells.slices(), strict=True)
            if validates[rows].any()
        )

    def score(self, outcome: ArmOutcome, folds: Mask | None = None) -> tuple[Scored, ...]:
        """Return one candidate per shift that changes something: as it comes, in closed form, tuned.

        Parameters
        ----------
        outcome : ArmOutcome
            Of one arm; when only some of its folds were run, those are judged.
        folds : ndarray of bool, shape (n_repeats, n_folds), optional
            Judge these folds alone, so that an arm with more folds can be compared with one that has only these.

        Returns
        -------
        tuple of Scored
            Empty when no fold was run.
        """
        judged = folds_run(outcome) if folds is None else folds_run(outcome) & folds
        if not judged.any():
            return ()
        plain = OutOfFold.of(outcome, self.coded, self.folds, judged)
        found = [self._scored(Candidate(outcome.arm), outcome, plain)]
        for shift in self.metric.shifts[1:]:
            after = self._after(shift, plain, outcome)
            if after.differs_from(plain):
                found.append(self._scored(Candidate(outcome.arm, shift), outcome, after))
        return tuple(found)

    def fitted(self, outcome: ArmOutcome, shift: Shift) -> FittedShift:
        """Return what is done to log probabilities of a model of this arm.

        The closed form follows the mean training weights of the folds; the tuned shift is fitted on all rows that were
        validated.
        """
        if shift == "none":
            return FittedShift(np.zeros((self.coded.n_segments + 1, self.coded.n_classes)))
        said = self._said(outcome)
        if shift == "tuned":
            return said.fitted(self._fitter)
        everyone = np.ones(len(self.table), dtype=bool)
        target = said.real_prior(everyone) if self._to_real_prior else None
        return FittedShift(prior_offsets(outcome.trained[said.judged].mean(axis=0), target))

    def risks_on_the_way(self, outcome: ArmOutcome) -> tuple[Floats, Floats]:
        """Return cross-entropy per group as it comes and after the best shift, each (1 + n_bootstrap, n_cells).

        The shift is the one with the least balanced cross-entropy, fitted crosswise, whatever the metric is.
        """
        said = self._said(outcome)
        even = shift_fitter(Metric.of("balanced_cross_entropy"), self.coded.n_segments, self.coded.n_classes)
        sums, _ = self._sums([said.losses, said.tuned(even).losses], said.seen)
        return sums[:, :, 1] / sums[:, :, 0], sums[:, :, 2] / sums[:, :, 0]

    def ranking(self, scored: Scored) -> tuple[Floats, Floats]:
        """Return AUC and average precision of a candidate, each of shape (1 + n_bootstrap,): means over the folds."""
        said = OutOfFold.of(scored.outcome, self.coded, self.folds, scored.folds)
        after = self._after(scored.candidate.shift, said, scored.outcome)
        return ranking_draws(after, self.positive, self.replicates)

    @cached_property
    def _fitter(self) -> FitShift:
        return shift_fitter(self.metric, self.coded.n_segments, self.coded.n_classes)

    @property
    def _to_real_prior(self) -> bool:
        """Log loss is about the real prior; all other metrics are about even classes."""
        return self.metric.name == "log_loss"

    def _said(self, outcome: ArmOutcome) -> OutOfFold:
        return OutOfFold.of(outcome, self.coded, self.folds, folds_run(outcome))

    def _after(self, shift: Shift, plain: OutOfFold, outcome: ArmOutcome) -> OutOfFold:
        if shift == "none":
            return plain
        if shift == "tuned":
            return plain.tuned(self._fitter)
        return plain.corrected(outcome.trained, to_real_prior=self._to_real_prior)

    def _sums(self, columns: list[Floats], seen: Mask) -> tuple[Floats, Codes]:
        """Return weighted sums per cell and replicate of columns (n_repeats, n_rows), and the class of every cell.

        The first sum counts the rows; a row of several repeats counts in each, so that its losses are averaged.  Where
        a replicate left no row of a cell, the cell has its sums on the rows as they are.  Cells that no fold judged are
        left out.
        """
        stacked = np.column_stack([seen.sum(axis=0), *(np.where(seen, each, 0.0).sum(axis=0) for each in columns)])
        sums = self.replicates.sums(stacked.astype(np.float64))
        judged = sums[0, :, 0] > 0
        sums = sums[:, judged]
        return np.where(sums[:, :, :1] > 0, sums, sums[:1]), self.replicates.cells.label[judged]

    def _scored(self, candidate: Candidate, outcome: ArmOutcome, said: OutOfFold) -> Scored:
        sums, labels = self._sums([said.losses, said.hits], said.seen)
        cell_risks = sums[:, :, 1] / sums[:, :, 0]
        mean_risk = sums[:, :, 1].sum(axis=1) / sums[:, :, 0].sum(axis=1)
        auc, average_precision = ranking_scores(said, self.positive)
        means = {
            "balanced_cross_entropy": cell_risks.mean(axis=1),
            "worst_group_risk": cell_risks.max(axis=1),
            "log_loss": mean_risk,
            "balanced_accuracy": 1 - _balanced_accuracy(sums, labels),
        }
        return Scored(
            candidate=candidate,
            outcome=outcome,
            folds=said.judged,
            draws=means[self.metric.name] if self.metric.name in means else self._fold_means(said),
            cell_risks=cell_risks,
            mean_risk=mean_risk,
            side={"roc_auc": auc, "average_precision": average_precision},
        )

    def _fold_means(self, said: OutOfFold) -> Floats:
        """Return a metric that is a mean over folds as a loss, shape (1 + n_bootstrap,)."""
        if self.metric.function is not None:
            return fold_draws(said, self.table, self.metric, self.replicates.n_bootstrap)
        auc, average_precision = ranking_draws(said, self.positive, self.replicates)
        return np.asarray(self.metric.loss(auc if self.metric.name == "roc_auc" else average_precision))


def _balanced_accuracy(sums: Floats, labels: Codes) -> Floats:
    """Return the mean over classes of their recall, shape (1 + n_bootstrap,)."""
    of_class = [sums[:, labels == label].sum(axis=1) for label in np.unique(labels)]
    return np.asarray(np.mean([of_rows[:, 2] / of_rows[:, 0] for of_rows in of_class], axis=0))
