"""The command ``generators``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import autosynth
from autosynth.commands.examples import examples
from autosynth.commands.options import AsJson
from autosynth.commands.streams import answer, answer_json

if TYPE_CHECKING:
    from autosynth import GeneratorInfo


@examples(
    ("See what is installed, with all options and their defaults.", "autosynth generators"),
    ("The same for a program.", "autosynth generators --json"),
)
def generators(as_json: AsJson = False) -> None:
    """List installed generators: by whom, with which options, and what is missing to run them."""
    found = autosynth.generators()
    if as_json:
        table = found.to_frame().to_dict(orient="records")
        answer_json({"generators": table, "broken": dict(found.broken)})
    else:
        answer("\n".join(line for info in found for line in _lines(info)))


def _lines(info: GeneratorInfo) -> Iterator[str]:
    state = "runs" if not info.missing else f"needs {', '.join(info.missing)}"
    yield f"{info.name:18} {state:14} {info.summary}"
    if info.remote:
        yield f"{'':33} remote: sends real rows to another machine, which may cost money per call"
    if info.install:
        yield f"{'':33} install: {info.install}"
    options = ", ".join(f"{name}={value!r}" for name, value in info.defaults.items()) or "none"
    yield f"{'':33} options: {options}"
    yield f"{'':33} from {info.distribution} (plugin {info.plugin!r})"
