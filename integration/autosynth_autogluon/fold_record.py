"""FoldRecord: what one fold of one model did, as our models record it in AutoGluon's info."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autogluon.tabular import TabularPredictor

KNOWN = ("groups", "rows_added", "refusals", "notes")


@dataclass(frozen=True, kw_only=True)
class FoldRecord:
    """What trained one fold of one model.

    Attributes
    ----------
    model : str
        AutoGluon's name for it.
    fold : str
        AutoGluon's name for the fold; empty for a model without folds.
    n_real, n_synthetic : int
        Rows that it trained on.
    left_plain : str
        Why it has no synthetic row; empty when it has some.
    generator : str
        Name of the generator; empty when none was asked.
    generator_fit_s : float or None
        How long the generator learned, in seconds.
    cached : bool
        True when another model of the same fold had the rows made.
    groups : mapping of str to int
        Real rows of every group.
    rows_added : mapping of str to int
        Synthetic rows of every group that got some.
    refusals, notes : mapping of str to int
        Rows refused by reason, and what the generator reported, in rows.
    checks : mapping or None
        What the checks said of its synthetic rows: "passed", "n_checks" and "failures", a list of mappings with
        "name", "subject", "severity" and "message"; None where nobody asked.
    race : mapping or None
        What the race of ``generator="auto"`` found: "chosen", "reason", "n_candidates", "seconds" and "cached".
    class_weights : bool
        Whether it trained on real rows with class weights, as the race says.
    """

    model: str
    fold: str
    n_real: int
    n_synthetic: int
    left_plain: str = ""
    generator: str = ""
    generator_fit_s: float | None = None
    cached: bool = False
    groups: Mapping[str, int] = field(default_factory=dict)
    rows_added: Mapping[str, int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    checks: Mapping[str, Any] | None = None
    race: Mapping[str, Any] | None = None
    class_weights: bool = False

    @classmethod
    def of(cls, model: str, fold: str, facts: Mapping[str, Any]) -> FoldRecord:
        """Return the record of what a model told."""
        counts = {key: {str(name): int(count) for name, count in (facts.get(key) or {}).items()} for key in KNOWN}
        fit_s = facts.get("generator_fit_s")
        return cls(
            model=model,
            fold=fold,
            n_real=int(facts.get("n_real", 0)),
            n_synthetic=int(facts.get("n_synthetic", 0)),
            left_plain=str(facts.get("left_plain") or ""),
            generator=str(facts.get("generator") or ""),
            generator_fit_s=None if fit_s is None else float(fit_s),
            cached=bool(facts.get("cached", False)),
            checks=facts.get("checks") or None,
            race=facts.get("race") or None,
            class_weights=bool(facts.get("class_weights", False)),
            **counts,
        )


def fold_records(predictor: TabularPredictor) -> tuple[FoldRecord, ...]:
    """Return a record for every fold of every model of ours, in AutoGluon's order."""
    models: Mapping[str, Mapping[str, Any]] = predictor.info()["model_info"]
    return tuple(record for name, info in models.items() for record in _records(name, info))


def _records(name: str, info: Mapping[str, Any]) -> Iterator[FoldRecord]:
    for fold, each in (("", info), *(info.get("children_info") or {}).items()):
        facts = each.get("autosynth")
        if facts:
            yield FoldRecord.of(name, str(fold), facts)
