"""Settings that the command line leaves out: from the environment, from autosynth.toml, from pyproject.toml."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from autosynth.commands.option_kinds import OptionKind
from autosynth.commands.options import Label, parse_options
from autosynth.files import write_table
from autosynth.plugins import PluginRegistry, use_plugins

Run = Callable[..., Any]


@pytest.fixture
def run(command: Run, frame: pd.DataFrame, tmp_path: Path) -> Run:
    """Run the command line in a folder with a table."""
    write_table(frame, tmp_path / "train.csv")
    return command


@pytest.fixture
def preview(run: Run) -> Callable[..., dict[str, Any]]:
    """Return what a dry run of ``rebalance`` says, and what it tells on stderr under "told"."""

    def call(*arguments: object) -> dict[str, Any]:
        answer = run("rebalance", *arguments, "--dry-run", "--json")
        assert answer.code == 0, answer.err
        return {**json.loads(answer.out), "told": answer.err}

    return call


def write(folder: Path, text: str, name: str = "autosynth.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


WHOLE = """
label = "ill"
seed = 7

[rebalance]
train = "train.csv"
out = "out.csv"
group_by = "hospital"
strategy = 0.5
option = { k_neighbors = 3 }
"""


def test_a_file_gives_what_the_command_line_leaves_out_and_says_so(
    preview: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    write(tmp_path, WHOLE)
    found = preview()
    assert found["table"]["group_by"] == ["hospital"]
    assert found["options"]["k_neighbors"] == 3
    assert [row["total"] for row in found["plan"]["groups"]] == [81, 40, 40, 40]
    assert found["random_state"] == 7
    assert [entry["path"] for entry in found["writes"]] == ["out.csv"]
    assert found["told"] == ("settings from autosynth.toml: label, seed, train, out, group-by, strategy, option\n")


def test_the_command_line_beats_the_environment_which_beats_the_file(
    preview: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, WHOLE)
    monkeypatch.setenv("AUTOSYNTH_SEED", "8")
    assert preview()["random_state"] == 8
    assert "settings from the environment: AUTOSYNTH_SEED\n" in preview()["told"]
    monkeypatch.setenv("AUTOSYNTH_REBALANCE_SEED", "9")
    assert preview()["random_state"] == 9
    found = preview("--seed", 10)
    assert found["random_state"] == 10
    assert "seed" not in found["told"].lower()


def test_a_table_beats_what_stands_at_the_top(preview: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    write(tmp_path, 'label = "ill"\nseed = 1\n[tune]\nseed = 2\n[rebalance]\nout = "o.csv"\nseed = 3\n')
    assert preview("train.csv")["random_state"] == 3


def test_an_option_that_can_be_repeated_is_replaced_as_a_whole(
    preview: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    write(tmp_path, 'label = "ill"\ngroup-by = ["hospital", "ward"]\n')
    rest = ("train.csv", "--out", "o.csv")
    assert preview(*rest)["table"]["group_by"] == ["hospital", "ward"]
    assert preview(*rest, "--group-by", "smoker")["table"]["group_by"] == ["smoker"]
    write(tmp_path, 'label = "ill"\ngroup-by = ["hospital", "ward"]\n[rebalance]\ngroup-by = "smoker"\n')
    assert preview(*rest)["table"]["group_by"] == ["smoker"]


def test_a_name_of_a_command_and_of_an_option_is_one_as_a_table_and_the_other_as_a_value(
    run: Run, preview: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    gate = ("check", "train.csv", "train.csv", "--dry-run", "--json")
    write(tmp_path, 'label = "ill"\n[rebalance]\ncheck = "raise"\n[check]\nfail-on = "warning"\n')
    assert preview("train.csv", "--out", "o.csv")["check"] == "raise"
    assert json.loads(run(*gate).out)["fail_on"] == "warning"
    write(tmp_path, 'label = "ill"\ncheck = "off"\n')
    assert preview("train.csv", "--out", "o.csv")["check"] == "off"
    assert json.loads(run(*gate).out)["fail_on"] == "critical"


def test_a_flag_of_the_file_can_be_taken_back(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, WHOLE + "json = true\ndry-run = true\n")
    assert json.loads(run("rebalance").out)["dry_run"] is True
    assert run("rebalance", "--no-json").out.startswith("Dry run of `autosynth rebalance`")
    monkeypatch.setenv("AUTOSYNTH_JSON", "off")
    assert run("rebalance").out.startswith("Dry run of `autosynth rebalance`")


def test_without_settings_nothing_is_said(preview: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    write(tmp_path, 'seed = 1\nlabel = "ill"\n')
    assert preview("train.csv", "--label", "ill", "--out", "o.csv", "--seed", 2)["told"] == ""


def test_pyproject_is_read_where_there_is_no_file_of_our_own(
    preview: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    write(tmp_path, '[tool.autosynth]\nlabel = "ill"\nseed = 5\n', "pyproject.toml")
    found = preview("train.csv", "--out", "o.csv")
    assert found["random_state"] == 5
    assert found["told"] == "settings from [tool.autosynth] of pyproject.toml: label, seed\n"
    write(tmp_path, 'label = "ill"\n')
    found = preview("train.csv", "--out", "o.csv")
    assert found["random_state"] == 0
    assert found["told"] == "settings from autosynth.toml: label; [tool.autosynth] of pyproject.toml is not read\n"


@pytest.mark.parametrize("text", ["[tool.other]\nbroken = \n", '[project]\nname = "autosynth-demo"\n'])
def test_another_ones_pyproject_is_no_concern_of_ours(
    preview: Callable[..., dict[str, Any]], tmp_path: Path, text: str
) -> None:
    write(tmp_path, text, "pyproject.toml")
    assert preview("train.csv", "--label", "ill", "--out", "o.csv")["told"] == ""


def test_a_pyproject_that_is_not_read_need_not_be_readable(
    preview: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    write(tmp_path, "[tool.autosynth]\nbroken = ", "pyproject.toml")
    write(tmp_path, 'label = "ill"\n')
    assert preview("train.csv", "--out", "o.csv")["told"] == "settings from autosynth.toml: label\n"


def test_a_file_from_an_editor_that_marks_its_encoding_is_read(
    preview: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    write(tmp_path, '\ufefflabel = "ill"\r\nseed = 4\r\n')
    assert preview("train.csv", "--out", "o.csv")["random_state"] == 4


def test_a_file_can_be_named_before_or_after_the_command_or_in_the_environment(
    run: Run, preview: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 'label = "ill"\nseed = 1\n')
    write(tmp_path, 'label = "ill"\nseed = 2\n', "other.toml")
    write(tmp_path, '[tool.autosynth]\nlabel = "ill"\nseed = 3\n', "pyproject.toml")
    rest = ("train.csv", "--out", "o.csv")
    assert preview(*rest, "--config", "other.toml")["random_state"] == 2
    answer = run("--config", "other.toml", "rebalance", *rest, "--dry-run", "--json")
    assert json.loads(answer.out)["random_state"] == 2
    assert preview(*rest, "--config", "pyproject.toml")["random_state"] == 3
    monkeypatch.setenv("AUTOSYNTH_CONFIG", "other.toml")
    assert preview(*rest)["random_state"] == 2
    assert preview(*rest, "--config", "none", "--label", "ill")["random_state"] == 0


def test_options_of_generators_are_tables(run: Run, tmp_path: Path) -> None:
    write(tmp_path, 'label = "ill"\n[tune]\ngenerator = ["smote"]\n[tune.option.smote]\nk_neighbors = 2\n')
    good = run("tune", "train.csv", "--dry-run", "--json")
    assert good.code == 0, good.err
    assert json.loads(good.out)["generators"] == ["smote"]
    write(tmp_path, 'label = "ill"\n[tune]\ngenerator = ["smote"]\n[tune.option.smote]\nk_neighbours = 2\n')
    bad = run("tune", "train.csv", "--dry-run")
    assert bad.code == 2
    assert "Did you mean 'k_neighbors'?" in bad.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('lable = "ill"', "autosynth.toml: key 'lable' at the top is unknown. Did you mean 'label'?"),
        ("[rebalence]\nseed = 1", "table [rebalence] names no command. Did you mean 'rebalance'?"),
        ("[rebalance]\ncv = 3", "key 'cv' in [rebalance] is unknown."),
        ("[rebalance]\nsede = 3", "key 'sede' in [rebalance] is unknown. Did you mean 'seed'?"),
        (
            "[rebalance]\nk_neighbors = 3",
            "(borderline_smote, smote): write option = { k_neighbors = ... }.",
        ),
        ('seed = "three"', "seed = 'three' at the top must be a whole number."),
        ("seed = 1.5", "seed = 1.5 at the top must be a whole number."),
        ("seed = true", "seed = True at the top must be a whole number."),
        ("[rebalance]\nout = 3", "out = 3 in [rebalance] must be the path of a file or folder as a text.\n"),
        ("[rebalance]\nalpha = [0.1]", "alpha = [0.1] in [rebalance] must be a number."),
        ("alpha = [0.1, 0.2]", "must be a number. What commands read differently goes into the tables of each"),
        ("[rebalance]\ngroup_by = [true]", "must be a text or a number, or a list of such."),
        ('json = "yes"', "json = 'yes' at the top must be true or false."),
        ("[rebalance]\noption = 3", "must be a table such as {k_neighbors = 3}, or a list of texts"),
        ("[tune]\nallow-remote = true", "allow-remote in [tune] is a consent, which no file can give."),
        ("[tune.option.llm_api]\napi_key = 'x'", "option 'api_key' looks like a secret"),
        ("[rebalance]\noption = ['api_key=x']", "option 'api_key' looks like a secret"),
        ("[rebalance]\nconfig = 'x'", "key 'config' in [rebalance] is unknown."),
        ("group-by = 'a'\ngroup_by = 'b'", "'group-by' and 'group_by' at the top are the same. Keep one of them."),
        ("[tune]\ntime_budget = 1\ntime-budget = 2", "'time_budget' and 'time-budget' in [tune] are the same."),
        ("[new-plugin]\nkind = 'both'\n[new_plugin]\nkind = 'checks'", "'new-plugin' and 'new_plugin' at the top"),
        ("[tool.autosynth]\nseed = 1", "table [tool] names no command. Only pyproject.toml has it: leave it out here."),
        ("rebalance = 3", "rebalance = 3 is no table. Settings of that command stand under [rebalance]."),
        ("label = ", "autosynth.toml could not be read as TOML: Invalid value (at"),
    ],
)
def test_a_file_with_a_slip_is_refused_whichever_command_reads_it(
    run: Run, tmp_path: Path, text: str, message: str
) -> None:
    write(tmp_path, text)
    for arguments in (["rebalance", "train.csv", "--label", "ill", "--out", "o.csv"], ["generators"]):
        answer = run(*arguments)
        assert (answer.code, answer.out) == (2, "")
        assert message in answer.err
        assert answer.err.startswith("error: ")
    assert not (tmp_path / "o.csv").exists()


def test_a_file_that_was_named_must_be_there(run: Run, tmp_path: Path) -> None:
    answer = run("rebalance", "--config", "none.toml")
    assert answer.code == 2
    assert "settings file 'none.toml' is not a file. Give --config or AUTOSYNTH_CONFIG the path" in answer.err
    write(tmp_path, "[tool.other]\n", "pyproject.toml")
    assert "has no table [tool.autosynth]" in run("rebalance", "--config", "pyproject.toml").err


def test_help_and_version_are_there_whatever_the_file_says(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "broken")
    assert run("rebalance", "--help").code == 0
    assert run("--version").code == 0


def test_a_file_that_lies_in_the_folder_sends_no_rows_away(run: Run, tmp_path: Path) -> None:
    write(tmp_path, 'label = "ill"\n[rebalance]\nout = "o.csv"\ngenerator = "llm_api"\n')
    answer = run("rebalance", "train.csv", "--dry-run")
    assert answer.code == 2
    assert "which sends real rows to another machine" in answer.err
    assert "give --generator on the command line" in answer.err
    endpoint = 'model = "small"\nbase_url = "http://x.test/v1"\n'
    write(tmp_path, f'label = "ill"\n[rebalance]\nout = "o.csv"\n[rebalance.option]\n{endpoint}')
    answer = run("rebalance", "train.csv", "--generator", "llm_api", "--dry-run")
    assert (answer.code, "autosynth.toml sets option for 'llm_api'" in answer.err) == (2, True)
    named = run("rebalance", "train.csv", "--generator", "llm_api", "--dry-run", "--config", "autosynth.toml")
    assert named.code == 0, named.err
    assert "http://x.test/v1" in named.out


def test_consent_may_stand_in_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    race = ("tune", "train.csv", "--label", "ill", "--generator", "llm_api", "--option", "llm_api.model=small")
    refused = run(*race, "--dry-run")
    assert (refused.code, "sends real rows to another machine" in refused.err) == (2, True)
    for text, code in (("no", 2), ("yes", 0)):
        monkeypatch.setenv("AUTOSYNTH_ALLOW_REMOTE", text)
        assert run(*race, "--dry-run").code == code


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("AUTOSYNTH_SEED", "three", "environment variable AUTOSYNTH_SEED='three' must be a whole number."),
        ("AUTOSYNTH_ALPHA", "1e", "environment variable AUTOSYNTH_ALPHA='1e' must be a number."),
        ("AUTOSYNTH_JSON", "maybe", "environment variable AUTOSYNTH_JSON='maybe' must be true or false."),
        ("AUTOSYNTH_GROUP_BY", "[[1]]", "must be a text or a number, or a list of such."),
    ],
)
def test_a_variable_of_another_type_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, text: str, message: str
) -> None:
    monkeypatch.setenv(variable, text)
    answer = run("rebalance", "train.csv", "--label", "ill", "--out", "o.csv")
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_lists_in_the_environment_are_json_or_one_value(
    preview: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = ("train.csv", "--label", "ill", "--out", "o.csv")
    monkeypatch.setenv("AUTOSYNTH_GROUP_BY", "hospital")
    assert preview(*rest)["table"]["group_by"] == ["hospital"]
    monkeypatch.setenv("AUTOSYNTH_GROUP_BY", '["hospital", "ward"]')
    assert preview(*rest)["table"]["group_by"] == ["hospital", "ward"]
    monkeypatch.setenv("AUTOSYNTH_OPTION", '{"k_neighbors": 2}')
    assert preview(*rest)["options"]["k_neighbors"] == 2
    monkeypatch.setenv("AUTOSYNTH_SEED", "")
    assert preview(*rest)["random_state"] == 0


def test_a_variable_that_nobody_reads_is_told_where_it_looks_like_a_slip(
    preview: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOSYNTH_SEDE", "3")
    monkeypatch.setenv("AUTOSYNTH_OF_MY_OWN_SCRIPT", "3")
    told = preview("train.csv", "--label", "ill", "--out", "o.csv")["told"]
    assert told == "warning: environment variable AUTOSYNTH_SEDE is not read. Did you mean AUTOSYNTH_SEED?\n"


def test_commands_of_plugins_take_settings_too_and_leave_with_their_plugin(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    registry: PluginRegistry,
    plugin: Callable[..., ModuleType],
) -> None:
    def add(app: typer.Typer) -> None:
        @app.command()
        def count(train: str, label: Label, at_most: int = 9) -> None:
            typer.echo(f"{train} {label} {at_most}")

    registry.register(plugin(autosynth_register_commands=add), name="counter")
    write(tmp_path, 'label = "ill"\n[count]\ntrain = "t.csv"\nat-most = 3\n')
    assert run("count").out == "t.csv ill 3\n"
    monkeypatch.setenv("AUTOSYNTH_COUNT_AT_MOST", "4")
    assert run("count").out == "t.csv ill 4\n"
    write(tmp_path, "[count]\nat-least = 3\n")
    assert "key 'at-least' in [count] is unknown. Did you mean 'at-most'?" in run("count").err
    with use_plugins(PluginRegistry()):
        assert "table [count] names no command." in run("generators").err


def test_a_plugin_takes_no_command_from_us(
    run: Run, registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    def add(app: typer.Typer) -> None:
        @app.command()
        def new_plugin(train: str) -> None: ...

    registry.register(plugin(autosynth_register_commands=add), name="thief")
    answer = run("new-plugin", "--help")
    assert answer.out.startswith("Usage: autosynth new-plugin NAME ")
    assert answer.err == f"warning: {__name__} adds a command 'new-plugin', and there is one already, which stays.\n"


def test_settings_on_the_page_are_accepted_and_do_what_it_says(run: Run, tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "command-line.md").read_text(encoding="utf-8")
    own, shared = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    write(tmp_path, own)
    for command in ("rebalance", "tune"):
        answer = run(command, *(["train.csv"] if command == "tune" else []), "--dry-run")
        assert answer.code == 0, answer.err
    write(tmp_path, shared, "pyproject.toml")
    told = run("tune", "train.csv", "--config", "pyproject.toml", "--dry-run").err
    assert told == "settings from [tool.autosynth] of pyproject.toml: label, cv\n"


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(st.dictionaries(st.from_regex(r"[a-z_]+", fullmatch=True), SCALARS | st.lists(SCALARS, max_size=3), max_size=5))
def test_options_of_a_table_reach_the_generator_as_they_are(options: dict[str, Any]) -> None:
    kind = OptionKind(name="option", key="option", base=str, is_list=True)
    assert parse_options(kind.read(options)) == options


@given(
    SCALARS | st.lists(SCALARS) | st.dictionaries(st.text(), SCALARS), st.sampled_from([bool, int, float, str, Path])
)
def test_a_value_is_of_its_options_type_or_refused(value: Any, base: type) -> None:
    kind = OptionKind(name="x", key="x", base=base)
    try:
        found = kind.read(value)
    except TypeError as error:
        assert str(error) == kind.accepted  # noqa: PT017 - every value may be refused, and then in these words
    else:
        assert isinstance(found, {float: (int, float), Path: str}.get(base, base))  # type: ignore[arg-type]
