"""A gain in plain words: one sentence that never calls a mere shift of the prior, or noise, a better model."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autosynth.gains import Gain, GainPart

    Words: TypeAlias = Mapping[str, tuple[str, str, str]]

__all__ = ["PART_TITLES", "gain_parts", "gain_verdict", "is_tiny", "part_title", "part_verdict", "sentence_of"]

PART_TITLES = {
    "baseline_shift": "mere shift of the prior",
    "class_weights": "class weights",
    "ranking": "better ranking",
    "own_shift": "its own prior, not shifted",
}
NOTHING = 5e-4  # would be shown as 0.000
TINY_NATS, TINY_SHARE = 1e-3, 0.02  # below both, a step that stands out from noise is still too small to matter

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
GROUP_WORDS = WORDS | {
    "shift": (
        "are a mere shift of the prior towards this group",
        "by a mere shift of the prior towards this group",
        "by a shift of the prior towards other groups",
    )
}


def is_tiny(part: GainPart, total: GainPart) -> bool:
    """Return whether a step stands out from noise, and yet is too small beside the whole to matter."""
    size = abs(part.nats.value)
    return part.verdict in ("gain", "loss") and size < TINY_NATS and size < TINY_SHARE * abs(total.nats.value)


def part_title(part: GainPart) -> str:
    """Return what people call a step."""
    if part.name == "total":
        return "all together"
    if part.name == "shift":
        return "shift of the prior, net"
    if part.name == "ranking" and part.verdict != "gain":
        return "worse ranking" if part.verdict == "loss" else "ranking"
    return PART_TITLES.get(part.name, part.name)


def part_verdict(part: GainPart, total: GainPart) -> str:
    """Return the verdict of a part of a gain."""
    return f"{part.verdict}, but tiny" if is_tiny(part, total) else part.verdict


def gain_parts(gain: Gain) -> tuple[GainPart, ...]:
    """Return what is shown of a gain: its steps, the whole, and what the shifts give together."""
    return (*gain.steps, gain.total, gain.shift)


def gain_verdict(gain: Gain) -> str:
    """Return in a few words whether a model is better, once a mere shift of the prior is left out."""
    ranking = next((part for part in gain.steps if part.name == "ranking"), None)
    if ranking is not None and not is_tiny(ranking, gain.total):
        if ranking.verdict == "gain":
            return "better ranking, but a worse prior" if gain.total.verdict == "loss" else "better ranking"
        if ranking.verdict == "loss":
            return "worse ranking"
    if gain.is_mere_shift:
        return "a mere shift of the prior"
    return "a worse prior" if gain.shift.verdict == "loss" else "within noise"


def sentence_of(
    total: GainPart, shift: GainPart, others: Sequence[GainPart], *, baseline: str, of_group: bool = False
) -> str:
    """Return what the total is made of.

    Parameters
    ----------
    total, shift : GainPart
        The whole, and what a shift of the prior gives of it.
    others : sequence of GainPart
        The rest, named "class_weights" or "ranking".
    baseline : str
        What the gain is against.
    of_group : bool
        Whether it is about the risk of one group.

    Returns
    -------
    str
        One sentence with a full stop.
    """
    parts = [shift, *others]
    risk, words = ("risk", GROUP_WORDS) if of_group else ("balanced risk", WORDS)
    if total.verdict == "no interval":
        listed = ", ".join(f"{_name(part)} {part.nats.value:+.3f}" for part in parts)
        return (
            f"{risk.capitalize()} {'falls' if total.nats.value > 0 else 'rises'} by {_nats(total)} nats ({listed}); "
            "without limits nobody can tell which of it is noise."
        )
    tiny = [part for part in others if is_tiny(part, total)]
    gains = [part for part in parts if part.verdict == "gain" and part not in tiny]
    losses = [part for part in parts if part.verdict == "loss" and part not in tiny]
    left = sum(part.nats.value for part in parts if part.verdict == "within noise")
    rest = "" if abs(left) < NOTHING else f"; the rest ({left:+.3f}) is within noise"
    rest += "".join(f"; {_tiny_words(part)}" for part in tiny)
    if total.verdict == "within noise":
        return _within_noise(total, gains, losses, risk, words)
    if total.verdict == "loss":
        return _loss(total, gains, losses, words) + rest + "."
    if not gains:
        return f"{_nats(total)} nats are gained, but no part of it stands out from noise."
    if losses:
        return f"{_nats(total)} nats are gained: {_list(gains, 1, words)}, less {_list(losses, 2, words)}{rest}."
    if sum(part.nats.value for part in gains) > total.nats.value + NOTHING and gains != [shift]:
        return f"{_nats(total)} nats are gained: {_list(gains, 1, words)}{rest}."
    if [part.name for part in gains] == ["shift"] and shift.nats.value > total.nats.value - NOTHING:
        rest = rest.replace("the rest (", "what is left without it (")
        return f"All of the {_nats(total)} nats gained {words['shift'][0].format(baseline=baseline)}{rest}."
    return f"Of the {_nats(total)} nats gained, {_list(gains, 0, words).format(baseline=baseline)}{rest}."


def _within_noise(
    total: GainPart, gains: Sequence[GainPart], losses: Sequence[GainPart], risk: str, words: Words
) -> str:
    inside = [f"{_nats(part)} gained {words[part.name][1]}" for part in gains]
    inside += [f"{_nats(part)} lost {words[part.name][2]}" for part in losses]
    change = f"{-total.nats.value:+.3f}" if abs(total.nats.value) >= NOTHING else "0.000"
    head = f"The change of {risk}, {change} nats, is within noise"
    return f"{head}; it holds {' and '.join(inside)}." if inside else f"{head}, and so is every part of it."


def _loss(total: GainPart, gains: Sequence[GainPart], losses: Sequence[GainPart], words: Words) -> str:
    if not losses:
        return f"{_nats(total)} nats are lost, but no part of it stands out from noise"
    against = f", against a gain of {_list(gains, 1, words)}" if gains else ""
    return f"{_nats(total)} nats are lost: {_list(losses, 2, words)}{against}"


def _list(parts: Sequence[GainPart], form: int, words: Words) -> str:
    link = ", and " if form == 0 else " and "
    return link.join(f"{_nats(part)} {words[part.name][form]}" for part in parts)


def _tiny_words(part: GainPart) -> str:
    way = "better" if part.verdict == "gain" else "worse"
    what = "ranking is" if part.name == "ranking" else "class weights are"
    return f"{what} {way} by less than {TINY_NATS:g}, too little to matter"


def _name(part: GainPart) -> str:
    return {"shift": "shift of the prior"}.get(part.name) or PART_TITLES[part.name]


def _nats(part: GainPart) -> str:
    return f"{abs(part.nats.value):.3f}"
