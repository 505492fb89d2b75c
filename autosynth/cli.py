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

import typer

from autosynth.commands.check import check
from autosynth.commands.exits import exit_codes
from autosynth.commands.generators import generators
from autosynth.commands.probe import probe
from autosynth.commands.rebalance import rebalance
from autosynth.commands.report import report
from autosynth.commands.scaling import scaling
from autosynth.commands.streams import show_warning, tell
from autosynth.commands.tune import tune
from autosynth.plugins import current_plugins

app = typer.Typer(
    name="autosynth",
    help="Repair imbalanced tabular training data with synthetic rows, and prove what it did.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)
for command in (generators, rebalance, check, probe, tune, scaling, report):
    app.command()(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no reason to fail
    with warnings.catch_warnings():
        warnings.showwarning = show_warning
        with exit_codes():
            registry = current_plugins()
            for message in registry.broken.values():
                tell(f"warning: {message}")
            for failure in registry.call_each("autosynth_register_commands", app=app):
                tell(f"warning: {failure}")
            app(args=None if arguments is None else list(arguments))
