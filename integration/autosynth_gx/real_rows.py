"""The real rows of a suite: outside of it, named by their hash, and verified before they are used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth import Table, TableSchema
from autosynth.checks.distance import row_hashes
from autosynth.checks.real_rows import RealRows
from autosynth.conform import conform
from autosynth.exceptions import ConfigError, DataError, OutputError
from autosynth.files import write_table
from autosynth_gx.sources import Source, source_of
from autosynth_gx.suite_meta import facts_of

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuite

    from autosynth.checks.reference import Reference
    from autosynth.files import AnyPath

REAL, HELD_OUT = "real", "holdout"


def fingerprint(rows: pd.DataFrame, reference: Reference) -> str:
    """Return the signature of rows in any order: of the columns that the schema knows, and of the rows that fit it.

    Salt and key of the suite go into it, so that nobody without them can try out rows that they guess.

    Raises
    ------
    ConfigError
        If the suite was built with a key, and the environment holds none or another.
    """
    schema, hashes = reference.schema, reference.hashes
    if hashes is None:
        raise ConfigError("the suite holds no hashes of rows. Build it anew with autosynth_gx.build_suite.")
    known = tuple(column for column in schema.columns if column.name in rows.columns)
    part = TableSchema(columns=known, label=schema.label)
    frame, _, _ = conform(rows[list(part.names)], part, owner=None, within_limits=False)
    names = repr([str(name) for name in part.names]).encode()
    return hashes.sign(names + np.sort(row_hashes(frame)).tobytes())


def save_rows(rows: pd.DataFrame, name: str, rows_dir: AnyPath) -> Path:
    """Write rows as Parquet under their fingerprint; the names of the columns stay readable.

    Raises
    ------
    OutputError
        If the folder does not exist or cannot be written to.
    """
    if not Path(rows_dir).is_dir():
        raise OutputError(f"rows_dir={str(rows_dir)!r} is not a folder. Create it first.")
    names = [f"{position} {name}" for position, name in enumerate(rows.columns)]
    return write_table(rows.set_axis(names, axis=1).reset_index(drop=True), Path(rows_dir) / f"{name}.parquet")


def source_with_rows(
    suite: ExpectationSuite,
    *,
    real: pd.DataFrame | None = None,
    holdout: pd.DataFrame | None = None,
    rows_dir: AnyPath | None = None,
) -> Source:
    """Return what is known of the real rows for one run: rows given, else those of a folder, else those at hand.

    Rows that are given must be the right ones.  Rows of a folder that are absent or altered are left out, so that the
    checks which need them err.

    Raises
    ------
    DataError
        If rows are given and are not those that the suite was built from.
    """
    facts = facts_of(suite)
    source = source_of(suite, facts["reference_digest"])
    given = {REAL: real, HELD_OUT: holdout}
    if rows_dir is None and real is None and holdout is None:
        return source
    found: dict[str, pd.DataFrame | None] = {}
    missing: list[str] = []
    for role, rows in given.items():
        fact = facts[role]
        if rows is not None:
            found[role] = _verified(rows, role, fact, source.reference)
        elif fact is not None and rows_dir is not None:
            found[role], why = _from_folder(Path(rows_dir), role, fact, source.reference)
            missing += [why] * (why != "")
        elif source.rows is not None:
            found[role] = source.rows.table.frame if role == REAL else source.rows.holdout
    return Source(source.reference, rows_of(source.reference, found.get(REAL), found.get(HELD_OUT)), " ".join(missing))


def rows_of(reference: Reference, real: pd.DataFrame | None, holdout: pd.DataFrame | None) -> RealRows | None:
    """Return real rows in the groups of the reference, ready for the checks; None without any."""
    if real is None:
        return None
    frame, _, _ = conform(real, reference.schema, owner=None, within_limits=False)
    table = Table(frame, reference.schema, reference.grouping, reference.grouping.codes(frame))
    return RealRows(table, holdout)


def _verified(rows: Any, role: str, fact: dict[str, Any] | None, reference: Reference) -> pd.DataFrame:
    if fact is None:
        raise DataError(f"{role} rows are given, but the suite was built without any. Build it with {role}=.")
    if not isinstance(rows, pd.DataFrame):
        raise DataError(f"{role} is a {type(rows).__name__}. Give a DataFrame.")
    if _fingerprint_or_none(rows, reference) != fact["fingerprint"]:
        raise DataError(
            f"the {role} rows are not those that the suite was built from ({len(rows)} rows given, {fact['n_rows']} "
            "then). Give the same rows, in any order, or build the suite anew."
        )
    return rows


def _from_folder(
    rows_dir: Path, role: str, fact: dict[str, Any], reference: Reference
) -> tuple[pd.DataFrame | None, str]:
    """Return the rows of a role, or why there are none."""
    path = rows_dir / f"{fact['fingerprint']}.parquet"
    if not path.is_file():
        return None, f"{role} rows: {str(path)!r} does not exist."
    try:
        rows = pd.read_parquet(path)
    except Exception as error:
        return None, f"{role} rows: {str(path)!r} cannot be read: {error}"
    names = {str(name): name for name in reference.schema.names}
    rows = rows.set_axis([names.get(str(name).partition(" ")[2], name) for name in rows.columns], axis=1)
    if _fingerprint_or_none(rows, reference) != fact["fingerprint"]:
        return None, f"{role} rows: {str(path)!r} was altered; its rows are not those of its name."
    return rows, ""


def _fingerprint_or_none(rows: pd.DataFrame, reference: Reference) -> str | None:
    try:
        return fingerprint(rows, reference)
    except DataError:
        return None
