"""TuningReport: whether to add rows, which, and how many, as text, table, JSON, page and plot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from autosynth.files import AnyPath, write_text
from autosynth.plain_data import to_plain
from autosynth.tuning.choice import choose
from autosynth.tuning.lines import lines_of
from autosynth.tuning.rule import nothing_to_choose
from autosynth.tuning.ways import Ways
from autosynth.versions import versions_of

if TYPE_CHECKING:
    from pathlib import Path

    from autosynth.tuning.candidate import Scored
    from autosynth.tuning.choice import Choice
    from autosynth.tuning.judge import Judge
    from autosynth.tuning.lines import CandidateLine
    from autosynth.tuning.metrics import Metric
    from autosynth.tuning.outcome import ArmOutcome
    from autosynth.tuning.ways import ArmGains

__all__ = ["FLATTERED", "TuningReport"]

PACKAGES = ("autosynth", "numpy", "pandas", "scikit-learn", "scipy", "xgboost", "xgboost-cpu")
FLATTERED = (
    "The chosen candidate's own score is flattered: it was chosen because it did well on these very rows. Expect a "
    "little less on others."
)


@dataclass(frozen=True, kw_only=True, repr=False)
class TuningReport:
    """All candidates of a race on the same real rows, and what follows; prints as text.

    Attributes
    ----------
    best : Choice
        What to do, with its reason; prints as words.  It may be to do nothing.
    lines : tuple of CandidateLine
        All candidates, the best one first; those that left the race early and those that failed come last.
    gains : mapping of str to ArmGains
        For every arm that ran all its folds, where the change of balanced cross-entropy from plain training comes from,
        and that of every group: shift of probabilities, class weights, better ranking, with limits; parts add up.
    metric : Metric
        What the race was about.
    n_rows : int
        Real rows.
    n_folds, n_repeats : int
        Folds of each repeat of cross-validation.
    n_bootstrap : int
        Replicates behind standard errors and limits.
    classes : tuple
        Values of the label.
    notes : tuple of str
        What a reader must know.
    settings : mapping
        What was asked for, as plain data.
    random_state : int or None
        The seed.
    seconds : float
        Wall time.
    """

    best: Choice
    lines: tuple[CandidateLine, ...]
    gains: Mapping[str, ArmGains]
    metric: Metric
    n_rows: int
    n_folds: int
    n_repeats: int
    n_bootstrap: int
    classes: tuple[Any, ...]
    notes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    random_state: int | None = None
    seconds: float = 0.0

    @classmethod
    def of(
        cls,
        outcomes: Sequence[ArmOutcome],
        judge: Judge,
        *,
        generators: Mapping[str, Mapping[str, Any]] | None = None,
        settings: Mapping[str, Any] | None = None,
        notes: Sequence[str] = (),
        random_state: int | None = None,
        seconds: float = 0.0,
    ) -> TuningReport:
        """Judge the arms of a race and choose.

        Parameters
        ----------
        outcomes : sequence of ArmOutcome
            One per arm.
        judge : Judge
            Of the rows that they were run on.
        generators : mapping of str to mapping, optional
            For every generator of the race the arguments of :func:`autosynth.rebalance` that name it.
        settings, notes, random_state, seconds
            Go into the report as they are.

        Raises
        ------
        AutosynthError
            If no arm got through all its folds, with the reasons.
        """
        if not any(outcome.status == "done" for outcome in outcomes):
            raise nothing_to_choose(outcomes)
        scored = [each for outcome in outcomes for each in judge.score(outcome)]
        ways = Ways(judge, outcomes, scored)
        best = choose(scored, judge, gain_of=ways.gain_of, generators=generators, outcomes=outcomes)
        return cls(
            best=best,
            lines=lines_of(scored, outcomes, best.pick, judge),
            gains=ways.gains(),
            metric=judge.metric,
            n_rows=len(judge.table),
            n_folds=judge.folds.n_folds,
            n_repeats=judge.folds.n_repeats,
            n_bootstrap=judge.replicates.n_bootstrap,
            classes=judge.coded.classes,
            notes=(*_notes(judge), *notes),
            settings=dict(settings or {}),
            random_state=random_state,
            seconds=seconds,
        )

    @property
    def scored(self) -> tuple[Scored, ...]:
        """All candidates that were judged, in the order of ``lines``."""
        return tuple(line.scored for line in self.lines if line.scored is not None)

    @property
    def failed(self) -> tuple[ArmOutcome, ...]:
        """Arms that did not run all their folds, with status and reason, each once."""
        left = {line.outcome.arm: line.outcome for line in self.lines if line.outcome.status != "done"}
        return tuple(left.values())

    @cached_property
    def versions(self) -> dict[str, str]:
        """Versions of Python and of the packages that decide the result."""
        return versions_of(PACKAGES)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per candidate: what it is, score, difference, rank, status, and other metrics.

        ``score``, ``difference`` and its limits are in the metric's own direction; ``difference`` is to the best
        candidate without synthetic rows, paired, on the same folds, with 95 % limits.  ``rank`` is missing for
        candidates that did not run all folds.  Risks are cross-entropies in nats.
        """
        frame = pd.DataFrame([line.record() for line in self.lines])
        return frame.astype({"rank": "Int64", "chosen": bool})

    def gains_frame(self) -> pd.DataFrame:
        """Return one row per arm, group (missing for the balanced risk) and part of its gain, in nats, with limits."""
        records = []
        for arm in self.gains.values():
            for group, gain in ((None, arm.balanced), *((each.name, each.gain) for each in arm.groups)):
                records += [
                    {
                        "arm": arm.name,
                        "group": group,
                        "part": part.name,
                        "nats": part.nats.value,
                        "low": part.nats.low,
                        "high": part.nats.high,
                        "verdict": part.verdict,
                    }
                    for part in (*gain.steps, gain.shift, gain.total)
                ]
        return pd.DataFrame(records, columns=["arm", "group", "part", "nats", "low", "high", "verdict"])

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "best": self.best.to_dict(),
            "metric": self.metric.name,
            "candidates": [to_plain(line.record()) for line in self.lines],
            "gains": {name: to_plain(gains) for name, gains in self.gains.items()},
            "n_rows": self.n_rows,
            "n_folds": self.n_folds,
            "n_repeats": self.n_repeats,
            "n_bootstrap": self.n_bootstrap,
            "classes": to_plain(self.classes),
            "notes": list(self.notes),
            "settings": to_plain(dict(self.settings)),
            "random_state": self.random_state,
            "seconds": round(self.seconds, 3),
            "versions": self.versions,
        }

    def to_json(self, path: AnyPath | None = None) -> str:
        """Return the report as JSON, and write it to ``path`` when one is given."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        if path is not None:
            write_text(text, path)
        return text

    def to_html(self, path: AnyPath) -> Path:
        """Write the report as one self-contained page that needs no network; every name and value is escaped.

        Raises
        ------
        OutputError
            If no file can be written there; the target is as it was before.
        """
        from autosynth.pages.page import write_page
        from autosynth.pages.tuning_page import tuning_page

        return write_page(tuning_page(self), path)

    def plot(self, path: AnyPath) -> Path:
        """Draw the candidates' differences to the best one without synthetic rows, with 95 % limits.

        Parameters
        ----------
        path : path
            A name that ends in .png or .svg.

        Raises
        ------
        ConfigError
            If the name ends otherwise.
        OutputError
            If no file can be written there.
        """
        from autosynth.tuning.plot import write_plot

        return write_plot(self, path)

    def __repr__(self) -> str:
        """Say the answer alone: a notebook would show every bootstrap replicate otherwise."""
        return (
            f"<TuningReport: {self.best.name!r} of {len(self.scored)} candidates by {self.metric.title} on "
            f"{self.n_rows:,} rows; print it for more>"
        )

    def __str__(self) -> str:
        from autosynth.tuning.text import to_text

        return to_text(self)


def _notes(judge: Judge) -> list[str]:
    return [*_single_rows_note(judge), *_positive_class_note(judge)]


def _single_rows_note(judge: Judge) -> list[str]:
    single = [str(group) for group, size in zip(judge.table.groups, judge.table.group_sizes, strict=True) if size == 1]
    if not single:
        return []
    return [f"Groups of one row train and never validate, so they have no part in the scores: {'; '.join(single)}."]


def _positive_class_note(judge: Judge) -> list[str]:
    """Say so where average precision is that of the more frequent class: its order may have been nobody's choice."""
    positive, codes = judge.positive, judge.coded.label_codes
    if positive is None or 2 * (codes == positive).sum() <= len(codes):
        return []
    return [
        f"Average precision is that of {judge.coded.classes[positive]!r}, the more frequent class; "
        f"positive_class={judge.coded.classes[1 - positive]!r} gives that of the rarer one."
    ]
