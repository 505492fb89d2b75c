"""Previews of rows: the plan of ``rebalance`` and the tables of ``check``, looked at as the commands would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from autosynth.auto import auto_options, is_auto
from autosynth.checks.contamination import KnownRows
from autosynth.checks.families import FAMILIES
from autosynth.checks.rule_record import RuleRecord
from autosynth.checks.rules import as_rules
from autosynth.commands.preview import Preview, table_facts
from autosynth.commands.preview_race import race_facts
from autosynth.exceptions import ConfigError
from autosynth.gate_files import GateFiles
from autosynth.options import check_choice
from autosynth.plugins import current_plugins
from autosynth.rebalancing import CheckMode, CopyMode, copies_wanted
from autosynth.seeding import as_generator
from autosynth.table import Table
from autosynth.wanted_rows import WantedRows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NO_SUITES", "preview_check", "preview_rebalance"]

CHECK_WORDS = {
    "off": "none",
    "warn": "one that fails is a warning",
    "raise": "one that fails ends the run, and nothing is written",
}
COPY_WORDS = {
    "keep": "of real rows are kept, and counted by the checks",
    "drop_exact": "that equal a real or a held-out row are drawn again",
    "drop_near": "that equal or nearly equal a real or a held-out row are drawn again",
}
NO_SUITES = (
    "no installed plugin runs suites, which --suite and --data-docs ask for. Bring one with: "
    "pip install 'autosynth[gx]'"
)


def preview_rebalance(
    path: Path,
    frame: pd.DataFrame,
    *,
    out: Path,
    report: Path | None,
    only_synthetic: bool,
    generator: str,
    generator_options: Mapping[str, Any],
    holdout: pd.DataFrame | None,
    **given: Any,
) -> Preview:
    """Return what ``rebalance`` would do with these arguments.

    Raises
    ------
    AutosynthError
        Whatever rebalancing would raise before the first row is made.
    """
    check_choice("check", given["check"], get_args(CheckMode))
    check_choice("copies", given["copies"], get_args(CopyMode))
    as_generator(given["random_state"])
    table = Table.from_frame(frame, label=given["label"], group_by=given["group_by"])
    rules = [str(RuleRecord.of(rule, table).rule) for rule in as_rules(given["rules"])]
    KnownRows.of(table, holdout)  # raises where the held-out rows cannot be compared
    amounts = {name: given[name] for name in ("strategy", "augment", "alpha", "synthetic_weight")}
    facts, line = table_facts(path, table)
    if is_auto(generator):
        auto = auto_options(generator_options, amounts)
        if given["copies"] != "keep" and auto.copiers:
            raise copies_wanted(auto.copiers[0])
        more, lines = race_facts(table, given["random_state"], **auto.settings)
        rows = "the real rows and those that win the race, if any"
    else:
        more, lines, rows = _plan(table, generator, generator_options, amounts, only_synthetic=only_synthetic)
        if given["copies"] != "keep" and current_plugins().info(generator).copies:
            raise copies_wanted(generator)
    checks = {name: given[name] for name in ("check", "copies", "random_state")} | {"rules": rules}
    lines += [("checks", CHECK_WORDS[given["check"]]), ("copies", COPY_WORDS[given["copies"]])]
    lines += [("rules", "\n".join(rules))] if rules else []
    writes = {out: rows} | ({report: "the report"} if report else {})
    return Preview(command="rebalance", facts={**facts, **more, **checks}, lines=[line, *lines], writes=writes)


def _plan(
    table: Table, generator: str, options: Mapping[str, Any], amounts: Mapping[str, Any], *, only_synthetic: bool
) -> tuple[dict[str, Any], list[tuple[str, object]], str]:
    wanted = WantedRows.of(table, generator, options, amounts, current_plugins())
    info = current_plugins().info(generator)
    chosen = {**info.defaults, **options}
    listed = ", ".join(f"{name}={value!r}" for name, value in chosen.items())
    facts = {"generator": generator, "options": chosen, "remote": info.remote, "plan": wanted.plan.to_dict()}
    lines: list[tuple[str, object]] = [("generator", f"{generator}{f' ({listed})' if listed else ''}")]
    if info.remote:
        lines.append(("remote", "real rows would be sent to another machine, which may cost money per call"))
    n_real, n_synthetic = (0 if only_synthetic else wanted.plan.n_real), wanted.plan.n_synthetic
    words = f"{n_real + n_synthetic} rows: {n_real} real, {n_synthetic} synthetic"
    if not n_synthetic:
        lines.append(("note", "every group has the rows asked for already, so none would be made"))
    return facts, [*lines, ("plan", wanted.plan)], words


def preview_check(
    paths: tuple[Path, Path],
    given: Mapping[str, Any],
    *,
    files: GateFiles,
    fail_on: str,
    only_warn: Sequence[str],
) -> Preview:
    """Return what ``check`` would ask of these rows.

    Parameters
    ----------
    paths : tuple of Path
        Of the real and of the synthetic rows.
    given : mapping
        What :func:`autosynth.check` would be given: "real", "synthetic", "holdout", "label", "group_by" and "rules".
    files, fail_on, only_warn
        As the command takes them.

    Raises
    ------
    AutosynthError
        If a table, a rule or a file cannot be used, or no plugin runs suites.
    """
    registry = current_plugins()
    table = Table.from_frame(given["real"], label=given["label"], group_by=given["group_by"])
    kept = [str(RuleRecord.of(rule, table).rule) for rule in given["rules"]]
    KnownRows.of(table, given["holdout"])  # raises where the held-out rows cannot be compared
    if files.needs_plugin and not registry.implementers("autosynth_run_suite"):
        raise ConfigError(NO_SUITES)
    plugins = registry.implementers("autosynth_check_rows")
    facts, line = table_facts(paths[0], table)
    n_synthetic = len(given["synthetic"])
    n_held_out = None if given["holdout"] is None else len(given["holdout"])
    more = {
        "synthetic": {"path": str(paths[1]), "n_rows": n_synthetic},
        "n_held_out": n_held_out,
        "suite": None if files.suite is None else str(files.suite),
        "checks": list(FAMILIES),
        "plugins": plugins,
        "rules": kept,
        "fail_on": fail_on,
        "only_warn": list(only_warn),
    }
    questions = "\n".join(f"{name}: {family.sentence}" for name, family in FAMILIES.items())
    lines: list[tuple[str, object]] = [line, ("synthetic", f"{paths[1]}: {n_synthetic} rows")]
    lines += [("held out", f"{n_held_out} rows")] if n_held_out is not None else []
    lines.append(("checks", questions) if files.suite is None else ("suite", files.suite))
    lines += [("plugins", ", ".join(plugins))] if plugins else []
    lines += [("rules", "\n".join(kept))] if kept else []
    warned = f"; only a warning: {', '.join(only_warn)}" if only_warn else ""
    lines.append(("fails on", f"a {fail_on} check that failed{warned}"))
    words = {files.junit: "JUnit XML", files.html: "the page", files.data_docs: "pages of Great Expectations"}
    writes = {path: text for path, text in words.items() if path is not None}
    return Preview(command="check", facts={**facts, **more}, lines=lines, writes=writes)
