"""Coverage: how much of the variety of the real rows of a group the synthetic ones show.

A real row is covered when a synthetic row is nearer to it than its fifth nearest real row.  Distances are those of
:class:`~autosynth.checks.embedding.Embedding`.  Rows that repeat a few modes leave most real rows uncovered, even where
every column by itself looks right.

What fresh real rows would cover is known: the neighbours of a real row are then real and synthetic in random order.
The check judges the share of that which the synthetic rows reach, so that few rows do not fail for being few.

References
----------
Naeem, Oh, Uh, Choi, Yoo. Reliable Fidelity and Diversity Metrics for Generative Models. ICML 2020.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autosynth.checks.embedding import Embedding, spread
from autosynth.checks.noise import deviations, level_of_each
from autosynth.checks.result import CheckResult

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.checks.family import Context

    Floats = npt.NDArray[np.float64]

N_NEIGHBOURS = 5
MAX_ROWS = 2_000  # real and synthetic rows of a group that are looked at
MAX_CENTRES = 500  # real rows of a group that may be covered
N_SHUFFLES = 200
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
    is_made = np.arange(n_real + n_made) >= n_real
    shuffled = rng.permuted(np.tile(is_made, (N_SHUFFLES, 1)), axis=1)
    by_chance = shuffled[:, nearest].any(axis=2).mean(axis=1)
    # All of the nearest are real with this probability, each of them drawn from what the ones before it left.
    none = math.prod((n_real - 1 - i) / (n_real + n_made - 1 - i) for i in range(n_nearest))
    return Coverage(float(is_made[nearest].any(axis=1).mean()), 1 - none, float(by_chance.std()))


def check_coverage(context: Context, group_code: int) -> list[CheckResult]:
    """Return the check of one group; none where the table has no other column than those that a request sets."""
    assert context.rows is not None  # noqa: S101 - the family needs rows
    table, batch = context.rows.table, context.batch
    columns = [column for column in table.schema.columns if column.name not in table.fixed_columns]
    group = table.groups[group_code]
    real_rows, made_rows = table.positions(group), batch.positions(group_code)
    if not columns or not len(made_rows):
        return []
    if len(real_rows) < 2:
        return [_skipped(str(group), "one real row has no neighbours to compare with")]
    real = table.frame.iloc[real_rows[spread(len(real_rows), MAX_ROWS)]]
    made = batch.frame.iloc[made_rows[spread(len(made_rows), MAX_ROWS)]]
    embedding = Embedding.fit(real, columns)
    found = coverage(embedding.coordinates(real), embedding.coordinates(made))
    n_groups = len(np.unique(batch.group_codes))
    reach = deviations(level_of_each(n_groups)) * found.deviation / found.expected
    limit = LEAST_SHARE - reach
    sizes = f"{len(real_rows)} real rows, {len(made_rows)} synthetic"
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
