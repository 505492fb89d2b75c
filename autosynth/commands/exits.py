"""Exit codes: 0 good, 1 a check failed, 2 wrong usage or input or a check that could not run, 130 interrupted."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from autosynth.commands.streams import tell
from autosynth.commands.usage import USAGE_ERRORS, explain_usage, is_call_for_help
from autosynth.exceptions import AutosynthError, CheckFailedError

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn whatever a command raises into a message on stderr and an exit code."""
    try:
        yield
    except CheckFailedError as error:
        tell(str(error))
        sys.exit(EXIT_FAILED)
    except AutosynthError as error:
        tell(f"error: {error}")
        sys.exit(EXIT_USAGE)
    except USAGE_ERRORS as error:
        if is_call_for_help(error):
            typer.echo(str(error))
        else:
            tell(explain_usage(error))
        sys.exit(EXIT_USAGE)
    except (KeyboardInterrupt, SystemExit, typer.Abort) as stop:  # typer turns the first into one of the others
        if isinstance(stop, SystemExit) and stop.code != EXIT_INTERRUPTED:
            raise
        tell("interrupted; no half-written file was left.")
        sys.exit(EXIT_INTERRUPTED)
    except Exception:  # Python would exit with 1, which a pipeline reads as a failed check
        tell(traceback.format_exc())
        tell("error: this is a defect of autosynth or of a plugin. Please report it with the lines above.")
        sys.exit(EXIT_USAGE)
