"""Reads and writes tables; a write that fails or is interrupted leaves the target as it was."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from autosynth.exceptions import ConfigError, DataError, OutputError

if TYPE_CHECKING:
    import pandas as pd

AnyPath: TypeAlias = "str | os.PathLike[str]"
CSV_SUFFIXES = (".csv", ".csv.gz")
ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2}:\d{2}(?:\.\d+)?)?$")
PARQUET_SUFFIXES = (".parquet", ".pq")


def read_table(path: AnyPath, *, like: pd.DataFrame | None = None) -> pd.DataFrame:
    """Read a CSV or Parquet file; columns of dates such as 2024-03-29 or 2024-03-29 17:05:00 become dates.

    Parameters
    ----------
    path : path
        What is read.
    like : DataFrame, optional
        Rows of the same table.  CSV has no types: a column that holds texts there, such as the code '01234', is read
        as texts, whatever its cells look like.

    Raises
    ------
    ConfigError
        If the file does not exist or its name ends otherwise.
    DataError
        If it cannot be read as what its name says.
    """
    import pandas as pd

    is_parquet = _is_parquet(path)
    if not Path(path).is_file():
        raise ConfigError(f"{str(path)!r} is not a file. Give the path of a CSV or Parquet file.")
    try:
        frame = pd.read_parquet(path) if is_parquet else _read_csv(path, () if like is None else _text_columns(like))
    except UnicodeDecodeError as error:
        raise DataError(f"{str(path)!r} could not be read as CSV: {error}. Save it as UTF-8.") from error
    except Exception as error:
        raise DataError(f"{str(path)!r} could not be read as {'Parquet' if is_parquet else 'CSV'}: {error}") from error
    if not is_parquet and len(frame.columns) == 1 and (separator := foreign_separator(frame.columns[0])):
        raise DataError(
            f"{str(path)!r} was read as one column, named {frame.columns[0]!r}: is the separator {separator}? Save it "
            "with commas between the columns."
        )
    return frame


def _read_csv(path: AnyPath, texts: Collection[str]) -> pd.DataFrame:
    import pandas as pd

    # With low_memory, a long column of codes such as 7 and "7A" would come in as numbers here and texts there.
    dtypes: dict[Any, Any] = dict.fromkeys(texts, str)
    return _with_dates(pd.read_csv(path, low_memory=False, dtype=dtypes), but_for=texts)


def _text_columns(like: pd.DataFrame) -> list[str]:
    """Return the columns whose values are texts, each of them: object columns may hold truth values or dates too."""
    from pandas.api import types as pdt

    def holds_texts(values: pd.Series[Any]) -> bool:
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = pd.Series(values.dtype.categories)
        if not (pdt.is_object_dtype(values.dtype) or pdt.is_string_dtype(values.dtype)):
            return False
        present = values.dropna()
        return len(present) > 0 and all(isinstance(value, str) for value in present)

    import pandas as pd

    names = [name for name in like.columns[~like.columns.duplicated()] if isinstance(name, str)]
    return [name for name in names if holds_texts(like[name])]


def _with_dates(frame: pd.DataFrame, *, but_for: Collection[str]) -> pd.DataFrame:
    """Turn columns of ISO dates, which CSV has no type for, into dates where these are written the same way again."""
    import pandas as pd

    for name in frame.select_dtypes(object).columns.difference(list(but_for), sort=False):
        present = frame[name].dropna()
        if not len(present) or not present.map(lambda value: isinstance(value, str) and bool(ISO.match(value))).all():
            continue
        dates = pd.to_datetime(present, format="ISO8601", errors="coerce")
        if (
            getattr(dates.dtype, "tz", None) is None
            and dates.notna().all()
            and dates.astype(str).equals(present.astype(str))
        ):
            frame[name] = dates.reindex(frame.index)
    return frame


def write_table(frame: pd.DataFrame, path: AnyPath) -> Path:
    """Write a CSV (without the index) or Parquet file, beside the target first, then renamed onto it.

    Raises
    ------
    ConfigError
        If the name ends otherwise.
    OutputError
        If the folder does not exist or the disk is full; the target is as it was before.
    """
    if _is_parquet(path):
        return write_beside(path, lambda temporary: frame.to_parquet(temporary))
    is_gzip = str(path).endswith(".gz")
    return write_beside(
        path, lambda temporary: frame.to_csv(temporary, index=False, compression="gzip" if is_gzip else None)
    )


def write_text(text: str, path: AnyPath) -> Path:
    """Write UTF-8 text, beside the target first, then renamed onto it; raises as :func:`write_table`."""
    return write_beside(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_beside(path: AnyPath, write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a temporary file beside ``path``, then rename it; whatever happens, no partial file stays."""
    target = check_target(path)
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        temporary = Path(name)
        os.close(handle)
        write(temporary)
        _keep_mode(temporary, target)
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"{str(target)!r} could not be written: {error}. The target is as it was before.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return target


def check_target(path: AnyPath) -> Path:
    """Return ``path`` as a Path; raises OutputError when no file can be put there, before any work is done for it."""
    target = Path(path)
    if target.is_dir():
        raise OutputError(f"{str(target)!r} is a folder. Give the path of a file.")
    if not target.parent.is_dir():
        raise OutputError(
            f"{str(target.parent)!r} is not a folder, so {target.name!r} cannot be written there. Create it first."
        )
    return target


def check_table_target(path: AnyPath) -> Path:
    """As :func:`check_target`, for a table: its name must end in one of the formats written."""
    _is_parquet(path)
    return check_target(path)


def foreign_separator(name: object) -> str:
    """Return what a CSV file whose only column has this name is probably separated by; empty for a comma."""
    return next((shown for mark, shown in ((";", "';'"), ("\t", "a tab")) if mark in str(name)), "")


def _is_parquet(path: AnyPath) -> bool:
    if str(path).endswith(PARQUET_SUFFIXES):
        return True
    if str(path).endswith(CSV_SUFFIXES):
        return False
    raise ConfigError(
        f"{str(path)!r} ends in none of {', '.join((*CSV_SUFFIXES, *PARQUET_SUFFIXES))}, the formats read and written."
    )


def _keep_mode(temporary: Path, target: Path) -> None:
    """Give the new file the mode of the old one, or what the umask says: mkstemp makes files private."""
    if target.exists():
        mode = target.stat().st_mode & 0o777
    else:
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    temporary.chmod(mode)
