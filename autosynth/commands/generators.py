"""The command ``generators``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

import autosynth
from autosynth.commands.options import AsJson
from autosynth.commands.streams import tell

if TYPE_CHECKING:
    from autosynth import GeneratorInfo


def generators(as_json: AsJson = False) -> None:
    """List installed generators: by whom, with which options, and what is missing to run them."""
    found = autosynth.generators()
    if as_json:
        table = found.to_frame().to_dict(orient="records")
        typer.echo(json.dumps({"generators": table, "broken": dict(found.broken)}, indent=2))
        return
    for info in found:
        _print(info)
    for message in found.broken.values():
        tell(f"broken: {message}")


def _print(info: GeneratorInfo) -> None:
    state = "runs" if not info.missing else f"needs {', '.join(info.missing)}"
    typer.echo(f"{info.name:18} {state:14} {info.summary}")
    if info.remote:
        typer.echo(f"{'':33} remote: sends real rows to another machine, which may cost money per call")
    if info.missing and info.extra:
        typer.echo(f"{'':33} install: pip install 'autosynth[{info.extra}]'")
    options = ", ".join(f"{name}={value!r}" for name, value in info.defaults.items()) or "none"
    typer.echo(f"{'':33} options: {options}")
    typer.echo(f"{'':33} from {info.distribution} (plugin {info.plugin!r})")
