"""RebalanceReport: what a run did, as text, JSON, and one HTML file that opens offline."""

from __future__ import annotations

import dataclasses
import html
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from autosynth.files import AnyPath, write_text

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from autosynth.checks.result import CheckReport
    from autosynth.plan import SamplingPlan

PACKAGES = ("autosynth", "numpy", "pandas", "scikit-learn", "imbalanced-learn", "sdv", "torch")

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { padding: .3rem .7rem; text-align: left; border-bottom: 1px solid #ccc; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
"""


@dataclass(frozen=True, kw_only=True)
class RebalanceReport:
    """What a run was asked, what it did, and what the checks say; enough to repeat it.

    Attributes
    ----------
    generator : str
        Name of the generator.
    options : object or None
        Its options dataclass, when it has one.
    random_state : int or None
        The seed; None when the caller gave a numpy Generator.
    plan : SamplingPlan
        Rows per group.
    checks : CheckReport
        The verdict.
    copies : str
        What was done with copies of real rows: "keep", "drop_exact" or "drop_near".
    refusals, notes : mapping of str to int
        Rows refused by reason, dropped copies among them; and what the generator reported, such as rows made by its
        fallback.
    n_rounds : int
        Sampling rounds that were needed.
    seconds : float
        Wall time of the run.
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

    @cached_property
    def versions(self) -> dict[str, str]:
        """Versions of Python and of the packages that decide the rows."""
        installed = {package: _version(package) for package in PACKAGES}
        return {"python": platform.python_version(), **{name: found for name, found in installed.items() if found}}

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "generator": self.generator,
            "options": _plain_options(self.options),
            "random_state": None if self.random_state is None else int(self.random_state),
            "plan": self.plan.to_dict(),
            "checks": self.checks.to_dict(),
            "copies": self.copies,
            "refusals": dict(self.refusals),
            "notes": dict(self.notes),
            "n_rounds": self.n_rounds,
            "seconds": round(self.seconds, 3),
            "versions": self.versions,
        }

    def to_json(self, path: AnyPath | None = None) -> str:
        """Return the report as JSON, and write it to ``path`` when one is given."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, default=str)
        if path is not None:
            write_text(text, path)
        return text

    def to_html(self, path: AnyPath) -> Path:
        """Write the report as one self-contained page that needs no network; every name and value is escaped."""
        sections = [
            f"<h1>{html.escape(self._headline())}</h1>",
            "<h2>Groups</h2>",
            _html_table(self.plan.to_frame()),
            *[f"<p>{html.escape(note)}</p>" for note in self.plan.notes],
            "<h2>Checks</h2>",
            f"<p>{'Passed' if self.checks.passed else 'Failed'}: {len(self.checks.failures)} of "
            f"{len(self.checks.results)} checks failed.</p>",
            _html_table(self.checks.to_frame()),
            "<h2>Refused rows and notes</h2>",
            _html_list({**self.refusals, **self.notes}),
            "<h2>To repeat it</h2>",
            _html_list(
                {
                    "random_state": self.random_state,
                    "options": _plain_options(self.options),
                    "copies": self.copies,
                    **self.versions,
                }
            ),
        ]
        page = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>autosynth report</title><style>{STYLE}</style></head><body>{''.join(sections)}</body></html>"
        )
        return write_text(page, path)

    def __str__(self) -> str:
        lines = [self._headline(), str(self.plan)]
        if self.refusals:
            lines.append("refused and drawn again: " + _counted(self.refusals))
        if self.notes:
            lines.append("notes: " + _counted(self.notes))
        lines.append(str(self.checks) if self.checks.results else "no check was run.")
        copies = [result for result in self.checks if result.name.endswith("_copies") and result.passed]
        lines += [result.message for result in copies if result.observed > 0]
        return "\n".join(lines)

    def _headline(self) -> str:
        return (
            f"{self.plan.n_synthetic} synthetic rows by {self.generator!r} for {len(self.plan.groups)} groups of "
            f"{self.plan.n_real} real rows, in {self.seconds:.1f} s"
        )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _plain_options(options: Any) -> Any:
    return dataclasses.asdict(options) if dataclasses.is_dataclass(options) and not isinstance(options, type) else None


def _counted(reasons: Mapping[str, int]) -> str:
    return "; ".join(f"{reason} ({count})" for reason, count in reasons.items())


def _html_table(frame: pd.DataFrame) -> str:
    import pandas as pd

    with pd.option_context("display.max_colwidth", None):  # pandas cuts messages after 50 characters
        return str(frame.to_html(index=False, border=0, escape=True, float_format=lambda number: f"{number:.3g}"))


def _html_list(facts: Mapping[str, Any]) -> str:
    items = "".join(f"<li>{html.escape(str(name))}: {html.escape(str(fact))}</li>" for name, fact in facts.items())
    return f"<ul>{items}</ul>" if items else "<p>None.</p>"
