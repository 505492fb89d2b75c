"""The hooks of autosynth and their whole contract.

A plugin is a module (or object) that implements some of these functions under the same names, marked with
:data:`hookimpl`, and that an entry point of the group ``autosynth`` names.  Arguments that a plugin does not need may
be left out of its signature.  All arguments are read only.  Apart from ``autosynth_run_suite`` and
``autosynth_make_learner``, of which the first answer counts, answers are combined in a way that does not depend on the
order of plugins.

An implementation that raises ends the run with a PluginError that names the plugin.  During registration only the
plugin itself is lost, and listed as broken; of the notices ``autosynth_rebalanced`` and ``autosynth_reported`` only the
plugin's own hearing is lost, and a warning says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from autosynth.checks.result import CheckReport, CheckResult
    from autosynth.checks.rules import Rule
    from autosynth.generator import RowGenerator, Space
    from autosynth.groups import Group
    from autosynth.rebalancing import RebalanceResult
    from autosynth.schema import TableSchema
    from autosynth.table import GroupBy

PROJECT = "autosynth"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Register(Protocol):
    """What ``autosynth_register_generators`` is given; its arguments are the fields of GeneratorInfo."""

    def __call__(
        self,
        name: str,
        factory: Callable[[Any], RowGenerator],
        *,
        options: type[Any] = ...,
        summary: str = ...,
        requires: tuple[str, ...] = ...,
        extra: str | None = ...,
        space: Space = ...,
        refits: bool = ...,
        copies: bool = ...,
        quick: bool = ...,
        remote: bool = ...,
    ) -> None: ...


@hookspec
def autosynth_register_generators(register: Register) -> None:
    """Offer generators under names that users write as ``generator=``.

    Called once per plugin, when plugins are loaded.  Must be cheap: load heavy packages inside the generator's own
    methods.  A name that another plugin has registered is refused with both owners.

    Parameters
    ----------
    register : callable
        ``register(name, factory, options=OptionsClass, summary=..., requires=("package",), extra=...)``, once per
        generator; see :class:`autosynth.GeneratorInfo` for the fields.
    """


@hookspec
def autosynth_propose_generators(schema: TableSchema, groups: Mapping[Group, int]) -> Sequence[str] | None:
    """Propose generators for ``generator="auto"`` and :func:`autosynth.tune`, which race them on the user's own rows.

    Asked once per table, inside AutoML once per fold.  Propose what is worth its time on this table: every proposal is
    fitted once per cross-validation fold.  Only local generators that learn from the rows given are raced; those whose
    packages are not installed are left out by the core.

    Parameters
    ----------
    schema : TableSchema
        Learned from the real rows.
    groups : mapping of Group to int
        Real rows of every group, largest first.

    Returns
    -------
    sequence of str, or None
        Registered names; the proposals of all plugins are joined, each once.
    """
    return None


@hookspec
def autosynth_keep_rows(rows: pd.DataFrame, schema: TableSchema) -> pd.Series[bool] | None:
    """Veto synthetic rows that cannot exist, such as a discharge before an admission.

    Called once per sampling round, after dtypes were conformed and before any check; never with encoded columns.

    Parameters
    ----------
    rows : DataFrame of shape (n_rows, n_features)
        Candidates without the label.
    schema : TableSchema
        Learned from the real rows.

    Returns
    -------
    Series of bool, indexed like ``rows``, or None
        True keeps a row; the answers of all plugins are ANDed, and None keeps all.
    """
    return None


@hookspec
def autosynth_check_rows(real: pd.DataFrame, synthetic: pd.DataFrame, schema: TableSchema) -> list[CheckResult]:
    """Add checks of synthetic against real rows to the report.

    Called once per run, after all rows were made.

    Parameters
    ----------
    real, synthetic : DataFrame of shape (n_rows, n_features + 1)
        With the label, in the same columns and dtypes.
    schema : TableSchema
        Learned from the real rows.

    Returns
    -------
    list of CheckResult
        The lists of all plugins are concatenated.
    """
    return []


@hookspec(firstresult=True)
def autosynth_run_suite(
    suite: Path | None,
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    label: Hashable,
    group_by: GroupBy,
    holdout: pd.DataFrame | None,
    rules: Sequence[Rule],
    data_docs: Path | None,
) -> CheckReport | None:
    """Check synthetic rows with a saved suite, or write pages about the checks, for ``autosynth check``.

    Called instead of :func:`autosynth.check` when a suite or a folder for pages is named.  The first answer that is not
    None wins.

    Parameters
    ----------
    suite : Path or None
        An existing file with a suite, which is not to be trusted; None builds one from the real rows.
    real : DataFrame of shape (n_real, n_features + 1)
        Real rows with the label.
    synthetic : DataFrame of shape (n_synthetic, n_features + 1)
        Rows of any origin.
    label, group_by
        As :func:`autosynth.check` takes them.
    holdout : DataFrame or None
        Real rows that the generator must not know.
    rules : sequence of Rule
        What every row must keep.
    data_docs : Path or None
        The folder to write pages into, which may not exist yet; its parent does.

    Returns
    -------
    CheckReport or None
        A check that could not run is in it as an error; None leaves the suite to other plugins.
    """
    return None


@hookspec(firstresult=True)
def autosynth_make_learner(name: str, random_state: int) -> Any:
    """Make the classifier for ``learner=name`` in :func:`autosynth.tune`.

    Called for names that the core does not know.  The first answer that is not None wins.

    Parameters
    ----------
    name : str
        What the user wrote.
    random_state : int
        The seed to use, from 0 on.

    Returns
    -------
    classifier or None
        Unfitted and of scikit-learn's kind, with ``get_params``, ``fit(X, y, sample_weight)`` and ``predict_proba``, so
        that ``sklearn.base.clone`` copies it.  One whose class says ``takes_columns = True`` gets the columns as the
        user gave them, others get numbers.  None leaves the name to other plugins.
    """
    return None


@hookspec
def autosynth_rebalanced(result: RebalanceResult) -> None:
    """Hear that a run has finished, for loggers and trackers.

    Called in the caller's process and thread, once per run of the user's own: not for the steps of another call, such
    as what the samplers and the classifier of ``autosynth_sklearn`` make in ``fit``, be it in a fold or not.

    Parameters
    ----------
    result : RebalanceResult
        What :func:`autosynth.rebalance` is about to return.
    """


@hookspec
def autosynth_reported(report: object) -> None:
    """Hear what else a call has found, for loggers and trackers.

    Called in the caller's process and thread, once per call of the user's own: the race inside ``generator="auto"`` is
    part of its run, and heard with it.  Adapters announce what they find in the same way
    (:func:`autosynth.notices.announce`).  So leave alone what you do not know.

    Parameters
    ----------
    report : CheckReport, GroupReport, TuningReport, ScalingCurve, MemorizationProbe, RebalanceReport or another
        What :func:`autosynth.check`, :func:`autosynth.group_report`, :func:`autosynth.tune`,
        :func:`autosynth.scaling_curve` or :func:`autosynth.probe_memorization` is about to return; or the report of a
        run that ``check="raise"`` is about to end, so that refused rows are on record too.
    """


@hookspec
def autosynth_register_commands(app: Any) -> None:
    """Add commands to the command line.

    Called once when the command line starts.

    Parameters
    ----------
    app : typer.Typer
        Add commands with ``@app.command()``; errors below AutosynthError become a message and exit code 2.
    """
