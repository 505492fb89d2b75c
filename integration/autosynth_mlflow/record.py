"""Record: what a tracker is to know of one report, before it knows any tracker."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from autosynth.files import write_text
from autosynth.interval import Interval

if TYPE_CHECKING:
    from autosynth import Group

__all__ = ["MAX_GROUPS", "Curve", "Name", "Record", "limits", "smallest", "write_json"]

Name: TypeAlias = "tuple[str, ...]"
Curve: TypeAlias = "Sequence[tuple[int, float]]"
Write: TypeAlias = "Callable[[Path], object]"

MAX_GROUPS = 50  # whose numbers become metrics; the tables among the files hold all


@dataclass(frozen=True, kw_only=True)
class Record:
    """One report in the terms of experiment tracking.

    Attributes
    ----------
    kind : str
        The function that made it, such as "rebalance"; what it is called in a run unless the user says otherwise.
    verdict : str
        The finding in words.
    params : mapping of tuple of str to object
        What was asked for.
    metrics : mapping of tuple of str to float
        What was found; numbers that are not finite are left out.
    curves : mapping of tuple of str to sequence of (step, value)
        Numbers that belong to a rising size.
    files : mapping of str to callable
        File name to what writes such a file.
    """

    kind: str
    verdict: str
    params: Mapping[Name, object] = field(default_factory=dict)
    metrics: Mapping[Name, float] = field(default_factory=dict)
    curves: Mapping[Name, Curve] = field(default_factory=dict)
    files: Mapping[str, Write] = field(default_factory=dict)

    def with_part(self, name: str, part: Record) -> Record:
        """Return the record that holds another one's facts under a name of their own."""
        return Record(
            kind=self.kind,
            verdict=self.verdict,
            params={**self.params, **_under(name, part.params)},
            metrics={**self.metrics, **_under(name, part.metrics)},
            curves={**self.curves, **_under(name, part.curves)},
            files={**self.files, **{f"{name}-{file}": write for file, write in part.files.items()}},
        )

    @property
    def points(self) -> Iterator[tuple[Name, int, float]]:
        """All finite numbers as (name, step, value); those that belong to no size are at step 0."""
        steps = {**{name: ((0, value),) for name, value in self.metrics.items()}, **self.curves}
        return (
            (name, int(step), float(value))
            for name, points in steps.items()
            for step, value in points
            if math.isfinite(value)
        )


def _under(name: str, facts: Mapping[Name, Any]) -> dict[Name, Any]:
    return {(name, *key): value for key, value in facts.items()}


def limits(name: str, interval: Interval) -> dict[Name, float]:
    """Return a value and its limits as three metrics.

    Examples
    --------
    >>> limits("risk", Interval(0.5, 0.4, 0.6))
    {('risk',): 0.5, ('risk_low',): 0.4, ('risk_high',): 0.6}
    """
    return {(name,): interval.value, (f"{name}_low",): interval.low, (f"{name}_high",): interval.high}


def smallest(sizes: Mapping[Group, int]) -> set[Group]:
    """Return the smallest groups, as many as become metrics: the same ones in every run on the same rows."""
    return set(sorted(sizes, key=lambda group: (sizes[group], str(group)))[:MAX_GROUPS])


def write_json(content: Mapping[str, Any], path: Path) -> Path:
    """Write plain data as JSON."""
    return write_text(json.dumps(content, indent=2, ensure_ascii=False, default=str), path)
