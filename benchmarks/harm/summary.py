"""The summary in Markdown: harm and benefit rates, what is asked of "auto", and every setting's numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from harm.arms import AUTO, CALIBRATED, CALIBRATED_REFERENCE, REFERENCE, TREATMENTS
from harm.metrics import METRICS
from harm.splits import splits
from harm.verdicts import ORDER, rates, statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harm.sources import Setting
    from harm.store import Store

AFTER_SHIFT = ("balanced_ce_shifted", "worst_group_risk")  # what a temperature changes
MARKS = {"worse": "▼", "better": "▲", "level": ""}


def write_markdown(records: pd.DataFrame, settings: Sequence[Setting], store: Store, learner: str) -> str:
    """Return the whole summary of one learner's results."""
    if records.empty:
        return "Nothing was run yet.\n"
    tables = {setting.name for setting in settings if setting.group_by is None}
    imbalanced = {setting.name for setting in settings if setting.is_imbalanced and setting.group_by is None}
    of_tables, of_groups = (records[records["setting"].isin(tables) == wanted] for wanted in (True, False))
    parts = [f"# Do no harm: {learner}", "", f"## Against {REFERENCE}: tables, groups are the classes", ""]
    parts += [_rate_table(of_tables), ""]
    parts += ["## With a temperature in all arms: tables", "", _calibrated_rate_table(of_tables), ""]
    if not of_groups.empty:
        parts += ["## The same where groups are label x a group column", "", _rate_table(of_groups), ""]
    parts += [
        "## What is asked of auto (tables)",
        "",
        *(line if line.startswith("  -") else f"- {line}" for line in statements(of_tables, imbalanced)),
        "",
    ]
    for metric, title in METRICS.items():
        parts += [f"## {title}", "", _value_table(records, metric), ""]
    parts += ["## What auto chose", "", _choices(settings, store, learner), ""]
    parts += ["## What failed", "", _failures(settings, store, learner), ""]
    return "\n".join(parts)


def _rate_table(records: pd.DataFrame) -> str:
    """Return a line per arm: for every metric the numbers of settings with harm and with benefit."""
    found = rates(records)
    lines = []
    for arm in found.index.get_level_values("arm").unique():
        if arm.endswith(CALIBRATED):
            continue
        part = found.loc[arm]
        cells = {"arm": arm, "tables": int(part["settings"].max())}
        for metric, row in part.iterrows():
            cells[METRICS[str(metric)]] = f"{row['harm']:.0%} / {row['benefit']:.0%}"
        lines.append(cells)
    return "Harm rate / benefit rate.\n\n" + markdown(pd.DataFrame(lines))


def _calibrated_rate_table(records: pd.DataFrame) -> str:
    """Return the same for arms whose probabilities are calibrated, against plain training calibrated as well."""
    found = rates(records, CALIBRATED_REFERENCE)
    lines = []
    for arm in found.index.get_level_values("arm").unique():
        if arm == AUTO or (arm.endswith(CALIBRATED) and arm != CALIBRATED_REFERENCE):
            part = found.loc[arm]
            cells = {"arm": arm, "tables": int(part["settings"].max())}
            for metric in AFTER_SHIFT:
                cells[METRICS[metric]] = f"{part.loc[metric, 'harm']:.0%} / {part.loc[metric, 'benefit']:.0%}"
            lines.append(cells)
    return f"Harm rate / benefit rate against {CALIBRATED_REFERENCE!r}.\n\n" + markdown(pd.DataFrame(lines))


def _value_table(records: pd.DataFrame, metric: str) -> str:
    """Return a line per setting with every arm's value, marked where it differs significantly from the reference."""
    some = records[(records["metric"] == metric) & (records["against"] == REFERENCE)]
    lines = []
    for setting in dict.fromkeys(some["setting"]):
        here = some[some["setting"] == setting].set_index("arm")
        cells = {"setting": setting}
        for arm in ORDER:
            if arm in here.index and (metric in AFTER_SHIFT or not arm.endswith(CALIBRATED)):
                row = here.loc[arm]
                splits_run = int(row["splits"])
                note = f" ({splits_run})" if splits_run < int(here["splits"].max()) else ""
                cells[arm] = f"{row['value']:.3f}{MARKS[str(row['verdict'])]}{note}"
        lines.append(cells)
    return markdown(pd.DataFrame(lines))


def _choices(settings: Sequence[Setting], store: Store, learner: str) -> str:
    lines = []
    for setting in settings:
        for split in splits(setting):
            kept = store.read(split, learner, AUTO)
            if kept is not None:
                names = ("arm", "shift", "chosen_without_rows", "seconds")
                lines.append(
                    {"setting": setting.name, "split": split.index, **{name: kept.facts.get(name) for name in names}}
                )
    if not lines:
        return "It was not run."
    frame = pd.DataFrame(lines)
    return markdown(frame.assign(seconds=frame["seconds"].astype(float).round(1)))


def _failures(settings: Sequence[Setting], store: Store, learner: str) -> str:
    lines = [
        {"setting": setting.name, "split": split.index, "model": model, "reason": reason.replace("\n", " ")[:200]}
        for setting in settings
        for split in splits(setting)
        for model in (*TREATMENTS, AUTO)
        if (reason := store.failure(split, learner, model)) is not None
    ]
    return markdown(pd.DataFrame(lines)) if lines else "Nothing."


def markdown(frame: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(map(str, frame.columns)) + " |", "|" + " --- |" * frame.shape[1]]
    lines += [
        "| " + " | ".join(map(str, row)) + " |" for row in frame.astype(object).where(frame.notna(), "").to_numpy()
    ]
    return "\n".join(lines)
