"""RebalanceReport: what a run did, as text, JSON, and one HTML file that opens offline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from autosynth.files import AnyPath, write_text
from autosynth.hidden import plain_options
from autosynth.plain_data import to_plain
from autosynth.versions import versions_of

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from autosynth.checks.result import CheckReport
    from autosynth.plan import SamplingPlan
    from autosynth.tuning.report import TuningReport

PACKAGES = (
    "autosynth",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "copulas",
    "ctgan",
    "xgboost",
    "xgboost-cpu",
    "openai",
    "transformers",
    "torch",
)


@dataclass(frozen=True, kw_only=True)
class RebalanceReport:
    """What a run was asked, what it did, and what the checks say; enough to repeat it.

    Attributes
    ----------
    generator : str
        Name of the generator; "auto" where a race answered that no row is to be made.
    options : object or None
        Its options dataclass, when it has one; with "auto", the settings of the race.
    random_state : int or None
        The seed; None when the caller gave a numpy Generator.
    plan : SamplingPlan
        Rows per group.
    checks : CheckReport
        The verdict.
    copies : str
        What was done with copies of real rows: "keep", "drop_exact" or "drop_near".
    rules : tuple of str
        What every row had to keep.
    n_held_out : int
        Held-out rows that the generator must not know, and that were searched for copies.
    refusals, notes : mapping of str to int
        Rows refused by reason, dropped copies among them; and what the generator reported, such as rows made by its
        fallback.
    n_rounds : int
        Sampling rounds that were needed.
    seconds : float
        Wall time of the run, a race included.
    tuning : TuningReport or None
        What the race of ``generator="auto"`` found.
    label : Hashable
        The label column.
    group_by : tuple of Hashable
        The group columns.
    """

    generator: str
    options: Any
    random_state: int | None
    plan: SamplingPlan
    checks: CheckReport
    refusals: Mapping[str, int]
    notes: Mapping[str, int]
    n_rounds: int
    seconds: float
    copies: str = "keep"
    rules: tuple[str, ...] = ()
    n_held_out: int = 0
    tuning: TuningReport | None = None
    label: Hashable = None
    group_by: tuple[Hashable, ...] = ()

    @property
    def is_declined(self) -> bool:
        """Whether a race answered that no synthetic row is worth adding."""
        return self.tuning is not None and not self.tuning.best.uses_synthetic

    @cached_property
    def versions(self) -> dict[str, str]:
        """Versions of Python and of the packages that decide the rows."""
        return versions_of(PACKAGES)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "label": to_plain(self.label),
            "group_by": to_plain(self.group_by),
            "generator": self.generator,
            "options": plain_options(self.options),
            "random_state": None if self.random_state is None else int(self.random_state),
            "plan": self.plan.to_dict(),
            "checks": self.checks.to_dict(),
            "copies": self.copies,
            "rules": list(self.rules),
            "n_held_out": self.n_held_out,
            "refusals": dict(self.refusals),
            "notes": dict(self.notes),
            "n_rounds": self.n_rounds,
            "seconds": round(self.seconds, 3),
            "tuning": None if self.tuning is None else self.tuning.to_dict(),
            "versions": self.versions,
        }

    def to_json(self, path: AnyPath | None = None) -> str:
        """Return the report as JSON, and write it to ``path`` when one is given."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, default=str)
        if path is not None:
            write_text(text, path)
        return text

    def to_html(self, path: AnyPath) -> Path:
        """Write the report as one self-contained page that needs no network; every name and value is escaped.

        Where the checks kept the rows that they compared, there are pictures of columns, of their dependence and of the
        rows.

        Raises
        ------
        OutputError
            If no file can be written there; the target is as it was before.
        """
        from autosynth.pages.page import write_page
        from autosynth.pages.rebalance_page import rebalance_page

        return write_page(rebalance_page(self), path)

    def __str__(self) -> str:
        lines = [self._headline(), *self._why(), str(self.plan)]
        if self.refusals:
            lines.append("refused and drawn again: " + _counted(self.refusals))
        if self.notes:
            lines.append("notes: " + _counted(self.notes))
        if self.checks.results:
            lines.append(str(self.checks))
        elif self.plan.n_synthetic:
            lines.append("no check was run.")
        copies = [result for result in self.checks if result.name.endswith("_copies") and result.passed]
        lines += [result.message for result in copies if result.observed > 0]
        return "\n".join(lines)

    def _why(self) -> list[str]:
        if self.tuning is None:
            return []
        shift = "report.tuning.best.apply(probabilities, rows) shifts the probabilities of a model in that way."
        weights = "The weights of these rows are the class weights."
        best = self.tuning.best
        return [str(best), *[weights] * best.arm.class_weights, *[shift] * (best.shift != "none")]

    def _headline(self) -> str:
        if self.is_declined:
            return (
                f"no synthetic rows for {len(self.plan.groups)} groups of {self.plan.n_real} real rows, as a race on "
                f"these rows advises, in {self.seconds:.1f} s"
            )
        return (
            f"{self.plan.n_synthetic} synthetic rows by {self.generator!r} for {len(self.plan.groups)} groups of "
            f"{self.plan.n_real} real rows, in {self.seconds:.1f} s"
        )


def _counted(reasons: Mapping[str, int]) -> str:
    return "; ".join(f"{reason} ({count})" for reason, count in reasons.items())
