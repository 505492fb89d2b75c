"""Label fidelity: does a model of the real rows agree with the label that the synthetic rows were asked to have?

A forest learns the label from the real rows.  On the real rows themselves it is judged by trees that had not seen the
row, so that the baseline is honest.  Classes are judged one by one and together; a quantity by its correlation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autosynth.checks.embedding import Embedding, spread, spread_over_groups
from autosynth.checks.forest import HonestForest
from autosynth.checks.noise import deviations, level_of_each
from autosynth.checks.result import CheckResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from autosynth.checks.batch import Batch
    from autosynth.checks.family import Context
    from autosynth.schema import ColumnSchema
    from autosynth.table import Table

    Floats = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.int64]

MAX_REAL_ROWS = 5_000
MAX_MADE_ROWS = 2_000  # of a class
TOLERANCE = 0.1  # of what a swap of two classes would cost, or of the correlation
LEAST_TOLERANCE = 0.02  # in probability or correlation
ALL_LABELS = 0.995  # of them wrong, and less would pass: then a pass says nothing
UNKNOWN_VARIANCE = 0.25  # the largest of a probability


@dataclass(frozen=True)
class ClassAgreement:
    """How probable a forest of real rows finds a class, for rows that were asked to have it.

    Attributes
    ----------
    observed, baseline : float
        Mean probability of the class for its synthetic rows, and for its real rows by trees that had not seen them.
    other : float
        Mean probability for the real rows of the class that is most alike.
    deviation : float
        Standard deviation of ``observed - baseline``, were the synthetic rows fresh real ones.
    """

    observed: float
    baseline: float
    other: float
    deviation: float

    @property
    def cost(self) -> float:
        """What a swap with the class that is most alike would cost."""
        return self.baseline - self.other

    def limit(self, n_tests: int) -> float:
        """Return the least mean probability that passes."""
        tolerance = max(TOLERANCE * self.cost, LEAST_TOLERANCE)
        return self.baseline - tolerance - deviations(level_of_each(n_tests)) * self.deviation


def check_label_fidelity(context: Context) -> list[CheckResult]:
    """Return one check per class that has synthetic rows and one of all of them; for a quantity, one of all rows."""
    assert context.rows is not None  # noqa: S101 - the family needs rows
    table, batch = context.rows.table, context.batch
    features = [column for column in table.schema.features if column.kind != "text"]
    if not features or not len(batch):
        return []
    rows = spread_over_groups(table.group_codes, MAX_REAL_ROWS)
    judge = _check_classes if table.label in table.fixed_columns else _check_quantity
    return judge(table, batch, features, rows)


def _check_classes(table: Table, batch: Batch, features: list[ColumnSchema], rows: Codes) -> list[CheckResult]:
    """Return one check per class, by a forest of some of the real rows, and one of all classes together."""
    classes, class_of_group = np.unique(table.grouping.axis_codes[:, 0], return_inverse=True)
    _, cell_of_group = np.unique(table.grouping.axis_codes[:, 1:], axis=0, return_inverse=True)
    real_classes, real_cells = (some.reshape(-1)[table.group_codes[rows]] for some in (class_of_group, cell_of_group))
    embedding = Embedding.fit(table.frame.iloc[rows], features)
    forest = HonestForest.of_classes(embedding.features(table.frame.iloc[rows]), real_classes, real_cells)
    made_classes = class_of_group[batch.group_codes]
    names = table.grouping.axes[0].values
    found, sizes = {}, {}
    for code in np.unique(made_classes).tolist():
        made = np.flatnonzero(made_classes == code)
        made = made[spread(len(made), MAX_MADE_ROWS)]
        probability = forest.expect(embedding.features(batch.frame.iloc[made]))[:, code]
        made_cells = cell_of_group.reshape(-1)[batch.group_codes[made]]
        judged = _Judged(probability, made_cells, forest.unseen[:, code], real_cells, real_classes)
        subject = f"{table.label}={names[classes[code]]}"
        found[subject] = judged.agreement(code)
        sizes[subject] = f"{np.sum(real_classes == code)} real rows, {len(made)} synthetic"
    if len(found) > 1:
        found["all classes"] = _together([agreement for agreement in found.values() if agreement.deviation > 0])
        sizes["all classes"] = f"{len(rows)} real rows, {len(batch)} synthetic"
    return [_judge_class(subject, agreement, len(found), sizes[subject]) for subject, agreement in found.items()]


@dataclass(frozen=True)
class _Judged:
    """Probabilities of a class, and which cell of the group columns each row is in."""

    made: Floats
    made_cells: Codes
    real: Floats
    real_cells: Codes
    real_classes: Codes

    def agreement(self, class_code: int) -> ClassAgreement:
        """Return the agreement, the real rows of every class weighted by the mix of cells of the synthetic ones."""
        baseline, real_variance = self._of_class(class_code)
        observed, variance = _mean(self.made, np.ones(len(self.made)), self.made_cells)
        others = np.delete(self._means_of_classes(), class_code)
        other = float(np.nanmax(others, initial=0.0))  # NaN where a class has no such cell
        return ClassAgreement(observed, baseline, other, float(np.sqrt(variance + real_variance)))

    def _of_class(self, class_code: int) -> tuple[float, float]:
        """Return the mean for the real rows of a class, and its variance."""
        # A row that every tree had seen has no honest probability.
        rows = (self.real_classes == class_code) & np.isfinite(self.real)
        weights = _mix_weights(self.real_cells[rows], self.made_cells)
        return _mean(self.real[rows], weights, self.real_cells[rows])

    def _means_of_classes(self) -> Floats:
        """Return the means for the real rows of all classes, shape (n_classes,), in one pass over the rows."""
        known = np.isfinite(self.real)
        n_classes = int(self.real_classes.max()) + 1
        cells, of_cell = np.unique(self.real_cells[known], return_inverse=True)
        places = self.real_classes[known] * len(cells) + of_cell.reshape(-1)
        sizes, sums = (
            np.bincount(places, weights=some, minlength=n_classes * len(cells)).reshape(n_classes, -1)
            for some in (None, self.real[known])
        )
        mix = np.bincount(self.made_cells, minlength=int(cells.max(initial=0)) + 1)[cells]
        means = np.divide(sums, sizes, out=np.zeros_like(sums), where=sizes > 0) @ mix
        weights = (sizes > 0) @ mix
        return np.asarray(np.divide(means, weights, out=np.full(n_classes, np.nan), where=weights > 0))


def _together(classes: Sequence[ClassAgreement]) -> ClassAgreement:
    """Return a mean of classes in which those weigh most that would show the same share of wrong labels most surely."""
    weights = np.array([max(one.cost, 0.0) / one.deviation**2 for one in classes])
    if not weights.sum():
        return ClassAgreement(float("nan"), float("nan"), float("nan"), float("nan"))
    weights /= weights.sum()
    parts = np.array([[one.observed, one.baseline, one.other] for one in classes])
    observed, baseline, other = (weights @ parts).tolist()
    deviation = float(np.sqrt(np.sum((weights * [one.deviation for one in classes]) ** 2)))
    return ClassAgreement(observed, baseline, other, deviation)


def _judge_class(subject: str, found: ClassAgreement, n_tests: int, sizes: str) -> CheckResult:
    limit = found.limit(n_tests)
    what = (
        f"a model of the real rows gives their label a mean probability of {found.observed:.3f}, "
        f"real rows have {found.baseline:.3f}"
    )
    if not limit > found.other:  # also where there is no baseline
        why = f"the real label is hardly predictable or its rows are few: a swap would cost {found.cost:.2f} only"
        return _result(subject, found.observed, limit, f"{what}; {why} ({sizes})", skipped=True)
    visible = (found.baseline - limit) / found.cost
    wanted = f"at least {limit:.3f} wanted, which {visible:.0%} of labels taken from another class would miss"
    could_not_fail = visible >= ALL_LABELS and found.observed >= limit
    return _result(subject, found.observed, limit, f"{what}, {wanted} ({sizes})", skipped=could_not_fail)


def _check_quantity(table: Table, batch: Batch, features: list[ColumnSchema], rows: Codes) -> list[CheckResult]:
    """Return the check of a label that is a number: the correlation of its ranks with those that a forest expects."""
    label = Embedding.fit(table.frame.iloc[rows], [table.schema[table.label]])
    embedding = Embedding.fit(table.frame.iloc[rows], features)
    real_label = label.features(table.frame.iloc[rows])[:, 0]
    forest = HonestForest.of_numbers(embedding.features(table.frame.iloc[rows]), real_label)
    expected = forest.unseen
    made = spread_over_groups(batch.group_codes, MAX_MADE_ROWS)
    made_rows = batch.frame.iloc[made]
    weights = _mix_weights(table.group_codes[rows], batch.group_codes[made]) * np.isfinite(expected)
    baseline, n_real = _correlation(np.nan_to_num(expected), real_label, weights)
    observed, n_made = _correlation(
        forest.expect(embedding.features(made_rows)), label.features(made_rows)[:, 0], np.ones(len(made))
    )
    noise = (1 - baseline**2) * np.sqrt(1 / max(n_real - 3, 1) + 1 / max(n_made - 3, 1))
    limit = baseline - max(TOLERANCE * baseline, LEAST_TOLERANCE) - deviations(level_of_each(1)) * noise
    what = (
        f"the labels correlate by {observed:.3f} with what a model of the real rows expects, real labels by "
        f"{baseline:.3f}"
    )
    sizes = f"{len(rows)} real rows, {len(made)} synthetic"
    if not limit > 0:
        why = "the real label is hardly predictable or the rows are few: labels in any order would pass"
        return [_result("all rows", observed, limit, f"{what}; {why} ({sizes})", skipped=True)]
    return [_result("all rows", observed, limit, f"{what}, at least {limit:.3f} wanted ({sizes})")]


def _mean(values: Floats, weights: Floats, cells: Codes) -> tuple[float, float]:
    """Return a weighted mean and its variance, when the mix of cells is not left to chance; NaN without rows.

    One more row of unknown value keeps few equal ones from looking sure.
    """
    if not weights.sum():
        return float("nan"), float("nan")
    shares = weights / weights.sum()
    n_rows = 1 / float(np.sum(shares**2))
    sizes = np.maximum(np.bincount(cells, weights=shares), np.finfo("float64").tiny)
    means = np.bincount(cells, weights=shares * values) / sizes
    spread_of_rows = float(shares @ (values - means[cells]) ** 2)
    return float(shares @ values), (n_rows * spread_of_rows + UNKNOWN_VARIANCE) / (n_rows + 1) / n_rows


def _correlation(first: Floats, second: Floats, weights: Floats) -> tuple[float, float]:
    """Return a weighted correlation, 0 where one side is constant, and how many rows it rests on."""
    shares = weights / weights.sum()
    centred = [values - shares @ values for values in (first, second)]
    n_rows = 1 / float(np.sum(shares**2))
    if min(np.ptp(values) for values in centred) == 0:
        return 0.0, n_rows
    spreads = [float(shares @ values**2) for values in centred]
    return float(shares @ (centred[0] * centred[1])) / float(np.sqrt(spreads[0] * spreads[1])), n_rows


def _mix_weights(real: Codes, made: Codes) -> Floats:
    """Return weights of real rows with which their groups, or cells, are mixed like those of the made ones."""
    n_groups = int(max(real.max(initial=0), made.max(initial=0))) + 1
    sizes, wanted = (np.bincount(codes, minlength=n_groups) for codes in (real, made))
    return np.asarray(wanted[real] / sizes[real], dtype=np.float64)


def _result(subject: str, observed: float, limit: float, message: str, *, skipped: bool = False) -> CheckResult:
    return CheckResult(
        name="label_fidelity",
        subject=subject,
        passed=bool(skipped or observed >= limit),
        observed=float(observed),
        limit=float(limit),
        message=message,
        skipped=skipped,
    )
