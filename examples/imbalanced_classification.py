"""A rare class: let a race decide whether synthetic rows are added, and see on test rows what that was worth.

The data are the breast cancer measurements that scikit-learn brings along.  From the training half all malignant cases
but fifteen are taken away, so that malignant is the rare class; the test half keeps all of its own.

    pip install 'autosynth[tune]'
    python examples/imbalanced_classification.py
"""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

import autosynth

LABEL, RARE = "diagnosis", "malignant"
N_RARE = 15


def cancer_rows() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training rows with few malignant cases, and test rows with many."""
    bunch = load_breast_cancer(as_frame=True)
    rows = bunch.data.assign(**{LABEL: bunch.target_names[bunch.target]})
    train, test = train_test_split(rows, test_size=0.5, stratify=rows[LABEL], random_state=0)
    is_rare = train[LABEL] == RARE
    few = train[is_rare].sample(N_RARE, random_state=0)
    return pd.concat([train[~is_rare], few]), test


def train_model(rows: pd.DataFrame, weights: pd.Series | None = None) -> XGBClassifier:
    """Return XGBoost fitted to rows that count as their weights say."""
    model = XGBClassifier(n_estimators=100, learning_rate=0.1, max_depth=4, n_jobs=1, random_state=0)
    return model.fit(rows.drop(columns=LABEL), rows[LABEL] == RARE, sample_weight=weights)


def probabilities(model: XGBClassifier, rows: pd.DataFrame) -> pd.DataFrame:
    """Return one column per class, which is what reports and shifts of the prior are given."""
    rare = model.predict_proba(rows.drop(columns=LABEL))[:, 1]
    return pd.DataFrame({"benign": 1 - rare, RARE: rare}, index=rows.index)


def errors(name: str, y_true: pd.Series, proba: pd.DataFrame) -> dict[str, object]:
    """Return what a doctor would ask about: who is missed, and who is frightened for nothing."""
    predicted, is_rare = proba[RARE] > 0.5, y_true == RARE
    return {
        "model": name,
        "accuracy": np.mean(predicted == is_rare).round(3),
        "malignant missed": int((is_rare & ~predicted).sum()),
        "false alarms": int((~is_rare & predicted).sum()),
    }


def say(text: object) -> None:
    print(textwrap.fill(str(text), 100), end="\n\n")


def main(out: Path) -> None:
    train, test = cancer_rows()
    counts = train[LABEL].value_counts()
    print(f"Training rows: {counts['benign']} benign, {counts[RARE]} malignant.")
    print(f"Test rows: {len(test)}, {(test[LABEL] == RARE).sum()} of them malignant.\n")

    print("1. Would synthetic rows help? Cross-validation on the real training rows says:\n")
    race = {"generators": ["independent", "smote"], "cv": 4}
    advised = autosynth.rebalance(train, label=LABEL, generator="auto", generator_options=race)
    tuning = advised.report.tuning
    best = tuning.best
    say(best)

    print("2. Do as it says. Beside it, nothing at all, and what people often do unasked: SMOTE, in full.\n")
    smote = autosynth.rebalance(train, label=LABEL, generator="smote", check="off")
    proba = {
        "plain": probabilities(train_model(train), test),
        best.name: best.apply(probabilities(train_model(advised.data, advised.weights), test)),
        "balanced with smote": probabilities(train_model(smote.data, smote.weights), test),
    }

    print("3. On test rows, which none of this has seen:\n")
    print(pd.DataFrame([errors(name, test[LABEL], some) for name, some in proba.items()]).to_string(index=False), "\n")
    report = autosynth.group_report(test[LABEL], proba[best.name], baseline=proba["plain"])
    say(report.gain.sentence if report.gain else report)

    out.mkdir(parents=True, exist_ok=True)
    print(f"Pages: {tuning.to_html(out / 'tuning.html')}, {report.to_html(out / 'test.html')}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("autosynth-example"), help="folder for the pages")
    main(parser.parse_args().out)
