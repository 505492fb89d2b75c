"""The public tables: label, minority share and traps from ``manifest.csv``, rows from Parquet files beside it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

GROUPED = {
    "adult by sex": ("adult", "sex"),
    "compas by race": ("compas", "race"),
    "german by sex": ("german_credit", "sex"),
}
RARE_GROUP = 100  # values of a group column with fewer rows are one value together: cells of 3 rows measure nothing
OTHER = "other"
MOSTLY_COPIES = 0.5  # a table with more duplicate rows than this is used without them: a test row would be in training


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A table, and the groups that its arms balance: the classes, or label x a group column."""

    name: str
    frame: pd.DataFrame
    label: str
    group_by: str | None
    share: float  # of the rarest class in the published table

    @property
    def is_imbalanced(self) -> bool:
        """Whether the rarest class has less than a tenth of the rows."""
        return self.share < 0.1


def setting_names(folder: Path) -> list[str]:
    """Return every table of the manifest, and then the tables with groups of label x a group column."""
    tables = _manifest(folder)["name"].tolist()
    return [*tables, *(name for name, (table, _) in GROUPED.items() if table in tables)]


def read_setting(folder: Path, name: str) -> Setting:
    """Return a setting with its labels as text, without constant columns, and without duplicates if they abound."""
    table, group_by = GROUPED.get(name, (name, None))
    facts = _manifest(folder).set_index("name").loc[table]
    frame = pd.read_parquet(folder / str(facts["file"]))
    label = str(facts["label_column"])
    frame[label] = frame[label].astype(str)
    features = [column for column in frame if column != label and len(frame[column].unique()) > 1]
    frame = frame[[*features, label]]
    if frame.duplicated().mean() > MOSTLY_COPIES:
        frame = frame.drop_duplicates()
    if group_by is not None:
        frame[group_by] = _merged(frame[group_by])
    share = float(facts["minority_share"])
    return Setting(name=name, frame=frame.reset_index(drop=True), label=label, group_by=group_by, share=share)


def _manifest(folder: Path) -> pd.DataFrame:
    path = folder / "manifest.csv"
    if not path.is_file():
        sys.exit(f"{path} is missing. Give the folder of the public tables with --data.")
    return pd.read_csv(path)


def _merged(values: pd.Series[str]) -> pd.Series[str]:
    texts = values.astype(str)
    rare = texts.map(texts.value_counts()) < RARE_GROUP
    return texts.mask(rare, OTHER).astype("category")
