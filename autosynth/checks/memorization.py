"""Memorization: synthetic rows that copy training rows, held-out rows, or each other.

A share of copies is judged against chance: against how often real rows coincide with other real rows, in the groups of
the synthetic ones (:func:`copy_shares`).  It fails when its excess over chance is beyond noise (95 %) and beyond a
tolerance.  Copies of training rows are a warning, since a copy is no wrong row, only no new one.  Copies of held-out
rows are critical: a generator that never saw a row cannot hit it more often than fresh real rows do, so scores on those
rows are worthless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from autosynth.checks.chance import CopyShare, against_chance
from autosynth.checks.distance import row_hashes
from autosynth.checks.result import CheckResult, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from autosynth.checks.contamination import KnownRows
    from autosynth.checks.copies import Copies

    Codes = npt.NDArray[np.int64]

COPY_TOLERANCE = 0.05  # share of copies of training rows, or of each other, beyond chance
HELD_OUT_TOLERANCE = 0.01  # share of copies of held-out rows beyond chance
MAX_ROWS = 20_000  # a share is counted on at most so many evenly spaced rows; all real rows count as copied ones
KIND_WORDS = {"exact": "equal", "near": "nearly equal"}


def check_copies(
    known: KnownRows, synthetic: pd.DataFrame, group_codes: Codes, *, copies_wanted: bool = False
) -> list[CheckResult]:
    """Return the shares of exact and near copies of training rows and of held-out rows, and of repeated rows.

    Parameters
    ----------
    known : KnownRows
        Training rows, and held-out rows when there are some.
    synthetic : DataFrame of shape (n_rows, n_columns)
        In the columns and dtypes of the training rows, index ignored.
    group_codes : ndarray of shape (n_rows,)
        Position of each synthetic row's group.
    copies_wanted : bool
        Whether the generator copies training rows on purpose; those shares are then shown and never fail.
    """
    shares = copy_shares(known, synthetic, group_codes)
    results = [
        _as_result(f"{kind}_copies", share, f"{KIND_WORDS[kind]} a training row", wanted=copies_wanted)
        for kind, share in shares["training"].items()
    ]
    results += [
        _as_result(f"held_out_{kind}_copies", share, f"{KIND_WORDS[kind]} a held-out row", severity="critical")
        for kind, share in shares.get("held-out", {}).items()
    ]
    return [*results, _repeated_rows(known, synthetic, wanted=copies_wanted)]


def copy_shares(known: KnownRows, synthetic: pd.DataFrame, group_codes: Codes) -> dict[str, dict[str, CopyShare]]:
    """Return the shares of "exact" and of "near" copies of the "training" and, where there are some, "held-out" rows.

    For training rows, chance is how often they coincide with each other.  For held-out rows, it is how often a training
    row coincides with a held-out one, and a held-out row with another, while no other training row explains it; or, if
    that is more often, how often training rows with shuffled columns do: in a table whose rows are all different by
    design, such as one row per combination, real rows never coincide.
    """
    looked_at = _spread(len(synthetic))
    points, groups = known.space.place(synthetic.iloc[looked_at]), group_codes[looked_at]
    training, held_out = _spread(len(known.training)), _spread(len(known.held_out_groups))
    finder = known.training_copies
    real = _Innocents(finder.coincidences(training), known.training_groups[training])
    shares = {"training": _against_innocents(finder.copies(points), groups, [real], COPY_TOLERANCE)}
    if known.held_out_copies is not None and known.mixed is not None:
        finder = known.held_out_copies
        coincidences = finder.coincidences(held_out) + finder.coincidences(training, of_others=True)
        real_groups = np.concatenate([known.held_out_groups[held_out], known.training_groups[training]])
        some = _spread(len(known.mixed))
        mixed = _Innocents(finder.copies(known.mixed[some]), known.mixed_groups[some])
        innocents = [_Innocents(coincidences, real_groups), mixed]
        shares["held-out"] = _against_innocents(finder.copies(points), groups, innocents, HELD_OUT_TOLERANCE)
    return shares


class _Innocents(NamedTuple):
    """Rows that can be copies by chance only: which of them are, and the group of each."""

    copies: Copies
    groups: Codes


def _against_innocents(
    copies: Copies, groups: Codes, innocents: Sequence[_Innocents], tolerance: float
) -> dict[str, CopyShare]:
    """Return the shares of exact and near copies against those innocents that hold more of them."""

    def share(kind: str, some: _Innocents) -> CopyShare:
        by_chance = getattr(some.copies, kind)
        return against_chance(getattr(copies, kind), groups, by_chance, some.groups, tolerance=tolerance)

    return {kind: max((share(kind, some) for some in innocents), key=lambda found: found.chance) for kind in KIND_WORDS}


def _as_result(
    name: str, share: CopyShare, what: str, *, severity: Severity = "warning", wanted: bool = False
) -> CheckResult:
    limit = 1.0 if wanted else share.limit
    few = "" if share.is_telling or wanted else "; too few rows for a firm verdict"
    return CheckResult(
        name=name,
        subject="all rows",
        passed=wanted or share.passed,
        observed=share.interval.value,
        limit=limit,
        severity=severity,
        message=f"synthetic rows that {what}: {share}, allowed {limit:.1%}{few}",
    )


def _repeated_rows(known: KnownRows, synthetic: pd.DataFrame, *, wanted: bool) -> CheckResult:
    names = [column.name for column in known.space.columns]
    repeated = float(pd.Series(row_hashes(synthetic[names])).duplicated().mean())
    natural = float(pd.Series(known.training.keys).duplicated().mean())
    limit = 1.0 if wanted else min(1.0, natural + COPY_TOLERANCE)
    return CheckResult(
        name="repeated_rows",
        subject="all rows",
        passed=repeated <= limit,
        observed=repeated,
        limit=limit,
        severity="warning",
        message=f"{repeated:.1%} of the synthetic rows repeat another synthetic row, allowed {limit:.1%}",
    )


def _spread(n_rows: int) -> Codes:
    """Return the positions of all rows, or of MAX_ROWS evenly spaced ones."""
    if n_rows <= MAX_ROWS:
        return np.arange(n_rows)
    return np.linspace(0, n_rows - 1, MAX_ROWS).round().astype(np.int64)
