"""Real tables for the benchmarks, read from the folder given with ``--data``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

LABELS = {
    "adult": "income",
    "mammography": "class",
    "kddcup99_10pct": "attack_category",
    "oil_spill": "class",
    "wine_quality_white": "class",
    "thyroid_sick": "Class",
}


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--data`` to a benchmark's command line."""
    parser.add_argument("--data", type=Path, required=True, help="folder with <table>.parquet files")


def read(folder: Path, name: str) -> pd.DataFrame:
    """Return a table with its label as text, or end the program and say which file is missing."""
    path = folder / f"{name}.parquet"
    if not path.is_file():
        sys.exit(f"{path} is missing. Put the table there as Parquet, label column {LABELS[name]!r}.")
    frame = pd.read_parquet(path)
    frame[LABELS[name]] = frame[LABELS[name]].astype(str)
    return frame
