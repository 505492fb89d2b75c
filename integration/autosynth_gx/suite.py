"""build_suite(): real rows in, a suite of expectations about synthetic rows out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from great_expectations.core import ExpectationSuite

from autosynth import Table
from autosynth.checks.families import FAMILIES
from autosynth.checks.real_rows import RealRows
from autosynth.checks.reference import Reference
from autosynth.checks.rules import Rule, as_rules
from autosynth.checks.self_test import self_test as check_halves
from autosynth.options import check_choice, check_flag, check_whole
from autosynth_gx.engine_rows import MAX_ROWS
from autosynth_gx.expectations import EXPECTATIONS, SyntheticExpectation
from autosynth_gx.groups import group_keys
from autosynth_gx.noisy_checks import OnNoisy, record_noise
from autosynth_gx.real_rows import HELD_OUT, REAL, fingerprint, save_rows
from autosynth_gx.sources import Source, remember
from autosynth_gx.suite_meta import FORMAT, KEY, seal

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    import pandas as pd

    from autosynth.files import AnyPath
    from autosynth.table import GroupBy


def build_suite(
    real: pd.DataFrame,
    *,
    label: Hashable,
    group_by: GroupBy = None,
    holdout: pd.DataFrame | None = None,
    rules: Sequence[Rule | str] = (),
    rows_dir: AnyPath | None = None,
    self_test: bool = True,
    on_noisy: OnNoisy = "warn",
    name: str = "autosynth",
    max_rows: int = MAX_ROWS,
) -> ExpectationSuite:
    """Return a suite of expectations about synthetic rows, made from real ones.

    The suite carries summaries and salted hashes, and no row.  Checks that need the rows themselves find them in memory
    for as long as this suite lives, in ``rows_dir``, or where :func:`run_gate` is given them; else they err.

    Parameters
    ----------
    real : DataFrame of shape (n_real, n_features + 1)
        Real rows with the label; ideally those that the generator learned from.
    label : Hashable
        The label column.
    group_by : Hashable or sequence of them, optional
        Columns that split the classes into groups.
    holdout : DataFrame, optional
        Real rows that the generator must not know; the label may be left out.
    rules : sequence of Rule or str
        What every row must keep, such as "start <= end".
    rows_dir : path, optional
        A folder that the rows are written to as Parquet, named by their signature.  It holds real data: guard it so.
    self_test : bool
        Whether one half of the real rows is checked against the other, to find checks that would cry wolf.
    on_noisy : "warn", "raise" or "demote"
        What happens when there are such checks: a warning, an error, or a warning while failures of these checks count
        as warnings.  They are listed in ``suite.meta["autosynth"]["self_test"]`` in any case.
    name : str
        The name of the suite.
    max_rows : int
        How many rows the checks look at where SQL or Spark holds them, beside what the engine counts.

    Returns
    -------
    ExpectationSuite
        One expectation per family of checks, or per family and group.

    Raises
    ------
    ConfigError, DataError
        If the real rows cannot be used, or a check is noisy and ``on_noisy`` is "raise".
    OutputError
        If the rows cannot be written.

    Examples
    --------
    >>> from autosynth.toy import shortcut_table
    >>> suite = build_suite(shortcut_table(300), label="ill", rules=["age >= 18"], name="patients")
    >>> suite.name, len(suite.expectations)
    ('patients', 19)
    >>> suite.expectations[-1].expectation_type, suite.expectations[-1].severity.value
    ('expect_synthetic_repeated_rows', 'warning')
    """
    check_choice("on_noisy", on_noisy, get_args(OnNoisy))
    check_flag("self_test", self_test)
    check_whole("max_rows", max_rows)
    rules = as_rules(rules)
    table = Table.from_frame(real, label=label, group_by=group_by)
    reference = Reference.of(table, holdout=holdout, rules=rules, with_hashes=True)
    facts = {
        "format": FORMAT,
        "reference": reference.to_dict(),
        "reference_digest": reference.digest,
        REAL: _save(real, reference, rows_dir),
        HELD_OUT: None if holdout is None else _save(holdout, reference, rows_dir),
        "self_test": None,
    }
    expectations = list(_expectations(reference, max_rows, has_holdout=holdout is not None))
    suite = ExpectationSuite(name=name, expectations=expectations, meta={KEY: facts})
    if self_test:
        record_noise(suite, check_halves(real, label=label, group_by=group_by, rules=rules), on_noisy)
    remember(Source(reference, RealRows(table, holdout)), suite)
    seal(suite)
    return suite


def _expectations(reference: Reference, max_rows: int, *, has_holdout: bool) -> Iterator[SyntheticExpectation]:
    for family in FAMILIES.values():
        if (family.name == "rules" and not reference.rules) or (family.name.startswith("held_out") and not has_holdout):
            continue
        for group in group_keys(reference) if family.scope == "group" else [None]:
            yield EXPECTATIONS[family.name](
                reference=reference.digest, group=group, max_rows=max_rows, severity=family.severity
            )


def _save(rows: pd.DataFrame, reference: Reference, rows_dir: AnyPath | None) -> dict[str, Any]:
    """Write rows where they are wanted, and return what the suite says of them."""
    name = fingerprint(rows, reference)
    if rows_dir is not None:
        save_rows(rows, name, rows_dir)
    return {"fingerprint": name, "n_rows": len(rows)}
