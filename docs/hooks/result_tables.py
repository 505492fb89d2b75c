"""What the result files under benchmarks/ say, as Markdown: one function per file, which takes its rows.

Nothing is measured here.  Where a benchmark has a summary of its own, that is what is shown.
"""

from __future__ import annotations

import harm_figure
import pandas as pd
from markdown_table import table

MARKS = {"worse": "▼", "better": "▲", "level": ""}


MOST_SHOWN = 40  # rows of a file that has no summary


def first_rows(rows: pd.DataFrame) -> str:
    """The rows as they are, or the first of them."""
    note = f"The first {MOST_SHOWN} of {len(rows):,} rows.\n\n" if len(rows) > MOST_SHOWN else ""
    return note + table(rows.head(MOST_SHOWN))


def leakage(rows: pd.DataFrame) -> str:
    """Average precision in validation and on fresh rows, mean over seeds."""
    means = rows.groupby(["table", "arm"], sort=False)[["validation", "test", "optimism"]].mean().reset_index()
    named = means.rename(columns={"test": "fresh rows", "optimism": "validation minus fresh rows"})
    return f"Average precision, mean over {rows['seed'].nunique()} seeds.\n\n{table(named)}"


def harm(rows: pd.DataFrame) -> str:
    """Harm and benefit rates, then every metric of every arm on every table."""
    from harm.arms import REFERENCE
    from harm.metrics import METRICS

    rows = rows[rows["against"] == REFERENCE]
    by_group = rows["setting"].str.contains(" by ")
    parts = [
        harm_figure.draw(rows[~by_group]),
        "",
        "In brackets after each name: on how many tables the arm was run.",
        "",
        _rates(rows[~by_group], METRICS),
    ]
    if by_group.any():
        parts += ["", "### Groups of label × a column", "", _rates(rows[by_group], METRICS)]
    for metric, title in METRICS.items():
        parts += ["", f"### {title[0].upper()}{title[1:]}", "", _values(rows[rows["metric"] == metric])]
    return "\n".join(parts)


def race_leads(rows: pd.DataFrame) -> str:
    """How the lead of the best arm with rows goes with what it gains on test rows."""
    gains = {
        "gain_auc": "AUC",
        "gain_average_precision": "average precision",
        "gain_balanced_ce_shifted": "balanced CE",
    }
    lines = []
    for repeats, some in rows.groupby("repeats"):
        taken = some[some["takes_rows"]]
        line: dict[str, object] = {"repeats": repeats, "races": len(some), "rows taken": len(taken)}
        for column, title in gains.items():
            line[f"rank correlation, {title}"] = some["lead"].corr(some[column], method="spearman")
            line[f"mean gain where taken, {title}"] = taken[column].mean()
        lines.append(line)
    leads = rows.assign(takes_rows=rows["takes_rows"].map({True: "yes", False: ""}))
    named = leads.rename(columns={**gains, "with_rows": "with rows", "takes_rows": "taken"})
    return "\n\n".join(
        [
            "Of the best arm with synthetic rows against the best without: its lead in standard errors of "
            "cross-validation, and its gain on test rows.",
            table(pd.DataFrame(lines)),
            "### Race by race",
            table(named, {"lead": 1}),
        ]
    )


def _rates(rows: pd.DataFrame, metrics: dict[str, str]) -> str:
    lines = []
    for arm, some in rows.groupby("arm", sort=False):
        line = {"arm": f"{arm} ({some['setting'].nunique()})"}
        for metric, title in metrics.items():
            verdicts = some.loc[some["metric"] == metric, "verdict"]
            line[title] = f"{(verdicts == 'worse').mean():.0%} / {(verdicts == 'better').mean():.0%}"
        lines.append(line)
    return "Significantly worse / better, in per cent of the tables.\n\n" + table(pd.DataFrame(lines))


def _values(rows: pd.DataFrame) -> str:
    cells = [f"{value:.3f}{MARKS[verdict]}" for value, verdict in zip(rows["value"], rows["verdict"], strict=True)]
    grid = rows.assign(cell=cells).pivot_table(index="setting", columns="arm", values="cell", aggfunc="first")
    ordered = grid.loc[rows["setting"].unique(), rows["arm"].unique()]
    return "▼ significantly worse, ▲ significantly better.\n\n" + table(ordered.reset_index(names="table"))


def quality(rows: pd.DataFrame) -> str:
    """Scores of both learners: one line per table and minority size, one column per arm."""
    from quality.ledger import CELL
    from quality.summary import per_seed

    titles = {
        "balanced_ce": "balanced cross-entropy, as it comes",
        "balanced_ce_shifted": "balanced cross-entropy after a tuned shift",
        "auc": "AUC",
        "average_precision": "average precision",
    }
    order = list(dict.fromkeys(rows["arm"]))
    parts = ["Means over seeds and draws. Lower is better for cross-entropy, higher for the others."]
    for learner in sorted(rows["learner"].dropna().unique()):
        for metric, title in titles.items():
            cells = per_seed(rows, metric, learner)
            means = cells.groupby(level=[name for name in CELL if name != "seed"], sort=False).mean()
            shown = means[[arm for arm in order if arm in means]].reset_index()
            parts += [f"### {learner}: {title}", table(shown.drop(columns="majority_cap", errors="ignore"))]
    return "\n\n".join(parts)


def generator_speed(rows: pd.DataFrame) -> str:
    """Processor time, rows per second and memory, by table size and generator."""
    shown = rows[
        ["n_rows", "method", "outcome", "n_made", "fit_cpu_s", "sample_cpu_s", "rows_per_cpu_s", "peak_mib"]
    ].assign(outcome=rows["outcome"].where(rows["outcome"] == "ok", rows["outcome"] + ": " + rows["notes"].fillna("")))
    names = {
        "n_rows": "rows",
        "n_made": "rows made",
        "fit_cpu_s": "fit, processor s",
        "sample_cpu_s": "sampling, processor s",
        "rows_per_cpu_s": "rows per processor s",
        "peak_mib": "peak MiB",
    }
    return table(shown.rename(columns=names), {"rows per processor s": 0, "peak MiB": 0})


def smote_speed(rows: pd.DataFrame) -> str:
    """Medians of both sides."""
    medians = rows.groupby(["table", "side"], sort=False)[["wall_s", "cpu_s", "peak_mib"]].median()
    counts = rows.groupby(["table", "side"], sort=False).size().rename("runs")
    named = medians.join(counts).rename(columns={"wall_s": "wall s", "cpu_s": "processor s", "peak_mib": "peak MiB"})
    return "Medians.\n\n" + table(named.reset_index(), {"wall s": 1, "processor s": 1, "peak MiB": 0})


def group_report_speed(rows: pd.DataFrame) -> str:
    """Medians by table size."""
    medians = rows.groupby("n_rows")[["autosynth_s", "fairlearn_s_extrapolated", "ratio"]].median().reset_index()
    names = {"n_rows": "rows", "autosynth_s": "autosynth s", "fairlearn_s_extrapolated": "fairlearn s, extrapolated"}
    return f"Medians of {rows['repeat'].nunique()} repeats.\n\n" + table(
        medians.rename(columns=names), {"autosynth s": 2, "fairlearn s, extrapolated": 0, "ratio": 0}
    )


def gate_faults(rows: pd.DataFrame) -> str:
    """Catches and false alarms, as the benchmark itself sums them up."""
    from faults.summary import write_markdown

    return write_markdown(rows)


def gate_speed(rows: pd.DataFrame) -> str:
    """Medians by table size and families of checks."""
    columns = {"all_s": "wall s", "all_cpu_s": "processor s", "n_checks": "checks", "peak_mib": "peak MiB"}
    medians = rows.groupby(["n_rows", "families"])[list(columns)].median().reset_index()
    return "Medians.\n\n" + table(medians.rename(columns=columns | {"n_rows": "rows"}), {"wall s": 1, "processor s": 1})


def gate_speed_gx(rows: pd.DataFrame) -> str:
    """The measurements as they are."""
    columns = {
        "n_rows": "rows",
        "n_checks": "checks",
        "import_s": "import s",
        "build_s": "building the suite s",
        "gate_s": "gate s",
        "gate_with_docs_s": "gate with Data Docs s",
        "peak_mib": "peak MiB",
    }
    return table(rows[list(columns)].rename(columns=columns), 2)


def tune_speed(rows: pd.DataFrame) -> str:
    """The measurements as they are."""
    columns = ["n_rows", "n_columns", "generators", "models", "wall_s", "cpu_s", "resumed_s", "peak_mib", "chosen"]
    return table(rows[columns].rename(columns=lambda name: name.replace("_", " ")), 1)


def prior_correction(rows: pd.DataFrame) -> str:
    """Log loss and calibration error, mean over seeds."""
    columns = {
        "log_loss": "log loss",
        "calibration_error": "calibration error",
        "worst_segment_calibration_error": "the same in the worse segment",
    }
    means = rows.groupby(["table", "learner", "generator", "arm"], sort=False)[list(columns)].mean()
    return f"Means over {rows['seed'].nunique()} seeds.\n\n" + table(means.rename(columns=columns).reset_index())


def scaling_law(rows: pd.DataFrame) -> str:
    """How often limits held the truth, and how often an exponent was pinned down."""
    held = {
        "c_held": "exponent c held",
        "a_held": "floor a held",
        "enough_held": "enough held",
        "identified": "exponent pinned down",
    }
    rows = rows.rename(columns={"noise_share": "noise share"})
    by, is_flat = ["noise", "noise share", "sizes"], rows["c"].astype(str) == "none"
    falling = rows[~is_flat].groupby(by, sort=False)
    shown = falling[list(held)].mean().rename(columns=held)
    shown["fewest c held"] = falling["c_held"].min()
    claims = {"falls": "a fall is claimed", "rises": "a rise is claimed"}
    flat = rows[is_flat].groupby(by, sort=False)[list(claims)].mean().rename(columns=claims)
    digits = {"noise share": 2, **dict.fromkeys(held.values(), 1)}
    return "\n\n".join(
        [
            "Times in a hundred.",
            table(shown.reset_index(), digits),
            "### Flat curves",
            table(flat.reset_index(), digits),
        ]
    )


def bias_correction(rows: pd.DataFrame) -> str:
    """Means over splits of each method, and the paired differences of the corrections."""
    from bias.summary import write_markdown

    _, _, rest = write_markdown(rows).partition("\n")
    return rest


def paper(rows: pd.DataFrame) -> str:
    """Score tables of a figure of the paper, and paired differences."""
    from paper.drawing import label
    from paper.summary import COMPARED, fair_arms, markdown, paired, papers_arms

    rows = rows[rows["status"] == "ok"]
    parts = [
        "### As in the paper, at the recorded ratio",
        "Balanced cross-entropy ± standard error over seeds / minority cross-entropy.",
        markdown(papers_arms(rows)),
        "### Fair arms",
        "Balanced cross-entropy after a tuned shift.",
        markdown(fair_arms(rows)),
    ]
    for comparison, score, base in COMPARED:
        parts += [
            f"### {comparison.capitalize()} arms, {score}: difference to {label(base[0])}, shift {base[1]}",
            "Over pairs of table and seed.",
            markdown(paired(rows, score, comparison, base)),
        ]
    return "\n\n".join(parts)
