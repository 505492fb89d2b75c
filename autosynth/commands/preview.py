"""Previews: what a command would do, for ``--dry-run``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import autosynth
from autosynth.commands.streams import answer, answer_json
from autosynth.plain_data import to_plain

if TYPE_CHECKING:
    from autosynth import Table

__all__ = ["Preview", "table_facts"]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a command would do.

    Attributes
    ----------
    command : str
        Its name.
    facts : mapping
        For programs: plain data by name.
    lines : sequence of (str, object)
        For people: a heading and what stands under it, which may have several lines.
    writes : mapping of Path to str
        Files and folders that would be written, and what they would hold.
    """

    command: str
    facts: Mapping[str, Any]
    lines: Sequence[tuple[str, object]]
    writes: Mapping[Path, str] = field(default_factory=dict)

    def show(self, *, as_json: bool) -> None:
        """Print it to stdout."""
        if as_json:
            answer_json(to_plain(self.to_dict()))
        else:
            answer(self)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        writes = [{"path": str(path), "holds": words, "exists": path.exists()} for path, words in self.writes.items()]
        head = {"autosynth": autosynth.__version__, "command": self.command, "dry_run": True}
        return {**head, **self.facts, "writes": writes}

    def __str__(self) -> str:
        writes = [
            f"{path} ({words}){', which exists and would be replaced' if path.is_file() else ''}"
            for path, words in self.writes.items()
        ]
        lines = [*self.lines, ("would write", "\n".join(writes) or "no file")]
        longest = max(len(heading) for heading, _ in lines) + 2
        shown = [f"Dry run of `autosynth {self.command}`: nothing was trained, nothing was written."]
        for heading, text in lines:
            first, *rest = str(text).splitlines() or [""]
            shown += [f"{heading + ':':{longest}}{first}", *(f"{'':{longest}}{line}" for line in rest)]
        return "\n".join(shown)


def table_facts(path: Path, table: Table) -> tuple[dict[str, Any], tuple[str, str]]:
    """Return what a table is: as plain data, and as a line for people."""
    group_by = [str(name) for name in table.group_by]
    facts = {
        "path": str(path),
        "n_rows": len(table),
        "n_columns": len(table.frame.columns),
        "label": str(table.label),
        "group_by": group_by,
        "groups": {str(group): int(size) for group, size in zip(table.groups, table.group_sizes, strict=True)},
    }
    by = f", groups by {', '.join(group_by)}" if group_by else ""
    words = f"{path}: {len(table)} rows, {len(table.frame.columns)} columns; label {table.label}{by}"
    return {"table": facts}, ("table", words)
