"""Columns drawn independently of each other: the baseline that models must beat, and the safety net for tiny groups."""

from __future__ import annotations

import autosynth
from autosynth_independent.generator import IndependentGenerator
from autosynth_independent.options import IndependentOptions

__all__ = ["IndependentGenerator", "IndependentOptions"]


@autosynth.hookimpl
def autosynth_register_generators(register: autosynth.Register) -> None:
    register(
        "independent",
        IndependentGenerator,
        options=IndependentOptions,
        summary="every column drawn on its own from the group, in part from all groups: the baseline for models",
        # A text or a date is one draw; its encoded features (words, year, month) drawn one by one would be no text.
        space="original",
        quick=True,
    )


@autosynth.hookimpl
def autosynth_propose_generators() -> tuple[str, ...]:
    """Propose ``independent`` always: it takes any columns and a group of one row, and its rows cost next to nothing.

    With few rows per group it often ranks better than models that look for dependence.
    """
    return ("independent",)
