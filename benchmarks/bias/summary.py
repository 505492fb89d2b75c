"""The summary in Markdown: paired differences of the corrected methods, overall and table by table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from harm.summary import markdown

CELL = ["table", "n_minority", "generator", "seed"]
METRICS = {"balanced_ce": "balanced cross-entropy", "auc": "AUC", "average_precision": "average precision"}
OTHERS = ("synthetic", "none + corrected prior")
CORRECTED = ("own label, one part", "own label", "moved", "ratio")


def write_markdown(results: pd.DataFrame) -> str:
    """Return means per method, and each correction against each of ``OTHERS``, paired by table, size and seed."""
    parts = ["# Bias correction of synthetic rows", ""]
    for learner, some in results.groupby("learner"):
        parts += [f"## {learner}: means over tables, sizes and seeds", "", _means(some), ""]
        parts += [f"## {learner}: corrected minus others, paired (mean ± standard error over tables; cells better)", ""]
        parts += [_differences(some, ["generator"]), "", _differences(some, ["generator", "n_minority"]), ""]
        parts += [_differences(some, ["generator", "table"]), ""]
    return "\n".join(parts)


def _means(results: pd.DataFrame) -> str:
    means = results.groupby(["generator", "method"])[list(METRICS)].mean().round(3)
    return markdown(means.rename(columns=METRICS).reset_index())


def _differences(results: pd.DataFrame, by: list[str]) -> str:
    lines = []
    for key, some in results.groupby(by):
        for method in CORRECTED:
            for other in OTHERS:
                cells = {metric: _paired(some, metric, method, other) for metric in METRICS}
                facts = dict(zip(by, key, strict=True))
                lines.append({**facts, "method": method, "against": other, **{METRICS[k]: v for k, v in cells.items()}})
    return markdown(pd.DataFrame(lines))


def _paired(results: pd.DataFrame, metric: str, method: str, other: str) -> str:
    wide = results.pivot_table(index=CELL, columns="method", values=metric)
    difference = wide[method] - wide[other]
    per_table = difference.groupby("table").mean()
    units = per_table if len(per_table) > 1 else difference
    error = units.std(ddof=1) / np.sqrt(len(units)) if len(units) > 1 else np.nan
    wins = (difference < 0).sum() if metric == "balanced_ce" else (difference > 0).sum()
    return f"{difference.mean():+.3f} ± {error:.3f} ({wins}/{len(difference)})"
