"""Two-class training sets with majority rows whose synthetic twins show how a generator is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

import autosynth

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]

LABEL = "is_minority"
MAX_PARTS = 5  # of the majority, each of the minority's size
RATIO_LIMITS = (0.2, 5.0)  # of the weight of a synthetic row


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Real rows with a 0/1 label, and what a generator made of them.

    Attributes
    ----------
    train, test : DataFrame
        Real rows; ``LABEL`` is 1 for the minority.
    synthetic : DataFrame
        Rows for the minority, by a generator that learned from the training rows.
    twins : list of DataFrame
        For each of several disjoint random parts of the majority, of the minority's size: as many rows again, by a
        generator that learned from the part as it learned from the minority, among the rest of the majority and
        without the minority.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    synthetic: pd.DataFrame
    twins: list[pd.DataFrame]

    @classmethod
    def make(
        cls, train: pd.DataFrame, test: pd.DataFrame, generator: str, seed: int, max_parts: int = MAX_PARTS
    ) -> Trial:
        majority = train[train[LABEL] == 0]
        size = int((train[LABEL] == 1).sum())
        order = np.random.default_rng([seed, 7]).permutation(majority.index)
        n_parts = min(max_parts, len(majority) // size - 1)
        posed = [
            majority.assign(**{LABEL: majority.index.isin(order[size * part : size * (part + 1)]).astype(int)})
            for part in range(n_parts)
        ]
        twins = [_made(rows, generator, seed).assign(**{LABEL: 0}) for rows in posed]
        return cls(train=train, test=test, synthetic=_made(train, generator, seed), twins=twins)


def _made(rows: pd.DataFrame, generator: str, seed: int) -> pd.DataFrame:
    made = autosynth.rebalance(rows, label=LABEL, generator=generator, check="off", random_state=seed)
    return made.synthetic.reset_index(drop=True)


@dataclass(frozen=True)
class SignedRows:
    """Encoded rows, labels and weights, of which some may be negative: a training objective."""

    X: Floats
    y: Floats
    weights: Floats


def objective(trial: Trial, encoding: Any, method: str) -> SignedRows:
    """Return the rows and weights whose weighted loss a method minimises.

    The majority's mean loss and the minority's mean loss weigh the same in all methods.  With n₁ real minority rows and
    m synthetic ones, the minority's part is (n₁ · real mean + m · synthetic mean) / (n₁ + m).  The correction adds
    ρ · (mean loss of real majority rows - mean loss of their twins), ρ = m / (n₁ + m): an estimate of how far the
    synthetic mean is from the true one.  With many parts of the majority it is the generator's systematic error; with
    one it is mostly the accident of which few rows the generator saw.

    Parameters
    ----------
    method : str
        "none": class weights on real rows alone.  "synthetic": as above, uncorrected.  "own label": the correction
        uses the majority's loss under its own label 0; "own label, one part": estimated on one part.  "moved":
        majority rows and twins are moved by the difference of the class means, where they stand in for minority rows,
        and get the label 1.  "ratio": no weight is negative; synthetic rows weigh what a classifier of moved majority
        rows against moved twins says of how much more likely real rows are there, clipped.
    """
    is_minority = (trial.train[LABEL] == 1).to_numpy()
    real = encoding.transform(trial.train)
    majority, minority = real[~is_minority], real[is_minority]
    if method == "none":
        return _stack((majority, 0, 1.0), (minority, 1, 1.0))
    made = encoding.transform(trial.synthetic)
    share = len(made) / (len(made) + len(minority))
    parts = [(majority, 0, 1.0), (minority, 1, 1.0 - share), (made, 1, share)]
    if method == "synthetic":
        return _stack(*parts)
    used = trial.twins[:1] if method == "own label, one part" else trial.twins
    twins = np.concatenate([encoding.transform(rows) for rows in used])
    step = minority.mean(axis=0) - majority.mean(axis=0)
    if method == "ratio":
        plain = _stack(*parts)
        plain.weights[-len(made) :] *= _ratios(majority + step, twins + step, made)
        return plain
    moved, label = (step, 1) if method == "moved" else (0.0, 0)
    return _stack(*parts, (majority + moved, label, share), (twins + moved, label, -share))


def _ratios(real: Floats, twins: Floats, asked: Floats) -> Floats:
    """Return how much more likely real rows are than twins where the asked ones lie, clipped, with mean 1."""
    model = LogisticRegression(C=0.1, max_iter=500)
    X = np.column_stack([rows := np.concatenate([real, twins]), rows**2])
    model.fit(X, np.repeat([1, 0], [len(real), len(twins)]))
    odds = model.decision_function(np.column_stack([asked, asked**2])) - np.log(len(real) / len(twins))
    ratios = np.clip(np.exp(odds), *RATIO_LIMITS)
    return np.asarray(ratios / ratios.mean())


def _stack(*parts: tuple[Floats, int, float]) -> SignedRows:
    """Put parts together: rows, their label, and the weight of the whole part."""
    return SignedRows(
        np.concatenate([rows for rows, _, _ in parts]),
        np.concatenate([np.full(len(rows), float(label)) for rows, label, _ in parts]),
        np.concatenate([np.full(len(rows), weight / len(rows)) for rows, _, weight in parts]),
    )
