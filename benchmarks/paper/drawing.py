"""Pictures of the measured scores, drawn without matplotlib's global state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

DPI = 80
COLOURS_IN_A_PICTURE = 48  # a palette makes the files a third as large
LABELS = {
    "none": "RAW",
    "class weights": "class weights",
    "ros": "ROS",
    "smote": "SMOTE",
    "adasyn": "ADASYN",
    "independent": "independent",
    "tree": "tree",
    "transformer": "LLM (transformer)",
    "transformer + N": "LLM + augmentation",
    "gpt4": "GPT-4, as recorded",
    "gpt4 clean": "GPT-4, clean",
    "real": "real rows",
}
COLOURS = {
    "none": "#222222",
    "class weights": "#888888",
    "ros": "#8c564b",
    "smote": "#1f77b4",
    "adasyn": "#17becf",
    "independent": "#bcbd22",
    "tree": "#2ca02c",
    "transformer": "#d62728",
    "gpt4": "#9467bd",
    "gpt4 clean": "#9467bd",
    "real": "#111111",
}
TABLES = {
    "overlapping": "simulated (overlapping)",
    "shortcut": "simulated (shortcut)",
    "craft": "craft (paper's simulation)",
    "gender": "gender",
    "heart_failure": "heart failure",
    "openmlDiabetes": "Pima diabetes",
}
LEARNERS = {"xgboost": "XGBoost", "logistic": "logistic regression"}
TITLES = {"imbalanced": "Imbalanced classification", "spurious": "Spurious correlation"}


def colour(arm: str) -> str:
    return COLOURS.get(arm.removesuffix(" + N"), "#e377c2")


def label(arm: str) -> str:
    return LABELS.get(arm) or f"{LABELS.get(arm.removesuffix(' + N'), arm)} + N"


def save(figure: Figure, path: Path) -> None:
    """Write a picture as PNG with a palette."""
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(DPI)
    canvas.draw()
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    image.quantize(COLOURS_IN_A_PICTURE, dither=Image.Dither.NONE).save(path, optimize=True)


def means(scores: pd.DataFrame, by: list[str], score: str) -> pd.DataFrame:
    """Return mean and standard error over seeds, columns ``mean``, ``se`` and ``n``; one seed has no standard error."""
    grouped = scores.groupby(by, sort=False)[score]
    n = grouped.count()
    return pd.DataFrame({"mean": grouped.mean(), "se": grouped.std(ddof=1) / np.sqrt(n), "n": n}).reset_index()


def draw_ratios(scores: pd.DataFrame, path: Path, setting: str, learner: str = "xgboost") -> None:
    """Draw the paper's figure: balanced and minority cross-entropy against the ratio, a column per table.

    Bars are one standard error over seeds.  The dashed line needs no synthetic row: the plain model with its prior
    corrected in closed form.
    """
    ours = scores[(scores["comparison"] == "paper") & (scores["status"] == "ok")]
    tables = [name for name in TABLES if name in set(ours["table"])]
    if not tables:
        return
    figure = Figure(figsize=(3.1 * len(tables) + 2.6, 6.2), layout="constrained")
    axes = figure.subplots(2, len(tables), squeeze=False)
    for column, table in enumerate(tables):
        for row, score in enumerate(("balanced_ce", "minority_ce")):
            axis = axes[row, column]
            _ratio_lines(axis, ours[ours["table"] == table], score)
            axis.set_title(TABLES[table] if row == 0 else "", fontsize=10)
            axis.set_xlabel("majority / minority rows" if row else "")
            axis.set_ylabel(("balanced" if row == 0 else "minority") + " cross-entropy" if column == 0 else "")
    handles, names = axes[0, 0].get_legend_handles_labels()
    for axis in axes[0, 1:]:
        for handle, name in zip(*axis.get_legend_handles_labels(), strict=True):
            if name not in names:
                handles, names = [*handles, handle], [*names, name]
    figure.legend(handles, names, loc="outside right center", fontsize=9, frameon=False)
    figure.suptitle(f"{TITLES[setting]}: the paper's arms, {LEARNERS[learner]}, {seeds_in_words(ours)}", fontsize=11)
    save(figure, path)


def _ratio_lines(axis: Any, scores: pd.DataFrame, score: str) -> None:
    table = means(scores, ["arm", "shift", "ratio"], score)
    ratios = sorted(table["ratio"].unique())
    arms = [name for name in LABELS if name in set(table["arm"])]
    for position, arm in enumerate(arms):
        mine = table[(table["arm"] == arm) & (table["shift"] == "none")].sort_values("ratio")
        spread = 1 + 0.012 * (position - len(arms) / 2)  # so that bars do not hide each other
        axis.errorbar(
            mine["ratio"] * spread,
            mine["mean"],
            yerr=mine["se"],
            color=colour(arm),
            marker="s" if arm.startswith("gpt4") else "o",
            linestyle=":" if arm.endswith("+ N") else "-",
            linewidth=1.3,
            markersize=3.5,
            label=label(arm),
        )
    corrected = table[(table["arm"] == "none") & (table["shift"] == "prior")].sort_values("ratio")
    axis.errorbar(
        corrected["ratio"], corrected["mean"], yerr=corrected["se"], color="#222222", linestyle="--", marker="D",
        markersize=4, linewidth=1.6, label="RAW, prior corrected\n(no synthetic row)",
    )  # fmt: skip
    axis.set_xscale("log")
    axis.set_xlim(0.85 * ratios[0], ratios[-1] / 0.85)
    axis.set_xticks(ratios, [str(ratio) for ratio in ratios])
    axis.minorticks_off()
    axis.grid(alpha=0.25)


def draw_fair(scores: pd.DataFrame, path: Path, setting: str, learner: str = "xgboost") -> None:
    """Draw every arm as it comes and after a tuned shift, and its ranking, at the recorded ratio.

    Upper row: balanced cross-entropy.  Lower row: how much higher the AUC is than that of the plain model, both after
    their shifts, seed by seed.  The line is the plain model after its shift: the arms right of it in the upper row, and
    left of it in the lower one, do harm.
    """
    ours = scores[(scores["comparison"] == "fair") & (scores["status"] == "ok")]
    tables = [name for name in TABLES if name in set(ours["table"])]
    if not tables:
        return
    arms = [name for name in dict.fromkeys(ours["arm"]) if name != "none"]
    arms = ["none", *arms][::-1]
    figure = Figure(figsize=(3.0 * len(tables) + 1.6, 7.4), layout="constrained")
    axes = figure.subplots(2, len(tables), squeeze=False, sharey=True)
    for column, table in enumerate(tables):
        mine = ours[ours["table"] == table]
        _dots(axes[0, column], mine, arms, "balanced_ce", ("none", "tuned"))
        _dots(axes[1, column], _auc_gains(mine), arms, "auc", ("tuned",))
        ratio, added = int(mine["ratio"].iloc[0]), mine.loc[mine["arm"] == "ros", "n_added"].mean()
        axes[0, column].set_title(f"{TABLES[table]}\nratio {ratio}, {added:.0f} rows added", fontsize=10)
        axes[0, column].set_xlabel("balanced cross-entropy")
        axes[1, column].set_xlabel("AUC above that of RAW")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    figure.suptitle(f"{TITLES[setting]}: fair arms, {LEARNERS[learner]}, {seeds_in_words(ours)}", fontsize=11)
    save(figure, path)


def _auc_gains(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the scores after the tuned shift with the plain model's AUC of the same seed taken off."""
    tuned = scores[scores["shift"] == "tuned"]
    plain = tuned[tuned["arm"] == "none"].set_index("seed")["auc"]
    return tuned.assign(auc=tuned["auc"] - tuned["seed"].map(plain))


def _dots(axis: Any, scores: pd.DataFrame, arms: list[str], score: str, shifts: tuple[str, ...]) -> None:
    table = means(scores, ["arm", "shift"], score).set_index(["arm", "shift"])
    for shift in shifts:
        filled = shift == "tuned"
        rows = [(height, table.loc[(arm, shift)]) for height, arm in enumerate(arms) if (arm, shift) in table.index]
        axis.errorbar(
            [row["mean"] for _, row in rows],
            [height + (0.0 if filled else 0.18) for height, _ in rows],
            xerr=[row["se"] for _, row in rows],
            fmt="o",
            markersize=5 if filled else 4,
            color="#d62728" if filled else "#999999",
            markerfacecolor="#d62728" if filled else "white",
            linewidth=1,
            label="after a shift tuned on real out-of-fold rows" if filled else "as it comes",
        )
    if ("none", "tuned") in table.index:
        axis.axvline(
            table.loc[("none", "tuned"), "mean"], color="#222222", linestyle="--", linewidth=1, label="RAW, tuned"
        )
    axis.set_yticks(range(len(arms)), [label(arm) for arm in arms], fontsize=9)
    axis.grid(alpha=0.25)


def seeds_in_words(scores: pd.DataFrame) -> str:
    n = scores.groupby(["table", "ratio"])["seed"].nunique()
    words = f"{n.max()} seeds" if n.min() == n.max() else f"{n.min()} to {n.max()} seeds"
    return f"{words}; bars: 1 s.e. over seeds"
