"""Choice: the answer of a race, in words, and ready to be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autosynth.plain_data import to_plain
from autosynth.tuning.probability_shift import ProbabilityShift
from autosynth.tuning.rule import pick
from autosynth.tuning.words import Said, reason

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from autosynth.tuning.arm import Arm
    from autosynth.tuning.candidate import Scored, Shift
    from autosynth.tuning.judge import Judge
    from autosynth.tuning.outcome import ArmOutcome
    from autosynth.tuning.rule import Pick
    from autosynth.tuning.ways import ArmGains

__all__ = ["Choice", "choose"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Choice:
    """What to do with the training rows, and with the probabilities of the models that learn from them.

    Attributes
    ----------
    pick : Pick
        The candidate, the best without synthetic rows, and how far the best with them leads.
    probability_shift : ProbabilityShift
        Fitted on all real rows that were validated.
    reason : str
        In plain words.
    gains : ArmGains or None
        Where its gain over plain training comes from; None for plain training itself.
    generator_arguments : mapping
        The arguments of :func:`autosynth.rebalance` that name its generator.
    """

    pick: Pick
    probability_shift: ProbabilityShift
    reason: str
    gains: ArmGains | None = None
    generator_arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def arm(self) -> Arm:
        """What to do with the training rows."""
        return self.pick.chosen.candidate.arm

    @property
    def shift(self) -> Shift:
        """What to do with the probabilities: "none", "prior" or "tuned"."""
        return self.pick.chosen.candidate.shift

    @property
    def name(self) -> str:
        """Both in a few words, such as "none, tuned threshold"."""
        return self.pick.chosen.name

    @property
    def is_none(self) -> bool:
        """Whether training stays plain: no synthetic rows and no weights; the threshold may move all the same."""
        return self.pick.chosen.candidate.level == 0

    @property
    def uses_synthetic(self) -> bool:
        """Whether synthetic rows are to be added."""
        return self.arm.is_synthetic

    @property
    def offsets(self) -> npt.NDArray[np.float64]:
        """What is added to log p / temperature, shape (n_segments + 1, n_classes), zeros for the shift "none".

        One row per combination of group columns; the last one is for combinations that the table did not hold.
        """
        return self.probability_shift.offsets

    @property
    def temperature(self) -> float:
        """What log probabilities are divided by before that; 1 unless the shift is "tuned"."""
        return self.probability_shift.temperature

    @property
    def threshold(self) -> float | None:
        """The threshold on the second class's probability; None with more classes, or where it differs by group."""
        return self.probability_shift.threshold

    @property
    def rebalance_arguments(self) -> dict[str, Any]:
        """The arguments of :func:`autosynth.rebalance` beside the table, its label and groups; empty without rows."""
        if not self.arm.is_synthetic:
            return {}
        return {
            "generator": self.arm.generator,
            **self.generator_arguments,
            "strategy": "balance" if self.arm.ratio == 1 else self.arm.ratio,
            "augment": self.arm.augment,
            "alpha": self.arm.alpha,
            "synthetic_weight": self.arm.synthetic_weight,
        }

    def apply(self, proba: Any, groups: Any = None) -> Any:
        """Return the probabilities of a model that was trained as chosen after the shift that was chosen.

        Parameters
        ----------
        proba, groups
            As in :meth:`ProbabilityShift.apply`.
        """
        return self.probability_shift.apply(proba, groups)

    def to_dict(self) -> dict[str, Any]:
        """Return the choice as plain data for JSON."""
        arguments = {name: to_plain(value) for name, value in self.rebalance_arguments.items()}
        return {
            "name": self.name,
            "arm": self.arm.to_dict(),
            "shift": self.shift,
            "is_none": self.is_none,
            "reason": self.reason,
            "rebalance_arguments": arguments,
            "threshold": self.threshold,
            "temperature": self.temperature,
            "offsets": self.offsets.tolist(),
            "classes": to_plain(self.probability_shift.classes),
            "segments": to_plain(self.probability_shift.segments),
        }

    def __repr__(self) -> str:
        return f"<Choice: {self.name!r}; print it for the reason>"

    def __str__(self) -> str:
        return self.reason


def choose(
    scored: Sequence[Scored],
    judge: Judge,
    *,
    gain_of: Any = None,
    generators: Mapping[str, Mapping[str, Any]] | None = None,
    outcomes: Sequence[ArmOutcome] = (),
) -> Choice:
    """Return the choice among scored candidates, by the one-standard-error rule towards doing less.

    Parameters
    ----------
    scored : sequence of Scored
        All candidates of a race, those that left it early among them.
    judge : Judge
        That scored them.
    gain_of : callable, optional
        ``gain_of(scored) -> ArmGains | None``, such as :meth:`Ways.gain_of`.
    generators : mapping of str to mapping, optional
        For every generator of the race the arguments of :func:`autosynth.rebalance` that name it.
    outcomes : sequence of ArmOutcome, optional
        All arms, so that the reason tells of generators that failed.

    Raises
    ------
    AutosynthError
        If no candidate got through all its folds, with the reasons.
    """
    picked = pick(scored)
    chosen = picked.chosen
    shift = ProbabilityShift.of(judge.fitted(chosen.outcome, chosen.candidate.shift), judge.table, judge.coded)
    gains = None if gain_of is None else gain_of(chosen)
    said = Said(picked, judge, tuple(scored), shift.threshold, gains, shift.temperature, tuple(outcomes))
    generator = chosen.candidate.arm.generator
    return Choice(
        pick=picked,
        probability_shift=shift,
        reason=reason(said),
        gains=gains,
        generator_arguments={} if generator is None else dict((generators or {}).get(generator, {})),
    )
