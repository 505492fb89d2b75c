"""Which arms are significantly worse or better than another one, table by table, and how often."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harm.arms import (
    ARMS,
    AUTO,
    CALIBRATED_REFERENCE,
    CALIBRATED_SMOTE,
    CALIBRATED_WITHOUT_ROWS,
    REFERENCE,
    SMOTE,
    WITHOUT_ROWS,
)
from harm.metrics import HIGHER_IS_BETTER, METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    Draws = Mapping[
        str, Mapping[str, npt.NDArray[np.float64]]
    ]  # arm -> metric -> values, entry 0 on the rows as they are

LEVEL = 0.95  # of the two-sided percentile interval
CALIBRATED_ARMS = tuple(arm.name for arm in ARMS if arm.shift == "calibrated")
ORDER = (*(arm.name for arm in ARMS), AUTO)
BEST = "best without rows"
BEST_CALIBRATED = "best without rows, calibrated ones among them"
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

    All are compared with ``REFERENCE``.  Arms with a temperature are compared with plain training that has one, the
    others with the best arm without synthetic rows, by the test rows themselves (which flatters that arm), and with
    full-balance SMOTE; "auto" with all of these, and with the arm without synthetic rows that its own cross-validation
    would have taken ("chosen without rows"), from ``references``.
    """
    records: list[dict[str, object]] = []
    for arm in (name for name in ORDER if name in draws):
        for metric in METRICS:
            known = _known(draws, metric, arm, references)
            value = {"value": float(draws[arm][metric][0])}
            facts: dict[str, object] = {"setting": setting, "splits": n_splits, "arm": arm, "metric": metric, **value}
            for against, other in known.items():
                if other in draws:
                    records.append({**facts, "against": against, "other": other, **compare(draws, arm, other, metric)})
    return records


def _known(draws: Draws, metric: str, arm: str, references: Mapping[str, str]) -> dict[str, str]:
    """Return the arms that one is compared with, by what they are called."""
    if arm in CALIBRATED_ARMS:
        return {name: name for name in (REFERENCE, CALIBRATED_REFERENCE)}
    known = {REFERENCE: REFERENCE, BEST: best_of(draws, metric, WITHOUT_ROWS), SMOTE: SMOTE}
    if arm == AUTO:
        known[BEST_CALIBRATED] = best_of(draws, metric, (*WITHOUT_ROWS, *CALIBRATED_WITHOUT_ROWS))
        known |= {CALIBRATED_REFERENCE: CALIBRATED_REFERENCE, CALIBRATED_SMOTE: CALIBRATED_SMOTE, **references}
    return known


def best_of(draws: Draws, metric: str, arms: Iterable[str]) -> str:
    """Return the arm that has the smallest loss on the test rows."""
    return min((name for name in arms if name in draws), key=lambda name: losses(draws, name, metric)[0])


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
    """Return what is asked of "auto", each with its count and the settings that break it or make it."""
    mine = records[(records["arm"] == AUTO) & records["metric"].isin(DEMANDED)]
    if mine.empty:
        return []
    lines = []
    for against in (BEST, BEST_CALIBRATED, "chosen without rows"):
        some = mine[mine["against"] == against]
        for metric in DEMANDED:
            here = some[some["metric"] == metric]
            worse = here.loc[here["verdict"] == "worse", "setting"].tolist()
            lines.append(
                f"significantly worse than the {against.replace('without', 'arm without', 1)} in {METRICS[metric]}: "
                f"{len(worse)} of {len(here)} {_named(worse)}"
            )
        lines.append(_after_holm(some, "worse", f"the {against.replace('without', 'arm without', 1)}"))
    for against in (REFERENCE, BEST, BEST_CALIBRATED):
        some = mine[(mine["against"] == against) & mine["setting"].isin(imbalanced)]
        better = some[some["verdict"] == "better"].groupby("setting")["metric"].agg(list)
        named = [f"{name} ({', '.join(METRICS[one] for one in found)})" for name, found in better.items()]
        lines.append(
            f"significantly better than {against} in one of the three, of tables with a minority below 10 %: "
            f"{len(better)} of {some['setting'].nunique()} {_named(named)}"
        )
        lines.append(_after_holm(some, "better", against))
    for against in (SMOTE, CALIBRATED_SMOTE):
        some = mine[mine["against"] == against]
        behind = some[some["difference"] > some["standard_error"]]
        named = [f"{row.setting} ({METRICS[str(row.metric)]})" for row in behind.itertuples()]
        lines.append(
            f"behind full-balance {against} by more than one standard error: {len(named)} of {len(some)} "
            f"{_named(named)}"
        )
    return lines


def _after_holm(some: pd.DataFrame, verdict: str, against: str) -> str:
    """Return which comparisons are still significant when all of these are held to 5 % together."""
    kept = some[(some["verdict"] == verdict) & holm(some["difference"] / some["standard_error"])]
    named = [f"{row.setting} ({METRICS[str(row.metric)]})" for row in kept.itertuples()]
    of_all = f"  - of these {len(some)} comparisons with {against}, {verdict} after Holm's correction"
    return f"{of_all}: {len(named)} {_named(named)}"


def holm(scores: pd.Series[float]) -> npt.NDArray[np.bool_]:
    """Return which standard scores stand out when the chance of a single false one is to be 5 %; two-sided.

    References
    ----------
    Holm. A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 1979.

    Examples
    --------
    >>> holm(pd.Series([4.0, 2.1, 0.3])).tolist()
    [True, False, False]
    """
    p_values = np.array([math.erfc(abs(score) / math.sqrt(2)) if math.isfinite(score) else 1.0 for score in scores])
    order = np.argsort(p_values)
    passes = p_values[order] <= (1 - LEVEL) / (len(order) - np.arange(len(order)))
    found = np.zeros(len(order), dtype=bool)
    found[order] = np.logical_and.accumulate(passes)
    return found


def _named(names: list[str]) -> str:
    return f"({'; '.join(names)})" if names else ""
