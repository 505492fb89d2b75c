"""The command ``new-plugin``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, get_args

import typer

from autosynth.commands.completion import choices
from autosynth.commands.examples import examples
from autosynth.commands.options import AsJson
from autosynth.commands.streams import answer, answer_json
from autosynth.starter.name import PluginName
from autosynth.starter.repository import Kind, PluginRepository, check_folder

NEXT_STEPS = """\
Next:
  cd {folder}
  python -m pip install --editable ".[dev]"   # from now on it is a plugin
  python -m pytest                            # its own tests
  autosynth generators                        # what is installed, and by whom"""


@examples(
    ("Write a generator to start from, into a new folder autosynth-ripple.", "autosynth new-plugin ripple"),
    ("A check of rows and a veto instead, elsewhere.", "autosynth new-plugin dates --kind checks --folder ../dates"),
    ("Both, and a workflow that tests them on GitHub.", "autosynth new-plugin ripple --kind both --github"),
)
def new_plugin(
    name: Annotated[str, typer.Argument(help="What all of it is called after: small letters, digits, underscores.")],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder", metavar="FOLDER", help="A new or empty folder. Without it: autosynth-NAME in this one."
        ),
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            metavar="KIND",
            autocompletion=choices(*get_args(Kind)),
            help="What it brings: generator, checks (with a veto on rows), or both.",
        ),
    ] = "generator",
    github: Annotated[
        bool, typer.Option("--github/--no-github", help="Also write a workflow that tests it on GitHub.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write an installable plugin to start from: one that works, with its tests and its entry point."""
    chosen = PluginName(name)
    repository = PluginRepository(name=chosen, kind=kind, github=github)  # type: ignore[arg-type]  # checked there
    target = Path(chosen.distribution) if folder is None else folder
    check_folder(target)
    chosen.check_free()
    written = repository.write(target)
    files = sorted(repository.files())
    if as_json:
        facts = {"plugin": chosen.text, "distribution": chosen.distribution, "package": chosen.package}
        answer_json({**facts, "folder": str(written), "files": files})
        return
    answer("\n".join([f"Wrote {target}:", *(f"  {path}" for path in files), ""]))
    answer(NEXT_STEPS.format(folder=shlex.quote(str(target))))
