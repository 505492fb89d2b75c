"""Gain: how much of a change in risk is a mere shift of the prior, and how much is more; balanced, and by group."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from autosynth.gain_words import is_tiny, sentence_of
from autosynth.interval import Interval, percentile_interval
from autosynth.predictions import check_same_rows, read_predictions, read_segments, read_target
from autosynth.risk import Cells, all_weights, cross_entropy
from autosynth.seeding import RandomState, as_generator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from autosynth.risk import Weights

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

__all__ = [
    "GAIN",
    "LOSS",
    "NOISE",
    "SHIFT",
    "Gain",
    "GainPart",
    "LossSums",
    "Stage",
    "balanced_risk_draws",
]

GAIN, LOSS, SHIFT, NOISE, UNKNOWN = "gain", "loss", "mere shift", "within noise", "no interval"
NEGLIGIBLE = 1e-4  # nats; a fitted shift is no more exact than that


@dataclass(frozen=True)
class Stage:
    """A model on the way from the baseline to the new one, and its balanced risk (or that of one group) in nats."""

    name: str
    risk: Interval


@dataclass(frozen=True)
class GainPart:
    """Nats of balanced risk that one step takes away; below zero it adds them.

    Attributes
    ----------
    name : str
    nats : Interval
        From replicates that all parts share.
    verdict : str
        "gain" or "loss" where the limits exclude zero, "within noise" where they do not, "no interval" without limits;
        "mere shift" in place of "gain" for shifts of the prior, and for a total with nothing else in it.
    """

    name: str
    nats: Interval
    verdict: str

    @classmethod
    def of(cls, name: str, draws: Floats, level: float) -> GainPart:
        """Return the part whose draws are given, the value first and then the replicates."""
        nats = percentile_interval(draws, level)
        if np.isnan(nats.low):
            is_nothing = abs(nats.value) < NEGLIGIBLE
            return cls(name, nats, NOISE if is_nothing else UNKNOWN)
        return cls(name, nats, GAIN if nats.low > NEGLIGIBLE else LOSS if nats.high < -NEGLIGIBLE else NOISE)


@dataclass(frozen=True)
class Gain:
    """What a lower (or higher) balanced risk than the baseline's is made of; or the risk of one group.

    The way from the baseline to the new model passes models that differ in one thing each: the baseline, the baseline
    after the shift of the prior that suits it best, (with an arm of class weights: that arm after its best shift,) the
    new model after its best shift, the new model as it comes.

    Attributes
    ----------
    total : GainPart
        Balanced risk of the baseline minus that of the new model.
    steps : tuple of GainPart
        One per step of the way; they add up to ``total``.  The last one, what the new model gives away by its own
        prior, is mostly negative.
    shift : GainPart
        The first and the last step together: what vanishes once both models have the shift that suits them.  A better
        ranking also makes a wrong prior less costly; that part counts here, as a shift would have given it.
    stages : tuple of Stage
        The models on the way, one more than steps.
    fitted_on : str
        Which rows the shifts were fitted on.
    sentence : str
        The same in plain words.
    """

    total: GainPart
    steps: tuple[GainPart, ...]
    shift: GainPart
    stages: tuple[Stage, ...]
    fitted_on: str
    sentence: str

    @classmethod
    def of(
        cls,
        stages: Mapping[str, Floats],
        steps: Sequence[str],
        *,
        level: float,
        baseline: str,
        fitted_on: str,
        of_group: bool = False,
    ) -> Gain:
        """Return the gain along models whose draws of the balanced risk are given.

        Parameters
        ----------
        stages : mapping of str to ndarray of shape (1 + n_replicates,)
            The balanced risk of every model on the way, on the rows as they are and on shared replicates; first the
            baseline, last the new model.
        steps : sequence of str
            What each step is called, one fewer than stages; the first and the last are shifts.
        level : float
            Confidence level of the limits.
        baseline : str
            What the sentence calls the baseline.
        fitted_on : str
            Which rows the shifts were fitted on.
        of_group : bool
            Whether the risk is that of one group, for which a shift may be bought from other groups.
        """
        draws = list(stages.values())
        differences = [before - after for before, after in pairwise(draws)]
        parts = tuple(GainPart.of(name, each, level) for name, each in zip(steps, differences, strict=True))
        total = GainPart.of("total", draws[0] - draws[-1], level)
        shift = GainPart.of("shift", differences[0] + differences[-1], level)
        is_mere_shift = shift.verdict == GAIN and all(_is_nothing(part, total) for part in parts[1:-1])
        return cls(
            total=_as_shift(total) if is_mere_shift else total,
            steps=(_as_shift(parts[0]), *parts[1:-1], _as_shift(parts[-1])),
            shift=_as_shift(shift),
            stages=tuple(Stage(name, percentile_interval(each, level)) for name, each in stages.items()),
            fitted_on=fitted_on,
            sentence=sentence_of(total, shift, parts[1:-1], baseline=baseline, of_group=of_group),
        )

    @property
    def is_mere_shift(self) -> bool:
        """True when only the shift of the prior stands out, from noise and in size, and it lowers the risk."""
        return self.shift.verdict == SHIFT and all(_is_nothing(part, self.total) for part in self.steps[1:-1])

    def step(self, name: str) -> GainPart:
        """Return the step of this name.

        Raises
        ------
        KeyError
            If there is none.
        """
        return {part.name: part for part in self.steps}[name]


def _is_nothing(part: GainPart, total: GainPart) -> bool:
    return part.verdict == NOISE or is_tiny(part, total)


def _as_shift(part: GainPart) -> GainPart:
    return replace(part, verdict=SHIFT) if part.verdict == GAIN else part


class LossSums:
    """Collects weighted sums of losses per cell, replicate by replicate, for several models at once."""

    def __init__(self, losses: Floats, cells: Cells, n_bootstrap: int) -> None:
        """Take losses of shape (n_rows, n_models), in the order of the input rows."""
        self.cells = cells
        self.columns = np.column_stack([np.ones(len(losses)), losses])[cells.order]
        self.sums = np.empty((1 + n_bootstrap, len(cells.label), self.columns.shape[1]))

    def add(self, replicates: slice, weights: Weights) -> None:
        """Add a block of replicates, weights of shape (n_block, n_rows) in the order of the cells."""
        for cell, rows in enumerate(self.cells.slices()):
            self.sums[replicates, cell] = weights[:, rows].astype(float) @ self.columns[rows]

    def balanced_risks(self) -> Floats:
        """Return the mean over cells of their mean loss, shape (1 + n_replicates, n_models).

        Row 0 alone where a cell has one row: how much another row would differ from it, nobody knows.
        """
        risks = self.cell_risks()
        return np.asarray((risks if self.cells.sizes.min() > 1 else risks[:1]).mean(axis=1))

    def cell_risks(self) -> Floats:
        """Return the mean loss of every cell, shape (1 + n_replicates, n_cells, n_models).

        The replicates of a cell of one row are NaN: how much another row would differ from it, nobody knows.
        """
        means = self.sums[:, :, 1:] / self.sums[:, :, :1]
        means[1:, self.cells.sizes == 1] = np.nan
        return np.asarray(means)


def balanced_risk_draws(
    y_true: Any,
    probabilities: Mapping[str, Any],
    *,
    groups: Any = None,
    n_bootstrap: int = 1000,
    random_state: RandomState = 0,
) -> dict[str, Floats]:
    """Return the balanced risk of several models on the rows as they are and on replicates that they share.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels.
    probabilities : mapping of str to DataFrame of shape (n_rows, n_classes)
        What each model gives for these rows, one column per class.
    groups, n_bootstrap, random_state
        As in :func:`autosynth.group_report`; with the same ones, the replicates are the same too.

    Returns
    -------
    dict of str to ndarray of shape (1 + n_bootstrap,)
        In nats; without replicates where a cell of label x group columns has one row only.

    Raises
    ------
    ConfigError, DataError
        As :func:`autosynth.group_report` does.
    """
    given = {f"probabilities of {name!r}": proba for name, proba in probabilities.items()}
    n_rows = check_same_rows(**{"y_true": y_true, "groups": groups, **given})
    target = read_target(y_true, next(iter(probabilities.values())), classes=None, positive_class=None)
    models = [read_predictions(proba, target, name=name) for name, proba in probabilities.items()]
    _, segment_codes = read_segments(groups, n_rows)
    cells = Cells.from_codes(target.codes, segment_codes)
    resolution = max(model.resolution for model in models)
    losses = np.column_stack([cross_entropy(model, target, resolution=resolution) for model in models])
    sums = LossSums(losses, cells, n_bootstrap)
    for replicates, weights in all_weights(cells, n_bootstrap=n_bootstrap, rng=as_generator(random_state)):
        sums.add(replicates, weights)
    return dict(zip(probabilities, sums.balanced_risks().T, strict=True))
