from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autosynth
from autosynth import Table
from autosynth.exceptions import ConfigError, DataError, InsufficientRowsError, PluginError
from autosynth.files import write_table
from autosynth.plugins import current_plugins


@pytest.fixture
def made(frame: pd.DataFrame, tmp_path: Path) -> Path:
    """A file with 150 valid rows of each class, all different from each other."""
    rows = autosynth.rebalance(frame, label="ill", generator="smote", strategy={"no": 240, "yes": 180}, check="off")
    return write_table(rows.synthetic, tmp_path / "made.csv")


def test_rows_of_a_file_fill_the_groups(frame: pd.DataFrame, made: Path) -> None:
    result = autosynth.rebalance(
        frame, label="ill", generator="rows", generator_options={"path": str(made)}, check="off"
    )
    assert result.data["ill"].value_counts().to_dict() == {"no": 90, "yes": 90}
    assert result.synthetic.dtypes.equals(frame.dtypes)
    on_file = set(pd.read_csv(made)["severity"].round(9))
    assert set(result.synthetic["severity"].round(9)) <= on_file
    assert result.provenance["parents"].map(len).eq(0).all()


def test_no_row_is_handed_out_twice(frame: pd.DataFrame, made: Path) -> None:
    table = Table.from_frame(frame, label="ill")
    generator = current_plugins().build("rows", {"path": str(made)}).fit(table, rng=np.random.default_rng(0))
    rng = np.random.default_rng(1)
    ill = table.groups[1]
    parts = [generator.sample({ill: 60}, rng=rng).frame for _ in range(3)]
    assert [len(part) for part in parts] == [60, 60, 30]
    assert pd.concat(parts)["severity"].is_unique


def test_too_few_rows_on_file_are_an_error_with_both_counts(frame: pd.DataFrame, made: Path) -> None:
    with pytest.raises(InsufficientRowsError, match="ill=yes: 150 of 270"):
        autosynth.rebalance(
            frame, label="ill", generator="rows", generator_options={"path": str(made)}, strategy={"yes": 300}
        )


def test_rows_that_break_the_schema_are_counted_once(frame: pd.DataFrame, made: Path) -> None:
    rows = pd.read_csv(made)
    rows.loc[:9, "ward"] = "attic"
    write_table(rows, made)
    report = autosynth.rebalance(
        frame, label="ill", generator="rows", generator_options={"path": str(made)}, check="off"
    ).report
    assert report.notes == {"rows of the file refused, ward: a value that the real rows do not hold": 10}


@pytest.mark.parametrize(
    ("path", "message"),
    [("", "generator 'rows' needs a file"), ("none.csv", "'none.csv' is not a file"), ("a.xlsx", "ends in none of")],
)
def test_a_file_that_cannot_be_read_is_a_wrong_option(frame: pd.DataFrame, path: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        autosynth.rebalance(frame, label="ill", generator="rows", generator_options={"path": path})


def test_other_columns_and_broken_files_are_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = write_table(frame.drop(columns="age"), tmp_path / "made.csv")
    with pytest.raises(PluginError, match=r"generator 'rows' returned .* missing: age; unexpected: none"):
        autosynth.rebalance(frame, label="ill", generator="rows", generator_options={"path": str(path)})
    path.write_text("")
    with pytest.raises(DataError, match="could not be read as CSV"):
        autosynth.rebalance(frame, label="ill", generator="rows", generator_options={"path": str(path)})


def test_it_says_that_it_learns_nothing() -> None:
    assert autosynth.generators()["rows"].refits is False
