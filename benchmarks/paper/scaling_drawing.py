"""Pictures of risk against N, with fitted laws and the paper's two reference lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from paper.drawing import LEARNERS, TABLES, TITLES, colour, label, means, save, seeds_in_words


def draw_scaling(
    scores: pd.DataFrame, laws: pd.DataFrame, path: Path, setting: str, *, shift: str, learner: str = "xgboost"
) -> None:
    """Draw balanced cross-entropy against N on logarithmic axes, a column per table.

    Points are means over seeds with one standard error.  The black line stands for real rows instead of synthetic ones,
    the horizontal lines for no synthetic row at all; where a law falls, the fitted a + b N^-c runs through its points.
    """
    ours = scores[(scores["status"] == "ok") & (scores["shift"] == shift)]
    tables = [name for name in TABLES if name in set(ours["table"])]
    if not tables:
        return
    figure = Figure(figsize=(5.0 * len(tables) + 2.4, 4.6), layout="constrained")
    axes = figure.subplots(1, len(tables), squeeze=False)[0]
    for axis, table in zip(axes, tables, strict=True):
        _curves(axis, ours[ours["table"] == table], laws[(laws["table"] == table) & (laws["shift"] == shift)])
        _no_rows(axis, scores[(scores["table"] == table) & (scores["status"] == "ok")], shift)
        axis.set_title(TABLES[table], fontsize=10)
        axis.set_xlabel("N, rows added to every group beyond balance")
    axes[0].set_ylabel("balanced cross-entropy")
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right center", fontsize=9, frameon=False)
    arms = "as they come" if shift == "none" else "every arm after its tuned shift"
    told = f"{arms}, {LEARNERS[learner]}, {seeds_in_words(ours)}"
    figure.suptitle(f"{TITLES[setting]}: scaling in N, {told}", fontsize=11)
    save(figure, path)


def _curves(axis: Any, scores: pd.DataFrame, laws: pd.DataFrame) -> None:
    table = means(scores[scores["n_augment"] > 0], ["arm", "n_augment"], "balanced_ce")
    for arm in dict.fromkeys(table["arm"]):
        mine = table[table["arm"] == arm].sort_values("n_augment")
        law = laws[laws["arm"] == arm]
        told = f" ({law['shape'].iloc[0]})" if len(law) else ""
        axis.errorbar(
            mine["n_augment"], mine["mean"], yerr=mine["se"], color=colour(arm), marker="o", markersize=4,
            linestyle="none", linewidth=1, label=label(arm),
        )  # fmt: skip
        sizes = np.geomspace(mine["n_augment"].min(), mine["n_augment"].max(), 50)
        if len(law) and law["shape"].iloc[0] == "falls":
            a, b, c = (float(law[name].iloc[0]) for name in "abc")
            axis.plot(sizes, a + b * sizes**-c, color=colour(arm), linewidth=1.3)
            told = f" c={c:.2f}"
        else:
            axis.plot(mine["n_augment"], mine["mean"], color=colour(arm), linewidth=0.8, linestyle=":")
        axis.annotate(
            told.strip(" ()"), (mine["n_augment"].iloc[-1], mine["mean"].iloc[-1]), textcoords="offset points",
            xytext=(4, 3), fontsize=7, color=colour(arm),
        )  # fmt: skip
    axis.set_xscale("log")
    axis.set_yscale("log")
    sizes = sorted(table["n_augment"].unique())
    axis.set_xticks(sizes, [str(int(size)) for size in sizes])
    axis.minorticks_off()
    lowest, highest = axis.get_ylim()
    ticks = np.unique(np.geomspace(lowest, highest, 6).round(2))
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.grid(alpha=0.25)


def _no_rows(axis: Any, scores: pd.DataFrame, shift: str) -> None:
    """Draw what needs no augmentation: the plain model, shifted too, and each generator's balance alone."""
    raw = scores[scores["arm"] == "none"].groupby("shift")["balanced_ce"].mean()
    styles = {"none": ("-", "RAW"), "tuned": ("--", "RAW, tuned shift")}
    for name in ("none", "tuned") if shift == "none" else ("tuned",):
        if name in raw.index:
            line, words = styles[name]
            axis.axhline(raw[name], color="#222222", linestyle=line, linewidth=1.2, label=words)
    balanced = scores[(scores["arm"] == "transformer") & (scores["n_augment"] == 0) & (scores["shift"] == shift)]
    if len(balanced):
        axis.axhline(
            balanced["balanced_ce"].mean(), color=colour("transformer"), linestyle="-.", linewidth=1,
            label="LLM, balance only (N = 0)",
        )  # fmt: skip
