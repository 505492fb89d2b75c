"""Figures (c) and (d): risk against the number N of rows that every group gets beyond balance, for one setting."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from quality.scores import SCORES

from autosynth.exceptions import AutosynthError
from autosynth.scaling.law import MIN_POINTS, ScalingLaw
from paper.arms import Arm, fill_counts
from paper.cases import SIMULATED, cases
from paper.measure import Bench, folds_of, score_shifts
from paper.results import KEY, Results
from paper.running import opal_of, parse_arguments, run_cases
from paper.scaling_drawing import draw_scaling

if TYPE_CHECKING:
    from quality.splits import Groups

    from paper.cases import Case

SIZES = (12, 25, 50, 100, 200, 400, 800)
GENERATORS = ("smote", "independent", "transformer")
COLUMNS = (*KEY, "arm", "shift", "n_augment", "status", "n_real", "n_added", *SCORES, "cpu_s")
LAWS = ("table", "arm", "shift", "score", "shape", "a", "a_low", "a_high", "b", "c", "c_low", "c_high", "n_seeds")


def measure_and_draw(setting: str, doc: str | None, script: str) -> None:
    """Run one setting from the command line: measure what is missing, fit laws, draw both pictures."""
    arguments = parse_arguments(doc, script, ratios=(9,), generators=GENERATORS)
    results = Results(arguments.out, COLUMNS)
    tables = arguments.tables or [SIMULATED[setting], "gender"]  # the only table of the paper with rows to spare
    if not arguments.plot_only:
        wanted = cases(setting, opal_of(arguments), arguments.ratios, arguments.seeds, tables)
        run_cases(wanted, results, lambda case: scale(case, arguments.generators, arguments.learner))
    scores = results.read()
    laws = fit_laws(scores, "balanced_ce")
    laws.to_csv(arguments.out.with_name(f"{arguments.out.stem}_laws.csv"), index=False, float_format="%.4g")
    print(laws.to_string(index=False))
    stem = arguments.out.stem
    for shift, suffix in (("none", ""), ("tuned", "_fair")):
        path = arguments.out.with_name(f"{stem}{suffix}.png")
        draw_scaling(scores, laws, path, setting, shift=shift, learner=arguments.learner)


def scale(case: Case, generators: Sequence[str], learner: str) -> Iterator[dict[str, Any]]:
    """Yield scores at every N: rows that fill up to balance plus N per group from each generator, and real ones.

    At N = 0 there is balance alone; the arm "none" has no added row at all.  A generator is drawn from once; smaller N
    take its first rows.  Every arm also gets a tuned shift, from folds with real rows and generators of their own.
    """
    whole = Bench.of(case, case.split, lambda groups: fill_counts(groups, SIZES[-1]))
    folds = list(folds_of(whole))
    yield from _point(whole, folds, Arm(source="none"), 0, learner)
    for source in (*generators, "real"):
        for n_augment in (0, *SIZES):
            if source != "real" or is_enough(case.reserve, whole.groups, n_augment):
                yield from _point(whole, folds, Arm(source=source), n_augment, learner)


def is_enough(reserve: pd.DataFrame, groups: Groups, n_augment: int) -> bool:
    """Whether the real rows that are left fill every group up to balance and ``n_augment`` beyond."""
    have = np.bincount(groups.codes(reserve), minlength=len(groups.table.groups)) if len(reserve) else [0]
    wanted = fill_counts(groups, n_augment)
    return len(reserve) > 0 and all(have[groups.table.groups.index(group)] >= n for group, n in wanted.items())


def _point(whole: Bench, folds: Sequence[Bench], arm: Arm, n_augment: int, learner: str) -> Iterator[dict[str, Any]]:
    facts = {"arm": arm.name, "n_augment": n_augment, "n_real": len(whole.split.train), "status": "ok"}
    started = time.process_time()
    counts = fill_counts(whole.groups, n_augment)
    try:
        n_added, scored = score_shifts(whole, arm, counts, learner, folds)
    except AutosynthError as error:
        yield {**facts, "shift": "none", "status": f"{type(error).__name__}: {error}".split("\n")[0][:200]}
        return
    facts |= {"n_added": n_added, "cpu_s": time.process_time() - started}
    for shift, scores in scored.items():
        yield {**facts, "shift": shift, **scores}


def fit_laws(scores: pd.DataFrame, score: str) -> pd.DataFrame:
    """Return risk(N) = a + b N^-c for every table, arm and shift with enough sizes; N = 0 has no place in the law.

    Points are means over seeds.  Their standard errors are those of what is left when a seed's own level is taken away:
    the seeds share their rows at all N, and a level that is common to all N bends no curve.
    """
    found = []
    is_usable = (scores["status"] == "ok") & (scores["n_augment"] > 0)
    usable = scores[is_usable & (scores["shift"] != "prior")]  # balanced rows have no prior to correct
    for (table, arm, shift), mine in usable.groupby(["table", "arm", "shift"], sort=False):
        risks = mine.pivot_table(index="seed", columns="n_augment", values=score).dropna(axis=1)
        if risks.shape[1] < MIN_POINTS:
            continue
        level = risks.sub(risks.mean(axis=1), axis=0)
        errors = level.std(ddof=1).to_numpy() / np.sqrt(len(risks)) if len(risks) > 1 else None
        law = ScalingLaw.fit(risks.columns.to_numpy(dtype=float), risks.mean().to_numpy(), errors)
        found.append(
            {
                "table": table, "arm": arm, "shift": shift, "score": score, "shape": law.shape, "n_seeds": len(risks),
                "a": law.a.value, "a_low": law.a.low, "a_high": law.a.high, "b": law.b.value,
                "c": law.c.value, "c_low": law.c.low, "c_high": law.c.high,
            }
        )  # fmt: skip
    return pd.DataFrame(found, columns=list(LAWS))
