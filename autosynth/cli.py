"""The command line: the commands of :mod:`autosynth.commands` and those of plugins, in one program.

Results go to stdout or a file, progress and warnings to stderr.  Exit codes: 0 good, 1 a check failed, 2 wrong usage
or input, or a check that could not run.  Names in messages come from files, so what a terminal would obey is printed as
an escape.  Plugins add commands through the hook ``autosynth_register_commands``.
"""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress

from typer.main import get_command_name
from typer.models import CommandInfo

from autosynth.commands.check import check
from autosynth.commands.examples import examples
from autosynth.commands.exits import exit_codes
from autosynth.commands.generators import generators
from autosynth.commands.new_plugin import new_plugin
from autosynth.commands.panels import DECIDE, EXTEND, JUDGE, MAKE
from autosynth.commands.probe import probe
from autosynth.commands.program import PROGRAM, Config, Program, Version, is_completing
from autosynth.commands.rebalance import rebalance
from autosynth.commands.report import report
from autosynth.commands.scaling import scaling
from autosynth.commands.streams import show_warning, tell
from autosynth.commands.tune import tune
from autosynth.exceptions import PluginError
from autosynth.plugins import PluginRegistry, current_plugins

COMMANDS = (
    (DECIDE, (tune, scaling)),
    (MAKE, (rebalance, generators)),
    (JUDGE, (check, probe, report)),
    (EXTEND, (new_plugin,)),
)


@examples(
    ("See which generators are installed.", "autosynth generators"),
    ("Ask whether synthetic rows would help on a table at all.", "autosynth tune train.csv --label class"),
    ("Make every class as large as the largest.", "autosynth rebalance train.csv --label class --out balanced.csv"),
    ("Let the shell complete commands, options, generators and columns.", "autosynth --install-completion"),
)
def root(config: Config = None, version: Version = False) -> None:
    """Repair imbalanced tabular training data with synthetic rows, and prove what it did.

    Options may come from autosynth.toml too, or from environment variables such as AUTOSYNTH_SEED.
    """


app = Program(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=True)
app.callback()(root)
for panel, commands in COMMANDS:
    for command in commands:
        app.command(rich_help_panel=panel)(command)
CORE = tuple(app.registered_commands)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no reason to fail
    if is_completing():
        _complete()
    with warnings.catch_warnings():
        warnings.showwarning = show_warning
        with exit_codes():
            for failure in _add_commands_of_plugins(current_plugins()):
                tell(f"warning: {failure}")
            code = app(args=None if arguments is None else list(arguments), prog_name=PROGRAM, standalone_mode=False)
            sys.exit(code if isinstance(code, int) else 0)


def _add_commands_of_plugins(registry: PluginRegistry) -> list[Exception]:
    """Add the commands of all plugins, after those of an earlier run left; return what went wrong."""
    app.registered_commands[:] = CORE
    app.registered_groups.clear()
    failures = [*registry.broken.values(), *registry.call_each("autosynth_register_commands", app=app)]
    return [*failures, *_drop_commands_of_the_same_name()]


def _drop_commands_of_the_same_name() -> list[Exception]:
    """Let the first command of a name stay, ours before those of plugins; return what to say of the others."""
    kept: dict[str, CommandInfo] = {}
    failures: list[Exception] = []
    for added in app.registered_commands:
        name = added.name or get_command_name(getattr(added.callback, "__name__", ""))
        if kept.setdefault(name, added) is not added:
            where = getattr(added.callback, "__module__", "a plugin")
            failures.append(PluginError(f"{where} adds a command {name!r}, and there is one already, which stays."))
    app.registered_commands[:] = kept.values()
    return failures


def _complete() -> None:
    """Answer a shell that asks for completions: with nothing, where anything goes wrong."""
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        _add_commands_of_plugins(current_plugins())
        app(prog_name=PROGRAM)
    sys.exit(0)
