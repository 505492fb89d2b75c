"""RuleRecord: how well the real rows keep a rule, and how well synthetic ones have to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.checks.noise import Chance, level_of_each
from autosynth.checks.result import CheckResult, Offender
from autosynth.checks.rules import Rule
from autosynth.exceptions import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autosynth.checks.family import Context
    from autosynth.table import Table

MAX_BROKEN = 0.05  # a rule that more of the real rows break is a mistake
N_OFFENDERS = 5


@dataclass(frozen=True)
class RuleRecord:
    """A rule, and how many real rows break it.

    Attributes
    ----------
    rule : Rule
        What every row has to keep.
    n_broken : tuple of int
        Real rows that break it, one number per group.

    Examples
    --------
    >>> import pandas as pd
    >>> from autosynth.table import Table
    >>> frame = pd.DataFrame({"start": [1, 5, *[3] * 38], "end": [2, 3, *[4] * 38], "y": [*["a"] * 39, "b"]})
    >>> RuleRecord.of(Rule("start", "<=", "end"), Table.from_frame(frame, label="y")).n_broken
    (1, 0)
    """

    rule: Rule
    n_broken: tuple[int, ...]

    @classmethod
    def of(cls, rule: Rule, table: Table) -> RuleRecord:
        """Count the real rows that break a rule.

        Raises
        ------
        ConfigError
            If a column is absent, the two sides are of different kinds, or more than 5 % of the real rows break it.
        """
        broken = ~rule.holds(table.frame)
        if broken.mean() > MAX_BROKEN:
            raise ConfigError(
                f"rule {rule} is broken by {broken.sum()} of {len(broken)} real rows ({broken.mean():.1%}), and at "
                f"most {MAX_BROKEN:.0%} may break one. A rule is what real rows keep: is it the wrong way round?"
            )
        counts = np.bincount(table.group_codes[broken], minlength=len(table.groups))
        return cls(rule, tuple(counts.tolist()))

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data for JSON."""
        return {"rule": self.rule.to_dict(), "n_broken": list(self.n_broken)}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> RuleRecord:
        """Return the record that :meth:`to_dict` wrote.

        Raises
        ------
        ConfigError
            If it is none.
        """
        counts = state.get("n_broken")
        if not isinstance(counts, list) or not all(type(count) is int and count >= 0 for count in counts):
            raise ConfigError(f"{state!r} is no record of a rule: n_broken must be a list of whole numbers from 0 on.")
        return cls(Rule.from_dict(state.get("rule", {})), tuple(counts))


def check_rules(context: Context) -> list[CheckResult]:
    """Return one check per rule: the share of synthetic rows that break it.

    As many may break it as would of fresh real rows in the same mix of groups.  Where no real row breaks it, none may:
    a rule is the user's word, and no guess that a larger sample could correct.
    """
    records, batch = context.reference.rules, context.batch
    if not len(batch):
        return []
    sizes = np.asarray(context.reference.group_sizes)
    mix = np.bincount(batch.group_codes, minlength=len(sizes))
    results = []
    for record in records:
        if len(record.n_broken) != len(sizes) or np.any(np.asarray(record.n_broken) > sizes):
            raise ConfigError(f"the record of rule {record.rule} counts other rows than the reference holds.")
        broken = ~record.rule.holds(batch.frame)
        n_broken = np.bincount(batch.group_codes[broken], minlength=len(sizes))
        chance = Chance.of_mix(record.n_broken, sizes, mix)
        observed = float(broken.mean())
        limit = chance.highest(len(batch), level_of_each(len(records))) if any(record.n_broken) else 0.0
        worst = np.argsort(-n_broken / np.maximum(mix, 1), kind="stable")[:N_OFFENDERS]
        results.append(
            CheckResult(
                name="rules",
                subject=str(record.rule),
                passed=observed <= limit,
                observed=observed,
                limit=limit,
                message=f"{int(broken.sum())} of {len(batch)} rows break it ({observed:.2%}), allowed {limit:.2%}; "
                f"of the real rows {chance.share:.2%} do",
                offenders=tuple(
                    Offender(str(context.reference.groups[code]), float(n_broken[code] / mix[code]), limit)
                    for code in worst.tolist()
                    if n_broken[code]
                ),
                skipped=limit >= 1,
            )
        )
    return results
