"""The tables of ``check``, read from their files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from autosynth.commands.columns import check_groups
from autosynth.commands.streams import tell
from autosynth.commands.tables import open_table
from autosynth.exceptions import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd


def read_rows(real: Path, synthetic: Path, holdout: Path | None, group_by: list[str] | None) -> dict[str, Any]:
    """Return the tables of a gate; CSV files have no types, so the real one says which columns hold texts.

    Raises
    ------
    ConfigError, DataError
        If a file cannot be read, the files look swapped, or group columns were given as one.
    """
    real_rows = open_table(real)
    check_groups(group_by, real_rows)
    rows = _only_synthetic(open_table(synthetic, like=real_rows), real_rows)
    tell(f"real: {real} ({len(real_rows)} rows), synthetic: {synthetic} ({len(rows)} rows)")
    held_out = None if holdout is None else open_table(holdout, like=real_rows)
    return {"real": real_rows, "synthetic": rows, "group_by": group_by, "holdout": held_out}


def _only_synthetic(rows: pd.DataFrame, real: pd.DataFrame) -> pd.DataFrame:
    """Return the synthetic rows of a file that ``rebalance`` wrote, without the marks; other rows as they are."""
    if "is_synthetic" in real.columns and "is_synthetic" not in rows.columns:
        raise ConfigError(
            "the real rows have a column 'is_synthetic', and the synthetic ones have none. Were the arguments swapped? "
            "The real rows come first."
        )
    if "is_synthetic" not in rows.columns or "is_synthetic" in real.columns:
        return rows
    if not rows["is_synthetic"].isin([True, False]).all():
        raise DataError("column 'is_synthetic' of the synthetic rows holds values other than True and False.")
    marks = [name for name in ("is_synthetic", "weight") if name not in real.columns and name in rows.columns]
    return rows[rows["is_synthetic"].astype(bool)].drop(columns=marks)
