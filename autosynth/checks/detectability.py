"""Detectability: how well a classifier tells synthetic rows from real ones.

It sees what no single column or pair shows.  It cannot see memorization: rows that copy real ones look as real as can
be, and are told apart worse than fresh real rows are.  Useful rows may be told apart well too, so this only warns.

The groups have the same weight on both sides, so that rebalancing itself gives nothing away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autosynth.checks.distance import row_hashes
from autosynth.checks.embedding import Embedding, spread_over_groups
from autosynth.checks.noise import deviations, level_of_each
from autosynth.checks.result import CheckResult, Offender

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.checks.family import Context

    Floats = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.int64]

MAX_ROWS = 1_000  # on each side
N_FOLDS = 3
N_TREES = 40
MAX_AREA = 0.85  # area under the curve that is let pass beside noise
N_OFFENDERS = 5


@dataclass(frozen=True)
class Detection:
    """What a classifier could tell.

    Attributes
    ----------
    area : float
        Area under the ROC curve on rows that it had not seen: 0.5 where it knows nothing, 1 where it knows all.
    importances : ndarray of shape (n_features,)
        How much of its knowledge came from each feature; they add up to 1.
    n_real, n_made : float
        Rows on both sides, as many as equal weights would need to say as much.
    """

    area: float
    importances: Floats
    n_real: float
    n_made: float

    @property
    def limit(self) -> float:
        """The largest area that passes."""
        noise = area_deviation(MAX_AREA, self.n_real, self.n_made)
        return MAX_AREA + deviations(level_of_each(1)) * noise


def area_deviation(area: float, n_positive: float, n_negative: float) -> float:
    """Return the standard deviation of an area under the ROC curve.

    References
    ----------
    Hanley, McNeil. The meaning and use of the area under a receiver operating characteristic
    curve. Radiology 143, 1982.

    Examples
    --------
    >>> round(area_deviation(0.85, 100, 100), 3)
    0.028
    """
    both_positive, both_negative = area / (2 - area), 2 * area**2 / (1 + area)
    spread = (n_positive - 1) * (both_positive - area**2) + (n_negative - 1) * (both_negative - area**2)
    return math.sqrt((area * (1 - area) + spread) / (n_positive * n_negative))


def detect(real: Floats, made: Floats, real_weights: Floats, made_weights: Floats) -> Detection:
    """Return what a forest of randomized trees can tell on rows of folds that it was not grown on.

    Parameters
    ----------
    real, made : ndarray of shape (n_real, n_features) and (n_made, n_features)
        Finite numbers, at least ``N_FOLDS`` rows each.
    real_weights, made_weights : ndarray of shape (n_real,) and (n_made,)
        What each row counts; the sums should be equal.
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    features, is_made = np.concatenate([real, made]), np.repeat([0, 1], [len(real), len(made)])
    weights = np.concatenate([real_weights, made_weights])
    scores, importances = np.zeros(len(features)), np.zeros(features.shape[1])
    for seed, (learn, judge) in enumerate(
        StratifiedKFold(N_FOLDS, shuffle=True, random_state=0).split(features, is_made)
    ):
        forest = ExtraTreesClassifier(N_TREES, min_samples_leaf=3, n_jobs=1, random_state=seed)
        forest.fit(features[learn], is_made[learn], sample_weight=weights[learn])
        scores[judge] = forest.predict_proba(features[judge])[:, 1]
        with np.errstate(invalid="ignore"):  # 0/0 where no split told anything apart
            importances += np.nan_to_num(forest.feature_importances_) / N_FOLDS
    area = float(roc_auc_score(is_made, scores, sample_weight=weights))
    return Detection(area, importances, _effective(real_weights), _effective(made_weights))


def check_detectability(context: Context) -> list[CheckResult]:
    """Return the check of all rows; none where there is nothing but what a request sets."""
    assert context.rows is not None  # noqa: S101 - the family needs rows
    table, batch = context.rows.table, context.batch
    columns = [column for column in table.schema.columns if column.name not in table.fixed_columns]
    shared = np.isin(table.group_codes, batch.group_codes)  # no row of a group that the batch leaves out
    real_rows = np.flatnonzero(shared)[spread_over_groups(table.group_codes[shared], MAX_ROWS)]
    by_content = np.argsort(row_hashes(batch.frame), kind="stable")  # so that their order decides no sample ...
    made_rows = by_content[spread_over_groups(batch.group_codes[by_content], MAX_ROWS)]
    if not columns or min(len(real_rows), len(made_rows)) < 2 * N_FOLDS:
        return [] if not columns else [_skipped(len(real_rows), len(made_rows))]
    real, made = table.frame.iloc[real_rows], batch.frame.iloc[made_rows]
    embedding = Embedding.fit(real, columns)
    weights_of_real, weights_of_made = _equal_mix(table.group_codes[real_rows], batch.group_codes[made_rows])
    made_features = embedding.features(made)
    order = np.lexsort((weights_of_made, *made_features.T))  # ... and no fold
    found = detect(embedding.features(real), made_features[order], weights_of_real, weights_of_made[order])
    if found.limit >= 1:
        return [_skipped(len(real_rows), len(made_rows))]
    worst = np.argsort(-found.importances, kind="stable")[:N_OFFENDERS].tolist()
    named = ", ".join(f"{embedding.names[place]} ({found.importances[place]:.0%})" for place in worst[:3])
    return [
        CheckResult(
            name="detectability",
            subject="all rows",
            passed=found.area <= found.limit,
            observed=found.area,
            limit=found.limit,
            severity="warning",
            message=f"a classifier tells synthetic from real rows with an area under the curve of {found.area:.3f}, "
            f"allowed {found.limit:.3f} (0.5 is chance); it leans on {named}",
            offenders=tuple(
                Offender(embedding.names[place], float(found.importances[place]), float("nan")) for place in worst
            ),
        )
    ]


def _equal_mix(real: Codes, made: Codes) -> tuple[Floats, Floats]:
    """Return weights of rows with which each group counts the same on both sides, its smaller share of rows."""
    n_groups = int(max(real.max(), made.max())) + 1
    sizes = [np.bincount(codes, minlength=n_groups) for codes in (real, made)]
    wanted = np.minimum(*sizes)
    first, second = (wanted[codes] / size[codes] for codes, size in zip((real, made), sizes, strict=True))
    return first, second


def _effective(weights: Floats) -> float:
    """Return how many rows of equal weight say as much."""
    return float(weights.sum() ** 2 / np.sum(weights**2))


def _skipped(n_real: int, n_made: int) -> CheckResult:
    return CheckResult(
        name="detectability",
        subject="all rows",
        passed=True,
        observed=float("nan"),
        limit=float("nan"),
        severity="warning",
        message=f"{n_real} real and {n_made} synthetic rows are too few to tell them apart",
        skipped=True,
    )
