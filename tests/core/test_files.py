from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autosynth.exceptions import ConfigError, DataError, OutputError
from autosynth.files import check_table_target, read_table, write_beside, write_table, write_text


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "rows.parquet", "rows.pq"])
def test_a_table_is_read_as_it_was_written(frame: pd.DataFrame, tmp_path: Path, name: str) -> None:
    assert write_table(frame, tmp_path / name) == tmp_path / name
    pd.testing.assert_frame_equal(read_table(tmp_path / name), frame)
    assert list(content(tmp_path)) == [name]


def test_parquet_keeps_index_and_dtypes(frame: pd.DataFrame, tmp_path: Path) -> None:
    real = frame.astype({"ward": "category", "age": "Int8"}).set_axis([f"p{number}" for number in range(120)])
    pd.testing.assert_frame_equal(read_table(write_table(real, str(tmp_path / "rows.parquet"))), real)


def test_a_long_column_of_codes_has_one_type(tmp_path: Path) -> None:
    codes = pd.DataFrame({"code": [*range(400_000), "7A"], "y": 1})
    read = read_table(write_table(codes, tmp_path / "codes.csv"))
    assert read["code"].map(type).unique().tolist() == [str]


def test_dates_in_csv_are_dates_where_they_are_written_alike_again(tmp_path: Path) -> None:
    text = (
        "day,moment,mixed,code,zone\n"
        "2024-03-01,2024-03-01 17:05:00,2024-03-01,2024-3-1,2024-03-01T00:00:00Z\n"
        ",2024-03-02 00:00:00,soon,2024-03-02,2024-03-02T00:00:00Z\n"
    )
    (tmp_path / "rows.csv").write_text(text)
    read = read_table(tmp_path / "rows.csv")
    assert [read[name].dtype.kind for name in read] == ["M", "M", "O", "O", "O"]
    assert write_table(read, tmp_path / "again.csv").read_text() == text


def test_columns_of_texts_are_read_as_texts_where_the_other_table_holds_them(tmp_path: Path) -> None:
    real = pd.DataFrame(
        {
            "zip": ["01234", "9"],
            "level": pd.Categorical(["1", "2"]),
            "day": ["2024-01-01", "soon"],
            "code": pd.Series(["7", None], dtype="string"),
            "open": pd.Series([True, None], dtype=object),
            "grade": pd.Categorical([1, 2]),
            "whole": [1, 2],
        }
    )
    (tmp_path / "rows.csv").write_text(
        "zip,level,day,code,open,grade,whole,more\n01234,1,2024-01-01,7,True,1,1,01\n00009,,2024-01-02,,,2,2,02\n"
    )
    read = read_table(tmp_path / "rows.csv", like=real)
    assert read["zip"].tolist() == ["01234", "00009"]
    assert [read[name].iloc[0] for name in ("level", "day", "code")] == ["1", "2024-01-01", "7"]
    assert read[["level", "code"]].iloc[1].isna().all()
    assert read["open"].iloc[0] is True
    assert [read[name].dtype.kind for name in ("grade", "whole", "more")] == ["i", "i", "i"]
    assert read_table(tmp_path / "rows.csv")["zip"].tolist() == [1234, 9]


def test_what_a_spreadsheet_program_wrote_otherwise_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    for text, message in (("a;b\n1;2\n", "is the separator ';'"), ("a\tb\n1\t2\n", "is the separator a tab")):
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            read_table(path)
    path.write_text("a,b\n1,2\n", encoding="utf-16")
    with pytest.raises(DataError, match="Save it as UTF-8"):
        read_table(path)


def test_a_file_that_is_not_there_or_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'.*none\.csv' is not a file\. Give the path of a CSV or Parquet file"):
        read_table(tmp_path / "none.csv")
    for act in (read_table, check_table_target, lambda path: write_table(pd.DataFrame({"x": [1]}), path)):
        with pytest.raises(ConfigError, match=r"rows\.xlsx' ends in none of \.csv, \.csv\.gz, \.parquet, \.pq"):
            act(tmp_path / "rows.xlsx")
    assert content(tmp_path) == {}


@pytest.mark.parametrize(("name", "text"), [("rows.parquet", "a,b\n1,2\n"), ("rows.csv", ""), ("rows.csv", 'a\n"1')])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=r"could not be read as (CSV|Parquet): ") as caught:
        read_table(tmp_path / name)
    assert caught.value.__cause__ is not None


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        OutputError, match=r"'.*none' is not a folder, so 'a\.txt' cannot be written .* Create it first"
    ):
        write_text("words", tmp_path / "none" / "a.txt")
    with pytest.raises(OutputError, match=r"is a folder\. Give the path of a file"):
        write_text("words", tmp_path)


def full_disk(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def half_written_then(error: BaseException) -> Callable[[Path], None]:
    def write(temporary: Path) -> None:
        temporary.write_text("half")
        raise error

    return write


@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), OutputError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (ZeroDivisionError(), ZeroDivisionError),
    ],
    ids=["full_disk", "interrupt", "crash"],
)
def test_a_write_that_ends_early_leaves_the_target_as_it_was(
    tmp_path: Path, before: bytes | None, error: BaseException, raised: type[BaseException]
) -> None:
    target = tmp_path / "rows.csv"
    if before is not None:
        target.write_bytes(before)
    with pytest.raises(raised):
        write_beside(target, half_written_then(error))
    assert content(tmp_path) == ({} if before is None else {"rows.csv": before})


@pytest.mark.parametrize(("method", "name"), [("to_csv", "rows.csv"), ("to_parquet", "rows.parquet")])
def test_a_full_disk_is_one_clear_error(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, name: str
) -> None:
    write_table(frame, tmp_path / name)
    before = content(tmp_path)
    monkeypatch.setattr(pd.DataFrame, method, full_disk)
    with pytest.raises(
        OutputError, match=r"could not be written: .* No space left on device.* The target is as it was"
    ):
        write_table(frame.head(3), tmp_path / name)
    assert content(tmp_path) == before


def test_a_folder_that_takes_no_files_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "mkstemp", full_disk)
    with pytest.raises(OutputError, match=r"a\.txt' could not be written"):
        write_text("words", tmp_path / "a.txt")


def test_a_failed_rename_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OutputError, match=r"a\.txt' could not be written"):
        write_text("words", tmp_path / "a.txt")
    assert content(tmp_path) == {}


def test_files_get_the_mode_of_the_old_one_or_of_the_umask(tmp_path: Path) -> None:
    fresh = write_text("new", tmp_path / "fresh.txt")
    plain = tmp_path / "plain.txt"
    plain.write_text("by hand")
    assert fresh.stat().st_mode == plain.stat().st_mode
    plain.chmod(0o640)
    write_text("new", plain)
    assert plain.stat().st_mode & 0o777 == 0o640
