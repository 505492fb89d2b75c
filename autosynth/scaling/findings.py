"""What a scaling curve shows, from draws that all its models share: every difference is a paired one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.interval import Interval, normal_interval
from autosynth.scaling.law import FALLS
from autosynth.scaling.points import LEVEL
from autosynth.scaling.words import comparison_sentence, enough_sentence, turn_sentence

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.scaling.law import ScalingLaw

    Floats: TypeAlias = npt.NDArray[np.float64]

__all__ = ["OVERSAMPLED", "curve_sentences"]

OVERSAMPLED = "oversampled only"
GAIN_SHARE = 0.01  # of the risk: what a doubling must gain to be worth a word


def curve_sentences(
    law: ScalingLaw,
    draws: Mapping[int, Floats],
    real_draws: Mapping[int, Floats],
    reference_draws: Mapping[str, Floats],
) -> tuple[str, ...]:
    """Return the findings, one sentence each.

    Parameters
    ----------
    law : ScalingLaw
        Through the points.
    draws, real_draws : mapping of int to ndarray of shape (1 + n_replicates,)
        The risk with N synthetic and with N real rows more per group, by rising N.
    reference_draws : mapping of str to ndarray of shape (1 + n_replicates,)
        The risk of models without augmentation, "oversampled only" among them.
    """
    return (
        *law.sentences,
        *_enough(law, draws),
        *_turn(draws),
        *_against_references(draws, reference_draws),
        *_against_real_rows(draws, real_draws),
    )


def _enough(law: ScalingLaw, draws: Mapping[int, Floats]) -> list[str]:
    if law.shape != FALLS:
        return []
    gain = GAIN_SHARE * float(min(each[0] for each in draws.values()))
    if gain <= 0:
        return []
    return [enough_sentence(law.enough(gain), gain, (law.sizes[0], law.sizes[-1]))]


def _turn(draws: Mapping[int, Floats]) -> list[str]:
    """Say so when the risk has risen again at the largest size."""
    lowest, largest = _lowest(draws), max(draws)
    if lowest in (min(draws), largest):
        return []
    rise = _difference(draws[largest], draws[lowest])
    return [turn_sentence(lowest, largest, rise)] if rise.low > 0 else []


def _against_references(draws: Mapping[int, Floats], reference_draws: Mapping[str, Floats]) -> list[str]:
    """Hold the best size against oversampling alone, and against the best model without any synthetic row."""
    lowest = _lowest(draws)
    what = f"The best of {len(draws)} sizes on these very rows, N = {lowest},"
    said = []
    if OVERSAMPLED in reference_draws:
        difference = _difference(draws[lowest], reference_draws[OVERSAMPLED])
        said.append(comparison_sentence(what, "oversampling alone (N = 0)", difference))
    untreated = {name: each for name, each in reference_draws.items() if name != OVERSAMPLED}
    if untreated:
        name = min(untreated, key=lambda name: float(untreated[name][0]))
        difference = _difference(draws[lowest], untreated[name])
        said.append(comparison_sentence(what, f"the best model without synthetic rows ({name})", difference))
    return said


def _against_real_rows(draws: Mapping[int, Floats], real_draws: Mapping[int, Floats]) -> list[str]:
    both = [n for n in real_draws if n in draws]
    if not both:
        return []
    n = max(both)
    difference = _difference(draws[n], real_draws[n])
    return [
        comparison_sentence(f"With {n} more rows per group, a model on synthetic rows", "one on real rows", difference)
    ]


def _lowest(draws: Mapping[int, Floats]) -> int:
    return min(draws, key=lambda n: float(draws[n][0]))


def _difference(first: Floats, second: Floats) -> Interval:
    return normal_interval(first - second, LEVEL)
