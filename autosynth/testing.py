"""The contract that every generator keeps, as tests: run :func:`check_generator` on yours."""

from __future__ import annotations

import copy
import pickle
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from autosynth.exceptions import AutosynthError, InsufficientRowsError
from autosynth.generator import RowGenerator, SampledRows
from autosynth.groups import Group
from autosynth.plan import SamplingPlan
from autosynth.plugins import current_plugins
from autosynth.synthesis import SyntheticRows, fit_generator, sample_rows
from autosynth.table import Table
from autosynth.toy import shortcut_table

Subject: TypeAlias = "str | RowGenerator | Callable[[Table], RowGenerator]"

FIT_SEED, SAMPLE_SEED = 1, 2


@dataclass(frozen=True)
class Candidate:
    """The generator under test: a registered name, an unfitted object, or a callable that builds one for a table."""

    subject: Subject
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What messages call it."""
        return (
            self.subject
            if isinstance(self.subject, str)
            else getattr(self.subject, "__name__", type(self.subject).__name__)
        )

    def build(self, table: Table) -> RowGenerator:
        """Return an unfitted generator."""
        if isinstance(self.subject, str):
            return current_plugins().build(self.subject, self.options)
        return self.subject if isinstance(self.subject, RowGenerator) else self.subject(table)

    def fit(self, table: Table, seed: int = FIT_SEED) -> RowGenerator:
        """Return a fitted generator."""
        return fit_generator(self.build(table), table, name=self.name, rng=np.random.default_rng(seed))

    def sample(
        self, fitted: RowGenerator, table: Table, counts: Mapping[Group, int], seed: int = SAMPLE_SEED
    ) -> SyntheticRows:
        """Return conformed rows, topped up as the core does it."""
        return sample_rows(fitted, table, counts, name=self.name, rng=np.random.default_rng(seed))

    def run(self, table: Table, seed: int = FIT_SEED) -> pd.DataFrame:
        """Fit and balance, and return the synthetic rows."""
        return self.sample(self.fit(table, seed), table, SamplingPlan.make(table).counts, seed + 1).frame


def contract_table(n_rows: int = 240, *, random_state: int = 0) -> Table:
    """Return a small table with every kind of column, missing values, and a rare cell of label x group column."""
    frame = shortcut_table(n_rows, minority_share=0.2, random_state=random_state)
    rng = np.random.default_rng(random_state)
    frame["admitted"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 365, n_rows), unit="D")
    frame["ward"] = frame["ward"].astype("category")
    frame["visits"] = pd.array(rng.integers(0, 9, n_rows), dtype="Int64")
    frame.loc[rng.random(n_rows) < 0.2, "visits"] = pd.NA
    insurers = np.array(["alpha", "beta", "gamma", None], dtype=object)
    frame["insurer"] = rng.choice(insurers, n_rows, p=[0.5, 0.2, 0.1, 0.2])
    frame["note"] = [f"patient {number} came on foot" for number in rng.permutation(n_rows)]
    frame.index = pd.Index([f"row-{position}" for position in range(n_rows)])
    return Table.from_frame(frame, label="ill", group_by="hospital")


def gives_the_counts_asked_for(candidate: Candidate) -> None:
    """Exactly the rows asked for come, per group, once the core has topped up."""
    table = contract_table()
    plan = SamplingPlan.make(table, augment=3)
    rows = candidate.sample(candidate.fit(table), table, plan.counts)
    got = np.bincount(table.grouping.codes(rows.frame), minlength=len(table.groups))
    wanted = [row.n_synthetic for row in plan.groups]
    assert got.tolist() == wanted, f"asked for {wanted} rows per group, got {got.tolist()}"


def never_gives_more_than_asked(candidate: Candidate) -> None:
    """One call of sample returns at most the rows asked for, of the groups asked for."""
    table = contract_table()
    group = table.groups[-1]
    answer = candidate.fit(table).sample({group: 7}, rng=np.random.default_rng(SAMPLE_SEED))
    frame = answer.frame if isinstance(answer, SampledRows) else answer
    codes = table.grouping.codes(frame)
    assert len(frame) <= 7, f"asked for 7 rows, got {len(frame)}"
    assert set(codes) <= {table.groups.index(group)}, "rows of a group came that was not asked for"


def keeps_dtypes_and_categories(candidate: Candidate) -> None:
    """No category appears that the real rows do not hold, and rows conform to the dtypes of the table."""
    table = contract_table()
    rows = candidate.sample(candidate.fit(table), table, SamplingPlan.make(table).counts)
    assert rows.frame.dtypes.equals(table.frame.dtypes), "dtypes differ from those of the real rows"
    foreign = {reason: count for reason, count in rows.refusals.items() if "do not hold" in reason or "not a" in reason}
    assert not foreign, f"values that the real rows rule out: {foreign}"


def keeps_missing_values_honest(candidate: Candidate) -> None:
    """Missing values come where the real rows hold some, at a similar rate, and nowhere else."""
    table = contract_table(400)
    rows = candidate.run(table)
    for column in table.schema.columns:
        rate = float(rows[column.name].isna().mean())
        real_rate = column.n_missing / len(table)
        assert real_rate > 0 or rate == 0, f"{column.name}: missing values came where the real rows hold none"
        assert rate > 0 or real_rate < 0.1, f"{column.name}: no missing value came, {real_rate:.0%} in the real rows"
        assert abs(rate - real_rate) <= 0.2, f"{column.name}: {rate:.0%} missing, {real_rate:.0%} in the real rows"


def gives_equal_rows_for_equal_seeds(candidate: Candidate) -> None:
    """The same table, options and seed give the same rows; another seed gives others."""
    table = contract_table()
    first, again, other = candidate.run(table), candidate.run(table), candidate.run(table, seed=7)
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other), "another seed gave the same rows"


def leaves_inputs_and_global_state_alone(candidate: Candidate) -> None:
    """Fitting and sampling change neither the table nor the global random streams."""
    table = contract_table()
    before = table.frame.copy(deep=True)
    python_state, numpy_state = random.getstate(), _numpy_state()
    candidate.run(table)
    pd.testing.assert_frame_equal(table.frame, before)
    assert random.getstate() == python_state, "Python's global random state moved"
    assert _numpy_state() == numpy_state, "numpy's global random state moved"


def survives_pickling(candidate: Candidate) -> None:
    """A fitted generator gives the same rows after a trip through pickle."""
    table = contract_table()
    counts = SamplingPlan.make(table).counts
    fitted = candidate.fit(table)
    travelled = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    pd.testing.assert_frame_equal(
        candidate.sample(fitted, table, counts).frame, candidate.sample(travelled, table, counts).frame
    )


def is_not_influenced_by_unseen_rows(candidate: Candidate) -> None:
    """Rows that a generator was not fitted on leave no trace, even when another instance saw them in between."""
    table = contract_table()
    counts = SamplingPlan.make(table).counts
    expected = candidate.run(table)
    fitted = candidate.fit(table)
    unseen = table.frame.assign(severity=1e6, pressure=1e6, insurer="canary", note="canary")
    candidate.run(Table.from_frame(unseen, label="ill", group_by="hospital"))
    rows = candidate.sample(fitted, table, counts).frame
    pd.testing.assert_frame_equal(rows, expected)
    assert rows["severity"].max() < 1e6, "a value of an unseen row came through"
    assert not rows["note"].eq("canary").any(), "a text of an unseen row came through"


def works_for_groups_of_one_and_two_rows(candidate: Candidate) -> None:
    """Tiny groups are served, or refused with an error of ours; never with a crash or in silence."""
    table = contract_table()
    frame = table.frame
    rare = frame.index[(frame["ill"] == "yes") & (frame["hospital"] == "north")]
    for size in (1, 2):
        small = Table.from_frame(frame.drop(index=rare[size:]), label="ill", group_by="hospital")
        _is_served_or_refused(candidate, small, {small.groups[-1]: 5})


def works_for_a_quantity_as_label(candidate: Candidate) -> None:
    """With group columns, the label may be a number to regress on."""
    frame = contract_table().frame.drop(columns=["ill", "note"])
    table = Table.from_frame(frame, label="severity", group_by=["hospital", "smoker"])
    rows = candidate.run(table)
    assert len(rows) == SamplingPlan.make(table).n_synthetic


def works_for_binned_groups_and_other_dtypes(candidate: Candidate) -> None:
    """A continuous group column stays in its bin; nullable and pyarrow-backed columns come back as they were."""
    frame = contract_table().frame.drop(columns=["note", "admitted"]).convert_dtypes(dtype_backend="pyarrow")
    frame["ward"] = frame["ward"].astype("category")
    table = Table.from_frame(frame, label="ill", group_by={"age": 2})
    rows = candidate.run(table)
    assert rows.dtypes.equals(frame.dtypes), "dtypes differ from those of the real rows"
    assert len(rows) == SamplingPlan.make(table).n_synthetic


def _is_served_or_refused(candidate: Candidate, table: Table, counts: Mapping[Group, int]) -> None:
    """Go past the core, which turns a crash into an error of ours; then through it, which counts the rows."""
    rng = np.random.default_rng(FIT_SEED)
    smallest = int(table.group_sizes.min())
    try:
        copy.deepcopy(candidate.build(table)).fit(table, rng=rng).sample(counts, rng=rng)
    except AutosynthError:
        return
    except Exception as error:
        raise AssertionError(f"crashed on a group of {smallest} row{'s' * (smallest > 1)}: {error!r}") from error
    with suppress(InsufficientRowsError):
        candidate.sample(candidate.fit(table), table, counts)


def _numpy_state() -> bytes:
    return pickle.dumps(np.random.get_state())  # noqa: NPY002 - looked at, not used


CONTRACT: tuple[Callable[[Candidate], None], ...] = (
    gives_the_counts_asked_for,
    never_gives_more_than_asked,
    keeps_dtypes_and_categories,
    keeps_missing_values_honest,
    gives_equal_rows_for_equal_seeds,
    leaves_inputs_and_global_state_alone,
    survives_pickling,
    is_not_influenced_by_unseen_rows,
    works_for_groups_of_one_and_two_rows,
    works_for_a_quantity_as_label,
    works_for_binned_groups_and_other_dtypes,
)


def check_generator(
    generator: Subject, *, generator_options: Mapping[str, Any] | None = None, max_seconds: float = 120.0
) -> None:
    """Run the whole contract on a generator.

    Parameters
    ----------
    generator : str, RowGenerator, or callable
        A registered name, an unfitted generator object, or a callable that takes a Table and returns one.
    generator_options : mapping, optional
        For a registered name; keep the tests short with them (fewer epochs, for instance).
    max_seconds : float
        Wall time that each part of the contract may take.

    Raises
    ------
    AssertionError
        With the name of the broken part, its meaning and what was seen.
    AutosynthError
        If there is no such generator, its options are wrong, or a package that it needs is not installed.

    Examples
    --------
    >>> check_generator("ros")

    With pytest, one test per part::

        @pytest.mark.parametrize("part", autosynth.testing.CONTRACT, ids=lambda part: part.__name__)
        def test_contract(part):
            part(Candidate("my_generator"))
    """
    candidate = Candidate(generator, dict(generator_options or {}))
    candidate.build(contract_table())
    for part in CONTRACT:
        started = time.perf_counter()
        try:
            part(candidate)
        except Exception as error:
            seen = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
            raise AssertionError(
                f"{candidate.name} breaks the contract {part.__name__!r}: {seen}\n{part.__doc__}"
            ) from error
        seconds = time.perf_counter() - started
        assert seconds <= max_seconds, (
            f"{candidate.name} took {seconds:.0f} s for {part.__name__!r}, allowed {max_seconds:.0f} s"
        )
