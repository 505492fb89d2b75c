"""Claim: how often each way to repair imbalance does harm, against a tuned threshold that needs no synthetic row.

    OMP_NUM_THREADS=1 nice python benchmarks/do_no_harm.py --data FOLDER [--learner autogluon]

FOLDER holds Parquet tables and ``manifest.csv``.  Every table is cut into three splits whose test parts share no row.
Parts above 3,500 training and 4,000 test rows are thinned in the shares of the groups, but 40 and 20 rows of a class
are kept where there are as many.  Shifts and thresholds of every arm are fitted on out-of-fold rows of the training
part (three folds, the generator learning anew in each).  See docs/do-no-harm.md for what is compared and how.

Predictions are kept in ``--ledger``, one file per setting, split, learner and model: a run that was stopped goes on
where it was.  The comparisons go to a CSV file beside this script, the summary to a Markdown file beside it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from harm.arms import ARMS, AUTO, TREATMENTS
from harm.automatic import auto_arm, predict_auto
from harm.metrics import RowScores, TestRows, draw
from harm.prediction import Prediction, predict, train_xgboost
from harm.sources import Setting, read_setting, setting_names
from harm.splits import N_SPLITS, Split, splits
from harm.store import Store
from harm.summary import write_markdown
from harm.verdicts import compare_all
from quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

MODELS = (*TREATMENTS, AUTO)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.csv and the tables it names")
    parser.add_argument("--ledger", type=Path, default=Path("do_no_harm_ledger"), help="folder for predictions")
    parser.add_argument("--settings", nargs="+", metavar="NAME", help="tables, or 'adult by sex'; all by default")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS, metavar="MODEL")
    parser.add_argument("--splits", nargs="+", type=int, default=list(range(N_SPLITS)), metavar="NUMBER")
    parser.add_argument("--learner", default="xgboost", choices=["xgboost", "autogluon"])
    parser.add_argument("--time-limit-s", type=float, default=20, help="for AutoGluon, by the clock, per arm")
    parser.add_argument("--repeats", type=int, default=1, help="for auto; with another number, give another --ledger")
    parser.add_argument("--until", help="start nothing new after this time of day, such as 14:15")
    parser.add_argument("--summary-only", action="store_true", help="only compare what is there")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    return parser.parse_args()


def run_model(split: Split, model: str, store: Store, arguments: argparse.Namespace) -> None:
    """Predict with one model on one split, unless that is done or has failed before."""
    learner = arguments.learner
    if store.read(split, learner, model) is not None or store.failure(split, learner, model) is not None:
        return
    started = time.perf_counter()
    try:
        prediction = _predict(split, model, store, arguments)
    except Exception as error:  # whatever an arm raises is a result of the benchmark
        store.fail(split, learner, model, f"{type(error).__name__}: {error}"[:500])
        print(f"{split.name} {split.index} {model}: {type(error).__name__}: {error}"[:300], flush=True)
        return
    store.write(split, learner, model, prediction)
    told = prediction.facts.get("arm", "")
    print(f"{split.name} {split.index} {model}: {time.perf_counter() - started:.1f} s {told}", flush=True)


def _predict(split: Split, model: str, store: Store, arguments: argparse.Namespace) -> Prediction:
    if arguments.learner == "autogluon":
        from harm.autogluon_arms import predict_autogluon

        return predict_autogluon(split, model, store, arguments.time_limit_s)
    if model == AUTO:
        return predict_auto(split, train_xgboost, store.race_folder(split), arguments.repeats)
    return predict(split, TREATMENTS[model], train_xgboost)


def judge(setting: Setting, learner: str, store: Store) -> list[dict[str, object]]:
    """Compare all arms of a setting on the splits that they share with the reference.

    Arms that ran on all splits are compared on those; an arm that ran on fewer is compared on its own splits.
    """
    cuts = splits(setting)
    kept = {model: [store.read(split, learner, model) for split in cuts] for model in MODELS}
    done = {model: tuple(i for i, one in enumerate(found) if one is not None) for model, found in kept.items()}
    records: list[dict[str, object]] = []
    for chosen in sorted({indexes for indexes in done.values() if indexes}, key=len, reverse=True):
        mine = [model for model, indexes in done.items() if indexes == chosen]
        shared = [model for model, indexes in done.items() if set(chosen) <= set(indexes)]
        if "none" in shared:
            found = _judge_splits(setting.name, cuts, kept, chosen, shared)
            records += [record for record in found if _model_of(str(record["arm"])) in mine]
    return [{"learner": learner, **record} for record in records]


def _judge_splits(
    name: str,
    cuts: Sequence[Split],
    kept: dict[str, list[Prediction | None]],
    chosen: Sequence[int],
    models: Sequence[str],
) -> list[dict[str, object]]:
    some = [cuts[index] for index in chosen]
    scores, references = {}, {}
    for arm in [arm for arm in ARMS if arm.model in models]:
        found = [one for index in chosen if (one := kept[arm.model][index]) is not None]
        scores[arm.name] = RowScores.of([arm] * len(some), some, found)
    if AUTO in models:
        found = [one for index in chosen if (one := kept[AUTO][index]) is not None]
        scores[AUTO] = RowScores.of([auto_arm(one) for one in found], some, found)
        taken = [str(one.facts["chosen_without_rows"]) for one in found]
        by_name = {arm.name: arm for arm in ARMS}
        plain = [by_name[each] for each in taken]
        of_plain = [
            one for arm, index in zip(plain, chosen, strict=True) if (one := kept[arm.model][index]) is not None
        ]
        if len(of_plain) == len(some):
            scores["chosen without rows"] = RowScores.of(plain, some, of_plain)
            references["chosen without rows"] = "chosen without rows"
    draws = draw(scores, TestRows.of(some))
    return compare_all(name, len(some), draws, references)


def _model_of(arm: str) -> str:
    return next((one.model for one in ARMS if one.name == arm), AUTO)


def main() -> None:
    arguments = parse_arguments()
    store = Store(arguments.ledger)
    names = arguments.settings or setting_names(arguments.data)
    if not arguments.summary_only:
        for index in arguments.splits:
            for model in arguments.models:
                for name in names:
                    if arguments.until and time.strftime("%H:%M") >= arguments.until:
                        break
                    split = splits(read_setting(arguments.data, name))[index]
                    with quiet():
                        run_model(split, model, store, arguments)
    settings = [read_setting(arguments.data, name) for name in names]
    records = pd.DataFrame([record for setting in settings for record in judge(setting, arguments.learner, store)])
    records.round(6).to_csv(arguments.out, index=False)
    summary = write_markdown(records, settings, store, arguments.learner)
    arguments.out.with_suffix(".md").write_text(summary)
    print(summary)


if __name__ == "__main__":
    main()
