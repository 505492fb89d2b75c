"""A suite in a project folder of Great Expectations, for those who run it from there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from great_expectations.data_context import FileDataContext

from autosynth.exceptions import ConfigError
from autosynth_gx.contexts import as_current
from autosynth_gx.gate import copy_of
from autosynth_gx.suite_file import check_suite
from autosynth_gx.suite_meta import seal

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuite

    from autosynth.files import AnyPath


def export_suite(suite: ExpectationSuite, project_dir: AnyPath) -> None:
    """Add a suite to a project of Great Expectations, or replace the one of that name.

    Whoever runs it from there imports ``autosynth_gx`` and calls ``load_suite(context.suites.get(name))``: without the
    import, Great Expectations leaves all of its expectations out, and says so only in its log.

    Parameters
    ----------
    suite : ExpectationSuite
        From :func:`build_suite` or :func:`load_suite`.
    project_dir : path
        The folder that holds ``gx/``.

    Raises
    ------
    ConfigError
        If there is no project, or the suite is none of ours.
    """
    check_suite(suite)
    folder = Path(project_dir) / FileDataContext.GX_DIR
    if not (folder / FileDataContext.GX_YML).is_file():
        raise ConfigError(
            f"{str(project_dir)!r} holds no project of Great Expectations. "
            "Make one with great_expectations.get_context(mode='file', project_root_dir=...)."
        )
    seal(suite)
    context = FileDataContext(context_root_dir=folder)
    with as_current(context):
        context.suites.add_or_update(copy_of(suite, meta=suite.meta))
