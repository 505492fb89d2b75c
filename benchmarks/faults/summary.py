"""The tables of catches and false alarms, as Markdown."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from faults.planted import FAULTS
from faults.verdicts import ABSENT, BLIND, CAUGHT, FRESH


def write_markdown(results: pd.DataFrame) -> str:
    """Return what each fault met with on each table, and how often fresh real rows were refused."""
    planted, fresh = results[results["fault"] != FRESH], results[results["fault"] == FRESH]
    return "\n".join([*_catches(planted), "", *_alarms(fresh)]) + "\n"


def _catches(planted: pd.DataFrame) -> list[str]:
    tables = list(dict.fromkeys(planted["table"]))
    lines = [
        "Planted faults: in how many draws the check meant for them failed.  `blind`: it said that it could not see so "
        "much, as rows are few, the label is hardly predictable or real rows do the same; `-`: nothing to spoil.",
        "",
        f"| fault | meant check | {' | '.join(tables)} | other critical checks that failed |",
        f"|{'---|' * (len(tables) + 3)}",
    ]
    for fault in FAULTS:
        rows = planted[planted["fault"] == fault.name]
        cells = [_cell(rows[rows["table"] == table]) for table in tables]
        others = Counter(name for names in rows["critical"] for name in str(names).split() if name not in fault.meant)
        shown = ", ".join(f"{name} {count}" for name, count in others.most_common(4))
        lines.append(f"| {fault.name} | {', '.join(fault.meant)} | {' | '.join(cells)} | {shown} |")
    return lines


def _cell(rows: pd.DataFrame) -> str:
    outcomes = Counter(rows["outcome"])
    asked = sum(outcomes.values()) - outcomes[ABSENT]
    if not asked:
        return "-"
    if outcomes[BLIND] == asked:
        return "blind"
    blind = f" ({outcomes[BLIND]} blind)" if outcomes[BLIND] else ""
    caught = f"{outcomes[CAUGHT]}/{asked - outcomes[BLIND]}"
    return f"{caught if outcomes[CAUGHT] + outcomes[BLIND] == asked else f'**{caught}**'}{blind}"


def _alarms(fresh: pd.DataFrame) -> list[str]:
    lines = [
        "False alarms: draws of fresh real rows that passed, and the checks that refused others.",
        "",
        "| table | real rows | rows judged | passed | critical alarms | warnings |",
        "|---|---|---|---|---|---|",
    ]
    for table, rows in fresh.groupby("table", sort=False):
        alarms, warnings = (
            Counter(name for names in rows[kind] for name in str(names).split()) for kind in ("critical", "warnings")
        )
        lines.append(
            f"| {table} | {rows['n_real'].iloc[0]} | {rows['n_rows'].iloc[0]} | {rows['passed'].sum()}/{len(rows)} | "
            f"{_counts(alarms)} | {_counts(warnings)} |"
        )
    honest = fresh[~fresh["table"].str.contains("smote")]
    lines += ["", f"In all, {honest['passed'].sum()} of {len(honest)} draws of fresh real rows passed."]
    return lines


def _counts(alarms: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in alarms.most_common()) or "none"
