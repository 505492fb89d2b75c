"""Which arms are significantly worse or better than another one, table by table, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harm.arms import ARMS, AUTO, REFERENCE, WITHOUT_ROWS
from harm.metrics import HIGHER_IS_BETTER, METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Draws = Mapping[
        str, Mapping[str, npt.NDArray[np.float64]]
    ]  # arm -> metric -> values, entry 0 on the rows as they are

LEVEL = 0.95  # of the two-sided percentile interval
ORDER = (*(arm.name for arm in ARMS), AUTO)
DEMANDED = ("auc", "average_precision", "balanced_ce_shifted")  # where "auto" is to win


def losses(draws: Draws, arm: str, metric: str) -> npt.NDArray[np.float64]:
    """Return the metric so that lower is better."""
    values = draws[arm][metric]
    return 1.0 - values if metric in HIGHER_IS_BETTER else values


def compare(draws: Draws, arm: str, other: str, metric: str) -> dict[str, float | str]:
    """Return the paired difference in loss of ``arm`` minus ``other`` (above 0: worse), and a verdict.

    The verdict is "worse" or "better" where the 95 % percentile interval over replicates leaves out 0, else "level".
    Equal predictions are level.
    """
    difference = losses(draws, arm, metric) - losses(draws, other, metric)
    replicates = difference[1:][np.isfinite(difference[1:])]
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(replicates, [tail, 100 - tail])
    verdict = "worse" if low > 0 else "better" if high < 0 else "level"
    return {
        "difference": float(difference[0]), "low": float(low), "high": float(high),
        "standard_error": float(replicates.std(ddof=1)), "verdict": verdict,
    }  # fmt: skip


def compare_all(setting: str, n_splits: int, draws: Draws, references: Mapping[str, str]) -> list[dict[str, object]]:
    """Return one record per arm, metric and thing to compare with.

    Compared with: ``REFERENCE``; the best arm without synthetic rows, by the test rows themselves ("best without
    rows", which flatters that arm); full-balance SMOTE, the better of as it comes and shifted; and for "auto" the arm
    without synthetic rows that its own cross-validation would have taken ("chosen without rows"), from ``references``.
    """
    records: list[dict[str, object]] = []
    for arm in (name for name in ORDER if name in draws):
        for metric in METRICS:
            known = {"none + tuned threshold": REFERENCE, "best without rows": best_without_rows(draws, metric)}
            if "smote" in draws:
                known["smote"] = "smote"
            if arm == AUTO:
                known |= references
            value = {"value": float(draws[arm][metric][0])}
            facts: dict[str, object] = {"setting": setting, "splits": n_splits, "arm": arm, "metric": metric, **value}
            for against, other in known.items():
                if other in draws:
                    records.append({**facts, "against": against, "other": other, **compare(draws, arm, other, metric)})
    return records


def best_without_rows(draws: Draws, metric: str) -> str:
    """Return the arm without synthetic rows that has the smallest loss on the test rows."""
    return min((name for name in WITHOUT_ROWS if name in draws), key=lambda name: losses(draws, name, metric)[0])


def rates(records: pd.DataFrame, against: str = REFERENCE) -> pd.DataFrame:
    """Return per arm and metric the shares of settings on which it is significantly worse, and better."""
    some = records[records["against"] == against]
    grouped = some.groupby(["arm", "metric"])["verdict"]
    table = pd.DataFrame(
        {
            "settings": grouped.size(),
            "harm": grouped.agg(lambda verdicts: float((verdicts == "worse").mean())),
            "benefit": grouped.agg(lambda verdicts: float((verdicts == "better").mean())),
        }
    )
    return table.reindex([(arm, metric) for arm in ORDER for metric in METRICS if (arm, metric) in table.index])


def statements(records: pd.DataFrame, imbalanced: set[str]) -> list[str]:
    """Return what is asked of "auto", each with its count and the settings that break it."""
    mine = records[records["arm"] == AUTO]
    if mine.empty:
        return []
    lines = []
    for against in ("best without rows", "chosen without rows"):
        some = mine[mine["against"] == against]
        for metric in DEMANDED:
            here = some[some["metric"] == metric]
            worse = here.loc[here["verdict"] == "worse", "setting"].tolist()
            lines.append(
                f"significantly worse than the {against.replace('without', 'arm without')} in {METRICS[metric]}: "
                f"{len(worse)} of {len(here)} {_named(worse)}"
            )
    for against in (REFERENCE, "best without rows"):
        some = mine[(mine["against"] == against) & mine["setting"].isin(imbalanced) & mine["metric"].isin(DEMANDED)]
        better = some[some["verdict"] == "better"].groupby("setting")["metric"].agg(list)
        named = [f"{name} ({', '.join(METRICS[one] for one in found)})" for name, found in better.items()]
        lines.append(
            f"significantly better than {against} in one of the three, of tables with a minority below 10 %: "
            f"{len(better)} of {some['setting'].nunique()} {_named(named)}"
        )
    behind = mine[(mine["against"] == "smote") & (mine["difference"] > mine["standard_error"])]
    behind = behind[behind["metric"].isin(DEMANDED)]
    named = [f"{row.setting} ({METRICS[str(row.metric)]})" for row in behind.itertuples()]
    lines.append(f"behind full-balance SMOTE by more than one standard error: {len(named)} {_named(named)}")
    return lines


def _named(names: list[str]) -> str:
    return f"({'; '.join(names)})" if names else ""
