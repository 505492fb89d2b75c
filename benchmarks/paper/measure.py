"""Runs a case: every arm trained once on all training rows and, where shifts are tuned, once per fold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from quality.scores import score
from sklearn.model_selection import StratifiedKFold

from autosynth.exceptions import AutosynthError
from paper.arms import OPTIONS, OPTIONS_IN_FOLDS, Arm, Counts, RowSource, Trained, clean_rows, fill_counts, source_of
from paper.shifts import prior_shifted, shifted, tuned_offsets

if TYPE_CHECKING:
    from quality.splits import Groups, Split

    from paper.cases import Case

N_FOLDS = 3
WITH_AUGMENTATION = ("ros", "smote", "independent", "transformer")


@dataclass
class Bench:
    """A case or one of its folds, with the row sources that its arms share.

    ``most`` says how many rows a source must be able to give per group.
    """

    case: Case
    split: Split
    groups: Groups
    most: Counts
    is_fold: bool = False
    sources: dict[str, RowSource | Exception] = field(default_factory=dict)

    @classmethod
    def of(cls, case: Case, split: Split, most: Callable[[Groups], Counts], *, is_fold: bool = False) -> Bench:
        groups = split.groups()
        return cls(case, split, groups, most(groups), is_fold)

    def train(self, arm: Arm, counts: Counts, learner: str) -> Trained:
        """Train one arm; an error of its source is raised for each of its arms."""
        if not arm.makes_rows:
            return Trained.fit(self.split, self.groups, arm.source, None, learner)
        if arm.source not in self.sources:
            try:
                options = (OPTIONS_IN_FOLDS if self.is_fold else OPTIONS).get(arm.source, {})
                self.sources[arm.source] = source_of(
                    arm.source, self.split, self.groups, self.most, reserve=self.case.reserve, options=options
                )
            except AutosynthError as error:
                self.sources[arm.source] = error
        source = self.sources[arm.source]
        if isinstance(source, Exception):
            raise source
        return Trained.fit(self.split, self.groups, arm.source, source.rows(counts), learner)


def measure(case: Case, generators: Sequence[str], learner: str, *, fair: bool) -> Iterator[dict[str, Any]]:
    """Yield scores of the paper's arms and, if asked, of fair ones, both from the same synthetic rows."""
    whole = Bench.of(case, case.split, most_counts)
    yield from in_the_papers_way(whole, generators, learner)
    if fair:
        yield from with_fair_arms(whole, generators, learner)


def most_counts(groups: Groups) -> dict[Any, int]:
    """Return the rows of the largest arm: to balance, and as many for every group as the largest group has."""
    return fill_counts(groups, int(groups.table.group_sizes.max()))


def in_the_papers_way(whole: Bench, generators: Sequence[str], learner: str) -> Iterator[dict[str, Any]]:
    """Yield scores of every arm filled up to balance, as they come and with the prior corrected in closed form.

    The augmented arm of the transformer gets as many rows more per group as the largest group has; GPT-4's rows are
    taken as they were recorded, contaminated ones among them.
    """
    arms = [Arm(source=name) for name in ("none", "class weights", *generators)]
    if "transformer" in generators:
        arms.append(Arm(source="transformer", augmented=True))
    if whole.split.recorded is not None:
        arms.append(Arm(source="gpt4"))
    for arm in arms:
        counts = most_counts(whole.groups) if arm.augmented else fill_counts(whole.groups)
        yield from _scored(whole, arm, counts, learner, comparison="paper")


def with_fair_arms(whole: Bench, generators: Sequence[str], learner: str) -> Iterator[dict[str, Any]]:
    """Yield scores of arms that get the same number of rows in every group, each also with a tuned shift.

    Contaminated rows of GPT-4 are out.  Where its clean rows do not suffice, all other arms get as few.  With
    augmentation every group gets as many rows more as the largest group has, whatever makes them.  Where the table has
    enough further real rows, they are an arm too: what a perfect generator would give.
    """
    counts = fair_counts(whole.case, whole.groups)
    arms = [(Arm(source=name), counts) for name in ("none", "class weights", *generators)]
    if whole.split.recorded is not None:
        arms.append((Arm(source="gpt4 clean"), counts))
    if can_give(whole.case.reserve, whole.groups, counts):
        arms.append((Arm(source="real"), counts))
    arms += [(Arm(source=name, augmented=True), whole.most) for name in generators if name in WITH_AUGMENTATION]
    folds = list(folds_of(whole))
    for arm, wanted in arms:
        yield from _scored(whole, arm, wanted, learner, comparison="fair", folds=folds)


def fair_counts(case: Case, groups: Groups) -> dict[Any, int]:
    """Return the rows that every arm gets per group: to full balance, or as many as GPT-4 has clean ones."""
    counts = fill_counts(groups)
    if case.split.recorded is None:
        return counts
    clean = np.bincount(groups.codes(clean_rows(case.split)), minlength=len(groups.table.groups))
    return {group: min(count, int(clean[groups.table.groups.index(group)])) for group, count in counts.items()}


def can_give(rows: pd.DataFrame, groups: Groups, counts: Counts) -> bool:
    """Whether ``rows`` hold as many of every group as are asked for."""
    have = np.bincount(groups.codes(rows), minlength=len(groups.table.groups)) if len(rows) else np.zeros(99)
    return all(have[groups.table.groups.index(group)] >= count for group, count in counts.items())


def folds_of(bench: Bench) -> Iterator[Bench]:
    """Yield benches of two thirds of the training rows, with the last third as test rows."""
    codes = bench.groups.table.group_codes
    cutter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=bench.split.seed)
    for train, held_out in cutter.split(codes, codes):
        part = bench.split.fold(train, held_out)
        split = replace(part, train=part.train.reset_index(drop=True), test=part.test.reset_index(drop=True))
        yield Bench.of(bench.case, split, lambda groups: _in_fold(bench.most, bench.groups, groups), is_fold=True)


def _in_fold(counts: Counts, whole: Groups, fold: Groups) -> dict[Any, int]:
    """Return the counts of a fold: in proportion to the real rows that it has of the group."""
    sizes = {str(group): size for group, size in zip(whole.table.groups, whole.table.group_sizes, strict=True)}
    wanted = {str(group): count for group, count in counts.items()}
    return {
        group: round(wanted.get(str(group), 0) * size / sizes[str(group)])
        for group, size in zip(fold.table.groups, fold.table.group_sizes, strict=True)
    }


def _scored(
    bench: Bench, arm: Arm, counts: Counts, learner: str, *, comparison: str, folds: Sequence[Bench] = ()
) -> Iterator[dict[str, Any]]:
    """Yield one record per shift, or one that says why there is none."""
    started = time.process_time()
    facts = {"comparison": comparison, "arm": arm.name, "n_real": len(bench.split.train), "status": "ok"}
    try:
        n_added, scored = score_shifts(bench, arm, counts, learner, folds)
    except AutosynthError as error:
        yield {**facts, "shift": "none", "status": f"{type(error).__name__}: {error}".split("\n")[0][:200]}
        return
    facts |= {"n_added": n_added, "n_wanted": sum(counts.values()) if arm.makes_rows else 0}
    facts["cpu_s"] = time.process_time() - started
    for shift, scores in scored.items():
        yield {**facts, "shift": shift, **scores}


def score_shifts(
    bench: Bench, arm: Arm, counts: Counts, learner: str, folds: Sequence[Bench]
) -> tuple[int, dict[str, dict[str, float]]]:
    """Return the number of rows added, and the scores on test rows by shift; without folds none is tuned.

    Raises
    ------
    AutosynthError
        If the rows cannot be made.
    """
    split, groups = bench.split, bench.groups
    trained = bench.train(arm, counts, learner)
    proba, codes = trained.learner.proba(split.test), groups.codes(split.test)
    segments = groups.segments[codes]
    shifts = {"none": proba, "prior": prior_shifted(proba, segments, trained.trained_odds)}
    if folds:
        shifts["tuned"] = shifted(proba, segments, _offsets(bench, arm, counts, learner, folds))
    y = groups.is_positive(split.test)
    return trained.n_added, {name: score(y, values, codes, groups.minorities) for name, values in shifts.items()}


def _offsets(bench: Bench, arm: Arm, counts: Counts, learner: str, folds: Sequence[Bench]) -> np.ndarray:
    """Return class offsets fitted on out-of-fold rows: generators learn anew in every fold, recorded rows cannot."""
    held_out, proba = [], []
    for fold in folds:
        trained = fold.train(arm, _in_fold(counts, bench.groups, fold.groups), learner)
        held_out.append(fold.split.test)
        proba.append(trained.learner.proba(fold.split.test))
    rows = pd.concat(held_out, ignore_index=True)
    codes = bench.groups.codes(rows)
    return tuned_offsets(
        bench.groups, bench.groups.is_positive(rows), np.concatenate(proba), bench.groups.segments[codes]
    )
