"""Previews of races: which candidates ``tune`` would try, which sizes ``scaling``, and how many models that trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autosynth.commands.preview import Preview, table_facts
from autosynth.exceptions import ConfigError
from autosynth.options import check_choice, check_number
from autosynth.plugins import AUTO, current_plugins
from autosynth.scaling.reserve import hold_back
from autosynth.scaling.sizes import default_sizes, read_sizes
from autosynth.seeding import as_generator
from autosynth.table import Table
from autosynth.tuning.arm import Arm, arms_of
from autosynth.tuning.candidate import SHIFT_WORDS
from autosynth.tuning.fold_source import plan_of
from autosynth.tuning.folds import Folds
from autosynth.tuning.label_codes import Coded
from autosynth.tuning.learners import make_learner
from autosynth.tuning.metrics import METRICS, Metric, positive_code
from autosynth.tuning.racer import racers_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["preview_scaling", "preview_tune", "race_facts"]

Facts = dict[str, Any]
Lines = list[tuple[str, object]]
OF_CURVE = 3  # models of every fold beside those of the sizes: plain, with class weights, with oversampling alone


def preview_tune(path: Path, frame: pd.DataFrame, *, writes: Mapping[Path, str], **given: Any) -> Preview:
    """Return the race that ``tune`` would run.

    Raises
    ------
    AutosynthError
        Whatever tuning would raise before the first model is trained.
    """
    table = Table.from_frame(frame, label=given.pop("label"), group_by=given.pop("group_by"))
    facts, line = table_facts(path, table)
    more, lines = race_facts(table, given.pop("random_state"), **given)
    return Preview(command="tune", facts={**facts, **more}, lines=[line, *lines], writes=writes)


def race_facts(
    table: Table,
    random_state: int,
    *,
    generators: Sequence[str] | None = None,
    ratios: Sequence[float] = (0.25, 1.0),
    augment: Sequence[int] = (0,),
    alphas: Sequence[float | None] = (None,),
    synthetic_weights: Sequence[float] = (0.3, 1.0),
    generator_options: Mapping[str, Mapping[str, Any]] | None = None,
    learner: Any = "xgboost",
    metric: Any = "balanced_cross_entropy",
    positive_class: Any = None,
    cv: int = 5,
    repeats: int = 1,
    time_budget_s: float | None = None,
    allow_remote: bool = False,
) -> tuple[Facts, Lines]:
    """Return what a race would try; arguments and errors are those of :func:`autosynth.tune`."""
    registry = current_plugins()
    named = registry.proposals(table) if generators is None else generators
    racers = racers_of(named, generator_options, registry, allow_remote=allow_remote)
    arms = arms_of(racers, ratios, augment, alphas, synthetic_weights)
    folds = Folds.of(table, cv=cv, repeats=repeats, random_state=random_state)
    judged, coded = Metric.of(metric), Coded.of(table)
    positive_code(positive_class, coded.classes)
    make_learner(learner, table.schema, len(coded.classes), 0)
    _check_budget(time_budget_s)
    rows = {arm: plan_of(arm, table).n_synthetic if arm.is_synthetic else 0 for arm in arms}
    n_models = sum(1 for arm in arms if rows[arm] or not arm.is_synthetic) * len(folds)
    facts: Facts = {
        "generators": list(racers),
        "candidates": [_candidate(arm, rows[arm]) for arm in arms],
        "metric": judged.name,
        **_work_facts(learner, folds, n_models, time_budget_s),
    }
    lines: Lines = [
        ("generators", ", ".join(racers) or "none"),
        ("candidates", "\n".join(_candidate_words(**candidate) for candidate in facts["candidates"])),
        ("each of them", ", ".join(SHIFT_WORDS[shift] or "as it comes" for shift in judged.shifts)),
        *_work_lines(judged.title, **facts),
    ]
    return facts, lines


def _candidate(arm: Arm, n_rows: int) -> Facts:
    return {"name": arm.name, "synthetic_rows": n_rows, "runs": n_rows > 0 or not arm.is_synthetic}


def _candidate_words(name: str, synthetic_rows: int, runs: bool) -> str:
    if not runs:
        return f"{name} (adds no row, so it is left out)"
    return f"{name} ({synthetic_rows} rows on the whole table)" if synthetic_rows else name


def preview_scaling(
    path: Path,
    frame: pd.DataFrame,
    *,
    label: str,
    group_by: list[str] | None,
    generator: str,
    generator_options: Mapping[str, Any],
    sizes: Sequence[int] | None,
    learner: str,
    metric: str,
    alpha: float | None,
    synthetic_weight: float,
    cv: int,
    repeats: int,
    reserve: float | None,
    time_budget_s: float | None,
    allow_remote: bool,
    random_state: int,
    writes: Mapping[Path, str],
) -> Preview:
    """Return the curve that ``scaling`` would measure; arguments are those of :func:`autosynth.scaling_curve`.

    Raises
    ------
    AutosynthError
        Whatever measuring would raise before the first model is trained.
    """
    check_choice("metric", metric, METRICS)
    fixed = None if sizes is None else read_sizes(sizes)
    _check_one(generator, generator_options, allow_remote=allow_remote)
    table = Table.from_frame(frame, label=label, group_by=group_by)
    facts, line = table_facts(path, table)
    held = None
    if reserve is not None:
        table, held = hold_back(table, reserve, as_generator(random_state))
    folds = Folds.of(table, cv=cv, repeats=repeats, random_state=random_state)
    chosen = fixed or default_sizes(table, folds.n_folds)
    arms_of([generator], (1.0,), chosen, (alpha,), (synthetic_weight,))  # raises where a weight is out of range
    make_learner(learner, table.schema, len(Coded.of(table).classes), 0)
    _check_budget(time_budget_s)
    real_sizes = () if held is None else held.sizes(chosen)
    n_models = (OF_CURVE + len(chosen) + len(real_sizes)) * len(folds)
    more: Facts = {
        "generator": generator,
        "sizes": list(chosen),
        "real_sizes": list(real_sizes),
        "n_held_back": 0 if held is None else len(held.frame),
        "metric": metric,
        **_work_facts(learner, folds, n_models, time_budget_s),
    }
    lines: Lines = [line, ("generator", generator), ("sizes", f"{_joined(chosen)} rows more for every group")]
    if held is not None:
        words = f"{_joined(real_sizes)} in place of synthetic ones; {len(held.frame)} are held back"
        lines.append(("real rows", words))
    lines += _work_lines(METRICS[metric].title, **more)
    return Preview(command="scaling", facts={**facts, **more}, lines=lines, writes=writes)


def _check_one(generator: str, options: Mapping[str, Any], *, allow_remote: bool) -> None:
    """Raise unless the curve of this generator can be measured here."""
    if generator == AUTO:
        raise ConfigError(f"a curve is that of one generator, and {AUTO!r} is a race of several. Name one.")
    racers_of([generator], {generator: options} if options else None, current_plugins(), allow_remote=allow_remote)


def _work_facts(learner: Any, folds: Folds, n_models: int, time_budget_s: float | None) -> Facts:
    return {
        "learner": learner if isinstance(learner, str) else repr(learner),
        "folds": len(folds),
        "models_at_most": n_models,
        "time_budget_s": time_budget_s,
    }


def _work_lines(
    title: str, /, *, learner: str, folds: int, models_at_most: int, time_budget_s: float | None, **_: Any
) -> Lines:
    ending = "" if time_budget_s is None else f", or fewer: no model is begun after {time_budget_s:g} s"
    return [
        ("judged by", f"{title} on real rows, {folds} folds"),
        ("trains", f"{learner}, {models_at_most} times at most{ending}"),
    ]


def _check_budget(seconds: float | None) -> None:
    if seconds is not None:
        check_number("time_budget_s", seconds, above=0)


def _joined(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
