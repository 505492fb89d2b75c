"""A gain in plain words: one sentence that never calls a mere shift of the prior, or noise, a better model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autosynth.gains import GainPart

__all__ = ["PART_TITLES", "sentence_of"]

PART_TITLES = {
    "baseline_shift": "mere shift of the prior",
    "class_weights": "class weights",
    "ranking": "better ranking",
    "own_shift": "its own prior, not shifted",
}
NOTHING = 5e-4  # would be shown as 0.000

# gain as a share of what was gained, gain and loss beside each other
WORDS = {
    "shift": (
        "are a mere shift of the prior, such as {baseline} gets by moving its threshold",
        "by a mere shift of the prior",
        "by a prior further off, which a shift mends",
    ),
    "class_weights": ("come from class weights", "by class weights", "by class weights"),
    "ranking": ("come from better ranking, which no shift gives", "by better ranking", "by worse ranking"),
}


def sentence_of(total: GainPart, shift: GainPart, others: Sequence[GainPart], *, baseline: str) -> str:
    """Return what the total is made of.

    Parameters
    ----------
    total, shift : GainPart
        The whole, and what a shift of the prior gives of it.
    others : sequence of GainPart
        The rest, named "class_weights" or "ranking".
    baseline : str
        What the gain is against.

    Returns
    -------
    str
        One sentence with a full stop.
    """
    parts = [shift, *others]
    if total.verdict == "no interval":
        listed = ", ".join(f"{_name(part)} {part.nats.value:+.3f}" for part in parts)
        return (
            f"Balanced risk {'falls' if total.nats.value > 0 else 'rises'} by {_nats(total)} nats ({listed}); "
            "without limits nobody can tell which of it is noise."
        )
    gains = [part for part in parts if part.verdict == "gain"]
    losses = [part for part in parts if part.verdict == "loss"]
    left = sum(part.nats.value for part in parts if part.verdict == "within noise")
    rest = "" if abs(left) < NOTHING else f"; the rest ({left:+.3f}) is within noise"
    if total.verdict == "within noise":
        return _within_noise(total, gains, losses)
    if total.verdict == "loss":
        return _loss(total, gains, losses) + rest + "."
    if not gains:
        return f"{_nats(total)} nats are gained, but no part of it stands out from noise."
    if losses:
        return f"{_nats(total)} nats are gained: {_list(gains, 1)}, less {_list(losses, 2)}{rest}."
    if sum(part.nats.value for part in gains) > total.nats.value + NOTHING and gains != [shift]:
        return f"{_nats(total)} nats are gained: {_list(gains, 1)}{rest}."
    if [part.name for part in gains] == ["shift"] and shift.nats.value > total.nats.value - NOTHING:
        rest = f"; what is left without it ({left:+.3f}) is within noise" if rest else ""
        return f"All of the {_nats(total)} nats gained {WORDS['shift'][0].format(baseline=baseline)}{rest}."
    return f"Of the {_nats(total)} nats gained, {_list(gains, 0).format(baseline=baseline)}{rest}."


def _within_noise(total: GainPart, gains: Sequence[GainPart], losses: Sequence[GainPart]) -> str:
    inside = [f"{_nats(part)} gained {WORDS[part.name][1]}" for part in gains]
    inside += [f"{_nats(part)} lost {WORDS[part.name][2]}" for part in losses]
    change = f"{-total.nats.value:+.3f}" if abs(total.nats.value) >= NOTHING else "0.000"
    head = f"The change of balanced risk, {change} nats, is within noise"
    return f"{head}; it holds {' and '.join(inside)}." if inside else f"{head}, and so is every part of it."


def _loss(total: GainPart, gains: Sequence[GainPart], losses: Sequence[GainPart]) -> str:
    if not losses:
        return f"{_nats(total)} nats are lost, but no part of it stands out from noise"
    against = f", against a gain of {_list(gains, 1)}" if gains else ""
    return f"{_nats(total)} nats are lost: {_list(losses, 2)}{against}"


def _list(parts: Sequence[GainPart], form: int) -> str:
    link = ", and " if form == 0 else " and "
    return link.join(f"{_nats(part)} {WORDS[part.name][form]}" for part in parts)


def _name(part: GainPart) -> str:
    return {"shift": "shift of the prior"}.get(part.name) or PART_TITLES[part.name]


def _nats(part: GainPart) -> str:
    return f"{abs(part.nats.value):.3f}"
