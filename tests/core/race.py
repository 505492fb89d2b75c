"""Races for tests: outcomes of arms whose models are known, so that nothing has to be trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from autosynth.table import Table
from autosynth.tuning.arm import CLASS_WEIGHTS, NONE, Arm
from autosynth.tuning.folds import Folds
from autosynth.tuning.label_codes import Coded
from autosynth.tuning.outcome import ArmOutcome

STRENGTH = 1.2


class Race:
    """Two classes, one feature, and log odds that are right under the prior of the real rows."""

    def __init__(
        self, n_rows: int = 1500, share: float = 0.1, seed: int = 0, groups: Sequence[str] = (), repeats: int = 1
    ) -> None:
        self.rng = np.random.default_rng(seed)
        is_ill = self.rng.random(n_rows) < share
        self.y = is_ill.astype(int)
        feature = self.rng.normal(size=n_rows) + STRENGTH * self.y
        frame = pd.DataFrame({"feature": feature, "ill": np.where(is_ill, "yes", "no")})
        if groups:
            frame["site"] = self.rng.choice(list(groups), n_rows)
        self.table = Table.from_frame(frame, label="ill", group_by="site" if groups else None)
        self.coded = Coded.of(self.table)
        self.folds = Folds.of(self.table, cv=5, repeats=repeats, random_state=seed)
        self.prior = float(np.log(share / (1 - share)))
        self.logit = STRENGTH * feature - STRENGTH**2 / 2 + self.prior

    def noisy(self, noise: float = 0.3, better: float = 0.0) -> np.ndarray:
        """Return log odds of a model whose errors are its own; ``better`` adds what the feature does not tell."""
        return self.logit + noise * self.rng.normal(size=len(self.y)) + better * (self.y - 0.5)

    def real_weights(self) -> np.ndarray:
        """Return what plain training is trained with, shape (n_repeats, n_folds, n_segments, 2)."""
        shape = (self.folds.n_repeats, self.folds.n_folds, self.coded.n_segments, 2)
        trained = np.zeros(shape)
        for repeat, fold in self.folds:
            rows = self.folds.trains(repeat, fold)
            np.add.at(trained[repeat, fold], (self.coded.segment_codes[rows], self.coded.label_codes[rows]), 1.0)
        return trained

    def outcome(
        self, logit: np.ndarray, arm: Arm = NONE, trained: np.ndarray | None = None, n_synthetic: float = 0.0
    ) -> ArmOutcome:
        """Return an arm with these log odds of "yes", shape (n_rows,) or (n_repeats, n_rows)."""
        positive = 1 / (1 + np.exp(-np.broadcast_to(logit, self.folds.assignment.shape)))
        probabilities = np.stack([1 - positive, positive], axis=-1)
        probabilities[self.folds.assignment < 0] = np.nan
        return ArmOutcome(
            arm=arm,
            probabilities=probabilities,
            trained=self.real_weights() if trained is None else np.broadcast_to(trained, self.real_weights().shape),
            n_done=len(self.folds),
            status="done",
            seconds=1.0,
            n_synthetic=n_synthetic,
        )

    def balanced(self, logit: np.ndarray, arm: Arm, n_synthetic: float = 0.0) -> ArmOutcome:
        """Return an arm that was trained with even classes; the log odds are those under the real prior."""
        return self.outcome(logit - self.prior, arm, np.full((1, 1, 1, 2), 500.0), n_synthetic)

    def outcomes(self, n_arms: int = 3, *, noise: float = 0.2, better: float = 0.0) -> list[ArmOutcome]:
        """Return plain training, class weights, and arms with rows, the first of which may be better."""
        made = [self.outcome(self.noisy(noise)), self.balanced(self.noisy(noise), CLASS_WEIGHTS)]
        for place in range(n_arms):
            logit = self.noisy(noise, better if place == 0 else 0.0)
            made.append(self.balanced(logit, smote((place + 1) / n_arms), n_synthetic=100.0 * (place + 1)))
        return made


def smote(ratio: float = 1.0, weight: float = 1.0) -> Arm:
    return Arm(generator="smote", ratio=ratio, synthetic_weight=weight)


def left_early(outcome: ArmOutcome, folds: Folds, n_done: int, status: str = "dropped", reason: str = "") -> ArmOutcome:
    """Return what is known of an arm after its first folds of the first repeat."""
    probabilities, trained = outcome.probabilities.copy(), np.array(outcome.trained)
    probabilities[0, folds.assignment[0] >= n_done] = np.nan
    trained[0, n_done:] = np.nan
    probabilities[1:], trained[1:] = np.nan, np.nan
    return dataclasses.replace(
        outcome, probabilities=probabilities, trained=trained, n_done=n_done, status=status, reason=reason
    )
