"""Group gains: what the change of every group's own risk is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autosynth.gains import Gain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autosynth.gains import Floats
    from autosynth.groups import Group

__all__ = ["GroupGain", "gains_by_group"]


@dataclass(frozen=True)
class GroupGain:
    """What the change of one group's risk is made of.

    Attributes
    ----------
    group : Group
        The cell of label x group columns.
    gain : Gain
        In nats of its mean cross-entropy.  The mean over the groups of a step is that step of the balanced risk.
    """

    group: Group
    gain: Gain

    @property
    def name(self) -> str:
        """The group in words."""
        return str(self.group)


def gains_by_group(
    stages: Mapping[str, Floats],
    steps: Sequence[str],
    groups: Sequence[Group],
    *,
    level: float,
    baseline: str,
    fitted_on: str,
) -> tuple[GroupGain, ...]:
    """Return the gain of every group, in the order of the groups.

    Parameters
    ----------
    stages : mapping of str to ndarray of shape (1 + n_replicates, n_groups)
        The risk of every group under every model on the way, NaN in the replicates of a group without spread.
    steps, level, baseline, fitted_on
        As in :meth:`Gain.of`.
    groups : sequence of Group
        What the columns are about.
    """
    return tuple(
        GroupGain(
            group,
            Gain.of(
                {name: draws[:, place] for name, draws in stages.items()},
                steps,
                level=level,
                baseline=baseline,
                fitted_on=fitted_on,
                of_group=True,
            ),
        )
        for place, group in enumerate(groups)
    )
