"""rebalanced(): AutoGluon hyperparameters in which every model rebalances its own training rows."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from autogluon.common.space import Space

from autosynth import RowGenerator
from autosynth.auto import auto_options, is_auto
from autosynth.checks.rule_record import MAX_BROKEN
from autosynth.checks.rules import Rule, as_rules
from autosynth.exceptions import ConfigError, DataError, nearest
from autosynth.generator import GeneratorInfo
from autosynth.generator import Space as GeneratorSpace
from autosynth.plugins import AUTO, current_plugins
from autosynth.schema import infer_column
from autosynth.table import as_columns
from autosynth_autogluon.config import PARAMETER_PREFIX, FoldCheck, InFoldConfig, OnTimeout
from autosynth_autogluon.consent import check_consent
from autosynth_autogluon.fold_prior import PriorWish
from autosynth_autogluon.portfolio import Portfolio, resolve_portfolio
from autosynth_autogluon.quiet import without_telemetry
from autosynth_autogluon.side_table import SideTable

logger = logging.getLogger(f"autogluon.{__name__}")


def rebalanced(
    hyperparameters: str | Mapping[Any, Any] | None = None,
    *,
    presets: str | Sequence[str] | None = None,
    generator: str | RowGenerator = "smote",
    generator_options: Mapping[str, Any] | None = None,
    group_by: Any = None,
    data: pd.DataFrame | None = None,
    space: GeneratorSpace | None = None,
    ratio: float | Space = 1.0,
    augment: int = 0,
    alpha: float | None = None,
    synthetic_weight: float | Space = 1.0,
    keep_plain: bool = False,
    stack: bool = False,
    correct_prior: PriorWish | None = None,
    generate_ahead: bool | None = None,
    max_time_share: float = 0.5,
    on_timeout: OnTimeout = "plain",
    check: FoldCheck = "warn",
    rules: Sequence[Rule | str] | Rule | str = (),
    allow_remote: bool = False,
    random_state: int = 0,
    name_suffix: str = "_Syn",
) -> dict[Any, Any]:
    """Return AutoGluon hyperparameters in which every model adds synthetic rows to its training rows, after the split.

    Validation rows, out-of-fold predictions, early stopping, ensembling and threshold calibration see real rows only.
    The generator is fitted once per fold, on that fold's training rows, and shared by all models of the fold.

    Parameters
    ----------
    hyperparameters : str or dict, optional
        As ``TabularPredictor.fit`` takes them: a name such as "default", a dict of models, or a dict per stacking
        level.  None takes those of ``presets``, or "default".
    presets : str or sequence of str, optional
        The presets that ``fit`` is given, when their models are to be rebalanced.  Pass them to ``fit`` as well.
    generator : str or RowGenerator
        A registered name or a configured generator object.  One that learns nothing ("rows") is refused.  "auto" lets
        a race inside every fold decide whose rows are added, how many, and whether any are; see the notes.
    generator_options : mapping, optional
        For a registered name; with "auto", settings of the race (:class:`autosynth.auto.AutoOptions`).
    group_by : str, sequence of str, Series, DataFrame, or mapping, optional
        Columns that split the classes into groups: names of features, or of columns of ``data``; or a Series or
        DataFrame with the index of the training data, for group columns that are no feature.  A mapping
        ``{column: bins}`` cuts number-like columns as :func:`autosynth.rebalance` does.
    data : DataFrame, optional
        The training data as given to ``fit``, with the label and a unique index: for generators that see original
        columns, and for group columns that are no feature.
    space : "model" or "original", optional
        Whether the generator sees AutoGluon's encoded features, or the user's own columns with texts, dates and missing
        values ("original" needs ``data``).  None takes what the generator was registered with.
    ratio : float or autogluon search space
        Size that smaller groups are brought to, as a share of the largest, in (0, 1].
    augment, alpha : int, float or None
        N more rows per group and the weight of that part; see :func:`autosynth.rebalance`.
    synthetic_weight : float or autogluon search space
        How much a synthetic row counts against a real one: as sample weight where the family honours it (GBM, CAT, XGB,
        RF, XT, LR, EBM), as a share of the rows where it does not (KNN, neural networks).
    keep_plain : bool
        Whether every model is trained without synthetic rows too, so that AutoGluon chooses on real validation rows.
    stack : bool
        Whether models of stacking levels above the first are rebalanced as well.
    correct_prior : bool, "class" or "group", optional
        Whether predicted probabilities are brought back to the shares of the fold's real rows: by "class", or by
        "group" (class x group columns).  True takes "group" where there are group columns and the model sees them when
        it predicts, and "class" otherwise; "group" makes the others fail.  None is True with ``generator="auto"``,
        whose folds may get different answers while AutoGluon scores their probabilities together, and False otherwise.
        See the notes.
    generate_ahead : bool, optional
        Whether rows of all folds are made before the first model; None does it for generators that are not registered
        as quick, and for ``check="drop"`` and ``check="raise"``.
    max_time_share : float
        Share of a fold's time limit that its generator may use, in (0, 1).
    on_timeout : "plain" or "raise"
        What happens to a fold whose generator did not finish in its time: it trains on real rows alone, which is logged
        and shown by ``predictor.info()``, or its models fail.  Generators that are registered as quick are not limited.
    check : "off", "warn", "drop" or "raise"
        What happens to a fold whose synthetic rows fail a critical check against the real rows it trains on (see
        :func:`autosynth.check`): it trains with them, which is logged; it trains on real rows alone, which is logged;
        or the run stops with a CheckFailedError.  ``predictor.info()`` shows the verdict of every fold.  See the notes.
    rules : sequence of Rule or str
        What columns must be to each other in every row, such as "admitted <= discharged"; one rule needs no list.  They
        need ``data``, and the generator sees the user's own columns then.  In every fold, rows that break a rule are
        refused and drawn again, which ``predictor.info()`` counts, and the checks look at what remains.
    allow_remote : bool
        Consent for a generator that sends real rows to another machine ("llm_api"), which is refused otherwise: rows of
        every fold leave this machine, and each fold pays for its own rows; see the notes.
    random_state : int
        Decides the rows, together with the fold's own rows.
    name_suffix : str
        Appended to the names of rebalanced models.

    Returns
    -------
    dict
        For ``TabularPredictor.fit(hyperparameters=...)``.

    Raises
    ------
    ConfigError
        An argument is wrong.
    DataError
        ``data`` or ``group_by`` cannot be used: a repeated index label, or a column of mixed types.

    Notes
    -----
    Models for which extra rows make no sense (tabular foundation models, text and image models) are left plain, which
    is said by a warning.  For regression, groups are those of ``group_by`` alone.

    A remote generator generates once per fold: ``num_bag_folds * num_bag_sets`` times, or once without bagging, and
    once more for ``refit_full``; dynamic stacking has folds of its own.  Models that want fewer rows (families that
    honour no weights, under a ``synthetic_weight`` below 1) share those of the fold; one that wants more rows (a search
    over ``ratio``) makes it generate again.  Limits among its options hold for each generation, so the total is that
    many times as much; its ``cache_dir``, where it has one, makes the same fit free the next time.  When it fails in a
    fold, or runs out of time, no other model of this predictor tries that fold again, so that nothing is paid for
    twice.

    The checks are those of :func:`autosynth.check` but for the two that fit models of their own: 0.03 to 0.1 s for a
    fold of 300 rows, 0.3 s for 10,000 rows and 20 columns, once for all models of the fold.  They compare rows as the
    generator sees them, so encoded features with ``space="model"``, where checks of plugins are not asked.
    ``check="drop"`` and ``check="raise"`` make and check the rows of all folds before the first model, in this process:
    the one logs how many folds stay plain and why, also where Ray trains the folds and swallows what they log; the
    other stops there.  Rows that are made in another process (under Ray: a second set of folds, stacking levels, trials
    of a search, and all with ``fit_strategy="parallel"``) are not logged and cannot stop the run: under "raise", the
    models that wanted them fail, as ``predictor.model_failures()`` shows.  :func:`describe_folds` tells afterwards what
    became of the rows in every fold, wherever it was trained.

    Prior correction is exact where only the weight of cells was changed: by class, when groups are the classes; by
    class x group, when the model sees the group columns.  A group column that is no feature (a Series, or a column that
    only ``data`` holds), or that a family leaves out (KNN: categories), is unknown when such a model predicts, so that
    no exact correction exists: "class" puts the shares of the classes back as if each class had its rows in the groups
    of training.  ``predictor.info()`` says by what each model is corrected, and why not by group.  A value that the
    fold did not hold gets the correction of its class over all groups; AutoGluon takes an unknown value of a column
    with two values for the first of them.  By group, what the group columns tell of the class comes back as well: for
    log loss on rows like the real ones that is right, and where the worst group counts it undoes what rebalancing was
    for; "class" leaves groups as even as training made them.  Where a model tells synthetic rows from real ones, the
    correction goes too far (boosted trees on SMOTE's rows of one of two tables in benchmarks/prior_correction.py);
    :func:`prior_reliability` shows what it did on real rows.

    With ``generator="auto"``, :func:`autosynth.tune` runs once per fold, on the rows that the fold trains on and on no
    other, in inner folds of its own; all models of the fold share its answer.  It is decided by ``eval_metric`` where
    that is AUC, average precision, log loss, balanced accuracy or "worst_class_log_loss", and by the balanced
    cross-entropy otherwise; ``generator_options={"metric": ...}`` says something else.

    Where rows are not worth it, the fold stays plain; where class weights are, they become the sample weights of
    families that take such, and the others stay plain.  ``predictor.info()`` tells the winner and the reason,
    :func:`describe_folds` counts them.  A winning shift of the threshold is left to AutoGluon's own calibration.
    ``ratio``, ``augment``, ``alpha`` and ``synthetic_weight`` are chosen by the race and cannot be given; ``rules``
    apply to the rows that are added, and not inside the race.  With ``data``, generators see original columns.  The
    race takes 0.7 of what the fold has for its generator, or 120 s where ``fit`` has no time limit;
    ``generator_options={"time_budget_s": ...}`` shortens it, or without a limit lengthens it.

    A generator's own time limit (``generator_options={"time_limit_s": 60}`` of "transformer" and "llm") is not set from
    ``fit(time_limit=...)``.  Set it below the fold's share, and training ends in time with what it has; otherwise the
    fold's share ends the generator's process, and ``on_timeout`` says what then.

    Examples
    --------
    ::

        predictor = TabularPredictor(label="class", eval_metric="balanced_accuracy").fit(
            train, hyperparameters=rebalanced("default", generator="smote", keep_plain=True), num_bag_folds=5
        )
    """
    without_telemetry()
    amounts = {"ratio": ratio, "augment": augment, "alpha": alpha, "synthetic_weight": synthetic_weight}
    name, info = _known(generator, generator_options, amounts)
    check_consent(info, allowed=allow_remote, generator_options=generator_options)
    group_columns, bins, side = _side_table(group_by, data)
    wish: PriorWish = is_auto(generator) if correct_prior is None else correct_prior
    _check_prior(wish, group_by)
    config = InFoldConfig(
        generator=generator,
        generator_options=dict(generator_options or {}),
        group_columns=group_columns,
        bins=bins,
        side_table=side,
        space=_space(name, info, space, data, has_rules=bool(rules)),
        augment=augment,
        alpha=alpha,
        ratio=1.0 if isinstance(ratio, Space) else ratio,
        synthetic_weight=1.0 if isinstance(synthetic_weight, Space) else synthetic_weight,
        stack=stack,
        correct_prior=wish,
        max_time_share=max_time_share,
        on_timeout=on_timeout,
        check=check,
        rules=_kept_rules(rules, data),
        random_state=random_state,
    )
    searched = {
        f"{PARAMETER_PREFIX}{name}": value
        for name, value in (("ratio", ratio), ("synthetic_weight", synthetic_weight))
        if isinstance(value, Space)
    }
    portfolio = Portfolio(config, searched, keep_plain, name_suffix)
    ahead = _generates_ahead(generate_ahead, info, check)
    return portfolio.convert_levels(resolve_portfolio(hyperparameters, presets), ahead=ahead, stack=stack)


def _generates_ahead(wish: bool | None, info: GeneratorInfo | None, check: FoldCheck) -> bool:
    if check == "raise":
        if wish is False:
            raise ConfigError(
                "check='raise' makes and checks the rows of all folds before the first model, where it can stop the "
                "run. Leave generate_ahead out, or use check='drop'."
            )
        return True
    if wish is None:
        return check == "drop" or not (info is not None and info.quick)
    return wish


def _side_table(group_by: Any, data: pd.DataFrame | None) -> tuple[tuple[Any, ...], dict[Any, Any], SideTable | None]:
    """Return the group columns, their bins, and the rows that models look up by index."""
    bins = dict(group_by) if isinstance(group_by, Mapping) else {}
    columns: tuple[Any, ...]
    if isinstance(group_by, pd.Series | pd.DataFrame):
        groups = group_by.to_frame(group_by.name or "group") if isinstance(group_by, pd.Series) else group_by
        # under a name of their own, since a feature may have the same name and other values
        groups = groups.rename(columns=lambda name: f"{name} (given)")
        columns = tuple(groups.columns)
        if data is None:
            return columns, bins, SideTable(groups)
        if not groups.index.equals(data.index):
            raise DataError("group_by and data have different indexes. Both must be that of the training data.")
        data = data.assign(**{name: groups[name] for name in columns})
    else:
        columns = as_columns(group_by, () if data is None else data.columns)
    if data is None:
        return columns, bins, None
    for name in columns:
        if name not in data.columns:
            raise ConfigError(f"group_by={name!r} is not a column of data.{nearest(name, data.columns)}")
    for name in data.columns:
        infer_column(data[name])  # a column that no generator could follow is said now, not by every model in turn
    return columns, bins, SideTable(data)


def _check_prior(correct_prior: PriorWish, group_by: Any) -> None:
    """Say now what is known now: groups that are given beside the features are not there when a model predicts."""
    if not isinstance(group_by, pd.Series | pd.DataFrame):
        return
    if correct_prior == "group":
        raise ConfigError(
            "correct_prior='group' needs group columns that the model sees when it predicts, and group_by is a "
            f"{type(group_by).__name__} beside the features. Use correct_prior='class', or make the group columns "
            "features and give their names."
        )
    if correct_prior is True:
        logger.info("Group columns are no features, so probabilities are corrected by class alone.")


def _known(
    generator: str | RowGenerator, options: Mapping[str, Any] | None, amounts: Mapping[str, Any]
) -> tuple[str, GeneratorInfo | None]:
    """Check the generator now, since a model that fails later is only logged by AutoGluon; return what is known."""
    registry = current_plugins()
    info: GeneratorInfo | None
    if is_auto(generator):
        auto_options(options, amounts)
        return AUTO, None
    if isinstance(generator, str):
        name, info = generator, registry.info(generator)
        registry.build(generator, options)
    else:
        name, info = type(generator).__name__, registry.info_of(generator)
        if options:
            raise ConfigError("generator_options go with a registered name. Configure the generator object itself.")
    if info is not None and not info.refits:
        raise ConfigError(
            f"generator {name!r} learns nothing from a fold's rows, so validation rows may have fathered its rows. "
            "Use it with autosynth.rebalance on data that is split already."
        )
    return name, info


def _space(
    name: str,
    info: GeneratorInfo | None,
    space: GeneratorSpace | None,
    data: pd.DataFrame | None,
    *,
    has_rules: bool,
) -> GeneratorSpace:
    if has_rules and space is None and data is not None:
        return "original"
    if name == AUTO and space is None and data is not None:
        return "original"
    chosen = space or (info.space if info is not None else "model")
    if chosen == "original" and data is None:
        raise ConfigError(
            f"generator {name!r} works on your own columns. Add data=train, the DataFrame that fit is given."
        )
    return chosen


def _kept_rules(rules: Sequence[Rule | str] | Rule | str, data: pd.DataFrame | None) -> tuple[Rule, ...]:
    """Return the rules, after a look at whether the training data keeps them: what a fold raises is only logged."""
    kept = as_rules(rules)
    if data is None:
        return kept
    for rule in kept:
        broken = ~rule.holds(data)
        if broken.mean() > MAX_BROKEN:
            raise ConfigError(
                f"rule {rule} is broken by {broken.sum()} of {len(broken)} real rows ({broken.mean():.1%}), and at "
                f"most {MAX_BROKEN:.0%} may break one. A rule is what real rows keep: is it the wrong way round?"
            )
    return kept
