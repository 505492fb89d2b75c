"""Small tables, a plugin registry of their own for tests, and a fake generator that lives in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from hypothesis import strategies as st

import autosynth
from autosynth import Group, SampledRows, Table, cli
from autosynth.plugins import PluginRegistry, use_plugins
from autosynth.toy import shortcut_table

# A run on another day tests the same cases, and a busy machine fails none of them for being slow.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

Answer = Callable[[Table, Mapping[Group, int], np.random.Generator], Any]


def real_rows(table: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> SampledRows:
    """Draw real rows of each group with replacement."""
    drawn = [rng.choice(table.positions(group), size=count) for group, count in counts.items()]
    parents = np.concatenate([np.empty(0, dtype=np.int64), *drawn])
    return SampledRows(table.frame.iloc[parents], parents=parents[:, None])


class ScriptedGenerator:
    """Answers with what ``answer(table, counts, rng)`` gives; by default, with copies of real rows."""

    def __init__(self, answer: Answer = real_rows, learn: Callable[[Table], Any] | None = None) -> None:
        self.answer = answer
        self.learn = learn

    def fit(self, table: Table, *, rng: np.random.Generator) -> Any:
        self.table_ = table
        return self if self.learn is None else self.learn(table)

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> Any:
        return self.answer(self.table_, counts, rng)


@pytest.fixture(scope="session")
def scripted() -> type[ScriptedGenerator]:
    """A generator class whose answer the test writes: ``scripted(lambda table, counts, rng: ...)``."""
    return ScriptedGenerator


class CommandRun(NamedTuple):
    """What a run of the command line left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., CommandRun]:
    """Run the command line in this process, in an empty folder: ``command("check", "real.csv", ...)``."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> CommandRun:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return CommandRun(int(stop.value.code or 0), printed.out, printed.err)

    return call


@pytest.fixture
def frame() -> pd.DataFrame:
    """120 patients, 30 of them ill; the group column is ``hospital``."""
    return shortcut_table(120, minority_share=0.25)


@pytest.fixture
def table(frame: pd.DataFrame) -> Table:
    """The same patients in the four groups ill x hospital."""
    return Table.from_frame(frame, label="ill", group_by="hospital")


@pytest.fixture(scope="session")
def plugin() -> Callable[..., ModuleType]:
    """Build a plugin module in memory: ``plugin(autosynth_keep_rows=lambda rows: ...)``."""

    def build(**hooks: Callable[..., Any]) -> ModuleType:
        module = ModuleType("plugin_in_memory")
        for name, function in hooks.items():
            setattr(module, name, autosynth.hookimpl(function))
        return module

    return build


@pytest.fixture
def registry(plugin: Callable[..., ModuleType]) -> Iterator[PluginRegistry]:
    """A fresh registry in force, whose one generator is called ``fake``."""
    fresh = PluginRegistry()
    offer = plugin(autosynth_register_generators=lambda register: register("fake", lambda _: ScriptedGenerator()))
    fresh.register(offer, name="fake_plugin", distribution="fake-distribution")
    with use_plugins(fresh):
        yield fresh


def _columns(values: st.SearchStrategy[Any], *dtypes: str, missing: bool = True) -> st.SearchStrategy[pd.Series]:
    cells = values | st.none() if missing else values
    return st.builds(
        lambda some, dtype: pd.Series(some, dtype=dtype),
        st.lists(cells, min_size=1, max_size=12),
        st.sampled_from(dtypes),
    )


def _moments(low: int, high: int) -> st.SearchStrategy[dt.datetime]:
    return st.datetimes(dt.datetime(low, 1, 1), dt.datetime(high, 1, 1))


@pytest.fixture(scope="session")
def number_like() -> st.SearchStrategy[pd.Series]:
    """Columns on the number line, of every kind: whole and decimal numbers, floats, dates and durations."""
    cents = st.builds(
        lambda number, places: round(number / 10**places, places), st.integers(-(10**9), 10**9), st.integers(0, 4)
    )
    finite = {"allow_nan": False, "allow_infinity": False}
    floats = st.floats(**finite)
    zoned = st.lists(_moments(1900, 2100) | st.none(), min_size=1, max_size=12).map(
        lambda some: pd.Series(pd.to_datetime(pd.Series(some, dtype="datetime64[ns]"), utc=True)).dt.tz_convert(
            "Asia/Tokyo"
        )
    )
    return st.one_of(
        _columns(st.integers(-(2**53), 2**53), "int64", missing=False),
        _columns(st.integers(-(2**53), 2**53), "Int64", "int64[pyarrow]"),
        _columns(st.integers(-128, 127), "int8", missing=False),
        _columns(st.integers(0, 255), "UInt8", "uint8[pyarrow]"),
        _columns(cents | floats, "float64", "Float64", "double[pyarrow]"),
        _columns(cents, "float64", "Float64", "double[pyarrow]"),
        _columns(st.floats(width=32, **finite), "float32", "Float32", "float[pyarrow]"),
        _columns(_moments(1830, 2110), "datetime64[ns]", "datetime64[us]", "timestamp[us][pyarrow]"),
        _columns(
            _moments(1900, 2100).map(lambda moment: moment.replace(microsecond=0)), "datetime64[s]", "datetime64[ms]"
        ),
        _columns(st.dates(dt.date(1700, 1, 1), dt.date(2200, 1, 1)), "date32[pyarrow]"),
        zoned,
        _columns(
            st.timedeltas(dt.timedelta(days=-30_000), dt.timedelta(days=30_000)),
            "timedelta64[ns]",
            "timedelta64[us]",
            "duration[us][pyarrow]",
        ),
    )


@pytest.fixture(scope="session")
def any_column(number_like: st.SearchStrategy[pd.Series]) -> st.SearchStrategy[pd.Series]:
    """Columns of every kind that a table may hold."""
    words = st.sampled_from(["red", "green", "blue", ""])
    return st.one_of(
        number_like,
        _columns(words, "object", "string", "string[pyarrow]", "category"),
        _columns(st.booleans(), "boolean", "bool[pyarrow]", "object"),
        _columns(st.booleans(), "bool", missing=False),
        _columns(st.integers(0, 3), "category"),
    )
