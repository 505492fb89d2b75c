"""The repository of a new plugin: which files it holds, and how they get to the disk all at once."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import autosynth
from autosynth.exceptions import OutputError
from autosynth.files import AnyPath
from autosynth.options import check_choice, check_flag
from autosynth.starter.name import PluginName

Kind: TypeAlias = Literal["generator", "checks", "both"]

ALWAYS = {
    "README.md": "readme.md",
    "pyproject.toml": "pyproject.toml",
    ".gitignore": "gitignore",
    "src/{package}/__init__.py": "init.py",
    "src/{package}/py.typed": "py.typed",
}
GENERATOR = {
    "src/{package}/generator.py": "generator.py",
    "src/{package}/options.py": "options.py",
    "src/{package}/smoothing.py": "smoothing.py",
    "tests/test_contract.py": "test_contract.py",
    "tests/test_generator.py": "test_generator.py",
}
CHECKS = {
    "src/{package}/date_order.py": "date_order.py",
    "tests/test_date_order.py": "test_date_order.py",
}
GITHUB = {".github/workflows/tests.yml": "tests.yml"}


@dataclass(frozen=True, kw_only=True)
class PluginRepository:
    """An installable plugin, ready to be written.

    Parameters
    ----------
    name : PluginName
        What the plugin, its generator, its package and its distribution are called after.
    kind : "generator", "checks" or "both"
        What it brings: a generator (a smoothed bootstrap), a check and a veto (dates in order), or all of it.
    github : bool
        Whether GitHub is to run its tests.

    Examples
    --------
    >>> sorted(PluginRepository(name=PluginName("dates"), kind="checks").files())[2:]
    ['pyproject.toml', 'src/autosynth_dates/__init__.py', 'src/autosynth_dates/date_order.py', \
'src/autosynth_dates/py.typed', 'tests/test_date_order.py']
    """

    name: PluginName
    kind: Kind = "generator"
    github: bool = False

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, get_args(Kind))
        check_flag("github", self.github)

    @property
    def has_generator(self) -> bool:
        """Whether it registers a generator."""
        return self.kind in ("generator", "both")

    @property
    def has_checks(self) -> bool:
        """Whether it refuses and checks rows."""
        return self.kind in ("checks", "both")

    def files(self) -> dict[str, str]:
        """Return the text of every file by its path inside the repository."""
        from autosynth.starter.template import fill

        values: dict[str, str | bool] = {
            "name": self.name.text,
            "package": self.name.package,
            "distribution": self.name.distribution,
            "class_name": self.name.class_name,
            "autosynth_version": autosynth.__version__,
            "has_generator": self.has_generator,
            "has_checks": self.has_checks,
            "has_github": self.github,
        }
        return {
            path.format(package=self.name.package): fill(template, **values)
            for path, template in self._templates().items()
        }

    def write(self, folder: AnyPath) -> Path:
        """Write all files into a new or empty folder: beside it first, then renamed, so that it is all or nothing.

        Raises
        ------
        OutputError
            If something is there already, or nothing can be written there.
        """
        target = check_folder(folder)
        try:
            with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as beside:
                made = Path(beside) / target.name
                for path, text in self.files().items():
                    (made / path).parent.mkdir(parents=True, exist_ok=True)
                    (made / path).write_text(text, encoding="utf-8", newline="\n")
                if target.exists():
                    target.rmdir()  # it is empty; Windows renames onto nothing that exists
                made.rename(target)
        except OSError as error:
            raise OutputError(f"{str(target)!r} could not be written: {error}. Nothing of it was left.") from error
        return target

    def _templates(self) -> dict[str, str]:
        templates = dict(ALWAYS)
        if self.has_generator:
            templates |= GENERATOR
        if self.has_checks:
            templates |= CHECKS
        if self.github:
            templates |= GITHUB
        return templates


def check_folder(folder: AnyPath) -> Path:
    """Return the full path of a folder that a repository can be written to, before any work is done for it.

    Raises
    ------
    OutputError
        If it is a file, holds anything, is the current folder, or would lie in no folder.
    """
    target = Path(folder).resolve()
    if target == Path.cwd():
        raise OutputError(f"{str(target)!r} is the folder you are in. Give a new folder, or leave --folder out.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        what = "holds files already" if target.is_dir() else "is a file"
        raise OutputError(f"{str(target)!r} {what}. Give a new or an empty folder with --folder.")
    if not target.parent.is_dir():
        raise OutputError(
            f"{str(target.parent)!r} is not a folder, so {target.name!r} cannot be made there. Create it first."
        )
    return target
