"""Claim: group_report's intervals cost a small part of those of fairlearn's MetricFrame(n_boot=...), same metrics.

    OMP_NUM_THREADS=1 python benchmarks/group_report_speed.py

Both sides report label x group-column cells (risk, accuracy, Brier) and group-column segments (those, recall, AUC,
average precision); ours adds calibration error, balanced risk, worst group and gap.  MetricFrame is timed with few
replicates and extrapolated in a straight line to ours: time(k) = fixed + k * per replicate, from two values of k.
Every repeat times both sides one after the other, so that a ratio is taken within one state of the machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame
from sklearn import metrics as sk

from autosynth.group_reports import GroupReport, group_report

if TYPE_CHECKING:
    from collections.abc import Callable

FEW, MORE = 2, 12
CELL_METRICS = {
    "risk": lambda y, p: sk.log_loss(y, p, labels=[0, 1]),
    "accuracy": lambda y, p: sk.accuracy_score(y, p > 0.5),
    "brier": lambda y, p: sk.brier_score_loss(y, p, labels=[0, 1]),
}
SEGMENT_METRICS = CELL_METRICS | {
    "recall": lambda y, p: sk.recall_score(y, p > 0.5),
    "auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
}


def table(n_rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sex, site = rng.choice(["F", "M"], n_rows), rng.choice(["x", "y"], n_rows)
    proba = 1 / (1 + np.exp(2 - 1.3 * rng.normal(size=n_rows)))
    label = (rng.random(n_rows) < proba).astype(int)
    return pd.DataFrame({"label": label, "proba": proba, "sex": sex, "site": site})


def ours(frame: pd.DataFrame, n_replicates: int) -> GroupReport:
    return group_report(frame["label"], frame["proba"], groups=frame[["sex", "site"]], n_bootstrap=n_replicates)


def fairlearn_frames(frame: pd.DataFrame, n_replicates: int) -> list[MetricFrame]:
    parts = ((CELL_METRICS, ["label", "sex", "site"]), (SEGMENT_METRICS, ["sex", "site"]))
    return [
        MetricFrame(
            metrics=metrics,
            y_true=frame["label"],
            y_pred=frame["proba"],
            sensitive_features=frame[columns],
            n_boot=n_replicates,
            ci_quantiles=[0.025, 0.975],
            random_state=0,
        )
        for metrics, columns in parts
    ]


def seconds(work: Callable[..., object], *arguments: object) -> float:
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def check_agreement(frame: pd.DataFrame) -> None:
    """Stop if the two sides do not compute the same numbers: a ratio of different work would mean nothing."""
    report = ours(frame, 0)
    cells, segments = (result.by_group for result in fairlearn_frames(frame, 1))
    for row in report.groups:
        for metric in CELL_METRICS:
            np.testing.assert_allclose(getattr(row, metric).value, cells.loc[row.group.values, metric], atol=1e-9)
    for row in report.segments[:-1]:
        for metric in SEGMENT_METRICS:
            np.testing.assert_allclose(getattr(row, metric).value, segments.loc[row.group.values, metric], atol=1e-9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[5_000, 20_000])
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # scikit-learn warns where a resample of fairlearn's lacks a label
    ours(table(500, seed=0), 10)  # first call pays for imports
    records = []
    for n_rows in arguments.rows:
        check_agreement(table(n_rows, seed=0))
        for repeat in range(arguments.repeats):
            frame = table(n_rows, seed=repeat)
            own = seconds(ours, frame, arguments.replicates)
            few, more = seconds(fairlearn_frames, frame, FEW), seconds(fairlearn_frames, frame, MORE)
            per_replicate = (more - few) / (MORE - FEW)
            theirs = few + (arguments.replicates - FEW) * per_replicate
            records.append(
                {
                    "n_rows": n_rows,
                    "repeat": repeat,
                    "n_replicates": arguments.replicates,
                    "autosynth_s": own,
                    "fairlearn_s_extrapolated": theirs,
                    "ratio": theirs / own,
                }
            )
        mine = [record for record in records if record["n_rows"] == n_rows]
        ratios, own_times, their_times = (
            [record[name] for record in mine] for name in ("ratio", "autosynth_s", "fairlearn_s_extrapolated")
        )
        print(
            f"{n_rows:>7,} rows, {arguments.replicates} replicates: autosynth {statistics.median(own_times):.2f} s, "
            f"fairlearn {statistics.median(their_times):.0f} s (extrapolated from {FEW} and {MORE} replicates), "
            f"ratio {statistics.median(ratios):.0f} (lowest {min(ratios):.0f}, highest {max(ratios):.0f}, "
            f"{len(ratios)} repeats)"
        )
    pd.DataFrame(records).round(3).to_csv(Path(__file__).with_suffix(".csv"), index=False)


if __name__ == "__main__":
    main()
