"""A gate in a pipeline: rows are made, judged, and refused with an exit code before any model can learn from them.

Two batches arrive.  One was made from the training rows.  The other claims to be of the same kind, and comes from a
tool that recites rows of the test set, mixes up a unit, and has lost the label and drawn it anew.

    pip install 'autosynth[gx]'
    python examples/quality_gate.py                  # the whole story
    python examples/quality_gate.py --batch bad      # one step of a pipeline: the exit code is the verdict
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd

import autosynth
import autosynth_gx  # loads Great Expectations at the first use, which takes seconds
from autosynth.toy import shortcut_table

LABEL = "ill"
RULES = ["age >= 18"]


def good_batch(train: pd.DataFrame) -> pd.DataFrame:
    """Return 400 rows of a generator that learned from the training rows."""
    made = autosynth.rebalance(train, label=LABEL, generator="smote", augment=200, check="off").synthetic
    return made.sample(400, random_state=0).reset_index(drop=True)


def bad_batch(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Return such rows with three faults."""
    rows, rng = good_batch(train), np.random.default_rng(0)
    is_metric = rng.random(len(rows)) < 0.15
    rows["pressure"] = rows["pressure"].mask(is_metric, (rows["pressure"] * 0.133322).round(1))  # kPa, not mmHg
    rows[LABEL] = rng.permutation(rows[LABEL])
    return pd.concat([rows, test.sample(60, random_state=0)], ignore_index=True)


def step(batch: pd.DataFrame, train: pd.DataFrame, test: pd.DataFrame, page: Path) -> int:
    """Judge a batch as a step of a pipeline does, and return the exit code: 0 lets the rows through."""
    report = autosynth.check(train, batch, label=LABEL, holdout=test, rules=RULES)
    for line in report.describe_failures().splitlines():
        print(textwrap.fill(line, 100, subsequent_indent="    "))
    print(f"exit code {0 if report.passed else 1}; page: {report.to_html(page)}\n")
    return 0 if report.passed else 1


def suite_step(batch: pd.DataFrame, train: pd.DataFrame, test: pd.DataFrame, file: Path) -> int:
    """Judge a batch by a suite of Great Expectations that was saved earlier, and return the exit code."""
    result = autosynth_gx.run_gate(autosynth_gx.load_suite(file), batch, real=train, holdout=test)
    n_kept = sum(each.success for each in result.validation.results)
    print(f"{result.status}: {n_kept} of {len(result.validation.results)} expectations are met")
    print(f"exit code {result.exit_code}\n")
    return result.exit_code


def main(out: Path, which: str) -> int:
    train, test = shortcut_table(800), shortcut_table(400, random_state=1)
    out.mkdir(parents=True, exist_ok=True)
    if which == "good":
        return step(good_batch(train), train, test, out / "good.html")
    if which == "bad":
        return step(bad_batch(train, test), train, test, out / "bad.html")

    print("1. The good batch, against the training rows and a test set that its generator must not know:\n")
    good, bad = good_batch(train), bad_batch(train, test)
    codes = [step(good, train, test, out / "good.html")]

    print("2. The bad batch. Each fault is named, and what follows from it:\n")
    codes.append(step(bad, train, test, out / "bad.html"))

    print("3. The same as a suite of Great Expectations, built where the real rows are ...\n")
    file = out / "suite.json"
    suite = autosynth_gx.build_suite(train, label=LABEL, holdout=test, rules=RULES, self_test=False)
    autosynth_gx.save_suite(suite, file)
    print(f"{file}: {file.stat().st_size // 1024} KiB, {len(suite.expectations)} expectations, and no row.\n")

    print("... and run on both batches, good and bad:\n")
    codes += [suite_step(batch, train, test, file) for batch in (good, bad)]

    is_as_told = codes == [0, 1, 0, 1]
    print("The gate let the good rows through and refused the bad ones." if is_as_told else f"Exit codes: {codes}")
    return 0 if is_as_told else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", choices=["both", "good", "bad"], default="both", help="which rows arrive")
    parser.add_argument("--out", type=Path, default=Path("autosynth-example"), help="folder for pages and the suite")
    given = parser.parse_args()
    sys.exit(main(given.out, given.batch))
