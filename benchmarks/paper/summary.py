"""The numbers that docs/paper.md quotes, from the CSV files beside this script, as Markdown.

python benchmarks/paper/summary.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the benchmarks' packages lie one folder up

import numpy as np
import pandas as pd

from paper.cases import RECORDED_RATIO
from paper.drawing import LABELS, TABLES, label, means

COMPARED = (
    ("fair", "balanced_ce", ("none", "tuned")),
    ("fair", "auc", ("none", "tuned")),
    ("paper", "balanced_ce", ("transformer", "none")),
    ("fair", "balanced_ce", ("transformer", "tuned")),
)


def main() -> None:
    home = Path(__file__).parent
    for name in ("imbalanced", "spurious", "imbalanced_logistic", "spurious_logistic"):
        path = home / f"{name}.csv"
        if not path.is_file():
            print(f"{path} is missing: run benchmarks/paper/{name.split('_')[0]}.py first.")
            continue
        scores = pd.read_csv(path)
        scores = scores[scores["status"] == "ok"]
        print(f"## {name}\n\n### As in the paper, at the recorded ratio\n")
        print(markdown(papers_arms(scores)))
        print("\n### Fair arms: balanced cross-entropy after a tuned shift\n")
        print(markdown(fair_arms(scores)))
        for comparison, score, base in COMPARED:
            told = f"{label(base[0])}, shift {base[1]}"
            print(f"\n### {comparison} arms: difference in {score} to {told}, over pairs of table and seed\n")
            print(markdown(paired(scores, score, comparison, base)))


def papers_arms(scores: pd.DataFrame) -> pd.DataFrame:
    """Return balanced / minority cross-entropy as the arms come, and RAW with its prior corrected."""
    ours = scores[_at_recorded_ratio(scores) & (scores["comparison"] == "paper")]
    ours = ours[(ours["shift"] == "none") | ((ours["arm"] == "none") & (ours["shift"] == "prior"))]
    names = ours["arm"].where(ours["shift"] == "none", "RAW, prior corrected").map(lambda name: LABELS.get(name, name))
    return _grid(ours.assign(name=names), "balanced_ce", "minority_ce")


def fair_arms(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the tuned balanced cross-entropy of every fair arm, with standard errors over seeds."""
    ours = scores[(scores["comparison"] == "fair") & (scores["shift"] == "tuned")]
    return _grid(ours.assign(name=ours["arm"].map(label)), "balanced_ce")


def _at_recorded_ratio(scores: pd.DataFrame) -> pd.Series:
    return scores["ratio"] == scores["table"].map(RECORDED_RATIO)


def _grid(scores: pd.DataFrame, score: str, second: str | None = None) -> pd.DataFrame:
    found = means(scores, ["name", "table"], score)
    cells = [f"{row.mean:.3f} ± {row.se:.3f}" for row in found.itertuples(index=False, name="Row")]
    if second:
        others = means(scores, ["name", "table"], second)["mean"]
        cells = [f"{cell} / {other:.2f}" for cell, other in zip(cells, others, strict=True)]
    grid = found.assign(cell=cells).pivot_table(
        index="name", columns="table", values="cell", aggfunc="first", sort=False
    )
    return grid[[name for name in TABLES if name in grid]].rename(columns=TABLES).fillna("")


def paired(scores: pd.DataFrame, score: str, comparison: str, base: tuple[str, str]) -> pd.DataFrame:
    """Return mean differences to an arm and shift with standard errors, and in how many pairs the others are better.

    Pairs of one table share rows of that table, so that these standard errors are somewhat too small.
    """
    ours = scores[_at_recorded_ratio(scores) & (scores["comparison"] == comparison)]
    values = ours.set_index(["table", "seed", "arm", "shift"])[score]
    reference = values.xs(base, level=("arm", "shift"))
    found = []
    for arm, shift in values.index.droplevel(["table", "seed"]).unique():
        if shift == "prior" and arm != "none":
            continue
        gaps = (values.xs((arm, shift), level=("arm", "shift")) - reference).dropna()
        better = (gaps < 0) if score == "balanced_ce" else (gaps > 0)
        se = gaps.std(ddof=1) / np.sqrt(len(gaps))
        found.append(
            {
                "arm": label(arm),
                "shift": shift,
                "difference": f"{gaps.mean():+.3f} ± {se:.3f}",
                "better in": f"{int(better.sum())} of {len(gaps)}",
            }
        )
    return pd.DataFrame(found).set_index("arm")


def markdown(frame: pd.DataFrame) -> str:
    """Return a frame as a Markdown table, its index first."""
    head = [str(frame.index.name or ""), *map(str, frame.columns)]
    rows = [[str(name), *map(str, values)] for name, values in zip(frame.index, frame.to_numpy(), strict=True)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))


if __name__ == "__main__":
    main()
