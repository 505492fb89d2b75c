"""From models to a curve: all of them judged on the same folds and replicates, and the law through their risks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from autosynth.exceptions import DataError
from autosynth.scaling.curve import ScalingCurve
from autosynth.scaling.findings import OVERSAMPLED, curve_sentences
from autosynth.scaling.law import ScalingLaw
from autosynth.scaling.points import LEVEL, Reference, ScalingPoint, covariance_of
from autosynth.scaling.words import missing_sentences
from autosynth.tuning.out_of_fold import folds_run

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from autosynth.tuning.judge import Judge
    from autosynth.tuning.outcome import ArmOutcome

    Floats: TypeAlias = npt.NDArray[np.float64]
    Mask: TypeAlias = npt.NDArray[np.bool_]

__all__ = ["judged_curve"]


def judged_curve(
    judge: Judge,
    mask: Mask,
    *,
    measured: Mapping[int, ArmOutcome],
    real: Mapping[int, ArmOutcome],
    references: Sequence[ArmOutcome],
    facts: dict[str, Any],
    seconds: Callable[[], float],
    unmeasured: tuple[int, ...],
) -> ScalingCurve:
    """Judge all models on the same folds and put the curve together.

    Parameters
    ----------
    judge : Judge
        Of the real rows.
    mask : ndarray of bool, shape (n_repeats, n_folds)
        The folds that all models ran.
    measured, real : mapping of int to ArmOutcome
        Models with synthetic and with real rows, by N.
    references : sequence of ArmOutcome
        Of no treatment, class weights, and oversampling alone.
    facts : dict
        Fields of the curve that are known already.
    seconds : callable
        Returns the time since the start.
    unmeasured : tuple of int
        Sizes that the time was too short for.
    """
    draws = {n: _draws(judge, outcome, mask) for n, outcome in measured.items()}
    real_draws = {n: _draws(judge, outcome, mask) for n, outcome in real.items()}
    reference_draws = _reference_draws(judge, references, mask)
    together = np.column_stack(list(draws.values()))
    if not np.isfinite(together[0]).all():
        raise DataError("a size has no risk on the validation rows, which lack a class. Use fewer folds.")
    law = ScalingLaw.fit(list(draws), together[0], covariance=covariance_of(together), level=LEVEL)
    notes: dict[str, int] = {}
    for outcome in (*references, *measured.values()):
        notes |= {event: max(n_rows, notes.get(event, 0)) for event, n_rows in outcome.notes.items()}
    missing = missing_sentences(facts["failed"], (facts["n_folds"], len(judge.folds)), unmeasured)
    return ScalingCurve(
        points=tuple(ScalingPoint.of(n, draws[n], outcome) for n, outcome in measured.items()),
        real_points=tuple(ScalingPoint.of(n, real_draws[n], outcome) for n, outcome in real.items()),
        references=tuple(
            Reference(name, ScalingPoint.of(0, each, references[0]).risk) for name, each in reference_draws.items()
        ),
        law=law,
        sentences=(*curve_sentences(law, draws, real_draws, reference_draws), *missing),
        notes=notes,
        seconds=seconds(),
        **facts,
    )


def _draws(judge: Judge, outcome: ArmOutcome, mask: Mask) -> Floats:
    """Return the risk of models as they come, on the rows as they are and on replicates, shape (1 + n_bootstrap,)."""
    return judge.score(outcome, mask)[0].draws


def _reference_draws(judge: Judge, outcomes: Sequence[ArmOutcome], mask: Mask) -> dict[str, Floats]:
    """Return the same for models without augmentation: oversampled only, and those without rows with their shifts."""
    plain, weighted, oversampled = outcomes
    found = {OVERSAMPLED: _draws(judge, oversampled, mask)}
    found |= {scored.name: scored.draws for scored in judge.score(plain, mask)}
    if weighted.status != "failed":
        has_all_folds = (folds_run(weighted) >= mask).all()
        found |= {weighted.arm.name: _draws(judge, weighted, mask)} if has_all_folds else {}
    return found
