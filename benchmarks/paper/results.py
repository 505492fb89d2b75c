"""The measured scores of a figure: a CSV file that grows case by case, and says where a run stopped."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

KEY = ("table", "ratio", "seed")


@dataclass(frozen=True)
class Results:
    """Scores at ``path``, whole cases only: columns are ``columns`` in this order, numbers have six digits."""

    path: Path
    columns: tuple[str, ...]

    def read(self) -> pd.DataFrame:
        if not self.path.is_file():
            return pd.DataFrame(columns=list(self.columns))
        frame = pd.read_csv(self.path)
        if tuple(frame.columns) != self.columns:
            sys.exit(f"{self.path} was written by another version of this benchmark. Move it away, or give --out.")
        return frame

    def finished(self) -> set[tuple[Any, ...]]:
        """Return (table, ratio, seed) of the cases that are there."""
        return set(self.read()[list(KEY)].itertuples(index=False, name=None))

    def append(self, facts: dict[str, Any], records: Iterable[dict[str, Any]]) -> None:
        """Write one case in one go, so that an interrupted run leaves no part of one."""
        frame = pd.DataFrame([{**facts, **record} for record in records]).reindex(columns=list(self.columns))
        text = frame.to_csv(index=False, header=not self.path.is_file(), float_format="%.6g", lineterminator="\n")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab", buffering=0) as file:
            file.write(text.encode())
