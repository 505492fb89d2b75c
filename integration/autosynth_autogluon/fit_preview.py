"""What ``autosynth fit --dry-run`` prints: the three fits, and the rows that the third one would make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from autosynth import SamplingPlan, Table
from autosynth.auto import AutoOptions, is_auto
from autosynth.checks.rule_record import RuleRecord
from autosynth.checks.rules import as_rules
from autosynth.commands.preview import Preview, table_facts
from autosynth.exceptions import ConfigError, DataError, MissingExtraError, TooFewRowsError
from autosynth.extras import missing_modules
from autosynth.options import check_choice, check_number
from autosynth.plugins import current_plugins
from autosynth.wanted_rows import resolve_generator
from autosynth_autogluon.config import FoldCheck
from autosynth_autogluon.consent import check_consent

if TYPE_CHECKING:
    import pandas as pd


def preview_fit(
    path: Path,
    train: pd.DataFrame,
    test: pd.DataFrame | None,
    *,
    label: str,
    group_by: list[str] | None,
    generator: str,
    generator_options: Mapping[str, Any],
    folds: int,
    ratio: float,
    synthetic_weight: float,
    check: str,
    rules: list[str],
    allow_remote: bool,
    models: Mapping[str, Any],
    time_limit: float | None,
    writes: Mapping[Path, str],
) -> Preview:
    """Return what ``fit`` would do with these arguments; AutoGluon is not loaded for it.

    Raises
    ------
    AutosynthError
        What is wrong with the tables, the generator or the options, or that AutoGluon is not installed.
    """
    if missing_modules(["autogluon.tabular"]):
        raise MissingExtraError("autogluon.tabular", "autogluon")
    table = Table.from_frame(train, label=label, group_by=group_by)
    _check_table(table, test, folds)
    check_choice("check", check, get_args(FoldCheck))
    if time_limit is not None:
        check_number("time_limit", time_limit, above=0)
    facts, line = table_facts(path, table)
    plan = SamplingPlan.make(table, strategy="balance" if ratio == 1 else ratio, synthetic_weight=synthetic_weight)
    more: dict[str, Any] = {
        "fits": ["plain", "balanced weights", f"in-fold {generator}"],
        "generator": generator,
        "options": dict(generator_options),
        "folds": folds,
        "n_test": None if test is None else len(test),
        "check": check,
        "rules": [str(RuleRecord.of(rule, table).rule) for rule in as_rules(rules)],
        "models": dict(models),
        "time_limit_s": time_limit,
    }
    lines: list[tuple[str, object]] = [
        line,
        ("test rows", "a quarter of these, set aside" if test is None else f"{len(test)} rows of their own"),
        ("fits", f"plain; with balanced weights; with rows of {generator!r} in each of {folds} folds"),
        ("models", ", ".join(f"{name} {value}" for name, value in models.items() if value) or "AutoGluon's defaults"),
        ("time", "no limit" if time_limit is None else f"{time_limit:g} s for each of the three fits"),
    ]
    if is_auto(generator):
        AutoOptions.of(generator_options)
        lines.append(("rows", "a race in every fold decides"))
    else:
        resolve_generator(generator, generator_options, current_plugins())
        info = current_plugins().info(generator)
        check_consent(info, allowed=allow_remote, generator_options=generator_options, n_generations=f"{folds} here")
        more["plan"] = plan.to_dict()
        words = f"every fold sees {folds - 1} of {folds} parts of the training rows; for all of them:"
        lines.append(("rows", f"{words}\n{plan}"))
    return Preview(command="fit", facts={**facts, **more}, lines=lines, writes=writes)


def _check_table(table: Table, test: pd.DataFrame | None, folds: int) -> None:
    """Raise where the label holds no classes, a class has too few rows for the folds, or the test lacks a column."""
    if table.label not in table.fixed_columns:
        raise ConfigError(
            f"label {table.label!r} reads as a quantity (regression). Compare arms on a label with classes."
        )
    sizes = table.frame[table.label].value_counts()
    small = {str(name): int(size) for name, size in sizes.items() if size < folds}
    if small:
        raise TooFewRowsError(
            f"classes with too few training rows for {folds} folds: {small}. Use fewer --folds, join these classes "
            "with others, or drop them."
        )
    absent = [] if test is None else [name for name in table.frame.columns if name not in test.columns]
    if absent:
        raise DataError(f"the test rows lack the columns {absent}. They need all columns of the training rows.")
