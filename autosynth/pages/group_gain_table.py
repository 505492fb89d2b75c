"""Where the gain of every group comes from, as tables to unfold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from autosynth.gain_words import gain_verdict
from autosynth.pages.elements import Part, details, group_markup, note
from autosynth.pages.risk_section import interval_text
from autosynth.pages.table import Cell, table

if TYPE_CHECKING:
    from autosynth.gains import Gain
    from autosynth.group_gains import GroupGain

__all__ = ["group_gains"]

TITLES = {"shift": "shift of the prior, net", "ranking": "ranking", "class_weights": "class weights"}
EXPLANATION = (
    "Nats of each group's own risk that are gained: shift, class weights and ranking add up to all. A shift of the "
    "prior gives to one group what it takes from another; better ranking takes from none. The mean over the groups of "
    "a column is that part of the balanced risk."
)


def group_gains(gains: Mapping[str, Sequence[GroupGain]]) -> Part:
    """Return one table per model, in one part to unfold.

    Parameters
    ----------
    gains : mapping of str to sequence of GroupGain
        By the name of the model; at least one, and none of them empty.
    """
    return details(
        "The gain of every group",
        note(EXPLANATION),
        *(_table(name, of_groups) for name, of_groups in gains.items()),
    )


def _table(name: str, of_groups: Sequence[GroupGain]) -> Part:
    middle = [part.name for part in of_groups[0].gain.steps[1:-1]]
    body: list[list[Cell]] = [
        [
            group_markup(each.group),
            interval_text(each.gain.shift.nats, signed=True),
            *(interval_text(each.gain.step(part).nats, signed=True) for part in middle),
            interval_text(each.gain.total.nats, signed=True),
            _verdict(each.gain),
        ]
        for each in of_groups
    ]
    titles = ["group", TITLES["shift"], *(TITLES[part] for part in middle), "all together", ""]
    return table(titles, body, caption=f"Nats gained in every group by {name}")


def _verdict(gain: Gain) -> str:
    word = gain_verdict(gain)
    return "a shift towards other groups" if word == "a worse prior" else word
