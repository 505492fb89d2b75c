"""Completions: what a shell offers for a half-typed value, from the plugins installed and the file named already.

A completion that fails offers nothing: an error between two key strokes would help nobody.
"""

from __future__ import annotations

import csv
import gzip
import os
import re
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import typer

from autosynth.plugins import AUTO, current_plugins

__all__ = [
    "check_names",
    "choices",
    "classes",
    "columns",
    "files_of_settings",
    "generator_names",
    "generator_options",
    "generators_and_auto",
    "learners",
    "metrics",
]

Offer: TypeAlias = "list[tuple[str, str]]"  # value and what it is
TABLES = ("train", "real", "predictions")  # arguments that name a table
FEW_ROWS = 2000  # are read to learn the classes
MOST_CLASSES = 50


def choices(*values: str) -> Callable[[str], Offer]:
    """Return what completes an option that takes one of a few words."""

    def complete(incomplete: str) -> Offer:
        return [(value, "") for value in values if value.startswith(incomplete)]

    return complete


def generator_names(incomplete: str) -> Offer:
    """Offer installed generators, with what they are; after a comma, the next one of several."""
    before, comma, last = incomplete.rpartition(",")
    infos = [info for info in current_plugins().generators if info.name.startswith(last)]
    return [(f"{before}{comma}{info.name}", info.summary) for info in infos]


def generators_and_auto(incomplete: str) -> Offer:
    """Offer installed generators and the race between them."""
    race = [(AUTO, "a race on the real rows decides, also for none")] if AUTO.startswith(incomplete) else []
    return generator_names(incomplete) + race


def generator_options(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer the options of the generators named so far, with their defaults; with several, as generator.name."""
    named = ctx.params.get("generator") or ctx.params.get("generators") or []
    is_race = not isinstance(named, str)
    names = [named] if isinstance(named, str) else [part.strip() for text in named for part in text.split(",")]
    infos = [info for info in current_plugins().generators if info.name in names]
    offers = [
        (f"{info.name + '.' if is_race else ''}{name}={default}", f"option of {info.name}")
        for info in infos
        for name, default in info.defaults.items()
    ]
    return [(text, words) for text, words in offers if text.startswith(incomplete)]


def columns(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer the columns of the table that is named already, on the command line or in the settings."""
    path = _table(ctx)
    return _for_shell(() if path is None else _header(path), incomplete)


def classes(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer the classes of the label column that is named already."""
    path, label = _table(ctx), ctx.params.get("label")
    return _for_shell(() if path is None or label is None else _classes(path, label), incomplete)


def learners(incomplete: str) -> Offer:
    """Offer what can be trained in a race by name: XGBoost, and what plugins with learners are called."""
    from autosynth.tuning.learners import HOOK, XGBOOST

    return choices(XGBOOST, *current_plugins().implementers(HOOK))(incomplete)


def metrics(incomplete: str) -> Offer:
    """Offer what can decide a race."""
    from autosynth.tuning.metrics import METRICS

    return [(name, metric.title) for name, metric in METRICS.items() if name.startswith(incomplete)]


def check_names(incomplete: str) -> Offer:
    """Offer the checks by name, with the question that each asks."""
    from autosynth.checks.families import FAMILIES

    return [(name, family.sentence) for name, family in FAMILIES.items() if name.startswith(incomplete)]


def files_of_settings(incomplete: str) -> Offer:
    """Offer TOML files beside what is typed, and the word that reads none."""
    typed = Path(incomplete)
    folder = typed if incomplete.endswith("/") else typed.parent
    found = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    return [(text, "") for text in (*map(str, found), "none") if text.startswith(incomplete)]


def _table(ctx: typer.Context) -> Path | None:
    """Return the table that is named already; while an option waits for its value, it is a word not yet read."""
    named = (ctx.params.get(name) for name in TABLES)
    path = next((path for path in (*named, *ctx.args) if path is not None), None)
    return None if path is None else Path(path)


def _for_shell(values: Iterable[str], incomplete: str) -> Offer:
    """Return the values that go on as typed; Bash alone wants them quoted as they would have to be typed."""
    fitting = [value for value in values if value.startswith(incomplete)]
    is_bash = os.environ.get("_AUTOSYNTH_COMPLETE", "").endswith("_bash")
    quoted = (re.sub(r"([^\w@%+=:,./-])", r"\\\1", value) if is_bash else value for value in fitting)
    return [(value, "") for value in quoted if value.startswith(incomplete)]


def _header(path: Path) -> list[str]:
    """Return the column names of a file without reading its rows; empty where it cannot be read."""
    try:
        if path.suffix in (".parquet", ".pq"):
            from pyarrow import parquet

            return [str(name) for name in parquet.read_schema(path).names]
        return next(_lines(path), [])
    except (OSError, ValueError, csv.Error):
        return []


def _classes(path: Path, label: str) -> list[str]:
    try:
        if path.suffix in (".parquet", ".pq"):
            from pyarrow import parquet

            cells: Iterable[Any] = parquet.read_table(path, columns=[label])[label].to_pylist()
        else:
            lines = islice(_lines(path), FEW_ROWS)
            position = list(next(lines, ())).index(label)
            cells = [line[position] for line in lines if len(line) > position]
    except (OSError, ValueError, KeyError, csv.Error):
        return []
    found = sorted({str(cell) for cell in cells if cell not in (None, "")})
    return found if len(found) <= MOST_CLASSES else []


def _lines(path: Path) -> Any:
    open_text = gzip.open if path.suffix == ".gz" else open
    with open_text(path, "rt", newline="", encoding="utf-8-sig") as stream:
        yield from csv.reader(stream)
