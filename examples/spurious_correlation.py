"""A shortcut: a column that predicts the label without causing it, who pays for it, and what repairs the model.

Patients are ill or not.  Nine in ten ill ones lie in hospital "south", since that is where they were sent; the hospital
causes nothing.  A model that leans on it does well on average, fails on the few patients of the other two groups, and
on everybody once patients are sent elsewhere.

    pip install autosynth
    python examples/spurious_correlation.py
"""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

import autosynth
from autosynth.toy import shortcut_table

LABEL, SHORTCUT = "ill", "hospital"
REPAIR = "rows by independent"


def train_model(rows: pd.DataFrame, weights: pd.Series | None = None) -> Pipeline:
    """Return boosted trees fitted to whatever columns there are; rows count as the weights say."""
    words = make_column_transformer(
        (OneHotEncoder(drop="if_binary", sparse_output=False), make_column_selector(dtype_include=object)),
        remainder="passthrough",
    )
    trees = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    weights = None if weights is None else weights / weights.mean()
    model = make_pipeline(words, trees)
    return model.fit(rows.drop(columns=LABEL), rows[LABEL], histgradientboostingclassifier__sample_weight=weights)


def lean(model: Pipeline, rows: pd.DataFrame) -> float:
    """Return how far the hospital moves the log-odds of being ill, as a mean over patients who are otherwise alike."""
    south, north = (model.predict_proba(rows.assign(**{SHORTCUT: name}))[:, 1] for name in ("south", "north"))
    return float(np.mean(logit(south) - logit(north)))


def elsewhere(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the same patients, sent to hospitals by lot."""
    drawn = np.random.default_rng(0).permutation(rows[SHORTCUT])
    return rows.assign(**{SHORTCUT: drawn})


def judge(model: Pipeline, rows: pd.DataFrame, **options: Any) -> autosynth.GroupReport:
    """Return the risk of every group of illness and hospital."""
    return autosynth.group_report(rows[LABEL], model.predict_proba(rows)[:, 1], groups=rows[SHORTCUT], **options)


def summary(name: str, model: Pipeline, test: pd.DataFrame) -> dict[str, object]:
    """Return one line: here, where the shortcut holds, and elsewhere, where it does not."""
    here, there = judge(model, test, n_bootstrap=0), judge(model, elsewhere(test), n_bootstrap=0)
    return {
        "model": name,
        "lean on hospital": lean(model, test),
        "worst group risk": here.worst_risk.value,
        "balanced risk": here.balanced_risk.value,
        "AUC": here.segments[-1].auc.value,
        "AUC elsewhere": there.segments[-1].auc.value,
    }


def say(text: object) -> None:
    print(textwrap.fill(str(text), 100), end="\n\n")


def main(out: Path) -> None:
    train, test = shortcut_table(3000), shortcut_table(6000, random_state=1)
    print("1. The training rows: label and hospital nearly say the same.\n")
    print(f"{pd.crosstab(train[LABEL], train[SHORTCUT])}\n")

    print("2. Who pays? Test rows, group by group, after plain training; risk is cross-entropy in nats.\n")
    models = {"plain": train_model(train)}
    groups = judge(models["plain"], test, n_bootstrap=0).to_frame().query("table == 'groups'")
    print(groups[["name", "n_rows", "risk", "accuracy"]].round(3).to_string(index=False), "\n")

    print("3. Four repairs. Elsewhere, patients are sent to hospitals by lot.\n")
    models["without the column"] = train_model(train.drop(columns=SHORTCUT))
    models["group weights"] = train_model(train, 1 / train.groupby([LABEL, SHORTCUT])[LABEL].transform("size"))
    for generator in ("smote", "independent"):
        result = autosynth.rebalance(train, label=LABEL, group_by=SHORTCUT, generator=generator, check="off")
        models[f"rows by {generator}"] = train_model(result.data, result.weights)
    lines = (
        pd.DataFrame([summary(name, model, test) for name, model in models.items()])
        .set_index("model")
        .rename_axis(None)
    )
    print(lines.round(2).to_string(), "\n")
    plain, best = lines.loc["plain"], lines.loc[REPAIR]
    say(
        f"With {REPAIR}, the risk of the worst group falls from {plain['worst group risk']:.2f} to "
        f"{best['worst group risk']:.2f}, and AUC elsewhere rises from {plain['AUC elsewhere']:.2f} to "
        f"{best['AUC elsewhere']:.2f}. The price is paid where the shortcut holds: {best['AUC']:.2f} in place of "
        f"{plain['AUC']:.2f}."
    )

    print("4. Was it the rows, or would weights have done? These rows against group weights, on test rows:\n")
    report = judge(models[REPAIR], test, baseline=models["group weights"].predict_proba(test)[:, 1])
    say(report.gain.sentence if report.gain else report)
    say(
        "A column that is known to mislead can also be left out, which needs no row. Then the prior stays uneven, and "
        "so do all columns that tell the hospital in other words."
    )
    out.mkdir(parents=True, exist_ok=True)
    print(f"Page: {report.to_html(out / 'groups.html')}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("autosynth-example"), help="folder for the page")
    main(parser.parse_args().out)
