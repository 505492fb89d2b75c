"""Where the tables come from: the paper's own splits, public tables, and simulated ones.

``--data FOLDER`` holds ``opal/<table>/<setting>/{train,test,gpt4_parsed}_seed<n>.csv`` with ``opal/<table>/full.csv``,
and ``public/<table>.parquet``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, make_classification

from quality.splits import Split, halves, thin

OPAL_SEEDS = (1, 2, 6, 8, 42)  # the five splits that rows of GPT-4 were recorded for
OPAL_GROUPS: dict[str, Any] = {"gender": ["long_hair"], "heart_failure": ["sex"], "openmlDiabetes": {"skin": [0.5]}}
PUBLIC = {
    "adult": ("income", ">50K"),
    "mammography": ("class", "microcalcification"),
    "oil_spill": ("class", "oil_spill"),
    "telco_churn": ("Churn", "Yes"),
    "german_credit": ("credit_risk", "bad"),
    "thyroid_sick": ("Class", "sick"),
    "yeast": ("site", "ME2"),
}
SIMULATED_20K = "simulated_20k"
OPAL = [f"{name}_imbalanced" for name in ("craft", *OPAL_GROUPS)] + [f"{name}_spurious" for name in OPAL_GROUPS]
TABLES = (*OPAL, *PUBLIC, "breast_cancer", "correlated", SIMULATED_20K)


@dataclass(frozen=True, kw_only=True)
class Request:
    """The splits wanted: tables, minority rows in training, seeds, and the cap on the other training rows."""

    tables: Sequence[str]
    minority: Sequence[int]
    n_seeds: int
    majority_cap: int
    data: Path


def splits(request: Request) -> Iterator[Split]:
    """Yield every split asked for that its table allows: seed by seed, so that an early stop leaves paired results."""
    for seed in range(request.n_seeds):
        for table in request.tables:
            if table in OPAL:
                if seed < len(OPAL_SEEDS) and 10 in request.minority:
                    yield opal_split(request.data / "opal", table, seed)
            elif table == SIMULATED_20K:
                if 400 in request.minority:
                    yield simulated_20k_split(seed)
            else:
                yield from thinned_splits(table, seed, request)


def opal_split(folder: Path, table: str, seed: int) -> Split:
    """Return one of the paper's splits: 10 minority rows in ``imbalanced``, two groups of 5 in ``spurious``."""
    name, setting = table.rsplit("_", 1)
    home, number = folder / name / setting, OPAL_SEEDS[seed]
    train, test, recorded = (_csv(home / f"{part}_seed{number}.csv") for part in ("train", "test", "gpt4_parsed"))
    published = _csv(folder / name / "full.csv")
    label = train.columns[-1]
    return Split(
        table=table,
        minority=10,
        majority_cap=0,
        seed=seed,
        train=train,
        test=test,
        label=label,
        positive=0 if setting == "imbalanced" else 1,
        group_by=OPAL_GROUPS[name] if setting == "spurious" else None,
        recorded=recorded[train.columns],
        published=published[train.columns],
    )


def thinned_splits(table: str, seed: int, request: Request) -> Iterator[Split]:
    """Yield a split per minority size that half of the table allows; test rows are the other half, not thinned."""
    frame, label, positive = _read(table, request.data)
    is_minority = (frame[label] == positive).to_numpy()
    pool, test = halves(is_minority, seed)
    for n_minority in request.minority:
        if n_minority <= is_minority[pool].sum():
            kept = pool[thin(is_minority[pool], n_minority, request.majority_cap, seed)]
            yield Split(
                table=table,
                minority=n_minority,
                majority_cap=request.majority_cap,
                seed=seed,
                train=frame.iloc[kept].reset_index(drop=True),
                test=frame.iloc[test].reset_index(drop=True),
                label=label,
                positive=positive,
            )


def simulated_20k_split(seed: int) -> Split:
    """Return 400 minority and 19,600 other rows to train on, 4,000 and 16,000 to test on."""
    frame = simulated_20k()
    rng = np.random.default_rng([seed, 3])
    order = [rng.permutation(np.flatnonzero(frame["label"] == value)) for value in (1, 0)]
    train = np.sort(np.concatenate([order[0][:400], order[1][:19_600]]))
    test = np.sort(np.concatenate([order[0][400:4_400], order[1][19_600:35_600]]))
    return Split(
        table=SIMULATED_20K,
        minority=400,
        majority_cap=19_600,
        seed=seed,
        train=frame.iloc[train].reset_index(drop=True),
        test=frame.iloc[test].reset_index(drop=True),
        label="label",
        positive=1,
    )


def simulated_20k() -> pd.DataFrame:
    """Return 60,000 rows of 15 numeric and 5 categorical columns; log-normal and whole numbers among the numeric."""
    X, y = make_classification(
        60_000,
        n_features=20,
        n_informative=10,
        n_redundant=4,
        n_clusters_per_class=3,
        weights=[0.9, 0.1],
        class_sep=1.0,
        flip_y=0.01,
        random_state=1234,
    )
    order = np.random.default_rng(7).permutation(20)
    frame = pd.DataFrame({f"x{position}": X[:, column] for position, column in enumerate(order)})
    for name in frame.columns[:5]:
        frame[name] = np.exp(frame[name] / frame[name].std()).round(4)
    for name in frame.columns[5:8]:
        frame[name] = (3 * frame[name]).round().astype("int64")
    for name, n_levels in zip(frame.columns[15:], (3, 4, 5, 6, 8), strict=True):
        frame[name] = pd.qcut(frame[name], n_levels, labels=list("abcdefgh"[:n_levels])).astype(str)
    return frame.assign(label=y)


def correlated() -> pd.DataFrame:
    """Return 12,000 rows of 20 numeric columns that are near-copies of each other, 10 % of them minority.

    Four latent quantities are each read by five instruments.  The class hangs on products of the latent quantities
    and on the gap between two instruments of one of them, which a model that blurs dependence cannot see.
    """
    rng = np.random.default_rng(20)
    latent = rng.normal(size=(12_000, 4))
    readings = np.repeat(latent, 5, axis=1) * rng.uniform(0.5, 2, 20) + rng.normal(scale=0.15, size=(12_000, 20))
    gap = (readings[:, 0] / readings[:, 0].std() - readings[:, 1] / readings[:, 1].std()) / 0.15
    score = latent[:, 0] * latent[:, 1] + latent[:, 2] + 0.6 * gap + rng.logistic(scale=0.4, size=12_000)
    frame = pd.DataFrame(readings, columns=[f"latent{column // 5}_{column % 5}" for column in range(20)])
    skewed = [name for name in frame if name.endswith("4")]
    frame[skewed] = np.exp(frame[skewed])
    return frame.assign(label=(score > np.quantile(score, 0.9)).astype(int))


def breast_cancer() -> pd.DataFrame:
    bunch = load_breast_cancer(as_frame=True)
    return bunch.frame.rename(columns={"target": "label"}).assign(label=1 - bunch.target)  # 1 is malignant


def _read(table: str, data: Path) -> tuple[pd.DataFrame, str, Any]:
    made: dict[str, Callable[[], pd.DataFrame]] = {"breast_cancer": breast_cancer, "correlated": correlated}
    if table in made:
        return made[table](), "label", 1
    label, positive = PUBLIC[table]
    path = data / "public" / f"{table}.parquet"
    if not path.is_file():
        sys.exit(f"{path} is missing. Put the table there as Parquet, label column {label!r}.")
    frame = pd.read_parquet(path).drop_duplicates(ignore_index=True)  # a row in both halves would be no unseen row
    frame[label] = np.where(frame[label] == positive, positive, "other")
    return frame, label, positive


def _csv(path: Path) -> pd.DataFrame:
    if not path.is_file():
        sys.exit(f"{path} is missing. The folder of --data must hold the paper's splits under opal/.")
    frame = pd.read_csv(path)
    return frame.drop(columns=[name for name in frame if str(name).startswith("Unnamed")])
