"""Memorization: synthetic rows that copy training rows or held-out rows.

A share of copies is judged against chance: against how often real rows coincide with other real rows, in the groups of
the synthetic ones (:func:`copy_shares`).  It fails when its excess over chance is beyond noise (95 %) and beyond a
tolerance.  Copies of training rows are critical in rows of any origin, and a warning where the run that made them is
known: a copy is no wrong row, only no new one.  Copies of held-out rows are always critical: a generator that never saw
a row cannot hit it more often than fresh real rows do, so scores on those rows are worthless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autosynth.checks.chance import CopyShare, against_chance
from autosynth.checks.embedding import spread
from autosynth.checks.noise import Chance
from autosynth.checks.result import CheckResult, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from autosynth.checks.contamination import KnownRows
    from autosynth.checks.copies import CopyKind
    from autosynth.checks.family import Context

    Codes = npt.NDArray[np.int64]

COPY_TOLERANCE = 0.05  # share of copies of training rows beyond chance
HELD_OUT_TOLERANCE = 0.01  # share of copies of held-out rows beyond chance
MAX_ROWS = 20_000  # a share is counted on at most so many evenly spaced rows; all real rows count as copied ones
KINDS: tuple[CopyKind, ...] = ("exact", "near")
KIND_WORDS = {"exact": "equal", "near": "nearly equal"}


def check_exact_copies(context: Context) -> list[CheckResult]:
    """Return the check of the share of rows that equal a training row, by the rows or else by their hashes."""
    batch, hashes = context.batch, context.reference.hashes
    if not len(batch):
        return []
    if context.rows is not None:
        share = training_copy_share(context.rows.known, batch.frame, batch.group_codes, "exact")
    elif hashes is not None:
        copies, _ = hashes.find(batch.frame[list(context.reference.free_columns)])
        share = _share_by_hashes(copies, hashes.n_coincident, context.mix, COPY_TOLERANCE)
    else:
        return [_no_rows("exact_copies")]
    return [_of_training_rows(context, "exact_copies", share, "equal a training row")]


def check_near_copies(context: Context) -> list[CheckResult]:
    """Return the check of the share of rows that nearly equal a training row."""
    assert context.rows is not None  # noqa: S101 - the family needs rows
    batch = context.batch
    if not len(batch):
        return []
    share = training_copy_share(context.rows.known, batch.frame, batch.group_codes, "near")
    return [_of_training_rows(context, "near_copies", share, "nearly equal a training row")]


def check_held_out_exact_copies(context: Context) -> list[CheckResult]:
    """Return the check of the share of rows that equal a held-out row, where there are any, by rows or by hashes."""
    batch, hashes = context.batch, context.reference.hashes
    if not _has_held_out(context):
        return []
    if context.rows is not None:
        share = held_out_copy_share(context.rows.known, batch.frame, batch.group_codes, "exact")
    else:
        assert hashes is not None  # noqa: S101 - only they know of held-out rows where there are no rows
        _, copies = hashes.find(batch.frame[list(context.reference.free_columns)])
        share = _share_by_hashes(copies, hashes.n_held_out_coincident, context.mix, HELD_OUT_TOLERANCE)
    return [_as_result("held_out_exact_copies", share, "equal a held-out row")]


def check_held_out_near_copies(context: Context) -> list[CheckResult]:
    """Return the check of the share of rows that nearly equal a held-out row, where there are any."""
    batch = context.batch
    if not _has_held_out(context):
        return []
    if context.rows is None:
        return [_no_rows("held_out_near_copies")]
    share = held_out_copy_share(context.rows.known, batch.frame, batch.group_codes, "near")
    return [_as_result("held_out_near_copies", share, "nearly equal a held-out row")]


def _has_held_out(context: Context) -> bool:
    """Return whether there are synthetic rows, and held-out rows that they may copy."""
    if not len(context.batch):
        return False
    if context.rows is not None:
        return context.rows.known.held_out is not None
    return context.reference.hashes is not None and bool(context.reference.hashes.held_out)


def _no_rows(name: str) -> CheckResult:
    return CheckResult.not_run(name, "all rows", "neither the real rows nor what it needs to know of them is at hand.")


def _share_by_hashes(
    copies: npt.NDArray[np.bool_], coincidences: Sequence[tuple[int, int]], mix: Codes, tolerance: float
) -> CopyShare:
    """Return the share of copies against the real rows of each group that coincide by chance, of how many."""
    hits, sizes = np.array(coincidences).T
    chance = Chance.of_mix(hits, sizes, mix)
    return CopyShare(
        n_rows=len(copies),
        n_copies=int(copies.sum()),
        chance=chance.share,
        n_real=int(chance.n_real + 1e-9),
        tolerance=tolerance,
    )


def copy_shares(known: KnownRows, synthetic: pd.DataFrame, group_codes: Codes) -> dict[str, dict[str, CopyShare]]:
    """Return the shares of "exact" and of "near" copies of the "training" and, where there are some, "held-out" rows.

    Parameters
    ----------
    known : KnownRows
        Training rows, and held-out rows when there are some.
    synthetic : DataFrame of shape (n_rows, n_columns)
        In the columns and dtypes of the training rows, index ignored.
    group_codes : ndarray of shape (n_rows,)
        Position of each synthetic row's group.
    """
    shares: dict[str, dict[str, CopyShare]] = {}
    shares["training"] = {kind: training_copy_share(known, synthetic, group_codes, kind) for kind in KINDS}
    if known.held_out is not None:
        shares["held-out"] = {kind: held_out_copy_share(known, synthetic, group_codes, kind) for kind in KINDS}
    return shares


def training_copy_share(known: KnownRows, synthetic: pd.DataFrame, group_codes: Codes, kind: CopyKind) -> CopyShare:
    """Return the share of copies of training rows; chance is how often those coincide with each other."""
    looked_at, training = spread(len(synthetic), MAX_ROWS), spread(len(known.training), MAX_ROWS)
    return against_chance(
        known.training_copies.find(known.space.place(synthetic.iloc[looked_at]), kind),
        group_codes[looked_at],
        known.coincidences(training, kind),
        known.training_groups[training],
        tolerance=COPY_TOLERANCE,
    )


def held_out_copy_share(known: KnownRows, synthetic: pd.DataFrame, group_codes: Codes, kind: CopyKind) -> CopyShare:
    """Return the share of copies of held-out rows that no training row explains.

    Chance is how often a training row coincides with a held-out one, and a held-out row with another, while no other
    training row explains it; or, if that is more often, how often training rows with shuffled columns do: in a table
    whose rows are all different by design, such as one row per combination, real rows never coincide.
    """
    finder = known.held_out_copies
    assert finder is not None  # noqa: S101 - asked for only where there are held-out rows
    assert known.mixed is not None  # noqa: S101 - made together with these
    looked_at = spread(len(synthetic), MAX_ROWS)
    training, held_out, mixed = (
        spread(len(groups), MAX_ROWS) for groups in (known.training_groups, known.held_out_groups, known.mixed_groups)
    )
    real = [finder.coincidences(held_out, kind), finder.coincidences(training, kind, of_others=True)]
    real_groups = np.concatenate([known.held_out_groups[held_out], known.training_groups[training]])
    innocents = [
        (np.concatenate(real), real_groups),
        (finder.find(known.mixed[mixed], kind), known.mixed_groups[mixed]),
    ]
    copies, groups = finder.find(known.space.place(synthetic.iloc[looked_at]), kind), group_codes[looked_at]
    shares = [against_chance(copies, groups, *some, tolerance=HELD_OUT_TOLERANCE) for some in innocents]
    return max(shares, key=lambda share: share.chance)


def _of_training_rows(context: Context, name: str, share: CopyShare, what: str) -> CheckResult:
    severity: Severity = "critical" if context.copies == "fail" else "warning"
    return _as_result(name, share, what, severity=severity, wanted=context.copies == "show")


def _as_result(
    name: str, share: CopyShare, what: str, *, severity: Severity = "critical", wanted: bool = False
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
