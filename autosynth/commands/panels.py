"""Headings of the help, in the order in which they stand there; headings of plugins come before the last one."""

from __future__ import annotations

__all__ = [
    "ARGUMENTS",
    "CHECKS",
    "COMMAND_ORDER",
    "DECIDE",
    "EXTEND",
    "FIT",
    "HELP",
    "JUDGE",
    "MAKE",
    "MODELS",
    "OPTIONS",
    "ORDER",
    "OUTPUT",
    "ROWS",
    "RUN",
    "TABLE",
]

ARGUMENTS = "Arguments"
TABLE = "Table"
ROWS = "Synthetic rows"
MODELS = "Models and folds"
CHECKS = "Checks"
RUN = "Run"
OUTPUT = "Output"
OPTIONS = "Options"
HELP = "Settings and help"

ORDER = (ARGUMENTS, TABLE, ROWS, MODELS, CHECKS, OPTIONS, RUN, OUTPUT)

# Of commands.
MAKE, DECIDE, JUDGE, FIT, EXTEND = "Make rows", "Decide", "Judge", "Train in AutoGluon", "Extend"
COMMAND_ORDER = (DECIDE, MAKE, JUDGE, FIT, EXTEND)
