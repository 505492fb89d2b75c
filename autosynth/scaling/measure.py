"""scaling_curve(): what N synthetic rows more per group do to the risk on real rows, and what law that follows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from autosynth.exceptions import BudgetError, ConfigError, GenerationError
from autosynth.notices import announce, unannounced
from autosynth.options import check_choice
from autosynth.plugins import AUTO, current_plugins
from autosynth.scaling.judged import judged_curve
from autosynth.scaling.law import MIN_POINTS
from autosynth.scaling.models import CurveModels
from autosynth.scaling.reserve import Reserve, hold_back
from autosynth.scaling.sizes import default_sizes, read_sizes
from autosynth.seeding import RandomState, as_generator, integer_seed
from autosynth.table import GroupBy, Table
from autosynth.tuning.arm import CLASS_WEIGHTS, NONE, Arm
from autosynth.tuning.budget import TimeBudget
from autosynth.tuning.folds import Folds
from autosynth.tuning.judge import Judge
from autosynth.tuning.learners import make_learner
from autosynth.tuning.ledger import Ledger
from autosynth.tuning.metrics import METRICS
from autosynth.tuning.out_of_fold import folds_run
from autosynth.tuning.progress import trial_progress
from autosynth.tuning.racer import Racer, racers_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt

    from autosynth.files import AnyPath
    from autosynth.generator import RowGenerator
    from autosynth.scaling.curve import ScalingCurve
    from autosynth.tuning.outcome import ArmOutcome

    Mask: TypeAlias = npt.NDArray[np.bool_]

__all__ = ["scaling_curve"]


def scaling_curve(
    train: pd.DataFrame,
    *,
    label: Hashable,
    group_by: GroupBy = None,
    generator: str | RowGenerator = "smote",
    generator_options: Mapping[str, Any] | None = None,
    sizes: Sequence[int] | None = None,
    learner: Any = "xgboost",
    metric: str = "balanced_cross_entropy",
    alpha: float | None = None,
    synthetic_weight: float = 1.0,
    cv: int = 5,
    repeats: int = 1,
    reserve: float | pd.DataFrame | None = None,
    ledger: AnyPath | None = None,
    time_budget_s: float | None = None,
    n_bootstrap: int = 200,
    random_state: RandomState = 0,
    progress: bool | None = None,
    allow_remote: bool = False,
) -> ScalingCurve:
    """Measure the risk on real rows against the number N of synthetic rows per group, and fit a + b N^-c to it.

    In every fold the generator learns from the training rows alone, and its rows serve all sizes: every group is
    brought to the size of the largest, and then gets N more.  The fold's real validation rows say what that did.
    Theory (arXiv 2406.03628) has the balanced excess risk fall polynomially in N until the generator's own error is
    reached; :class:`ScalingLaw` says what that rests on, and that it need not hold for a learner and a table at hand.

    Two lines belong beside the curve.  One is no augmentation: oversampled rows only (N = 0), and models without any
    synthetic row, plain, with their prior corrected, with a tuned threshold and with class weights, since much of what
    synthetic rows seem to gain is a mere shift of the prior.  The other is real rows in place of synthetic ones, which
    says what more rows could do at best; it needs real rows that no other model sees, see ``reserve``.

    Parameters
    ----------
    train : DataFrame of shape (n_rows, n_features + 1)
        Real rows with the label in them, which holds classes.  Left as it is.
    label : Hashable
        The label column.
    group_by : Hashable, sequence of them, or mapping, optional
        As in :func:`rebalance`.
    generator : str or RowGenerator
        A registered name or a configured generator object.
    generator_options : mapping, optional
        For a registered name.
    sizes : sequence of int, optional
        N, at least 4 of them and rising; None takes seven from a 32nd of the largest group to twice that group.
    learner : str or classifier
        "xgboost", a name that a plugin knows, or an unfitted classifier of scikit-learn's kind.
    metric : str
        "balanced_cross_entropy", "worst_group_risk", "log_loss", or 1 minus "roc_auc", "average_precision" or
        "balanced_accuracy".  The theory is about the first.
    alpha : float, optional
        Weight of the augmented rows in the training objective; None is N / (n_max + N), which counts all rows alike.
    synthetic_weight : float
        How much a synthetic row counts against a real one.
    cv, repeats : int
        Folds, and how often rows are dealt to folds anew.
    reserve : float or DataFrame, optional
        Real rows to add in place of the augmented synthetic ones, with the same weights.  A share of every group's rows
        to hold back, above 0 and below 1: these rows then train and validate nothing else, so that all points of a
        curve still have the same base rows.  Or further real rows that are not in ``train``.  Every group gets as many,
        so the smallest one limits how far that line reaches.  The generator learns again for it, unless there is a
        ledger that holds its rows.
    ledger : path, optional
        A folder in which results are kept, so that an interrupted run is taken up.
    time_budget_s : float, optional
        Seconds.  When they end, the folds that all sizes have run are judged.
    n_bootstrap : int
        Replicates of the validation rows behind all limits, from 20 on.
    random_state : int, numpy.random.Generator or None
        Decides folds, rows and models.
    progress : bool, optional
        Whether to show a progress bar on stderr; None shows it where that is a terminal.
    allow_remote : bool
        Whether a generator may send the rows of every fold to another machine.

    Returns
    -------
    ScalingCurve
        ``points``, ``law``, ``sentences``, ``to_frame()``, ``plot(path)``; prints as text.

    Raises
    ------
    ConfigError
        An argument is wrong, such as fewer than 4 sizes or sizes that do not rise.
    DataError
        The table cannot be used, or too few rows are in a class or in the reserve.
    GenerationError
        The generator failed for so many sizes that fewer than 4 are left.
    BudgetError
        The time ended before every size had run one fold.

    References
    ----------
    Nakada, Xu, Li, Zhang. Synthetic oversampling: theory and a practical approach using LLMs to address data imbalance.
    arXiv 2406.03628.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from autosynth.toy import shortcut_table
    >>> curve = scaling_curve(
    ...     shortcut_table(300),
    ...     label="ill",
    ...     generator="ros",
    ...     learner=LogisticRegression(),
    ...     sizes=[20, 40, 80, 160],
    ...     cv=2,
    ... )
    >>> [point.n for point in curve.points], curve.law.shape in ("falls", "flat", "rises")
    ([20, 40, 80, 160], True)
    """
    started = time.perf_counter()
    if callable(metric):
        raise ConfigError(
            f"metric={metric!r} is a function, which may be below zero: no law could tell its floor. "
            f"Use one of {', '.join(METRICS)}."
        )
    check_choice("metric", metric, METRICS)
    if random_state is None and ledger is not None:
        raise ConfigError("ledger keeps results by their seed, and random_state=None has none. Give a whole number.")
    seed = int(np.random.default_rng().integers(2**31 - 1)) if random_state is None else random_state
    reserve_rng, folds_rng, judge_rng, rows_rng, learner_rng = as_generator(seed).spawn(5)
    given_sizes = None if sizes is None else read_sizes(sizes)
    racer = _racer(generator, generator_options, allow_remote=allow_remote)
    zero = Arm(generator=racer.name, synthetic_weight=float(synthetic_weight))
    table, held = _split(Table.from_frame(train, label=label, group_by=group_by), reserve, reserve_rng)
    folds = Folds.of(table, cv, repeats, integer_seed(folds_rng))
    sizes = given_sizes or default_sizes(table, folds.n_folds)
    arms = {
        n: Arm(generator=racer.name, augment=n, alpha=alpha, synthetic_weight=float(synthetic_weight)) for n in sizes
    }
    real_sizes = () if held is None else held.sizes(sizes)
    judge = Judge.of(table, folds, metric=metric, n_bootstrap=n_bootstrap, random_state=integer_seed(judge_rng))
    models = partial(
        CurveModels,
        table=table,
        folds=folds,
        judge=judge,
        learner=make_learner(learner, table.schema, judge.coded.n_classes, integer_seed(learner_rng)),
        racer=racer,
        zero=zero,
        arms=arms,
        seed=integer_seed(rows_rng),
        ledger=Ledger(ledger),
        budget=TimeBudget(time_budget_s),
        real_sizes=real_sizes,
    )
    with trial_progress(progress) as on_trial, unannounced():
        work = models(on_trial=on_trial)
        outcomes = work.measure()
        failed = {n: outcomes[arm].reason for n, arm in arms.items() if outcomes[arm].status == "failed"}
        _check_generator(racer.name, outcomes[zero], failed, sizes)
        measured = {n: outcomes[arm] for n, arm in arms.items() if n not in failed}
        mask = _common_folds([outcomes[NONE], outcomes[zero], *measured.values()], time_budget_s)
        real = {} if held is None else work.measure_real(held, mask)
    curve = judged_curve(
        judge,
        mask,
        measured=measured,
        real=real,
        references=[outcomes[NONE], outcomes[CLASS_WEIGHTS], outcomes[zero]],
        facts={
            "generator": racer.name,
            "metric": metric,
            "n_rows": len(table),
            "n_reserved": 0 if held is None else len(held.frame),
            "n_folds": int(mask.sum()),
            "failed": failed,
            "random_state": int(seed) if isinstance(seed, int | np.integer) else None,
        },
        seconds=lambda: time.perf_counter() - started,
        unmeasured=tuple(n for n in real_sizes if n not in real),
    )
    announce("autosynth_reported", report=curve)
    return curve


def _racer(generator: Any, options: Mapping[str, Any] | None, *, allow_remote: bool) -> Racer:
    if isinstance(generator, str) and generator == AUTO:
        raise ConfigError(f"a curve is that of one generator, and {AUTO!r} is a race of several. Name one.")
    name = generator if isinstance(generator, str) else type(generator).__name__
    given = {name: options} if options else None
    return racers_of({name: generator}, given, current_plugins(), allow_remote=allow_remote)[name]


def _split(table: Table, reserve: Any, rng: np.random.Generator) -> tuple[Table, Reserve | None]:
    """Return the rows that train and validate, and those that do neither."""
    if reserve is None:
        return table, None
    if isinstance(reserve, pd.DataFrame):
        return table, Reserve.read(reserve, table, rng)
    return hold_back(table, reserve, rng)


def _check_generator(name: str, zero: ArmOutcome, failed: Mapping[int, str], sizes: Sequence[int]) -> None:
    if len(sizes) - len(failed) >= MIN_POINTS and zero.status != "failed":
        return
    reason = zero.reason if zero.status == "failed" else next(iter(failed.values()))
    raise GenerationError(
        f"generator {name!r} has {len(sizes) - len(failed)} of {len(sizes)} sizes to show; a law needs {MIN_POINTS}. "
        f"The first failure: {reason} Try smaller sizes, or another generator."
    )


def _common_folds(outcomes: Sequence[ArmOutcome], time_budget_s: float | None) -> Mask:
    """Return the folds that all models ran, shape (n_repeats, n_folds)."""
    mask = np.logical_and.reduce([folds_run(outcome) for outcome in outcomes])
    if not mask.any():
        raise BudgetError(
            f"time_budget_s={time_budget_s} ended before every size had run one fold. Give more time, fewer sizes, a "
            "smaller cv or fewer rows; with a ledger, what was measured is not lost."
        )
    return np.asarray(mask)
