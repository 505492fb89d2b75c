"""FitFacts: what really happened in the models behind an arm's predictions, as AutoGluon and our models record it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from autosynth.check_text import printable

if TYPE_CHECKING:
    from autogluon.tabular import TabularPredictor

DECIMAL = re.compile(r"(?<![\w.'\"])\d+\.\d+(?![\w.'\"])")  # a measured number, and no part of a column's name


@dataclass(frozen=True)
class FitFacts:
    """What a reader must know of one fitted predictor.

    Attributes
    ----------
    n_models : int
        Models that were trained, without ensembles of others.
    n_synthetic : int
        Synthetic rows that trained the models behind the predictions, summed over models and folds.
    notes : tuple of str
        Models that failed, folds that stayed plain and why, rows refused.
    """

    n_models: int
    n_synthetic: int
    notes: tuple[str, ...]

    @classmethod
    def of(cls, predictor: TabularPredictor, arm: str, *, uses_synthetic: bool) -> FitFacts:
        """Read the facts of a fitted predictor; ``arm`` is its name in the notes."""
        models: dict[str, dict[str, Any]] = predictor.info()["model_info"]
        trained = {name: info for name, info in models.items() if not _bases(info)}
        notes = [note for note in (_failures(predictor),) if note]
        n_synthetic = 0
        if uses_synthetic:
            used = _ancestry(models, predictor.model_best) & set(models)
            n_synthetic = sum(int(facts.get("n_synthetic", 0)) for name in used for facts in _folds(models[name]))
            notes += fold_notes([facts for info in models.values() for facts in _folds(info)])
            never = sorted(name for name in trained if not any(_folds(trained[name])))
            if never:
                notes.append(f"models of families that take no synthetic rows: {', '.join(never)}")
        return cls(len(trained), n_synthetic, tuple(f"Arm {arm!r}: {note}." for note in notes))


def describe_folds(predictor: TabularPredictor) -> str:
    """Return what became of the synthetic rows in the folds of a fitted predictor: one line per event.

    It reads what the models recorded, so it knows of folds that Ray trained too, and of a predictor that was loaded.

    Parameters
    ----------
    predictor : TabularPredictor
        Fitted with hyperparameters of :func:`autosynth_autogluon.rebalanced`.

    Returns
    -------
    str
        How many of the models' folds trained with how many synthetic rows, which ones stayed plain and why, which
        failed checks were overlooked, and why rows were refused.

    Examples
    --------
    ::

        print(autosynth_autogluon.describe_folds(predictor))
        6 model folds: 4 with synthetic rows (560 in all), 2 on real rows alone
        2 of 6 model folds trained on real rows alone (its synthetic rows failed the checks: limits of age)
    """
    models: dict[str, dict[str, Any]] = predictor.info()["model_info"]
    folds = [facts for info in models.values() for facts in _folds(info)]
    if not folds:
        return "no model of this predictor was to take synthetic rows."
    n_added = [int(facts.get("n_synthetic", 0)) for facts in folds]
    n_with = sum(count > 0 for count in n_added)
    head = (
        f"{len(folds)} model folds: {n_with} with synthetic rows ({sum(n_added)} in all), "
        f"{len(folds) - n_with} on real rows alone"
    )
    return printable("\n".join([head, *fold_notes(folds)]), keep="\n")


def first_failure(predictor: TabularPredictor) -> str:
    """Return the first model failure as "model: exception: text"; empty when none is recorded."""
    failures = _failure_frame(predictor)
    return "" if failures.empty else _describe(failures)


def _failures(predictor: TabularPredictor) -> str:
    failures = _failure_frame(predictor)
    if failures.empty:
        return ""
    return f"{len(failures)} {'model' if len(failures) == 1 else 'models'} failed, the first {_describe(failures)}"


def _describe(failures: pd.DataFrame) -> str:
    first = failures.sort_values("exc_order").iloc[0]
    return f"{first['model']}: {first['exc_type']}: {str(first['exc_str']).strip().rstrip('.')}"


def _failure_frame(predictor: TabularPredictor) -> pd.DataFrame:
    try:
        failures: pd.DataFrame = predictor.model_failures()
    except (AssertionError, AttributeError):  # AutoGluon's, when there is no learner or no trainer yet
        return pd.DataFrame()
    return failures


def _bases(info: Mapping[str, Any]) -> list[str]:
    return list((info.get("stacker_info") or {}).get("base_model_names", []))


def _ancestry(models: Mapping[str, Mapping[str, Any]], name: str) -> set[str]:
    """Return a model and all that it stacks on: another model's rows do not make the predictions."""
    found, waiting = set(), [name]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting += _bases(models.get(current, {}))
    return found


def _folds(info: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what our mixin recorded: once per bag fold, or once for a model without folds."""
    for each in (info, *(info.get("children_info") or {}).values()):
        facts = each.get("autosynth")
        if facts:
            yield facts


def fold_notes(folds: list[Mapping[str, Any]]) -> list[str]:
    """Say each distinct event once, with how many of the models' folds it met."""
    plain = Counter(str(facts["left_plain"]) for facts in folds if facts.get("left_plain"))
    notes = [
        f"{count} of {len(folds)} model folds trained on real rows alone ({reason.rstrip('.')})"
        for reason, count in plain.most_common()
    ]
    n_weighted = sum(bool(facts.get("class_weights")) for facts in folds)
    if n_weighted:
        notes.append(
            f"{n_weighted} of {len(folds)} model folds trained on real rows with class weights, as a race says"
        )
    winners = Counter(str(facts["race"]["chosen"]) for facts in folds if facts.get("race") and facts.get("n_synthetic"))
    notes += [f"{count} of {len(folds)} model folds took the rows of {name!r}" for name, count in winners.most_common()]
    notes += _check_notes(folds)
    made = [facts for facts in folds if facts.get("n_synthetic")]
    events = (("rows refused", "refusals"), ("the generator notes", "notes"))
    for title, key in events:
        seen = [(str(event), int(count)) for facts in made for event, count in (facts.get(key) or {}).items()]
        notes += [
            f"{title}: {event} ({_span(counts)} per fold, in {len(counts)} of {len(folds)} model folds)"
            for event, counts in _alike(seen)
        ]
    skipped = Counter(str(name) for facts in made for name in facts.get("row_filters_skipped") or ())
    notes += [
        f"row filter {name} was not asked in {count} of {len(folds)} model folds, as it cannot read encoded features"
        for name, count in skipped.most_common()
    ]
    return notes


def _check_notes(folds: list[Mapping[str, Any]]) -> list[str]:
    """Say once which critical check failed in how many model folds that trained with the rows all the same."""
    used = [facts["checks"] for facts in folds if facts.get("checks") and not facts.get("left_plain")]
    failures = [failure for verdict in used for failure in verdict["failures"] if failure["severity"] == "critical"]
    counts = Counter((failure["name"], failure["subject"]) for failure in failures)
    messages = {(failure["name"], failure["subject"]): failure["message"] for failure in reversed(failures)}
    return [
        f"rows were used though {name} of {subject} failed in {count} of {len(folds)} model folds, such as: "
        f"{messages[name, subject].rstrip('.')}"
        for (name, subject), count in counts.most_common()
    ]


def _alike(seen: list[tuple[str, int]]) -> list[tuple[str, list[int]]]:
    """Return events with their counts; those that differ in a decimal number alone are one, with a span for it."""
    groups: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for event, count in seen:
        groups[DECIMAL.sub("#", event)].append((event, count))
    return [
        (_with_spans([event for event, _ in alike]), [count for _, count in alike])
        for alike in sorted(groups.values(), key=len, reverse=True)
    ]


def _with_spans(events: list[str]) -> str:
    columns = zip(*(DECIMAL.findall(event) for event in events), strict=True)
    spans = iter([_span(column) for column in columns])
    return DECIMAL.sub(lambda _: next(spans), events[0])


def _span(values: Iterable[Any]) -> str:
    ordered = sorted(values, key=float)
    low, high = ordered[0], ordered[-1]
    return str(low) if low == high else f"{low} to {high}"
