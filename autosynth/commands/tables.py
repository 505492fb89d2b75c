"""Tables that were named on the command line: read, or refused with what the file really is."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import TYPE_CHECKING

from autosynth.commands.streams import tell
from autosynth.exceptions import ConfigError, DataError, nearest
from autosynth.files import CSV_SUFFIXES, PARQUET_SUFFIXES, read_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["open_table"]

PARQUET_MARK, GZIP_MARK = b"PAR1", b"\x1f\x8b"
LEADING_ZERO = re.compile(rb'[,"\n]0\d')  # at the start of a cell; dates such as 01/02/2024 have it too
PART_BYTES, PART_ROWS = 1 << 24, 100_000  # of a file, looked at together
# What a file starts with, what it is then, and what to do.
FOREIGN = (
    (b"PK\x03\x04", "an Excel workbook or another archive", "Save the sheet as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind", "Save the sheet as CSV (UTF-8)"),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV"),
    (b"version https://git-lfs", "a pointer of Git LFS, without the data", "Fetch the file with: git lfs pull"),
    (b"<!doctype html", "a web page", "Look into it: a download may have brought an error or a login page"),
    (b"<html", "a web page", "Look into it: a download may have brought an error or a login page"),
    (b'{"', "JSON", "Convert it, such as with pandas.read_json(...).to_parquet(...)"),
    (b"[{", "JSON", "Convert it, such as with pandas.read_json(...).to_parquet(...)"),
    (b"%pdf", "a PDF document", "Export the table as CSV"),
    (b"\xff\xfe", "text in UTF-16", "Save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16", "Save it as UTF-8"),
)


def open_table(path: Path, *, like: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the rows of a CSV or Parquet file; arguments and errors are those of :func:`autosynth.files.read_table`.

    A file that is none gets the nearest name beside it; one that is of another kind is named as that.  In a CSV that
    has no table to be like, codes such as 01234 stay texts, so that real rows are written as they came.
    """
    import pandas as pd

    if not path.is_file():
        raise ConfigError(_no_such_file(path))
    with path.open("rb") as stream:
        start = stream.read(512)
    if what := _other_kind(path, start):
        raise DataError(f"{str(path)!r} is {what}.")
    rows = read_table(path, like=like)
    codes = _codes(path, rows) if like is None and str(path).endswith(CSV_SUFFIXES) else []
    if not codes:
        return rows
    tell(f"{path}: read as texts, for their leading zeros: {', '.join(codes)}")
    return read_table(path, like=pd.DataFrame("0", index=[0], columns=codes))


def _codes(path: Path, rows: pd.DataFrame) -> list[str]:
    """Return the columns that were read as numbers and hold whole numbers with a leading zero, which numbers lose."""
    import pandas as pd

    numbers = [at for at, dtype in enumerate(rows.dtypes) if pd.api.types.is_any_real_numeric_dtype(dtype)]
    if not numbers or not _has_leading_zeros(path):
        return []
    found: set[int] = set()
    for part in pd.read_csv(path, usecols=numbers, dtype=str, chunksize=PART_ROWS):
        for at, (_, cells) in zip(numbers, part.items(), strict=True):
            if at not in found and cells.str.fullmatch(r"0\d+", na=False).any():
                found.add(at)
    return [str(rows.columns[at]) for at in sorted(found)]


def _has_leading_zeros(path: Path) -> bool:
    """Return whether any cell may have one, without reading cells: most tables are done with after this."""
    open_bytes = gzip.open if path.suffix == ".gz" else open
    with open_bytes(path, "rb") as stream:
        end = b""
        while part := stream.read(PART_BYTES):
            if LEADING_ZERO.search(end + part):
                return True
            end = part[-2:]
    return False


def _no_such_file(path: Path) -> str:
    if path.is_dir():
        return f"{str(path)!r} is a folder. Give the path of a CSV or Parquet file."
    endings = (*CSV_SUFFIXES, *PARQUET_SUFFIXES)
    beside = [child.name for child in path.parent.glob("*") if child.name.endswith(endings)]
    return f"{str(path)!r} is not a file.{nearest(path.name, beside)} Give the path of a CSV or Parquet file."


def _other_kind(path: Path, start: bytes) -> str:
    """Return what a file is and what to do, where that is not what its name says; empty where nothing speaks for it."""
    is_csv, is_gzip = str(path).endswith(CSV_SUFFIXES), str(path).endswith(".gz")
    if not start:
        return "empty. Give a file with a line of column names and rows"
    if str(path).endswith(PARQUET_SUFFIXES) and not start.startswith(PARQUET_MARK):
        return "no Parquet, though its name says so. Give its name the ending of what it is, such as .csv"
    if is_gzip and is_csv and not start.startswith(GZIP_MARK):
        return "not compressed, though its name ends in .gz. Let it end in .csv"
    if is_csv and start.startswith(PARQUET_MARK):
        return "Parquet, not CSV. Let its name end in .parquet"
    if is_csv and not is_gzip and start.startswith(GZIP_MARK):
        return "compressed. Let its name end in .csv.gz"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for mark, what, advice in FOREIGN:
        if is_csv and (start.startswith(mark) or text.lower().startswith(mark.lower())):
            return f"{what}, not CSV. {advice}"
    return ""
