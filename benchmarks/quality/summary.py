"""Means with standard errors, paired differences and ratios, as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from quality.ledger import CELL
from quality.scores import LOWER_IS_BETTER

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = ("balanced_ce", "minority_ce", "auc", "average_precision", "balanced_accuracy")
REFERENCES = ("none", "none_corrected", "independent", "smote")
COMPARED = ("balanced_ce", "balanced_ce_shifted", "auc", "average_precision", "balanced_accuracy_shifted", "distance")


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Differences of an arm to another over the (table, minority, seed) cells that both have.

    ``ratio`` is the ratio of the means over those cells; ``wins`` counts the cells in which the arm is strictly better.
    """

    n_cells: int
    difference: float
    standard_error: float
    wins: int
    ratio: float


def per_seed(results: pd.DataFrame, metric: str, learner: str) -> pd.DataFrame:
    """Return the mean over draws: one row per cell, one column per arm."""
    chosen = results[(results["learner"] == learner) & results[metric].notna()]
    return chosen.pivot_table(index=list(CELL), columns="arm", values=metric, aggfunc="mean")


def paired(cells: pd.DataFrame, arm: str, other: str, *, lower_is_better: bool) -> Paired | None:
    """Compare two columns of :func:`per_seed`; None when they share no cell or are the same.

    Cells of one table are not independent when its seeds share rows, so the standard error is a lower bound.

    Examples
    --------
    >>> cells = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [2.0, 2.0, 6.0]})
    >>> comparison = paired(cells, "a", "b", lower_is_better=True)
    >>> comparison.difference, comparison.wins, comparison.ratio
    (-1.0, 2, 0.7)
    """
    if arm == other or arm not in cells or other not in cells:
        return None
    both = cells[[arm, other]].dropna()
    if both.empty:
        return None
    difference = both[arm] - both[other]
    return Paired(
        n_cells=len(both),
        difference=float(difference.mean()),
        standard_error=_standard_error(difference),
        wins=int((difference < 0).sum() if lower_is_better else (difference > 0).sum()),
        ratio=float(both[arm].mean() / both[other].mean()) if both[other].mean() else np.nan,
    )


def write_markdown(results: pd.DataFrame, arms: Sequence[str]) -> str:
    """Return the whole summary: per table, then ``arms`` against every other arm, then what did not run."""
    parts = ["# Quality of generators", "", _reading_guide()]
    for learner in sorted(results["learner"].dropna().unique()):
        parts += [f"## {learner}: mean ± standard error over seeds", *_mean_tables(results, learner)]
        for arm in arms:
            parts += [*_comparisons(results, learner, arm), *_comparisons_by_table(results, learner, arm)]
    parts += ["## Cost", _cost_table(results), "", "## What did not run, or not in full", _failures(results), ""]
    return "\n".join(parts)


def _reading_guide() -> str:
    return (
        "Draws are averaged within a seed; ± is the standard error over seeds, or over (table, minority, seed) cells "
        "in paired tables. `shifted` is the same score after a shift of prior and threshold fitted on real out-of-fold "
        "rows. A difference is the arm's score minus the other's; wins count the cells in which the arm is better.\n"
    )


def _mean_tables(results: pd.DataFrame, learner: str) -> list[str]:
    parts = []
    chosen = results[results["learner"] == learner]
    names = [*SHOWN, "balanced_ce_shifted", "balanced_accuracy_shifted"]
    names += ["distance", "association_error", "copies", "test_copies"]
    for (table, minority, cap), part in chosen.groupby(["table", "minority", "majority_cap"]):
        shown = [*names[:2], "worst_group_ce", *names[2:]] if table.endswith("_spurious") else names
        seeds = part.groupby(["arm", "seed"])[shown].mean()
        mean, error = seeds.groupby("arm").mean(), seeds.groupby("arm").agg(_standard_error)
        counts = seeds.groupby("arm").size()
        cells = pd.DataFrame({name: _with_error(mean[name], error[name]) for name in shown}, index=mean.index)
        cells.insert(0, "seeds", counts)
        order = mean["balanced_ce"].sort_values().index
        title = f"### {table}, {minority} minority rows" + (f", others capped at {cap}" if cap else "")
        parts += [title, "", _markdown(cells.loc[order].reset_index()), ""]
    return parts


def _comparisons(results: pd.DataFrame, learner: str, arm: str) -> list[str]:
    """Compare ``arm`` with all others: over all cells, below 50 minority rows, and from 100 on."""
    parts = []
    ranges = {"all cells": (0, np.inf), "below 50 minority rows": (0, 49), "100 minority rows and more": (100, np.inf)}
    for title, (low, high) in ranges.items():
        part = results[results["minority"].between(low, high)]
        tables = {metric: per_seed(part, metric, learner) for metric in COMPARED}
        others = sorted({name for cells in tables.values() for name in cells.columns} - {arm})
        rows = [{"other": other, **_comparison(tables, arm, other)} for other in others if arm in tables["balanced_ce"]]
        rows = [row for row in rows if len(row) > 1]
        if rows:
            parts += [f"### {learner}: {arm} against the others, {title}", "", _markdown(pd.DataFrame(rows)), ""]
    return parts


def _comparisons_by_table(results: pd.DataFrame, learner: str, arm: str) -> list[str]:
    """Compare ``arm`` with the references on every table, since a mean over tables hides where it loses."""
    rows = []
    for (table, minority), part in results.groupby(["table", "minority"]):
        for other in REFERENCES:
            tables = {metric: per_seed(part, metric, learner) for metric in COMPARED}
            row = _comparison(tables, arm, other)
            if row:
                rows.append({"table": table, "minority": minority, "other": other, **row})
    if not rows:
        return []
    return [f"### {learner}: {arm} against the references, table by table", "", _markdown(pd.DataFrame(rows)), ""]


def _comparison(tables: dict[str, pd.DataFrame], arm: str, other: str) -> dict[str, str]:
    row: dict[str, str] = {}
    for metric, cells in tables.items():
        lower = metric.removesuffix("_shifted") in LOWER_IS_BETTER
        result = paired(cells, arm, other, lower_is_better=lower)
        if result is not None:
            spread = "" if np.isnan(result.standard_error) else f" ± {result.standard_error:.3f}"
            ratio = f", ratio {result.ratio:.2f}" if lower else ""
            row[metric] = f"{result.difference:+.3f}{spread} ({result.wins}/{result.n_cells}){ratio}"
    return row


def _cost_table(results: pd.DataFrame) -> str:
    made = results[results["n_synthetic"].fillna(0) > 0].drop_duplicates([*CELL, "generator", "draw"])
    if made.empty:
        return "No method made rows."
    names = ["fit_wall_s", "fit_cpu_s", "rows_per_cpu_s", "peak_rss_mib", "valid_share"]
    size = made["n_train"].map(lambda rows: "to 300" if rows <= 300 else "to 3,000" if rows <= 3000 else "above 3,000")
    means = made.groupby([size.rename("training rows"), "generator"])[names].mean()
    return _markdown(means.map(lambda value: f"{value:.3g}").reset_index())


def _failures(results: pd.DataFrame) -> str:
    bad = results[results["status"] != "ok"].drop_duplicates([*CELL, "arm"])
    if bad.empty:
        return "Everything ran."
    reasons = bad["reason"].fillna("").str.replace("|", "/", regex=False).str.slice(0, 160)
    bad = bad.assign(reason=reasons.where(bad["status"] != "short", "fewer rows than planned; scored with those"))
    counts = bad.groupby(["arm", "status", "reason"]).size().rename("cells").reset_index()
    return _markdown(counts)


def _standard_error(values: pd.Series[float]) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan


def _with_error(mean: pd.Series[float], error: pd.Series[float]) -> list[str]:
    texts = []
    for value, spread in zip(mean, error, strict=True):
        texts.append("" if np.isnan(value) else f"{value:.3f}" + ("" if np.isnan(spread) else f"±{spread:.3f}"))
    return texts


def _markdown(frame: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(map(str, frame.columns)) + " |", "|" + " --- |" * frame.shape[1]]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in frame.astype(object).fillna("").to_numpy()]
    return "\n".join(lines)
