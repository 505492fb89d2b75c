from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

import autosynth
from autosynth import CheckResult, Table, hookspecs
from autosynth import plugins as plugins_module
from autosynth.cli import main
from autosynth.exceptions import (
    ConfigError,
    DataError,
    MissingExtraError,
    PluginError,
    PluginLoadError,
    UnknownGeneratorError,
)
from autosynth.plugins import PluginRegistry, current_plugins, use_plugins
from autosynth.toy import shortcut_table


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    n_neighbors: int = 5
    tags: tuple[str, ...] = dataclasses.field(default_factory=tuple)

    def __post_init__(self) -> None:
        if self.n_neighbors < 1:
            raise ValueError(f"n_neighbors={self.n_neighbors} is below 1.")


def fails(*_: object, **__: object) -> Any:
    raise ZeroDivisionError("no luck")


def offering(plugin: Callable[..., ModuleType], *names: str, **facts: Any) -> ModuleType:
    """Return a plugin that registers generators of these names."""

    def register_all(register: autosynth.Register) -> None:
        for name in names:
            register(name, facts.pop("factory", lambda options: options), **facts)

    return plugin(autosynth_register_generators=register_all)


def test_the_installed_plugins_are_found_by_their_entry_points() -> None:
    found = autosynth.generators()
    assert found["ros"].plugin == "ros"
    assert found["ros"].distribution == "autosynth"
    assert found["rows"].refits is False
    assert not found.broken


def test_a_registry_is_in_force_inside_its_block_only(registry: PluginRegistry) -> None:
    assert [info.name for info in autosynth.generators()] == ["fake"]
    with use_plugins(PluginRegistry()) as inner:
        assert current_plugins() is inner
    assert current_plugins() is registry


def test_generators_are_listed_by_name_with_owner_and_options(
    registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    registry.register(
        offering(
            plugin, "zeta", "alpha", options=Options, summary="letters", requires=("no_such_package.part",), extra="x"
        ),
        name="greek",
        distribution="hellas",
    )
    assert registry.names == ("alpha", "fake", "zeta")
    info = registry.info("alpha")
    assert (info.plugin, info.distribution, info.missing) == ("greek", "hellas", ["no_such_package"])
    assert info.defaults == {"n_neighbors": 5, "tags": ()}
    row = autosynth.generators().to_frame().set_index("name").loc["alpha"]
    assert row["install"] == "pip install 'hellas[x]'"
    assert not row["runs"]
    assert "needs no_such_package" in str(autosynth.generators())


def test_a_generator_that_sends_rows_away_is_listed_as_remote(
    registry: PluginRegistry, plugin: Callable[..., ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    class Far:
        def __init__(self, options: Any) -> None: ...

    registry.register(offering(plugin, "far", remote=True, factory=Far), name="far")
    with pytest.raises(SystemExit):
        main(["generators"])
    assert "remote: sends real rows to another machine, which may cost money per call" in capsys.readouterr().out
    assert {info.name: info.remote for info in autosynth.generators()} == {"fake": False, "far": True}
    assert autosynth.generators().to_frame().set_index("name")["remote"].to_dict() == {"fake": False, "far": True}
    assert [line.split()[0] for line in str(autosynth.generators()).splitlines() if "(remote)" in line] == ["far"]
    assert registry.is_remote(registry.build("far"))
    assert not registry.is_remote(registry.build("fake"))


def test_an_object_is_known_by_its_class_or_the_nearest_registered_base(
    registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    class Base: ...

    class Middle(Base): ...

    class Own(Middle): ...

    registry.register(offering(plugin, "base", factory=Base), name="base")
    registry.register(offering(plugin, "middle", factory=Middle), name="middle")
    known = [registry.info_of(made) for made in (Base(), Middle(), Own(), object())]  # type: ignore[arg-type]
    assert [info and info.name for info in known] == ["base", "middle", "middle", None]


def test_an_unknown_generator_is_answered_with_the_nearest(registry: PluginRegistry) -> None:
    message = r"generator='fakee' is not installed\. Did you mean 'fake'\? Installed: fake\."
    for ask in (registry.info, registry.build, autosynth.generators().__getitem__):
        with pytest.raises(UnknownGeneratorError, match=message) as caught:
            ask("fakee")
    assert (caught.value.name, caught.value.available) == ("fakee", ("fake",))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_neighbours": 3}, r"has no option 'n_neighbours'\. Did you mean 'n_neighbors'\? Options: n_neighbors=5"),
        ({"n_neighbors": 0}, "options of generator 'knn' are wrong: n_neighbors=0 is below 1"),
        ({"n_neighbors": "many"}, "options of generator 'knn' are wrong"),
        ("n_neighbors=3", "generator_options='n_neighbors=3' is a str. Give a mapping"),
    ],
)
def test_wrong_options_are_refused(
    registry: PluginRegistry, plugin: Callable[..., ModuleType], options: Any, message: str
) -> None:
    registry.register(offering(plugin, "knn", options=Options), name="knn")
    with pytest.raises(ConfigError, match=message):
        registry.build("knn", options)


def test_a_missing_package_is_named_with_the_pip_command(
    registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    needs = {"requires": ("no_such_package",)}
    registry.register(offering(plugin, "deep", extra="sdv", **needs), name="deep", distribution="autosynth")
    with pytest.raises(
        MissingExtraError, match=r"'no_such_package' is not installed\. .*'autosynth\[sdv\]'$"
    ) as caught:
        registry.build("deep")
    assert isinstance(caught.value, ImportError)
    registry.register(offering(plugin, "deeper", **needs), name="deeper", distribution="autosynth-deeper")
    with pytest.raises(MissingExtraError, match=r"Bring it with: pip install no_such_package$"):
        registry.build("deeper")
    assert registry.info("deeper").install == "pip install no_such_package"
    assert registry.info("fake").install == ""
    registry.register(offering(plugin, "draft", extra="deep", **needs), name="draft")  # of no distribution yet
    assert registry.info("draft").install == "pip install no_such_package"


def test_a_factory_that_raises_names_its_plugin(registry: PluginRegistry, plugin: Callable[..., ModuleType]) -> None:
    registry.register(offering(plugin, "bad", factory=fails), name="bad", distribution="bad-dist")
    with pytest.raises(PluginError, match="plugin 'bad' of bad-dist raised while it built 'bad': ZeroDivision"):
        registry.build("bad")


def test_a_name_with_two_owners_is_refused_with_both(
    registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    message = "'fake' is taken: 'fake_plugin' of fake-distribution registered it before 'second' of other-dist"
    with pytest.raises(PluginLoadError, match=message) as caught:
        registry.register(offering(plugin, "mine", "fake"), name="second", distribution="other-dist")
    assert isinstance(caught.value.__cause__, ConfigError)
    assert registry.names == ("fake",)
    assert registry.implementers("autosynth_register_generators") == ["fake_plugin"]


@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        ({"autosynth_keep_row": lambda rows: None}, "unknown hook 'autosynth_keep_row'"),
        ({"autosynth_keep_rows": lambda rows, label: None}, r"(?s:.)*\{'label'\} are declared"),
        ({"autosynth_register_generators": fails}, "no luck"),
        ({"autosynth_register_generators": lambda register: register("x", fails, sumary="?")}, "sumary"),
        ({"autosynth_register_generators": lambda register: register("x", fails, options=dict)}, "is no dataclass"),
        ({"autosynth_register_generators": lambda register: register("auto", fails)}, "'auto' is reserved"),
    ],
)
def test_a_plugin_that_cannot_be_registered_leaves_nothing_behind(
    registry: PluginRegistry, plugin: Callable[..., ModuleType], hooks: dict[str, Any], message: str
) -> None:
    with pytest.raises(PluginLoadError, match=f"plugin 'bad' of bad-dist could not be loaded: .*{message}") as caught:
        registry.register(plugin(**hooks), name="bad", distribution="bad-dist")
    assert caught.value.__cause__ is not None
    assert registry.names == ("fake",)
    assert registry.implementers("autosynth_keep_rows") == []
    registry.register(offering(plugin, "good"), name="good")
    assert registry.names == ("fake", "good")


def test_registering_a_plugin_again_is_refused_and_keeps_the_first(
    registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    filters = plugin(autosynth_keep_rows=lambda rows: None)
    registry.register(filters, name="filters")
    for module, name in ((filters, "again"), (plugin(), "filters")):
        with pytest.raises(PluginLoadError, match="it, or its name, is registered"):
            registry.register(module, name=name)
    assert registry.implementers("autosynth_keep_rows") == ["filters"]


def test_broken_entry_points_are_listed_while_the_others_work(
    monkeypatch: pytest.MonkeyPatch, plugin: Callable[..., ModuleType]
) -> None:
    good = offering(plugin, "good")
    loads = {"good": lambda: good, "at_import": fails, "misspelt": lambda: plugin(autosynth_keeprows=lambda: None)}
    loads["duplicate"] = lambda: offering(plugin, "good")
    monkeypatch.setattr(EntryPoint, "load", lambda point: loads[point.name]())
    monkeypatch.setattr(
        plugins_module, "entry_points", lambda group: [EntryPoint(name, "module", group) for name in loads]
    )
    registry = PluginRegistry.from_entry_points()
    assert registry.names == ("good",)
    assert registry.info("good").plugin == "duplicate"  # entry points load in the order of their names
    assert sorted(registry.broken) == ["at_import", "good", "misspelt"]
    message = str(registry.broken["at_import"])
    assert (
        message == "plugin 'at_import' of an unknown distribution could not be imported: ZeroDivisionError('no luck')"
    )
    assert isinstance(registry.broken["at_import"].__cause__, ZeroDivisionError)
    with use_plugins(registry):
        assert "broken: plugin 'misspelt'" in str(autosynth.generators())


def test_our_own_names_go_to_our_own_plugins_whoever_asks_for_them(
    monkeypatch: pytest.MonkeyPatch, plugin: Callable[..., ModuleType]
) -> None:
    from importlib.metadata import distribution

    ours = next(point for point in distribution("autosynth").entry_points if point.name == "smote")
    theirs = EntryPoint("a_first_name", "module", "autosynth")
    loads = {"smote": lambda: offering(plugin, "smote"), "a_first_name": lambda: offering(plugin, "smote")}
    monkeypatch.setattr(EntryPoint, "load", lambda point: loads[point.name]())
    monkeypatch.setattr(plugins_module, "entry_points", lambda group: [theirs, ours])
    registry = PluginRegistry.from_entry_points()
    assert registry.info("smote").plugin == "smote"
    assert list(registry.broken) == ["a_first_name"]


@pytest.mark.parametrize(
    "hook",
    sorted(
        name for name in vars(hookspecs) if name.startswith("autosynth_") and name != "autosynth_register_generators"
    ),
)
def test_a_hook_that_raises_ends_the_call_and_names_its_plugin(
    registry: PluginRegistry, plugin: Callable[..., ModuleType], hook: str
) -> None:
    registry.register(plugin(**{hook: lambda: fails()}), name="bad")
    with pytest.raises(PluginError, match=f"plugin 'bad' raised in {hook}: ZeroDivisionError") as caught:
        registry.call(hook)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_errors_of_ours_pass_through_hooks_unchanged(
    registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    def refuses() -> None:
        raise DataError("no such discharge")

    registry.register(plugin(autosynth_rebalanced=refuses), name="strict")
    with pytest.raises(DataError, match=r"^no such discharge$"):
        registry.call("autosynth_rebalanced")


def test_the_first_answer_wins_where_the_hook_says_so_and_defaults_come_last(
    registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    default = ModuleType("default")
    default.autosynth_run_suite = autosynth.hookimpl(lambda: "default", trylast=True)
    registry.register(plugin(autosynth_run_suite=lambda: None), name="passes")
    registry.register(plugin(autosynth_run_suite=lambda: "mine"), name="runs")
    registry.register(default, name="default")
    assert registry.call("autosynth_run_suite") == ["mine"]


def proposing(plugin: Callable[..., ModuleType], name: str, proposed: Any, **facts: Any) -> ModuleType:
    """Build a plugin that registers one generator and proposes names."""
    return plugin(
        autosynth_register_generators=lambda register: register(name, lambda options: options, **facts),
        autosynth_propose_generators=lambda schema, groups: proposed,
    )


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_proposals_of_all_plugins_are_joined_in_any_order_without_those_that_cannot_run(
    registry: PluginRegistry, plugin: Callable[..., ModuleType], table: Table, order: tuple[str, str]
) -> None:
    plugins = {
        "one": proposing(plugin, "near", ["near", "fake"]),
        "two": proposing(plugin, "deep", ("deep", "fake"), requires=("no_such_package",)),
    }
    for name in order:
        registry.register(plugins[name], name=name)
    registry.register(plugin(autosynth_propose_generators=lambda: None), name="silent")
    assert registry.proposals(table) == ("fake", "near")


def test_plugins_are_told_the_real_rows_of_every_group_before_they_propose(
    registry: PluginRegistry, plugin: Callable[..., ModuleType], table: Table
) -> None:
    heard: dict[str, Any] = {}
    registry.register(plugin(autosynth_propose_generators=lambda schema, groups: heard.update(locals())), name="hears")
    assert registry.proposals(table) == ()
    assert heard["schema"] is table.schema
    assert heard["groups"] == dict(zip(table.groups, table.group_sizes, strict=True))


@pytest.mark.parametrize(
    ("proposed", "facts", "message"),
    [
        (["nerar"], {}, "proposes the generator 'nerar', which nobody registered. Did you mean 'near'?"),
        ("near", {}, "proposes the text 'near'. Return a sequence of names"),
        (["near"], {"remote": True}, "proposes the generator 'near', which sends rows to another machine"),
        (["near"], {"refits": False}, "proposes the generator 'near', which learns nothing from the rows"),
    ],
)
def test_a_proposal_that_cannot_be_raced_names_its_plugin(
    registry: PluginRegistry,
    plugin: Callable[..., ModuleType],
    table: Table,
    proposed: Any,
    facts: dict[str, Any],
    message: str,
) -> None:
    registry.register(proposing(plugin, "near", proposed, **facts), name="odd")
    with pytest.raises(PluginError, match="plugin 'odd' " + re.escape(message)):
        registry.proposals(table)


def test_checks_of_plugins_join_the_report(
    frame: pd.DataFrame, registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    verdict = CheckResult(name="adults", subject="all rows", passed=False, observed=1, limit=0)
    registry.register(plugin(autosynth_check_rows=lambda synthetic: [verdict]), name="adults")
    report = autosynth.check(frame, shortcut_table(120, minority_share=0.25, random_state=1), label="ill")
    assert report.failures == (verdict,)
    assert not report.passed
    registry.register(plugin(autosynth_check_rows=lambda synthetic: verdict), name="careless")
    with pytest.raises(PluginError, match="plugin 'careless' answered autosynth_check_rows with CheckResult"):
        autosynth.check(frame, frame, label="ill")
