"""rebalance(): a table in; real and synthetic rows, weights, checks and a report out."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from autosynth.auto import auto_options, is_auto
from autosynth.checks.contamination import KnownRows
from autosynth.checks.evidence import Evidence
from autosynth.checks.result import CheckReport
from autosynth.checks.rule_record import RuleRecord
from autosynth.checks.rules import Rule, as_rules
from autosynth.checks.verdict import check_rows
from autosynth.exceptions import AutosynthWarning, ConfigError
from autosynth.generator import RowGenerator
from autosynth.notices import announce, unannounced
from autosynth.options import check_choice
from autosynth.plan import SamplingPlan, Strategy, group_weights
from autosynth.plugins import PluginRegistry, current_plugins
from autosynth.report import RebalanceReport
from autosynth.seeding import RandomState, as_generator, integer_seed
from autosynth.synthesis import RowVeto, SyntheticRows, fit_generator, no_rows, sample_rows
from autosynth.table import GroupBy, Table
from autosynth.wanted_rows import WantedRows

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt

logger = logging.getLogger(__name__)

CheckMode: TypeAlias = Literal["off", "warn", "raise"]
CopyMode: TypeAlias = Literal["keep", "drop_exact", "drop_near"]


@dataclass(frozen=True, kw_only=True)
class RebalanceResult:
    """What :func:`rebalance` returns.

    Attributes
    ----------
    data : DataFrame of shape (n_real + n_synthetic, n_features + 1)
        The real rows first, unchanged, in their order, index and dtypes; then the synthetic rows.
    is_synthetic : Series of bool
        Indexed like ``data``.
    weights : Series of float
        Indexed like ``data``, mean 1: what a row should count in training.
    provenance : DataFrame
        Indexed like ``synthetic``: ``generator``, ``group``, ``part`` ("oversampled" or "augmented") and ``parents``,
        a tuple of index labels of real rows, empty where the generator cannot tell.
    plan : SamplingPlan
        Groups, real counts, rows added.
    checks : CheckReport
        The verdict on the synthetic rows; empty with ``check="off"``.
    report : RebalanceReport
        All of it for people and for programs.
    """

    data: pd.DataFrame
    is_synthetic: pd.Series[bool]
    weights: pd.Series[float]
    provenance: pd.DataFrame
    plan: SamplingPlan
    checks: CheckReport
    report: RebalanceReport

    @property
    def synthetic(self) -> pd.DataFrame:
        """The synthetic rows alone."""
        return self.data[self.is_synthetic]


def rebalance(
    train: pd.DataFrame,
    *,
    label: Hashable,
    group_by: GroupBy = None,
    generator: str | RowGenerator = "smote",
    generator_options: Mapping[str, Any] | None = None,
    strategy: Strategy = "balance",
    augment: int = 0,
    alpha: float | None = None,
    synthetic_weight: float = 1.0,
    check: CheckMode = "warn",
    holdout: pd.DataFrame | None = None,
    copies: CopyMode = "keep",
    rules: Sequence[Rule | str] = (),
    random_state: RandomState = 0,
    on_progress: Callable[[int], None] | None = None,
) -> RebalanceResult:
    """Add synthetic rows to a table until its groups have the sizes asked for.

    To train a model inside AutoGluon or under cross-validation, use ``autosynth_autogluon.rebalanced`` or a pipeline
    instead: rows made before a split leak validation rows into training.

    Parameters
    ----------
    train : DataFrame of shape (n_rows, n_features + 1)
        Real training rows with the label in them, and a unique index.  Left as it is.
    label : Hashable
        The label column: classes, or a quantity when ``group_by`` is given.  No value may be missing.
    group_by : Hashable, sequence of them, or mapping, optional
        Groups are the cells of label x these columns; without them, the classes.  A missing value forms a group of
        its own.  Number-like columns with more than 10 values are cut at their quartiles; ``{column: number of bins or
        inner edges}`` cuts differently.
    generator : str or RowGenerator
        A registered name (see :func:`autosynth.generators`), a configured generator object, or "auto": a race on
        these rows (:func:`autosynth.tune`) decides whose rows are added, how many, and whether any are.  See the notes.
    generator_options : mapping, optional
        For a registered name; checked against the generator's own options class.  With "auto", settings of the race:
        see :class:`autosynth.auto.AutoOptions`.
    strategy : "balance", float, or mapping
        "balance" brings every group to the largest; a ratio in (0, 1] brings the smaller ones to that share of the
        largest; ``{group: rows}`` gives totals, real rows included.  Keys are a class, a tuple of cell values, or a
        Group.  Real rows are never dropped.
    augment : int
        N more rows for every group.
    alpha : float, optional
        Weight of the augmented part in the training objective, 0 to 1; None gives N / (n_max + N).
    synthetic_weight : float
        How much a synthetic row counts against a real one in ``weights``.
    check : "off", "warn" or "raise"
        What a failed critical check does.
    holdout : DataFrame of shape (n_held_out, n_features) or (n_held_out, n_features + 1), optional
        Real rows that the generator must not know, such as a test set; the label may be left out.  Synthetic rows are
        compared with them for copies, which a pretrained model may recite, and for nothing else.
    copies : "keep", "drop_exact" or "drop_near"
        Whether rows that copy a training or a held-out row are refused and drawn again: the equal ones, or the nearly
        equal ones as well.  Compared are the columns that the generator fills, so not the label and no group column
        whose value the request sets.  The counts are in ``report.refusals``.
    rules : sequence of Rule or str
        What columns must be to each other in every row, such as "admitted <= discharged".  Rows that break a rule are
        refused and drawn again, and counted in ``report.refusals``.
    random_state : int, numpy.random.Generator or None
        The same int gives the same rows on CPU.
    on_progress : callable, optional
        Called with the number of rows that each sampling round brought.

    Returns
    -------
    RebalanceResult

    Notes
    -----
    With ``generator="auto"``, the generators that plugins propose for this table race against training without
    synthetic rows, as it is, with a corrected prior, with a tuned threshold and with class weights.  Each learns inside
    cross-validation folds and is judged on real rows that it never saw.  When rows are not worth it, the result holds
    the real rows alone, with class weights in ``weights`` if these have won; the report says why and what to do
    instead, and ``report.tuning.best.apply`` shifts the probabilities of a model as the winner did.  ``strategy``,
    ``augment``, ``alpha`` and ``synthetic_weight`` are chosen then and cannot be given; the label must hold classes.
    ``rules``, ``copies`` and ``holdout`` apply to the rows that are added, and not inside the race.

    Raises
    ------
    ConfigError
        An argument is wrong.
    DataError
        The table cannot be used.
    GenerationError
        The generator failed, or could not deliver all rows (InsufficientRowsError, with both counts per group).
    CheckFailedError
        With ``check="raise"``.
    PluginError
        A plugin raised, or a package it needs is not installed (MissingExtraError).

    References
    ----------
    Nakada, Xu, Li, Zhang. Synthetic Oversampling: Theory and A Practical Approach Using LLMs to Address Data
    Imbalance. arXiv 2406.03628, 2024.

    Examples
    --------
    >>> from autosynth.toy import shortcut_table
    >>> result = rebalance(shortcut_table(500), label="ill", group_by="hospital", generator="ros")
    >>> result.data.groupby(["ill", "hospital"]).size().unique().tolist()
    [417]
    >>> result.data.head(500).equals(shortcut_table(500))
    True
    """
    started = time.perf_counter()
    _check_mode(check)
    check_choice("copies", copies, get_args(CopyMode))
    amounts = {"strategy": strategy, "augment": augment, "alpha": alpha, "synthetic_weight": synthetic_weight}
    auto = auto_options(generator_options, amounts) if is_auto(generator) else None
    seed = int(np.random.default_rng().integers(2**31 - 1)) if random_state is None else random_state
    rng = as_generator(seed)
    fit_rng, sample_rng = rng.spawn(2)
    table = Table.from_frame(train, label=label, group_by=group_by)
    kept_rules = [RuleRecord.of(rule, table).rule for rule in as_rules(rules)]
    registry = current_plugins()
    is_compared = check != "off" or copies != "keep" or holdout is not None
    real_rows = KnownRows.of(table, holdout) if is_compared else None
    if auto is None:
        wanted = WantedRows.of(table, generator, generator_options, amounts, registry)
    else:
        if copies != "keep" and auto.copiers:
            raise copies_wanted(auto.copiers[0])
        race_seed = integer_seed(rng.spawn(1)[0])
        is_quiet = on_progress is not None
        tuning = auto.race(train, label=label, group_by=group_by, random_state=race_seed, is_quiet=is_quiet)
        wanted = WantedRows.by_race(table, tuning, auto, registry)
    if wanted.copies and copies != "keep":
        raise copies_wanted(wanted.name)
    if not wanted.plan.n_synthetic and not wanted.is_declined:
        message = "the plan adds no row: every group already has the rows asked for."
        warnings.warn(message, AutosynthWarning, stacklevel=2)
    veto = row_veto(kept_rules, copies=copies, real_rows=real_rows)
    with unannounced():  # what a generator calls for itself is no news
        made = _make(wanted, table, fit_rng, sample_rng, registry=registry, veto=veto, on_progress=on_progress)
    if check == "off" or wanted.is_declined:
        checks = CheckReport(evidence=Evidence(table, made.frame, made.group_codes))
    else:
        checks = check_rows(
            table,
            made.frame,
            made.group_codes,
            real_rows=real_rows,
            rules=kept_rules,
            copies="show" if wanted.copies else "warn",
        )
    report = RebalanceReport(
        generator=wanted.name,
        options=wanted.options,
        random_state=seed if isinstance(seed, int | np.integer) else None,
        plan=wanted.plan,
        checks=checks,
        copies=copies,
        rules=tuple(str(rule) for rule in kept_rules),
        n_held_out=0 if holdout is None else len(holdout),
        refusals=dict(made.refusals),
        notes=dict(made.notes),
        n_rounds=made.n_rounds,
        seconds=time.perf_counter() - started,
        tuning=wanted.tuning,
        label=table.label,
        group_by=table.group_by,
    )
    result = _assemble(table, made, report)
    _act_on(report, check)
    announce("autosynth_rebalanced", result=result)
    return result


def _make(
    wanted: WantedRows,
    table: Table,
    fit_rng: np.random.Generator,
    sample_rng: np.random.Generator,
    *,
    registry: PluginRegistry,
    **how: Any,
) -> SyntheticRows:
    """Fit the generator and draw its rows; no generator is fitted for none."""
    if not wanted.plan.n_synthetic:
        return no_rows(table)
    fitted = fit_generator(wanted.unfitted, table, name=wanted.name, rng=fit_rng)
    is_paid = registry.is_remote(fitted)
    return sample_rows(
        fitted,
        table,
        wanted.plan.counts,
        name=wanted.name,
        rng=sample_rng,
        registry=registry,
        is_paid=is_paid,
        **how,
    )


def _assemble(table: Table, made: SyntheticRows, report: RebalanceReport) -> RebalanceResult:
    plan = report.plan
    index = new_labels(table.frame.index, len(made.frame))
    synthetic = made.frame.set_axis(index, axis=0)
    data = pd.concat([table.frame, synthetic]) if len(synthetic) else table.frame.copy()
    is_augmented = augmented_rows(plan, made.group_codes)
    return RebalanceResult(
        data=data,
        is_synthetic=pd.Series(np.arange(len(data)) >= len(table), index=data.index, name="is_synthetic"),
        weights=pd.Series(_weights(table, report, is_augmented), index=data.index, name="weight"),
        provenance=_provenance(table, made, report.generator, is_augmented, index),
        plan=plan,
        checks=report.checks,
        report=report,
    )


def _weights(table: Table, report: RebalanceReport, is_augmented: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    if report.tuning is not None and report.tuning.best.arm.class_weights:
        return group_weights(table)
    return report.plan.weights(is_augmented)


def row_veto(rules: Sequence[Rule], *, copies: CopyMode = "keep", real_rows: KnownRows | None = None) -> RowVeto | None:
    """Return what refuses rows that break a rule, or copy one of ``real_rows``; None where nothing is refused."""
    keeps_copies = copies == "keep" or real_rows is None
    if keeps_copies and not rules:
        return None

    def judge(rows: pd.DataFrame) -> list[tuple[str, npt.NDArray[np.bool_]]]:
        reasons = [(f"breaks the rule {rule}", ~rule.holds(rows)) for rule in rules]
        if copies != "keep" and real_rows is not None:
            reasons += real_rows.reasons(rows, near=copies == "drop_near")
        return reasons

    advice = {
        "Where few distinct rows exist, hardly any but copies can be made: use copies='keep'.": not keeps_copies,
        "A generator that knows no rules may break them in most rows: use another generator, or fewer rules.": bool(
            rules
        ),
    }
    return RowVeto(judge, advice=" ".join(text for text, holds in advice.items() if holds))


def augmented_rows(
    plan: SamplingPlan, group_codes: np.ndarray[Any, np.dtype[np.int64]]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which synthetic rows belong to the augmented part: in each group those after the oversampled ones."""
    n_oversample = np.array([row.n_oversample for row in plan.groups])
    rank_in_group = pd.Series(group_codes).groupby(group_codes).cumcount().to_numpy()
    return np.asarray(rank_in_group >= n_oversample[group_codes], dtype=bool)


def new_labels(index: pd.Index, n_rows: int) -> pd.Index:
    """Return index labels for synthetic rows that no real row has: the next whole numbers, or "synthetic-0", ..."""
    start = max(int(index.max()) + 1, 0) if pd.api.types.is_integer_dtype(index.dtype) else None
    if start is not None and start + n_rows <= np.iinfo(np.int64).max:
        return pd.RangeIndex(start, start + n_rows, name=index.name)
    prefix = "synthetic-"
    texts = index.get_level_values(0) if isinstance(index, pd.MultiIndex) else index
    while any(str(label).startswith(prefix) for label in texts):
        prefix = f"new-{prefix}"
    labels = [f"{prefix}{position}" for position in range(n_rows)]
    if isinstance(index, pd.MultiIndex):
        return pd.MultiIndex.from_tuples([(label, *[""] * (index.nlevels - 1)) for label in labels], names=index.names)
    return pd.Index(labels, name=index.name, dtype=object)


def _provenance(
    table: Table, made: SyntheticRows, name: str, is_augmented: np.ndarray[Any, np.dtype[np.bool_]], index: pd.Index
) -> pd.DataFrame:
    labels = table.frame.index.astype(object).to_numpy()
    cells = np.array([str(group) for group in table.groups], dtype=object)
    return pd.DataFrame(
        {
            "generator": name,
            "group": cells[made.group_codes],
            "part": np.where(is_augmented, "augmented", "oversampled"),
            "parents": pd.Series([tuple(labels[row[row >= 0]]) for row in made.parents], index=index, dtype=object),
        },
        index=index,
    )


def copies_wanted(name: str) -> ConfigError:
    """Return the error for a generator of copies when copies are to be refused."""
    return ConfigError(f"generator {name!r} makes copies of real rows on purpose. Use copies='keep' with it.")


def _check_mode(check: str) -> None:
    if check not in ("off", "warn", "raise"):
        raise ConfigError(f"check={check!r} is unknown. Use 'off', 'warn' or 'raise'.")


def _act_on(report: RebalanceReport, mode: CheckMode) -> None:
    checks = report.checks
    if checks.passed:
        return
    if mode == "raise":
        announce("autosynth_reported", report=report, stacklevel=4)
        checks.raise_if_failed()
    else:
        message = (
            f"{checks.describe_failures()}\nLook at result.checks; check='raise' stops here, check='off' is silent."
        )
        warnings.warn(message, AutosynthWarning, stacklevel=3)  # where rebalance was called
