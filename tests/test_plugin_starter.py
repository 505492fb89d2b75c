"""The plugin starter: what it writes is clean, and a stranger's pip installs it into a fresh environment."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autosynth.exceptions import ConfigError, OutputError
from autosynth.starter.name import MAX_LENGTH, PluginName
from autosynth.starter.repository import Kind, PluginRepository, check_folder

Run = Callable[..., Any]
KINDS = get_args(Kind)
LONGEST = "conditional_diffusion_"[: MAX_LENGTH - 1] + "2"


def write(folder: Path, name: str = "ripple", **options: Any) -> Path:
    return PluginRepository(name=PluginName(name), **options).write(folder)


def everything_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


class Environment:
    """A fresh virtual environment that sees what is installed here, autosynth among it, and downloads nothing."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=os.name != "nt")
        paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
        outer = sysconfig.get_paths()["purelib"]
        site = Path(paths["purelib"]) / "outer.pth"
        site.write_text(f"import site; site.addsitedir({outer!r})\n", encoding="utf-8")
        self.scripts = Path(paths["scripts"])

    def python(self, *arguments: object, folder: Path | None = None) -> str:
        """Run Python in it, and return what it printed."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [self.scripts / "python", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=folder or self.scripts,
            env={**variables, "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def pip(self, command: str, *arguments: object) -> str:
        return self.python("-m", "pip", "--disable-pip-version-check", command, *arguments)

    def install(self, *repositories: Path) -> None:
        self.pip("install", "--no-index", "--no-deps", "--no-build-isolation", *repositories)

    def generators(self) -> dict[str, Mapping[str, Any]]:
        listed = json.loads(self.python("-m", "autosynth", "generators", "--json"))
        assert listed["broken"] == {}
        return {row["name"]: row for row in listed["generators"]}


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One new plugin of each kind, under a name of its own."""
    folder = tmp_path_factory.mktemp("repositories")
    return {kind: write(folder / kind, f"new_{kind}", kind=kind, github=True) for kind in KINDS}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, repositories: Mapping[str, Path]) -> Environment:
    """A fresh environment into which pip installed them."""
    fresh = Environment(tmp_path_factory.mktemp("environment"))
    fresh.install(*repositories.values())
    return fresh


# What pip makes of it


def test_generators_of_new_plugins_are_listed_with_their_distribution(environment: Environment) -> None:
    listed = environment.generators()
    assert listed["new_both"]["distribution"] == "autosynth-new-both"
    assert listed["new_generator"]["plugin"] == "new_generator"
    assert listed["new_generator"]["options"] == "width=1.0, level_share=0.05"
    assert "new_checks" not in listed


def test_the_code_in_the_readme_of_a_new_plugin_runs(
    environment: Environment, repositories: Mapping[str, Path]
) -> None:
    readme = (repositories["generator"] / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert "rebalance" in code
    assert "ill=yes" in environment.python("-c", code)


@pytest.mark.parametrize("kind", ["both", *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS[:2])])
def test_the_tests_of_a_new_plugin_pass(kind: str, environment: Environment, repositories: Mapping[str, Path]) -> None:
    said = environment.python("-m", "pytest", "-p", "no:cacheprovider", folder=repositories[kind])
    assert re.search(r"=== \d+ passed in ", said)


def test_a_plugin_that_is_uninstalled_is_gone(tmp_path: Path) -> None:
    fresh = Environment(tmp_path / "environment")
    fresh.install(write(tmp_path / "ripple"))
    assert "ripple" in fresh.generators()
    fresh.pip("uninstall", "--yes", "autosynth-ripple")
    assert "ripple" not in fresh.generators()


# What it looks like


def test_a_new_plugin_is_linted_and_formatted_whatever_its_name_and_kind(tmp_path: Path) -> None:
    for kind in KINDS:
        for name in ("z", LONGEST):
            write(tmp_path / f"{kind}-{name}", name, kind=kind)
    for check in (["check"], ["format", "--check"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *check, "--no-cache", tmp_path], capture_output=True)
        assert done.returncode == 0, done.stdout.decode()


def test_a_new_plugin_is_typed_strictly(repositories: Mapping[str, Path]) -> None:
    repository = repositories["both"]
    assert "strict = true" in (repository / "pyproject.toml").read_text(encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", os.devnull], cwd=repository, capture_output=True, text=True
    )
    assert done.stdout.startswith("Success: no issues found in 8 source files"), done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_brings_its_own_files_and_the_readme_names_them(kind: Kind) -> None:
    files = PluginRepository(name=PluginName("ripple"), kind=kind, github=True).files()
    assert ("src/autosynth_ripple/generator.py" in files) == (kind != "checks")
    assert ("src/autosynth_ripple/date_order.py" in files) == (kind != "generator")
    named = set(re.findall(r"^\| `([\w./]+)` \|", files["README.md"], re.MULTILINE)) & set(files)
    assert set(files) - named == {"README.md", ".gitignore", "src/autosynth_ripple/py.typed"}


@pytest.mark.parametrize("kind", KINDS)
def test_no_template_leaves_a_blank_to_fill(kind: Kind) -> None:
    for path, text in PluginRepository(name=PluginName("ripple"), kind=kind).files().items():
        assert not re.search(r"{[{%]", text), path
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), path
        assert "\n\n\n\n" not in text, path


def test_the_workflow_for_github_is_written_when_asked_for() -> None:
    workflow = ".github/workflows/tests.yml"
    name = PluginName("ripple")
    assert workflow not in PluginRepository(name=name).files()
    assert "${{ matrix.python-version }}" in PluginRepository(name=name, github=True).files()[workflow]


# Names


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Smooth-Rows", r"'Smooth-Rows' cannot be a Python module\. Use small letters.* Did you mean 'smooth_rows'\?"),
        ("autosynth-ripple", r"Did you mean 'ripple'\?"),
        ("2d", r"a letter first, at most 22 of them\. Did you mean 'd'\?"),
        ("two__words", r"Did you mean 'two_words'\?"),
        ("ends_", r"Did you mean 'ends'\?"),
        ("a" * (MAX_LENGTH + 1), "at most 22 of them"),
        ("", "at most 22 of them"),
        ("../elsewhere", r"Did you mean 'elsewhere'\?"),
        ("größe", "cannot be a Python module"),
        ("auto", "'auto' means the choice by validation"),
        ("lambda", "'lambda' is a word of Python"),
        ("none", r"'none' would give a class None, .* such as 'my_none'"),
        ("warning", "would give a class Warning"),
        ("sampled_rows", "would give a class SampledRows"),
        ("Table", "at most 22 of them\\.$"),
    ],
)
def test_a_name_that_nothing_can_be_called_after_is_refused(name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        PluginName(name)


def test_no_name_gives_a_class_that_hides_one_which_the_files_import() -> None:
    files = PluginRepository(name=PluginName("ripple"), kind="both").files()
    imports = [line for text in files.values() for line in re.findall(r"^from [\w.]+ import (.+)$", text, re.MULTILINE)]
    classes = set(re.findall(r"\b[A-Z]\w*[a-z]\w*", " ".join(imports))) - {"Ripple", "RippleOptions"}
    assert {"Table", "Mapping"} < classes
    for name in classes:
        with pytest.raises(ConfigError, match=f"would give a class {name}, which means something else"):
            PluginName(re.sub(r"\B([A-Z])", r"_\1", name).lower())


@given(
    st.text(max_size=40) | st.text("aB0_-. ", max_size=40) | st.sampled_from(["Auto", "def!", "autosynth_auto", "None"])
)
def test_a_name_that_is_suggested_would_be_taken(text: str) -> None:
    try:
        PluginName(text)
    except ConfigError as error:
        for suggested in re.findall(r"Did you mean '(.*)'\?", str(error)):
            assert PluginName(suggested).text == suggested


@pytest.mark.parametrize("name", ["z", "ripple", "ctgan2", LONGEST])
def test_other_names_give_a_module_a_distribution_and_a_class(name: str) -> None:
    chosen = PluginName(name)
    assert all(part.isidentifier() for part in (chosen.package, chosen.class_name))
    assert re.fullmatch(r"autosynth-[a-z0-9-]+", chosen.distribution)
    chosen.check_free()


def test_a_name_that_is_taken_is_refused_with_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"'ctgan' is taken by a generator of autosynth \(plugin 'sdv'\)"):
        PluginName("ctgan").check_free()
    with pytest.raises(ConfigError, match=r"'gx' is taken by a plugin of autosynth\. Choose another one"):
        PluginName("gx").check_free()
    (tmp_path / "autosynth_ghost").mkdir()
    (tmp_path / "autosynth_ghost" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match="'ghost' is taken by the installed package 'autosynth_ghost'"):
        PluginName("ghost").check_free()


# Folders


def test_a_folder_with_files_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    with pytest.raises(OutputError, match=r"holds files already\. Give a new or an empty folder with --folder"):
        write(tmp_path / "mine")
    assert everything_in(tmp_path) == ["mine", "mine/notes.txt"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert write(tmp_path / "empty") == tmp_path / "empty"
    assert (tmp_path / "empty" / "pyproject.toml").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_folders_that_cannot_be_made_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="is a file"):
        check_folder("file")
    with pytest.raises(OutputError, match="is not a folder, so 'ripple' cannot be made there"):
        check_folder("no/such/ripple")
    with pytest.raises(OutputError, match=r"is the folder you are in\. Give a new folder"):
        check_folder(".")


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    class Unwritable(PluginRepository):
        def files(self) -> dict[str, str]:
            return {"README.md": "half of it", "n" * 300: "no file system takes this name"}

    with pytest.raises(OutputError, match=r"could not be written: .*\. Nothing of it was left"):
        Unwritable(name=PluginName("ripple")).write(tmp_path / "ripple")
    assert everything_in(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_folders_have_the_mode_that_the_umask_says(tmp_path: Path) -> None:
    (tmp_path / "usual").mkdir()
    written = write(tmp_path / "ripple")
    assert written.stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize(
    ("options", "words"),
    [({"kind": "check"}, r"kind='check' is unknown\. Did you mean 'checks'\?"), ({"github": "yes"}, "github='yes'")],
)
def test_a_wrong_option_says_what_is_accepted(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        PluginRepository(name=PluginName("ripple"), **options)


# The command


def test_the_command_writes_the_files_and_says_what_comes_next(command: Run, tmp_path: Path) -> None:
    answer = command("new-plugin", "ripple", "--kind", "both")
    assert answer.code == 0, answer.err
    assert "Wrote autosynth-ripple:\n  .gitignore\n  README.md\n  pyproject.toml\n" in answer.out
    assert "  cd autosynth-ripple\n" in answer.out
    assert (tmp_path / "autosynth-ripple" / "src" / "autosynth_ripple" / "date_order.py").is_file()
    again = command("new-plugin", "ripple")
    assert (again.code, again.out) == (2, "")
    assert "holds files already" in again.err


def test_the_command_answers_in_json_too(command: Run, tmp_path: Path) -> None:
    facts = json.loads(command("new-plugin", "ripple", "--folder", "in here", "--json").out)
    assert facts["folder"] == str(tmp_path / "in here")
    assert facts["distribution"] == "autosynth-ripple"
    files = [path for path in everything_in(tmp_path / "in here") if (tmp_path / "in here" / path).is_file()]
    assert facts["files"] == files


def test_the_command_refuses_a_wrong_name_or_kind_and_writes_nothing(command: Run, tmp_path: Path) -> None:
    for arguments in (["Ripple"], ["smote"], ["ripple", "--kind", "learner"]):
        answer = command("new-plugin", *arguments)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith("error: ")
    assert everything_in(tmp_path) == []


# The tutorial


def test_the_tutorial_shows_the_files_that_are_written() -> None:
    tutorial = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text(encoding="utf-8")
    (tree,) = re.findall(r"^```text\nautosynth-ripple/\n(.*?)^```", tutorial, re.MULTILINE | re.DOTALL)
    shown = {line.split()[0] for line in tree.splitlines()}
    written = {part for path in PluginRepository(name=PluginName("ripple")).files() for part in parts_of(path)}
    assert shown == written - {".gitignore", "py.typed", "src/", "autosynth_ripple/"} | {"src/autosynth_ripple/"}


def parts_of(path: str) -> list[str]:
    *folders, file = path.split("/")
    return [*(f"{folder}/" for folder in folders), file]
