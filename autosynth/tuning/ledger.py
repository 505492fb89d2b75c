"""The ledger of a race: every result is written down, so that an interrupted race is taken up where it ended."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.exceptions import ConfigError, OutputError
from autosynth.files import AnyPath, write_beside, write_text
from autosynth.tuning.description import describe, digest, home_of
from autosynth.tuning.fold_source import FoldRows
from autosynth.tuning.trial import FoldResult
from autosynth.versions import packages_of, versions_of

if TYPE_CHECKING:
    from autosynth.table import Table

__all__ = ["Ledger", "describe_learner", "fingerprint"]

FORMAT = 1
SETTINGS_NAME = "ledger.json"
PACKAGES = ("autosynth", "numpy", "pandas", "scikit-learn", "xgboost", "xgboost-cpu")
MOST_DIFFERENCES = 5  # that a message tells
BROKEN = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)


class Ledger:
    """A folder with one file per arm and fold, and one per generator and fold; without a folder, nothing is kept.

    A result is found again under everything that decides it, so that a later race over more arms, with another metric
    or more time goes on from what there is.  What all results share (rows, folds, seed, learner, versions) is claimed
    once; a ledger of other settings is refused.  Files are written beside their names and renamed, so that none is
    half-written, and one that cannot be read is measured again.

    Parameters
    ----------
    folder : path or None
        Created when it does not exist.
    """

    def __init__(self, folder: AnyPath | None = None) -> None:
        self.folder = None if folder is None else Path(folder)

    def part(self, name: str) -> Ledger:
        """Return a ledger of its own inside this one, for one race of several."""
        return Ledger(None if self.folder is None else self.folder / name)

    def claim(self, settings: Mapping[str, Any]) -> None:
        """Write down what all results share, or compare it with what is written.

        Raises
        ------
        ConfigError
            If the folder holds results of other settings, naming these, or files of another kind.
        OutputError
            If the folder cannot be written.
        """
        if self.folder is None:
            return
        wanted = json.loads(json.dumps({"format": FORMAT, **settings, "versions": versions_of(PACKAGES)}))
        path = self.folder / SETTINGS_NAME
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists() and not any(self.folder.iterdir())
        except OSError as error:
            raise OutputError(
                f"ledger={str(self.folder)!r} cannot be used as a folder: {error}. Name a folder that can be written."
            ) from error
        if is_new:
            write_text(json.dumps(wanted, indent=2), path)
            return
        differing = _differences(_read_settings(path), wanted)
        if differing:
            raise ConfigError(
                f"ledger={str(self.folder)!r} holds results of other settings: {_listed(differing)}. Give the same "
                "settings to take it up, or another folder to start anew."
            )

    def get(self, key: Mapping[str, Any]) -> FoldResult | None:
        """Return a result, or None where there is none that can be read."""
        path = self._path(key, ".npz")
        if path is None or not path.is_file():
            return None
        try:
            # numpy leaves a file open that it opened itself and could not read.
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                facts = json.loads(str(arrays["facts"]))
                return FoldResult(arrays["probabilities"], arrays["trained"], **facts)
        except BROKEN:
            return None

    def put(self, key: Mapping[str, Any], result: FoldResult) -> None:
        """Write a result down."""
        path = self._path(key, ".npz")
        if path is None:
            return
        facts = {"n_synthetic": result.n_synthetic, "seconds": result.seconds, "notes": dict(result.notes)}

        def write(temporary: Path) -> None:
            with temporary.open("wb") as stream:
                np.savez_compressed(
                    stream,
                    probabilities=result.probabilities,
                    trained=result.trained,
                    facts=np.array(json.dumps(facts)),
                )

        write_beside(path, write)

    def get_rows(self, key: Mapping[str, Any], table: Table) -> FoldRows | None:
        """Return the rows of a generator in the dtypes of ``table``, or None where there are none that can be read."""
        path = self._path(key, ".parquet")
        if path is None or not path.is_file():
            return None
        try:
            stored = pd.read_parquet(path)
            codes = stored.pop("group").to_numpy(dtype=np.int64)
            facts = stored.pop("facts")
            told = json.loads(facts.iloc[0]) if len(facts) else {}
            frame = _restored(stored.set_axis(table.frame.columns, axis=1), dict(table.frame.dtypes))
            return FoldRows(frame.reset_index(drop=True), codes, **told)
        except BROKEN:
            return None

    def put_rows(self, key: Mapping[str, Any], rows: FoldRows) -> None:
        """Write the rows of a generator down; columns go by number, since Parquet wants texts for names."""
        path = self._path(key, ".parquet")
        if path is None:
            return
        facts = json.dumps({"notes": dict(rows.notes), "shortfall": rows.shortfall})
        numbered = rows.frame.set_axis([str(number) for number in range(rows.frame.shape[1])], axis=1)
        for name, column in numbered.items():
            if isinstance(column.dtype, pd.CategoricalDtype):
                numbered[name] = column.cat.codes  # Parquet knows texts alone as categories
        stored = numbered.assign(group=rows.group_codes, facts=facts)
        write_beside(path, lambda temporary: stored.to_parquet(temporary, index=False))

    def _path(self, key: Mapping[str, Any], suffix: str) -> Path | None:
        return None if self.folder is None else self.folder / f"{digest(key)}{suffix}"


def _restored(stored: pd.DataFrame, dtypes: Mapping[Any, Any]) -> pd.DataFrame:
    """Return stored columns in their dtypes; categories of any kind are stored as their codes."""
    columns = {
        name: pd.Categorical.from_codes(stored[name].to_numpy(), dtype=dtype)
        if isinstance(dtype, pd.CategoricalDtype)
        else stored[name].astype(dtype)
        for name, dtype in dtypes.items()
    }
    return pd.DataFrame(columns, index=stored.index)


def fingerprint(table: Table) -> str:
    """Return a hash of a table's cells, columns, dtypes and groups; row labels do not count."""
    cells = pd.util.hash_pandas_object(table.frame, index=False).to_numpy()
    columns = [(repr(column.name), str(column.dtype), column.kind) for column in table.schema.columns]
    facts = [repr(table.label), [str(group) for group in table.groups], columns]
    whole = hashlib.sha256(cells.tobytes())
    whole.update(np.ascontiguousarray(table.group_codes).tobytes())
    whole.update(json.dumps(facts).encode())
    return whole.hexdigest()


def describe_learner(learner: Any) -> dict[str, Any]:
    """Return what a learner is configured with, as plain data."""
    model = getattr(learner, "classifier", learner)
    settings = model.get_params(deep=True) if hasattr(model, "get_params") else getattr(model, "__dict__", {})
    kind = type(model)
    homes = {home_of(value) for value in (model, *settings.values())} - {"builtins", "__main__"}
    return {
        "learner": f"{kind.__module__}.{kind.__qualname__}",
        "learner's packages": versions_of([name for home in sorted(homes) for name in packages_of(home)]),
        **{str(name): _setting(value) for name, value in sorted(settings.items())},
    }


def _setting(value: Any) -> str:
    """Return a number, flag or nothing as it is, and of anything else a digest, which shows no key that it may hold."""
    return repr(value) if isinstance(value, int | float | None) else digest(describe(value))


def _listed(differing: Sequence[str]) -> str:
    """Return the first differences, and how many more there are: another learner may differ in fifty settings."""
    more = len(differing) - MOST_DIFFERENCES
    return "; ".join([*differing[:MOST_DIFFERENCES], *([f"and {more} more"] if more > 0 else [])])


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"ledger={str(path.parent)!r} holds files, but no {SETTINGS_NAME} that says what they are of ({error}). "
            "Give an empty or a new folder."
        ) from error
    if not isinstance(settings, dict):
        raise ConfigError(f"{str(path)!r} is no ledger of a race. Give an empty or a new folder.")
    return settings


def _differences(written: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Name the settings that differ, with both values where these are short."""
    found = []
    for name in dict.fromkeys([*wanted, *written]):
        then, now = written.get(name), wanted.get(name)
        if then == now:
            continue
        if isinstance(then, dict) and isinstance(now, dict):
            found += [f"{name}: {line}" for line in _differences(then, now)]
        else:
            is_short = len(str(then)) <= 30 and len(str(now)) <= 30
            found.append(f"{name} was {then}, is {now}" if is_short else f"{name} differs")
    return found
