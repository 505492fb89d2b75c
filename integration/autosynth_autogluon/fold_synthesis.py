"""Makes the synthetic rows of one fold: one generator fit for all models, rows for each distinct request."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from autosynth import Group, RowGenerator, SamplingPlan
from autosynth.exceptions import BudgetError, GenerationError
from autosynth.plan import group_weights
from autosynth.plugins import current_plugins
from autosynth.rebalancing import augmented_rows
from autosynth.synthesis import SyntheticRows
from autosynth_autogluon.cache import FoldCache, predictor_root
from autosynth_autogluon.fold_addition import Amounts, FoldAddition
from autosynth_autogluon.fold_gate import FoldVerdict, judge_rows
from autosynth_autogluon.fold_race import RaceAnswer, race_in_fold, raced_by
from autosynth_autogluon.fold_view import LABEL, FoldRows, FoldView, ModelView, OriginalView
from autosynth_autogluon.steps import fit_step, sample_step
from autosynth_autogluon.time_limit import GeneratorTimeoutError, run_within

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.auto import AutoOptions
    from autosynth_autogluon.config import InFoldConfig

T = TypeVar("T")

logger = logging.getLogger(f"autogluon.{__name__}")  # shown at the verbosity that fit was given


@dataclass(frozen=True)
class FittedFold:
    """A generator fitted on one fold, or the reason why there is none."""

    generator: RowGenerator | None
    seconds: float
    cut_short: str = ""


@dataclass(frozen=True)
class MadeRows:
    """Synthetic rows as features and labels, the group of each, and what there is to report: what the cache keeps.

    ``verdict`` is None where nobody asked for checks.
    """

    X: pd.DataFrame
    y: pd.Series[Any]
    group_codes: npt.NDArray[np.int64]
    facts: Mapping[str, Any]
    verdict: FoldVerdict | None = None


class FoldSynthesis:
    """One fold of one predictor, with everything that is shared between the models trained on it."""

    def __init__(self, fold: FoldRows, config: InFoldConfig, path: str) -> None:
        self._config = config
        self._path = path
        self._cache = FoldCache(predictor_root(path))
        side = None if config.side_table is None else config.side_table.read(self._cache.folder)
        self._view: FoldView = (
            OriginalView(fold, config, _require(side), predictor_root(path))
            if config.space == "original"
            else ModelView(fold, config, side, predictor_root(path))
        )
        self._fold = fold
        self._key = _key(fold, config, self._view.table.frame)
        self._generator_key = _original_key(config, self._view.table.frame) if config.space == "original" else self._key

    def fit(self, time_limit_s: float | None) -> FittedFold:
        """Return the generator of this fold, fitted by the first model that asks.

        A fit that was cut short is tried again for a model with at least twice the time.
        """

        def is_good(found: FittedFold) -> bool:
            return found.generator is not None or not (time_limit_s is None or time_limit_s >= 2 * found.seconds)

        key = f"{self._generator_key}-generator"
        fitted, _ = self._cache.get_or_make(key, lambda: self._fit(time_limit_s), is_good=is_good)
        return fitted

    def add(self, amounts: Amounts, time_limit_s: float | None) -> FoldAddition:
        """Return the rows to add, made by the first model that asks for these amounts.

        With ``generator="auto"`` a race comes first, and its winner may ask for no row.
        """
        auto = self._config.auto
        return self._add(amounts, time_limit_s) if auto is None else self._add_by_race(auto, amounts, time_limit_s)

    def _add_by_race(self, auto: AutoOptions, amounts: Amounts, time_limit_s: float | None) -> FoldAddition:
        started = time.perf_counter()
        auto = raced_by(auto, self._config.generator_options, self._fold.eval_metric)
        answer, found = self._cache.get_or_make(
            f"{self._generator_key}-race",
            lambda: self._race(auto, time_limit_s),
            is_good=lambda answer: answer.is_good_for(time_limit_s),
        )
        race = {"race": {**answer.facts, "cached": found}}
        if answer.arguments:
            config = self._config.of_winner(answer.arguments)
            left_s = _left(time_limit_s, started)
            asked = replace(amounts, ratio=config.ratio, synthetic_weight=config.synthetic_weight)
            addition = FoldSynthesis(self._fold, config, self._path).add(asked, left_s)
            return replace(addition, facts={**addition.facts, **race})
        nothing = SamplingPlan.make(self._view.table, strategy={})
        addition = self._nothing(nothing, answer.left_plain, **race)
        if answer.class_weights:
            weights = np.ones(len(self._fold.X))
            weights[self._view.seen] = group_weights(self._view.table)
            addition = replace(addition, group_weights=weights)
        return addition

    def _race(self, auto: AutoOptions, time_limit_s: float | None) -> RaceAnswer:
        started = time.perf_counter()
        table, seed = self._view.table, int(self._generator_key, 16) % 2**31
        try:
            return race_in_fold(
                auto, table, self._config.group_by, seed, time_limit_s, positive_class=self._view.positive_class
            )
        except (BudgetError, GeneratorTimeoutError) as error:
            return RaceAnswer(reason=self._give_up(error), seconds=time.perf_counter() - started)

    def _add(self, amounts: Amounts, time_limit_s: float | None) -> FoldAddition:
        config, table = self._config, self._view.table
        plan = SamplingPlan.make(
            table,
            strategy=amounts.ratio,
            augment=config.augment,
            alpha=config.alpha,
            synthetic_weight=amounts.synthetic_weight,
        )
        wanted = amounts.rows(plan)
        if not wanted.counts:
            return self._nothing(plan, "the groups have the sizes asked for")
        started = time.perf_counter()
        fitted = self.fit(time_limit_s)
        if fitted.generator is None:
            return self._nothing(plan, fitted.cut_short)
        left_s = _left(time_limit_s, started)
        key = f"{self._key}-{_name(wanted.counts)}"
        try:
            made, found = self._cache.get_or_make(
                key, lambda: self._make(fitted, wanted.counts, left_s), is_good=self._is_judged
            )
        except GeneratorTimeoutError as error:
            return self._nothing(plan, self._give_up(error))
        checks: dict[str, Any] = {}
        if made.verdict is not None and config.check != "off":
            checks = {"checks": made.verdict.facts}
            refused = made.verdict.act(config.check, is_news=not found)
            if refused:
                return self._nothing(plan, refused, **checks)
        seconds = round(time.perf_counter() - started, 3)
        facts = {**self._facts(plan), **made.facts, **checks, "cached": found, "seconds": seconds}
        is_augmented = augmented_rows(wanted, made.group_codes)
        return self._addition(made.X, made.y, made.group_codes, is_augmented, plan, facts)

    def _addition(
        self,
        X: pd.DataFrame,
        y: pd.Series[Any],
        group_codes: npt.NDArray[np.int64],
        is_augmented: npt.NDArray[np.bool_],
        plan: SamplingPlan,
        facts: Mapping[str, Any],
    ) -> FoldAddition:
        view = self._view
        return FoldAddition(
            X=X,
            y=y,
            group_codes=group_codes,
            is_augmented=is_augmented,
            real_codes=self._real_codes(),
            plan=plan,
            table=view.table,
            seen=view.seen,
            facts=facts,
        )

    def _fit(self, time_limit_s: float | None) -> FittedFold:
        config = self._config
        started = time.perf_counter()
        rng = np.random.default_rng(int(self._generator_key, 16))
        generator = config.build_generator()
        try:
            fitted = self._run(time_limit_s, fit_step, generator, self._view.table, config.generator_name, rng)
        except GeneratorTimeoutError as error:
            return FittedFold(None, time.perf_counter() - started, cut_short=self._give_up(error))
        seconds = time.perf_counter() - started
        logger.log(15, "\tGenerator %r learned from this fold in %.1f s", config.generator_name, seconds)
        return FittedFold(fitted, seconds)

    def _make(self, fitted: FittedFold, counts: Mapping[Group, int], time_limit_s: float | None) -> MadeRows:
        rows = self._draw(fitted, counts, time_limit_s)
        verdict = None if self._config.check == "off" else self._judge(rows)
        X, y = self._view.to_features(rows.frame)
        per_group = enumerate(np.bincount(rows.group_codes))
        facts = {
            "n_synthetic": len(X),
            "rows_added": {self._fold.name(self._view.table.groups[code]): int(n) for code, n in per_group if n},
            "n_parents": len(np.unique(rows.parents[rows.parents >= 0])),
            "refusals": dict(rows.refusals),
            "notes": dict(rows.notes),
            "generator_fit_s": round(fitted.seconds, 3),
        }
        if not self._is_filtered and current_plugins().implementers("autosynth_keep_rows"):
            facts["row_filters_skipped"] = current_plugins().implementers("autosynth_keep_rows")
        return MadeRows(X, y, rows.group_codes, facts, verdict)

    def _judge(self, rows: SyntheticRows) -> FoldVerdict:
        """Return the verdict on rows as the generator sees them: once, whichever features the models are given."""
        table = self._view.table
        names = {LABEL: "label", **{str(group): self._fold.name(group) for group in table.groups}}
        key = f"{self._generator_key}-{_digest(_row_hashes(rows.frame))[:12]}-verdict"
        verdict, _ = self._cache.get_or_make(
            key,
            lambda: judge_rows(
                table,
                rows,
                names=names,
                copies_wanted=self._config.copies_wanted,
                asks_plugins=self._is_filtered,
                rules=self._config.rules,
            ),
        )
        return verdict

    def _is_judged(self, made: MadeRows) -> bool:
        return made.verdict is not None or self._config.check == "off"

    def _draw(self, fitted: FittedFold, counts: Mapping[Group, int], time_limit_s: float | None) -> SyntheticRows:
        """Return rows as the generator sees them; original ones are kept, for models that see other features."""
        if self._config.is_remote:
            return self._draw_paid(fitted, counts, time_limit_s)
        if self._config.space == "model":
            return self._sample(fitted, counts, time_limit_s)
        key = f"{self._generator_key}-{_name(counts)}-rows"
        rows, _ = self._cache.get_or_make(key, lambda: self._sample(fitted, counts, time_limit_s))
        return rows

    def _draw_paid(self, fitted: FittedFold, counts: Mapping[Group, int], time_limit_s: float | None) -> SyntheticRows:
        """Return rows of a remote generator: the first of those there are, when they suffice.

        What it failed at is kept too, so that no other model pays for the same failure.
        """
        wanted = np.zeros(len(self._view.table.groups), dtype=np.int64)
        for group, count in counts.items():
            wanted[self._view.table.groups.index(group)] = count

        def sample() -> SyntheticRows | GenerationError:
            try:
                return self._sample(fitted, counts, time_limit_s)
            except GenerationError as error:
                return error

        def suffices(found: SyntheticRows | GenerationError) -> bool:
            if isinstance(found, GenerationError):
                return True
            return bool((np.bincount(found.group_codes, minlength=len(wanted)) >= wanted).all())

        answer, found = self._cache.get_or_make(f"{self._generator_key}-rows", sample, is_good=suffices)
        if isinstance(answer, GenerationError):
            if found:
                answer.args = (f"{answer} (So it was for an earlier model of this fold; nothing was sent again.)",)
            raise answer
        rank_in_group = pd.Series(answer.group_codes).groupby(answer.group_codes).cumcount().to_numpy()
        kept = rank_in_group < wanted[answer.group_codes]
        return replace(
            answer,
            frame=answer.frame[kept].reset_index(drop=True),
            group_codes=answer.group_codes[kept],
            parents=answer.parents[kept],
        )

    def _sample(self, fitted: FittedFold, counts: Mapping[Group, int], time_limit_s: float | None) -> SyntheticRows:
        name, table = self._config.generator_name, self._view.table
        rng = np.random.default_rng([int(self._generator_key, 16), 1])
        arguments = (table, counts, name, rng, self._is_filtered, self._config.rules)
        return self._run(time_limit_s, sample_step, fitted.generator, *arguments)

    @property
    def _is_filtered(self) -> bool:
        return self._config.space == "original"  # row filters of plugins know the user's own columns only

    def _run(self, time_limit_s: float | None, function: Callable[..., T], generator: Any, *arguments: Any) -> T:
        """Run a step of the generator, in a process with a hard limit when there is a limit and it may be slow.

        A generator that was defined in a script cannot be found by another process, and runs here without the limit.
        """
        info = self._config.generator_info
        is_quick = info is not None and info.quick
        if time_limit_s is None or is_quick or type(generator).__module__ == "__main__":
            return function(generator, *arguments)
        return run_within(time_limit_s, self._config.generator_name, function, generator, *arguments)

    def _give_up(self, error: BudgetError | GeneratorTimeoutError) -> str:
        if self._config.on_timeout == "raise":
            raise error
        logger.warning("\t%s This fold trains on its real rows alone.", error)
        return str(error)

    def _nothing(self, plan: SamplingPlan, reason: str, **more: Any) -> FoldAddition:
        none = np.empty(0, dtype=np.int64)
        X, y = self._fold.X.iloc[:0], self._fold.y.iloc[:0]
        facts = {**self._facts(plan), "n_synthetic": 0, "left_plain": reason, **more}
        return self._addition(X, y, none, none.astype(bool), plan, facts)

    def _facts(self, plan: SamplingPlan) -> dict[str, Any]:
        return {
            "generator": self._config.generator_name,
            "space": self._config.space,
            "n_real": len(self._fold.X),
            "n_untraced": int((~self._view.seen).sum()),
            "groups": {self._fold.name(row.group): row.n_real for row in plan.groups},
        }

    def _real_codes(self) -> npt.NDArray[np.int64]:
        codes = np.full(len(self._fold.X), -1, dtype=np.int64)
        codes[self._view.seen] = self._view.table.group_codes
        return codes


def _left(time_limit_s: float | None, started: float) -> float | None:
    """Return what is left of a limit, a second at least; None where there is none."""
    return None if time_limit_s is None else max(1.0, time_limit_s - (time.perf_counter() - started))


def _key(fold: FoldRows, config: InFoldConfig, seen: pd.DataFrame) -> str:
    """Name a fold by what decides its rows: the configuration, and its own rows as models and generator see them.

    Nothing of other folds goes in, so that not even the seed depends on a validation row.
    """
    content = hashlib.sha256(config.fingerprint + repr((list(fold.X.columns), list(seen.columns))).encode())
    # an encoded feature that the generator sees too is hashed once; original columns share no dtype with it
    unhashed = [name for name in seen.columns if name not in fold.X.columns or config.space == "original"]
    for rows in (fold.X, seen[unhashed]):
        content.update(_row_hashes(rows))
    content.update(np.ascontiguousarray(fold.y.to_numpy()).tobytes())
    return content.hexdigest()[:20]


def _original_key(config: InFoldConfig, seen: pd.DataFrame) -> str:
    """Name a fold by its original rows alone.

    AutoGluon encodes all rows together, so codes of categories may shift with a validation row, and models may be given
    fewer features; neither is to change the generator's seed, or to make it learn and generate again.
    """
    content = hashlib.sha256(config.fingerprint + repr(list(seen.columns)).encode() + _row_hashes(seen))
    return content.hexdigest()[:20]


def _name(counts: Mapping[Group, int]) -> str:
    return _digest(repr([(str(group), count) for group, count in counts.items()]).encode())[:12]


def _row_hashes(rows: pd.DataFrame) -> bytes:
    objects = {name: rows[name].astype(str) for name in rows.columns if pd.api.types.is_object_dtype(rows[name])}
    hashes: bytes = pd.util.hash_pandas_object(rows.assign(**objects)).to_numpy().tobytes()
    return hashes


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _require(side: pd.DataFrame | None) -> pd.DataFrame:
    assert side is not None, "rebalanced() asks for data= when space is 'original'"  # noqa: S101
    return side
