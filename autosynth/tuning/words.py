"""The choice in plain words: what to do, what it brings against doing less, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING

from autosynth.interval import normal_interval
from autosynth.tuning.candidate import LEVEL, spread

if TYPE_CHECKING:
    from autosynth.gains import GainPart
    from autosynth.tuning.candidate import Scored
    from autosynth.tuning.judge import Judge
    from autosynth.tuning.metrics import Metric
    from autosynth.tuning.outcome import ArmOutcome
    from autosynth.tuning.rule import Challenge, Pick
    from autosynth.tuning.ways import ArmGains

__all__ = ["Said", "amount_text", "effect", "probability_text", "reason"]

SIDE_TITLES = ("AUC", "average precision")
MAX_REASON = 160  # characters of why a generator failed
NEARLY_ONE = 1.1  # a temperature nearer to 1 is not worth a sentence


@dataclass(frozen=True)
class Said:
    """What the words are made of."""

    pick: Pick
    judge: Judge
    scored: tuple[Scored, ...]
    threshold: float | None
    gains: ArmGains | None
    temperature: float = 1.0
    outcomes: tuple[ArmOutcome, ...] = ()

    @property
    def plain(self) -> Scored | None:
        """Plain training as it comes."""
        complete = (each for each in self.scored if each.is_complete)
        return next((each for each in complete if each.candidate.level == 0 and each.candidate.shift == "none"), None)

    @property
    def failed(self) -> dict[str, str]:
        """Generators all of whose arms failed, with the first one's reason: the choice says nothing of their rows."""
        reasons: dict[str, list[str | None]] = {}
        for outcome in self.outcomes:
            if outcome.arm.generator is not None:
                reason = outcome.reason if outcome.status == "failed" else None
                reasons.setdefault(outcome.arm.generator, []).append(reason)
        return {name: some[0] for name, some in reasons.items() if some[0] is not None and None not in some}


def reason(said: Said) -> str:
    """Return the choice and its reason in a few sentences; a mere shift is never called a gain."""
    return " ".join(
        [
            _what(said),
            *_temperature(said),
            *_doubt(said),
            *_synthetic_rows(said),
            *_failures(said),
            *_ranking_cost(said),
            *_prior_cost(said),
        ]
    )


def effect(first: Scored, second: Scored, metric: Metric) -> str:
    """Return how the first candidate's metric differs: "lowers AUC by 0.012 (standard error 0.003)"."""
    change = first.draws - second.draws
    if change[0] == 0:
        return f"leaves {metric.title} as it is"
    verb = "lowers" if (change[0] < 0) != metric.greater_is_better else "raises"
    return f"{verb} {metric.title} by {amount_text(change[0])}{_error(spread(change))}"


def amount_text(number: float) -> str:
    """Return a size without its sign: three decimals, or two digits where that would hide it.

    Examples
    --------
    >>> amount_text(-0.0412), amount_text(0.00037)
    ('0.041', '0.00037')
    """
    size = abs(float(number))
    return f"{size:.3f}" if size >= 0.0095 or size == 0 else f"{size:.2g}"


def probability_text(probability: float) -> str:
    """Return a probability with two digits of its distance to 0 or 1, so that it reads as neither.

    Examples
    --------
    >>> probability_text(0.14), probability_text(0.0028), probability_text(0.99961)
    ('0.14', '0.0028', '0.99961')
    """
    distance = min(probability, 1 - probability)
    decimals = 1 - math.floor(math.log10(distance)) if 0 < distance < 0.1 else 2
    return f"{probability:.{decimals}f}"


def _what(said: Said) -> str:
    chosen, metric = said.pick.chosen, said.judge.metric
    level, shift = chosen.candidate.level, chosen.candidate.shift
    if level == 0 and shift == "none":
        return f"Do nothing: nothing tried beats plain training in {metric.title} by more than chance may give."
    lesser = said.plain if level == 0 else _best_of_less(said)
    brings = "" if lesser is None else f"{effect(chosen, lesser, metric)} against {lesser.name!r}"
    if level == 0:
        return _joined(f"No synthetic rows; {_shift_words(said)}", brings)
    then = "" if shift == "none" else f"; then {_shift_words(said)}"
    if level == 1:
        return _joined(
            f"No synthetic rows; weigh the rows of each group so that all groups count the same{then}", brings
        )
    best = f"{brings}, the best without synthetic rows{_of_which(said)}" if brings else ""
    return _joined(f"{chosen.candidate.arm.name}{then}", best)


def _joined(what: str, brings: str) -> str:
    return f"{what}: {brings}." if brings else f"{what}."


def _temperature(said: Said) -> Iterator[str]:
    """Yield that probabilities are softened or sharpened as well, which moves no threshold but lowers a risk."""
    factor = max(said.temperature, 1 / said.temperature)
    if factor >= NEARLY_ONE:
        how, why = ("divided", "too sure of themselves") if said.temperature > 1 else ("multiplied", "not sure enough")
        yield (
            f"Where probabilities are used and not decisions, their logarithms are {how} by {factor:.2g} as well: as "
            f"they come, the models are {why}."
        )


def _doubt(said: Said) -> Iterator[str]:
    """Yield that the choice may owe its lead to chance: one standard error is less than limits of 95 % ask for."""
    chosen = said.pick.chosen
    lesser = _best_of_less(said) if chosen.candidate.level else None
    if lesser is not None and not normal_interval(chosen.draws - lesser.draws, LEVEL).excludes_zero:
        yield f"The 95 % limits of its lead over {lesser.name!r} do not rule out zero; more real rows would tell."


def _best_of_less(said: Said) -> Scored | None:
    """Return the best complete candidate of the kinds below the chosen one's."""
    level = said.pick.chosen.candidate.level
    lesser = [each for each in said.scored if each.is_complete and each.candidate.level < level]
    return min(lesser, key=lambda each: each.loss, default=None)


def _shift_words(said: Said) -> str:
    """Return what to do with the probabilities."""
    shift, is_real = said.pick.chosen.candidate.shift, said.judge.metric.name == "log_loss"
    if shift == "prior":
        to = "that of the real rows" if is_real else "even classes"
        return f"correct the probabilities from the prior of training to {to}{_threshold(said)}"
    if is_real or said.judge.coded.n_classes > 2:
        return "shift the probabilities by offsets fitted on real rows"
    return f"move the threshold{_threshold(said) or ', in each group by itself'}"


def _threshold(said: Said) -> str:
    """Return the threshold on the rarer class: on the other one it would read as a probability of 1."""
    if said.threshold is None or said.judge.metric.name == "log_loss":
        return ""
    coded = said.judge.coded
    is_second = 2 * coded.label_codes.sum() <= len(coded.label_codes)
    threshold = said.threshold if is_second else 1 - said.threshold
    return f" (predict {coded.classes[int(is_second)]!r} from a probability of {probability_text(threshold)} on)"


def _of_which(said: Said) -> str:
    """Return how much of the gain over plain training is ranking, and how much a mere shift."""
    if said.gains is None:
        return ""
    gain = said.gains.balanced
    named = [("a mere shift of probabilities", gain.shift), *((_step_title(part), part) for part in gain.steps[1:-1])]
    parts = ", ".join(f"{title} {part.nats.value:+.3f} ({part.verdict})" for title, part in reversed(named))
    way = "gained over" if gain.total.nats.value > 0 else "lost against"
    return f"; of {amount_text(gain.total.nats.value)} nats of balanced cross-entropy {way} plain training: {parts}"


def _step_title(part: GainPart) -> str:
    return "class weights" if part.name == "class_weights" else part.name


def _synthetic_rows(said: Said) -> Iterator[str]:
    """Yield what synthetic rows would have brought, when they were not chosen."""
    if said.pick.chosen.candidate.level == 2:
        return
    challenge = said.pick.challenge
    if challenge is not None:
        yield _challenge_words(challenge, said.judge.metric)
    elif any(each.candidate.level == 2 for each in said.scored):
        yield "No arm with synthetic rows got through all its folds."


def _failures(said: Said) -> Iterator[str]:
    """Yield which generators were not judged: what was chosen is no word against their rows."""
    if said.failed:
        listed = "; ".join(f"{name!r} ({shorten(reason, MAX_REASON)})" for name, reason in said.failed.items())
        yield f"Not judged, since they failed: {listed}."


def _challenge_words(challenge: Challenge, metric: Metric) -> str:
    champion, n_tried = challenge.champion, challenge.n_tried
    who = f"The best of {n_tried} candidates" if n_tried > 1 else "The candidate"
    brings = f"{effect(champion, challenge.against, metric)} against {challenge.against.name!r}"
    head = f"{who} with synthetic rows, {champion.name!r}, {brings}"
    if not challenge.lead > 0:
        return f"{head}: no gain."
    by_chance = f"the best of {n_tried} leads by {challenge.by_chance:.1f} through chance alone, and "
    asked = f"{by_chance if n_tried > 1 else ''}one more is asked for"
    return f"{head}: a lead of {challenge.lead:.1f} standard errors, within noise ({asked})."


def _ranking_cost(said: Said) -> Iterator[str]:
    """Yield AUC and average precision that fell against plain training, beyond noise.

    Shifts that differ between groups mix up the order of all rows, although they keep it within every group.
    """
    chosen, plain = said.pick.chosen, said.plain
    if plain is None or plain is chosen:
        return
    for title, new, old in zip(SIDE_TITLES, said.judge.ranking(chosen), said.judge.ranking(plain), strict=True):
        change = normal_interval(new - old, LEVEL)
        if change.high < 0:
            yield f"Note that {title} over all rows falls by {amount_text(change.value)}{_error(spread(new - old))}."


def _prior_cost(said: Said) -> Iterator[str]:
    """Yield what the real prior makes of a choice for even classes."""
    chosen, plain = said.pick.chosen, said.plain
    if plain is None or plain is chosen:
        return
    change = normal_interval(chosen.mean_risk - plain.mean_risk, LEVEL)
    if change.low > 0:
        yield (
            f"At the real prior, its probabilities fit worse than those of plain training: mean cross-entropy "
            f"{chosen.mean_risk[0]:.3f} instead of {plain.mean_risk[0]:.3f}. Decide by them; do not read them as "
            "frequencies."
        )


def _error(error: float) -> str:
    return f" (standard error {amount_text(error)})" if error == error else " (standard error unknown)"
