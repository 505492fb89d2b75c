"""The result file: a row per table, seed, arm, draw and learner, appended as results come, and read to resume."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from quality.scores import SCORES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quality.splits import Split

CELL = ("table", "minority", "majority_cap", "seed")
KEY = (*CELL, "arm", "draw", "learner")
COLUMNS = (
    *KEY, "status", "reason", "generator", "synthetic_weight", "n_train", "n_test", "n_test_minority",
    *SCORES, *(f"{name}_shifted" for name in SCORES), "shift", "offset",
    "distance", "association_error", "copies", "test_copies", "valid_share", "n_synthetic", "n_planned",
    "fit_wall_s", "fit_cpu_s", "sample_wall_s", "sample_cpu_s", "rows_per_cpu_s", "peak_rss_mib",
    "trial_wall_s", "trial_cpu_s",
)  # fmt: skip
SCORED = ("ok", "short")
FINAL = (*SCORED, "timeout", "crashed")  # a later run does not try these again unless told to


@dataclass(frozen=True)
class Ledger:
    """Results in a CSV file; numbers with six significant digits."""

    path: Path

    def read(self) -> pd.DataFrame:
        """Return all results; of several for the same key, the last."""
        if not self.path.is_file():
            return pd.DataFrame(columns=list(COLUMNS))
        frame = pd.read_csv(self.path)
        if tuple(frame.columns) != COLUMNS:
            sys.exit(f"{self.path} was written by another version of this benchmark. Move it away, or give --out.")
        frame = frame.drop_duplicates(list(KEY), keep="last", ignore_index=True)
        done = frame[frame["status"].isin(SCORED)].set_index([*CELL, "arm"]).index
        # A failure is history once a later run has brought results for the same arm.
        is_stale = ~frame["status"].isin(SCORED) & frame.set_index([*CELL, "arm"]).index.isin(done)
        return frame[~is_stale].reset_index(drop=True)

    def finished(self, retries: bool = False) -> set[tuple[Any, ...]]:
        """Return (table, minority, majority_cap, seed, arm) of what needs no further run."""
        frame = self.read()
        return set(
            frame.loc[frame["status"].isin(SCORED if retries else FINAL), [*CELL, "arm"]].itertuples(
                index=False, name=None
            )
        )

    def append(self, split: Split, records: Iterable[dict[str, Any]]) -> None:
        facts = {
            "table": split.table, "minority": split.minority, "majority_cap": split.majority_cap, "seed": split.seed,
            "n_train": len(split.train), "n_test": len(split.test),
            "n_test_minority": int((split.test[split.label] == split.positive).sum()),
        }  # fmt: skip
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS)
        if not self.path.is_file():
            writer.writeheader()
        for record in records:
            writer.writerow({name: _cell(value) for name, value in {**facts, **record}.items()})
        # One unbuffered write, so that two runs (on other tables, say) can share a file.
        with self.path.open("ab", buffering=0) as file:
            file.write(text.getvalue().encode())


def _cell(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value
