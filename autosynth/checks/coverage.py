"""Coverage: how much of the variety of the real rows of a group the synthetic ones show.

A real row is covered when a synthetic row is nearer to it than its fifth nearest real row.  Distances are those of
:class:`~autosynth.checks.embedding.Embedding`.  Rows that repeat a few modes leave most real rows uncovered, even where
every column by itself looks right.

What fresh real rows would cover is known: the neighbours of a real row are then real and synthetic in random order.
The check judges the share of that which the synthetic rows reach, so that few rows do not fail for being few.  Ranks
and levels are learned from the real and synthetic rows of the group alike: on a scale of the real rows alone, those lie
inside its ends by construction and fresh ones do not, which in many columns sets them apart.

References
----------
Naeem, Oh, Uh, Choi, Yoo. Reliable Fidelity and Diversity Metrics for Generative Models. ICML 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.special import gammaln

from autosynth.checks.embedding import Embedding, spread, spread_by_content
from autosynth.checks.noise import deviations, level_of_each
from autosynth.checks.result import CheckResult

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.checks.family import Context

    Floats = npt.NDArray[np.float64]

N_NEIGHBOURS = 5
MAX_ROWS = 2_000  # real and synthetic rows of a group that are looked at
MAX_CENTRES = 500  # real rows of a group that may be covered
LEAST_REAL_ROWS = 20  # with fewer, the deviation by chance says little
LEAST_SHARE = 0.5  # of what fresh real rows cover
TIE = 1e-9  # squared distances closer than this are in random order


@dataclass(frozen=True)
class Coverage:
    """The share of real rows that are covered.

    Attributes
    ----------
    covered : float
        Share of the real rows with a synthetic row among their nearest.
    expected : float
        The same, had the synthetic rows been fresh real ones.
    deviation : float
        Standard deviation of ``covered`` in that case.
    """

    covered: float
    expected: float
    deviation: float

    @property
    def share(self) -> float:
        """``covered`` in units of ``expected``: 1 for fresh real rows, 0 when none is covered."""
        return self.covered / self.expected


def coverage(real: Floats, made: Floats) -> Coverage:
    """Return how many real points have a made point among their nearest.

    Parameters
    ----------
    real, made : ndarray of shape (n_real, n_coordinates) and (n_made, n_coordinates)
        At least two real points and one made one.

    Examples
    --------
    >>> points = np.random.default_rng(0).normal(size=(600, 3))
    >>> round(coverage(points[:300], points[300:]).share, 1)
    1.0
    >>> round(coverage(points[:300], np.zeros((300, 3))).share, 1)
    0.0
    """
    n_real, n_made = len(real), len(made)
    n_nearest = min(N_NEIGHBOURS, n_real - 1)
    rng = np.random.default_rng(0)
    nearest = _nearest(real, made, n_nearest, rng)
    none = _none_made(np.arange(n_nearest, n_nearest + 1), n_real - 1, n_made).item()  # the centre is a real row
    return Coverage(
        covered=float((nearest >= n_real).any(axis=1).mean()),
        expected=1 - none,
        deviation=_deviation(nearest, n_real, n_made),
    )


def check_coverage(context: Context, group_code: int) -> list[CheckResult]:
    """Return the check of one group; none where the table has no other column than those that a request sets."""
    assert context.rows is not None  # noqa: S101 - the family needs rows
    table, batch = context.rows.table, context.batch
    columns = [column for column in table.schema.columns if column.name not in table.fixed_columns]
    group = table.groups[group_code]
    real_rows, made_rows = np.flatnonzero(table.group_codes == group_code), batch.positions(group_code)
    if not columns or not len(made_rows):
        return []
    sizes = f"{len(real_rows)} real rows, {len(made_rows)} synthetic"
    if len(real_rows) < LEAST_REAL_ROWS:
        return [_skipped(str(group), f"{sizes}: fewer than {LEAST_REAL_ROWS} real rows say little of their variety")]
    real = table.frame.iloc[real_rows[spread(len(real_rows), MAX_ROWS)]]
    made = batch.frame.iloc[made_rows]
    made = made.iloc[spread_by_content(made, MAX_ROWS)]
    rows = pd.concat([real, made], ignore_index=True)
    points = Embedding.fit(rows, columns).coordinates(rows)
    real_points, made_points = np.split(points, [len(real)])
    found = coverage(real_points, made_points[np.lexsort(made_points.T)])  # so that their order breaks no tie
    n_groups = len(np.unique(batch.group_codes))
    reach = deviations(level_of_each(n_groups)) * found.deviation / found.expected
    limit = LEAST_SHARE - reach
    if limit <= 0:
        return [_skipped(str(group), f"{sizes} are too few to show that variety is lost")]
    return [
        CheckResult(
            name="coverage",
            subject=str(group),
            passed=found.share >= limit,
            observed=found.share,
            limit=limit,
            message=f"the rows reach {found.share:.0%} of the real rows that fresh real rows would reach, at least "
            f"{limit:.0%} wanted ({sizes})",
        )
    ]


def _nearest(real: Floats, made: Floats, n_nearest: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the nearest real or made points of some real ones, as positions in both, shape (n_centres, n_nearest)."""
    centres = spread(len(real), MAX_CENTRES)
    points = np.concatenate([real, made]) - real.mean(axis=0)
    lengths = np.einsum("ij,ij->i", points, points)
    squares = lengths[centres, None] + lengths - 2 * points[centres] @ points.T
    squares += TIE * rng.random(squares.shape)  # equal rows come in random order, not the real ones first
    squares[np.arange(len(centres)), centres] = np.inf
    return np.asarray(np.argpartition(squares, n_nearest - 1, axis=1)[:, :n_nearest], dtype=np.int64)


def _deviation(nearest: npt.NDArray[np.int64], n_real: int, n_made: int) -> float:
    """Return the standard deviation of the share of covered centres, were real and made points in random order.

    Whether two centres are covered hangs together as far as they share their nearest points.
    """
    n_centres, n_nearest = nearest.shape
    starts = np.arange(0, nearest.size + 1, n_nearest)
    is_near = csr_array((np.ones(nearest.size), nearest.ravel(), starts), shape=(n_centres, n_real + n_made))
    shared = np.bincount((is_near @ is_near.T).data.astype(np.int64), minlength=n_nearest + 1)
    shared[0] += n_centres**2 - shared.sum()  # pairs that share none are not stored
    neither = _none_made(2 * n_nearest - np.arange(n_nearest + 1), n_real, n_made)
    none = _none_made(np.arange(n_nearest, n_nearest + 1), n_real, n_made).item()
    return float(np.sqrt(max(shared @ neither / n_centres**2 - none**2, 0.0)))


def _none_made(n_drawn: npt.NDArray[np.int64], n_real: int, n_made: int) -> Floats:
    """Return how probable it is that of so many points, drawn at random from all, none is a made one."""
    possible = n_drawn <= n_real
    drawn = np.where(possible, n_drawn, 0)
    n_all = n_real + n_made
    logs = gammaln(n_real + 1) - gammaln(n_real - drawn + 1) - gammaln(n_all + 1) + gammaln(n_all - drawn + 1)
    return np.where(possible, np.exp(logs), 0.0)


def _skipped(group: str, why: str) -> CheckResult:
    return CheckResult(
        name="coverage",
        subject=group,
        passed=True,
        observed=float("nan"),
        limit=float("nan"),
        message=why,
        skipped=True,
    )
