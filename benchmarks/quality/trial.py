"""One method on one split: learn once, draw several times, train the learners, score them on untouched rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from autosynth.plan import SamplingPlan
from quality.distances import distances
from quality.learners import LEARNERS, FittedLearner, fit_learner
from quality.scores import score
from quality.shift import Shift, from_log_odds, log_odds

if TYPE_CHECKING:
    import numpy.typing as npt

    from quality.methods import Drawn, Learned, Method
    from quality.peers import PeerRun
    from quality.splits import Groups, Split

N_FOLDS = 3
ENOUGH_HELD_OUT = 100  # training rows of the minority from which one held-out third is enough to fit a shift


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What holds for every trial of a run."""

    n_draws: int
    fits_shift: bool
    retries: bool  # what ended at a limit in an earlier run
    peers: PeerRun

    def for_a_fold(self) -> Settings:
        """Return the same with one draw: a shift is fitted on the first."""
        return replace(self, n_draws=1)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A method that has learned from a split and drawn its rows; ``None`` is the draw of a method that makes none."""

    split: Split
    groups: Groups
    learned: Learned | None
    drawn: Sequence[Drawn | None]

    @classmethod
    def of(cls, split: Split, method: Method, settings: Settings, learned: Learned | None = None) -> Prepared:
        """Let the method learn, unless it has ``learned`` elsewhere, and draw."""
        groups = split.groups()
        if not method.makes_rows:
            return cls(split=split, groups=groups, learned=None, drawn=[None])
        learned = learned or method.learn(split, groups.table, settings.peers)
        counts = {row.group: row.n_oversample for row in SamplingPlan.make(groups.table).groups if row.n_oversample}
        drawn = [learned.draw(counts, index) for index in range(settings.n_draws)]
        # Recorded rows are the same in every draw, and a peer that was stopped has no rows left for the later ones.
        distinct = [one for index, one in enumerate(drawn) if learned.nested or _is_new(drawn, index)]
        return cls(split=split, groups=groups, learned=learned, drawn=distinct)


@dataclass(frozen=True, kw_only=True)
class TrainedArm:
    """A learner trained on real and synthetic rows, and its predictions."""

    groups: Groups
    learner: FittedLearner
    corrects_prior: bool

    @classmethod
    def fit(cls, prepared: Prepared, draw: int, method: str, weight: float, learner: str) -> TrainedArm:
        real, groups, drawn = prepared.split.train, prepared.groups, prepared.drawn[draw]
        weights = np.ones(len(real))
        rows = real
        if method == "class_weights":
            sizes = groups.table.group_sizes
            weights = (len(real) / (len(sizes) * sizes))[groups.table.group_codes]
        if drawn is not None:
            on_real, on_synthetic, _ = SamplingPlan.make(groups.table, synthetic_weight=weight).part_weights()
            weights = np.repeat([on_real, on_synthetic], [len(real), len(drawn.rows)])
            rows = pd.concat([real, drawn.rows], ignore_index=True)
        fitted = fit_learner(learner, real, groups.table.schema, rows, groups.is_positive(rows), weights)
        return cls(groups=groups, learner=fitted, corrects_prior=method == "none_corrected")

    def proba(self, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return probabilities; with its prior corrected, those of a training set with balanced segments."""
        proba = self.learner.proba(rows)
        if not self.corrects_prior:
            return proba
        segments = self.groups.segments[self.groups.codes(rows)]
        return from_log_odds(log_odds(proba) - self.groups.log_prior_odds()[segments])


def run_trial(split: Split, method: Method, settings: Settings) -> list[dict[str, Any]]:
    """Return one record per arm, draw and learner.

    The shift of prior and threshold is fitted on out-of-fold rows that neither model nor generator has seen: the
    generator learns anew inside each of three folds.  With 100 minority rows or more the first fold alone is used,
    which holds a third of the rows.  Recorded rows and rows of peers cannot be made anew: their generator has seen
    the fold's rows, and their records say "shared rows" instead of "nested".
    """
    prepared = Prepared.of(split, method, settings)
    shared = prepared.learned if prepared.learned and not prepared.learned.nested else None
    inside = _folds(prepared) if settings.fits_shift else []
    folds = [Prepared.of(fold, method, settings.for_a_fold(), shared) for fold in inside]
    records = []
    costs = [_cost_facts(prepared, draw) for draw in range(len(prepared.drawn))]
    for (arm, weight), learner in product(method.arms.items(), LEARNERS):
        shift = _fit_shift(prepared, folds, method.name, weight, learner) if folds else None
        facts = {"arm": arm, "generator": method.name, "synthetic_weight": weight, "learner": learner}
        facts["shift"] = "none" if shift is None else "shared rows" if shared else "nested"
        for draw, cost in enumerate(costs):
            trained = TrainedArm.fit(prepared, draw, method.name, weight, learner)
            records.append({**facts, "draw": draw, **_scores(prepared, trained, shift), **cost})
    return records


def _folds(prepared: Prepared) -> list[Split]:
    """Return splits of the training rows, stratified by group."""
    codes = prepared.groups.table.group_codes
    n_minority = np.isin(codes, prepared.groups.minorities).sum()
    cutter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=prepared.split.seed)
    cuts = list(cutter.split(codes, codes))
    return [prepared.split.fold(*cut) for cut in (cuts[:1] if n_minority >= ENOUGH_HELD_OUT else cuts)]


def _fit_shift(whole: Prepared, folds: Sequence[Prepared], method: str, weight: float, learner: str) -> Shift:
    held_out = pd.concat([fold.split.test for fold in folds])
    proba = [TrainedArm.fit(fold, 0, method, weight, learner).proba(fold.split.test) for fold in folds]
    codes = whole.groups.codes(held_out)
    return Shift.fit(whole.groups.is_positive(held_out), np.concatenate(proba), codes, whole.groups.segments[codes])


def _scores(prepared: Prepared, trained: TrainedArm, shift: Shift | None) -> dict[str, float]:
    groups, test = prepared.groups, prepared.split.test
    y, proba, codes = groups.is_positive(test), trained.proba(test), groups.codes(test)
    plain = score(y, proba, codes, groups.minorities)
    if shift is None:
        return plain
    shifted = score(y, shift.apply(proba, groups.segments[codes]), codes, groups.minorities, shift.threshold)
    plain |= {f"{name}_shifted": value for name, value in shifted.items()}
    return plain | {"offset": float(shift.offsets.mean())}


def _cost_facts(prepared: Prepared, draw: int) -> dict[str, Any]:
    """Return rows, validity, distances and costs of one draw; nothing for a method that makes no rows."""
    drawn, learned = prepared.drawn[draw], prepared.learned
    if drawn is None or learned is None:
        return {"status": "ok"}
    n_rows = len(drawn.rows)
    n_planned = sum(row.n_oversample for row in SamplingPlan.make(prepared.groups.table).groups)
    return {
        "status": "ok" if n_rows == n_planned else "short",
        "reason": drawn.notes,
        "n_synthetic": n_rows,
        "n_planned": n_planned,
        "valid_share": drawn.valid_share,
        "fit_wall_s": learned.fit_cost.wall_s,
        "fit_cpu_s": learned.fit_cost.cpu_s,
        "sample_wall_s": drawn.cost.wall_s,
        "sample_cpu_s": drawn.cost.cpu_s,
        "rows_per_cpu_s": n_rows / max(drawn.cost.cpu_s, 1e-9),
        "peak_rss_mib": max(learned.fit_cost.peak_rss_mib, drawn.cost.peak_rss_mib),
        **distances(prepared.split, prepared.groups, drawn.rows),
    }


def _is_new(drawn: Sequence[Drawn], index: int) -> bool:
    """Whether this draw holds rows, and other rows than the first one."""
    rows = drawn[index].rows
    return index == 0 or (len(rows) > 0 and not rows.equals(drawn[0].rows))
