from __future__ import annotations

import dataclasses
import math
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score, balanced_accuracy_score, log_loss, roc_auc_score

from autosynth.exceptions import ConfigError, DataError
from autosynth.prior_shift import fit_offsets, log_softmax, prior_offsets
from autosynth.table import Table
from autosynth.tuning.arm import CLASS_WEIGHTS, NONE
from autosynth.tuning.candidate import Candidate, Scored, difference, spread
from autosynth.tuning.folds import Folds
from autosynth.tuning.judge import Judge
from autosynth.tuning.metrics import METRICS, Metric
from autosynth.tuning.outcome import ArmOutcome
from autosynth.tuning.probability_shift import ProbabilityShift
from autosynth.tuning.worst_shift import fit_worst_offsets
from tests.core.race import Race, left_early, smote

QUICK = settings(max_examples=15, deadline=None)
REPLICATES = 400


def judge_of(race: Race, metric: object = "balanced_cross_entropy", **options: object) -> Judge:
    return Judge.of(race.table, race.folds, **{"metric": metric, "n_bootstrap": 100} | options)


def by_shift(scored: tuple[Scored, ...]) -> dict[str, Scored]:
    return {each.candidate.shift: each for each in scored}


def cross_entropy(race: Race, logit: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, np.where(race.y == 1, -logit, logit))


def mean_over_folds(race: Race, logit: np.ndarray, score: object) -> float:
    parts = [race.folds.validates(repeat, fold) for repeat, fold in race.folds]
    return float(np.mean([score(race.y[rows], logit[rows]) for rows in parts]))  # type: ignore[operator]


def delong_standard_error(y: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Standard error of the difference of two AUCs (DeLong, DeLong, Clarke-Pearson, Biometrics 44, 1988)."""
    placements = []
    for scores in (first, second):
        positive, negative = scores[y == 1], scores[y == 0]
        wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
        placements.append((wins.mean(axis=1), wins.mean(axis=0)))
    of_positives = placements[0][0] - placements[1][0]
    of_negatives = placements[0][1] - placements[1][1]
    return math.sqrt(of_positives.var(ddof=1) / len(of_positives) + of_negatives.var(ddof=1) / len(of_negatives))


def test_every_metric_is_what_other_libraries_say() -> None:
    race = Race(n_rows=800, groups=("a", "b"))
    logit = race.noisy()
    losses, cells = cross_entropy(race, logit), race.table.group_codes
    risks = [losses[cells == cell].mean() for cell in range(4)]
    expected = {
        "balanced_cross_entropy": np.mean(risks),
        "worst_group_risk": max(risks),
        "log_loss": log_loss(race.y, 1 / (1 + np.exp(-logit))),
        "roc_auc": mean_over_folds(race, logit, roc_auc_score),
        "average_precision": mean_over_folds(race, logit, average_precision_score),
        "balanced_accuracy": balanced_accuracy_score(race.y, logit > 0),
    }
    assert set(expected) == set(METRICS)
    for name, value in expected.items():
        judge = judge_of(race, name)
        plain = judge.score(race.outcome(logit))[0]
        assert judge.metric.score(plain.loss) == pytest.approx(value), name
        assert plain.side["roc_auc"] == pytest.approx(expected["roc_auc"])
        assert plain.side["average_precision"] == pytest.approx(expected["average_precision"])
        assert plain.balanced_risk[0] == pytest.approx(expected["balanced_cross_entropy"])
        assert plain.worst_risk[0] == pytest.approx(expected["worst_group_risk"])
        assert plain.mean_risk[0] == pytest.approx(expected["log_loss"])


def test_a_model_that_is_too_sure_of_itself_still_ranks_as_it_does_elsewhere() -> None:
    race = Race(n_rows=800)
    logit = 8 * race.noisy()  # most probabilities lie below the floor of a loss, 1e-7, or as near to 1
    judge, outcome = judge_of(race), race.outcome(logit)
    positive = outcome.probabilities[0, :, 1]
    expected = [mean_over_folds(race, positive, score) for score in (roc_auc_score, average_precision_score)]
    for each in judge.score(outcome):
        assert [each.side["roc_auc"], each.side["average_precision"]] == pytest.approx(expected, abs=1e-9), each.name
        assert [draws[0] for draws in judge.ranking(each)] == pytest.approx(expected, abs=1e-9), each.name


def test_metrics_that_ask_for_the_order_have_no_shifts() -> None:
    race = Race()
    for name in ("roc_auc", "average_precision"):
        assert [each.name for each in judge_of(race, name).score(race.outcome(race.logit))] == ["none"]


def test_the_paired_standard_error_is_that_of_the_closed_form() -> None:
    race = Race(n_rows=3000, groups=("a", "b"))
    judge = judge_of(race, n_bootstrap=REPLICATES)
    first, second = race.noisy(), race.noisy()
    difference_of_losses = cross_entropy(race, first) - cross_entropy(race, second)
    groups = [difference_of_losses[race.table.group_codes == code] for code in range(4)]
    closed_form = math.sqrt(sum(group.var() / len(group) for group in groups)) / len(groups)
    scored = [judge.score(race.outcome(logit))[0] for logit in (first, second)]
    change = difference(*scored)
    assert change.value == pytest.approx(np.mean([group.mean() for group in groups]))
    # A standard deviation of 400 replicates is 3.5 % off by chance.
    assert spread(scored[0].draws - scored[1].draws) == pytest.approx(closed_form, rel=0.15)
    assert (change.high - change.low) / 2 == pytest.approx(1.96 * closed_form, rel=0.15)


def test_the_standard_error_of_an_auc_difference_is_delongs() -> None:
    race = Race(n_rows=2000)
    judge = judge_of(race, "roc_auc", n_bootstrap=REPLICATES)
    first, second = race.noisy(0.5), race.noisy(0.5)
    ahead = judge.score(race.outcome(first))[0].draws - judge.score(race.outcome(second))[0].draws
    assert spread(ahead) == pytest.approx(delong_standard_error(race.y, first, second), rel=0.15)


def test_limits_of_the_difference_hold_the_truth_as_often_as_they_say() -> None:
    held = 0
    race = Race(n_rows=400, share=0.25)
    for seed in range(60):
        judge = judge_of(race, "roc_auc", random_state=seed)
        pair = [judge.score(race.outcome(race.noisy()))[0] for _ in range(2)]
        change = difference(*pair)
        held += change.low <= 0 <= change.high
    assert held >= stats.binom.ppf(0.005, 60, 0.95)


def test_losses_of_a_row_are_averaged_over_repeats() -> None:
    race = Race(n_rows=600, repeats=3)
    logits = np.stack([race.noisy() for _ in range(3)])
    plain = judge_of(race).score(race.outcome(logits))[0]
    losses = np.mean([cross_entropy(race, logit) for logit in logits], axis=0)
    assert plain.loss == pytest.approx(np.mean([losses[race.y == label].mean() for label in (0, 1)]))
    # Averaged losses vary less than those of one repeat, by what the repeats do not share, and not by sqrt(3).
    single = judge_of(race).score(race.outcome(np.stack([logits[0]] * 3)))[0]
    assert 0.8 * single.standard_error < plain.standard_error < 1.1 * single.standard_error


def test_the_closed_form_undoes_the_prior_of_training_exactly() -> None:
    race = Race()
    judge = judge_of(race)
    plain = by_shift(judge.score(race.outcome(race.logit)))
    balanced = race.logit - np.log(np.bincount(race.y)[1] / np.bincount(race.y)[0])
    expected = cross_entropy(race, balanced)
    risks = [expected[race.y == label].mean() for label in (0, 1)]
    assert plain["prior"].loss == pytest.approx(np.mean(risks), abs=2e-4)  # priors of the folds differ a little
    assert plain["prior"].loss < plain["none"].loss - 0.2


def test_the_closed_form_follows_what_each_folds_model_was_trained_with() -> None:
    race = Race(n_rows=500)
    trained = np.ones((1, 5, 1, 2)) * np.array([[100.0, 50.0]])
    trained[0, 3] = [[100.0, 25.0]]
    scored = by_shift(judge_of(race).score(race.outcome(race.logit, smote(), trained)))
    odds = np.where(race.folds.assignment[0] == 3, 4.0, 2.0)
    losses = cross_entropy(race, race.logit + np.log(odds))
    assert scored["prior"].loss == pytest.approx(np.mean([losses[race.y == label].mean() for label in (0, 1)]))


def test_log_loss_is_corrected_to_the_real_prior() -> None:
    race = Race(n_rows=3000)
    judge = judge_of(race, "log_loss")
    assert [each.candidate.shift for each in judge.score(race.outcome(race.logit))] == ["none", "tuned"]
    balanced = by_shift(judge.score(race.balanced(race.logit, CLASS_WEIGHTS)))
    right = cross_entropy(race, race.logit).mean()
    assert balanced["prior"].loss == pytest.approx(right, abs=2e-3)
    assert balanced["tuned"].loss == pytest.approx(right, abs=2e-3)
    assert balanced["none"].loss > right + 0.1


@given(
    weights=st.lists(st.lists(st.floats(0.1, 1e4), min_size=3, max_size=3), min_size=1, max_size=4),
    target=st.lists(st.floats(0.1, 1e4), min_size=3, max_size=3),
)
@QUICK
def test_a_correction_and_its_inverse_cancel_in_every_segment(weights: list[list[float]], target: list[float]) -> None:
    trained = np.array(weights)
    there, back = (
        prior_offsets(trained, np.tile(target, (len(trained), 1))),
        prior_offsets(np.tile(target, (len(trained), 1)), trained),
    )
    np.testing.assert_allclose(there[:-1] + back[:-1], 0, atol=1e-9)
    even = log_softmax(np.log(trained) + prior_offsets(trained)[:-1])
    np.testing.assert_allclose(np.exp(even), 1 / 3)


def test_a_class_without_weight_in_a_segment_gets_the_pooled_correction() -> None:
    trained = np.array([[90.0, 10.0, 0.0], [80.0, 0.0, 20.0]])
    offsets = prior_offsets(trained)
    shares = np.log(trained.sum(axis=0) / trained.sum())
    assert np.isfinite(offsets).all()
    assert offsets[0, 2] == pytest.approx(-shares[2] + np.log(0.9))
    assert offsets[1, 1] == pytest.approx(-shares[1] + np.log(0.8))
    assert prior_offsets(np.array([[5.0, 5.0, 0.0]]))[0].tolist() == [0.0, 0.0, pytest.approx(np.log(0.5))]


def test_no_row_has_a_part_in_its_own_tuned_shift() -> None:
    race = Race(n_rows=400, share=0.3)
    judge = judge_of(race)
    outcome = race.outcome(race.logit)
    fold = race.folds.assignment[0] == 2
    moved = outcome.probabilities.copy()
    moved[0, fold] = moved[0, fold][:, ::-1]

    def slope_and_height(each: ArmOutcome, fold: int) -> np.ndarray:
        said, rows = judge._said(each), race.folds.validates(0, fold)
        before, after = said.logs[0, rows], said.tuned(judge._fitter).logs[0, rows]
        return np.polyfit(before[:, 1] - before[:, 0], after[:, 1] - after[:, 0], 1)

    other = dataclasses.replace(outcome, probabilities=moved)
    # Temperature and offsets of a fold know nothing of it.
    np.testing.assert_allclose(slope_and_height(other, 2), slope_and_height(outcome, 2), atol=1e-9)
    assert np.abs(slope_and_height(other, 1) - slope_and_height(outcome, 1)).min() > 1e-3


def test_a_tuned_shift_that_nothing_calls_for_wins_nothing() -> None:
    wins, cheats = [], []
    for seed in range(30):
        race = Race(n_rows=200, share=0.5, seed=seed)
        scored = by_shift(judge_of(race, n_bootstrap=20).score(race.outcome(race.logit)))
        wins.append(scored["none"].loss - scored["tuned"].loss)
        logs = np.column_stack([-np.logaddexp(0, race.logit), -np.logaddexp(0, -race.logit)])
        offsets = fit_offsets(logs, race.y, np.zeros(200, dtype=np.int64), n_segments=1)
        fitted = log_softmax(logs + offsets[0])[np.arange(200), race.y]
        cheats.append(scored["none"].loss + np.mean([fitted[race.y == label].mean() for label in (0, 1)]))
    assert np.mean(wins) < 0
    assert np.mean(cheats) > 0  # fitted on the rows it is judged on, it would win


def test_the_first_fold_alone_can_be_judged_with_every_shift() -> None:
    race = Race(n_rows=1000)
    judge = judge_of(race)
    whole = race.outcome(race.logit)
    early = left_early(whole, race.folds, 1)
    scored = by_shift(judge.score(early))
    rows = race.folds.validates(0, 0)
    losses = cross_entropy(race, race.logit)
    assert set(scored) == {"none", "prior", "tuned"}
    assert scored["none"].loss == pytest.approx(np.mean([losses[rows & (race.y == label)].mean() for label in (0, 1)]))
    assert scored["tuned"].loss < scored["none"].loss - 0.1
    again = by_shift(judge.score(whole, scored["none"].folds))
    for shift, each in scored.items():
        np.testing.assert_allclose(again[shift].draws, each.draws)
    with pytest.raises(ValueError, match="different folds"):
        difference(scored["none"], judge.score(whole)[0])


def test_an_arm_that_ran_no_fold_has_no_score() -> None:
    race = Race(n_rows=200)
    assert judge_of(race).score(left_early(race.outcome(race.logit), race.folds, 0, "failed")) == ()


def test_a_group_missing_from_the_judged_folds_is_left_out() -> None:
    race = Race(n_rows=200)
    frame = race.table.frame.assign(site=["rare"] * 2 + ["common"] * 198)
    frame.loc[[0, 1], "ill"] = ["no", "no"]
    race.table = Table.from_frame(frame, label="ill", group_by="site")
    race.y = (frame["ill"] == "yes").to_numpy().astype(int)
    race.folds = Folds.of(race.table, 5)
    race.coded = race.coded.of(race.table)
    judge = judge_of(race)
    outcome = race.outcome(race.logit)
    rare_folds = race.folds.assignment[0, :2]
    without = next(fold for fold in range(5) if fold not in rare_folds)
    only = np.zeros((1, 5), dtype=bool)
    only[0, without] = True
    assert judge.score(outcome)[0].cell_risks.shape[1] == len(judge.groups) == 3
    assert judge.score(outcome, only)[0].cell_risks.shape[1] == 2
    assert np.isfinite(judge.score(outcome)[0].draws).all()


def test_a_shift_that_changes_nothing_is_left_out() -> None:
    race = Race()
    shifts = [each.candidate.shift for each in judge_of(race).score(race.balanced(race.logit, smote()))]
    assert shifts == ["none", "tuned"]


def test_three_classes_are_judged_by_all_metrics() -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(3, 900, p=[0.7, 0.2, 0.1])
    logits = rng.normal(size=(900, 3)) + 1.5 * np.eye(3)[y] + np.log([0.7, 0.2, 0.1])
    table = Table.from_frame(pd.DataFrame({"x": logits[:, 0], "kind": np.array(["a", "b", "c"])[y]}), label="kind")
    folds = Folds.of(table, 5)
    probabilities = np.exp(log_softmax(logits))
    outcome = ArmOutcome(NONE, probabilities[None], np.tile(np.bincount(y) * 0.8, (1, 5, 1, 1)), 5, "done")
    scored = {name: by_shift(Judge.of(table, folds, metric=name, n_bootstrap=50).score(outcome)) for name in METRICS}
    parts = [folds.validates(0, fold) for fold in range(5)]
    macro = np.mean([roc_auc_score(np.eye(3)[y[rows]], probabilities[rows], average="macro") for rows in parts])
    assert 1 - scored["roc_auc"]["none"].loss == pytest.approx(macro)
    plain = balanced_accuracy_score(y, probabilities.argmax(axis=1))
    assert 1 - scored["balanced_accuracy"]["none"].loss == pytest.approx(plain)
    assert scored["balanced_accuracy"]["tuned"].loss < scored["balanced_accuracy"]["none"].loss
    for name in ("balanced_cross_entropy", "worst_group_risk", "log_loss"):
        assert all(each.standard_error > 0 for each in scored[name].values())
    with pytest.raises(ConfigError, match="is for two classes, and there are 3"):
        Judge.of(table, folds, positive_class="a")


def test_the_positive_class_is_the_one_asked_for() -> None:
    race = Race()
    outcome = race.outcome(race.logit)
    first = judge_of(race, "average_precision", positive_class="no").score(outcome)[0]
    expected = mean_over_folds(race, race.logit, lambda y, logit: average_precision_score(1 - y, -logit))
    assert 1 - first.loss == pytest.approx(expected)
    with pytest.raises(ConfigError, match=r"positive_class='yess' is not a class.* Did you mean 'yes'"):
        judge_of(race, positive_class="yess")


def test_a_worst_group_shift_makes_the_worst_group_better_than_even_classes_do() -> None:
    rng = np.random.default_rng(0)
    y, segments = (rng.random(2000) < 0.3).astype(int), rng.integers(2, size=2000)
    logit = rng.normal(size=2000) * np.where(y == 1, 2.0, 0.5) + y * np.where(segments == 0, 2.0, 0.5)
    logs = np.column_stack([-np.logaddexp(0, logit), -np.logaddexp(0, -logit)])

    def worst(offsets: np.ndarray) -> float:
        losses = -log_softmax(logs + offsets[segments])[np.arange(2000), y]
        return max(losses[(y == label) & (segments == code)].mean() for label in (0, 1) for code in (0, 1))

    even = fit_offsets(logs, y, segments, n_segments=2)
    assert worst(fit_worst_offsets(logs, y, segments, n_segments=2)) < worst(even) - 0.01


def test_a_function_of_the_users_own_is_called_fold_by_fold() -> None:
    race = Race(n_rows=500)
    calls = []

    def brier_skill(y_true: pd.Series, y_proba: pd.DataFrame) -> float:
        calls.append(len(y_true))
        assert y_true.index.equals(y_proba.index)
        assert list(y_proba.columns) == ["no", "yes"]
        return -float(((y_proba["yes"] - (y_true == "yes")) ** 2).mean())

    judge = judge_of(race, brier_skill)
    scored = by_shift(judge.score(race.outcome(race.logit)))
    probability = 1 / (1 + np.exp(-race.logit))
    assert calls[:5] == [100] * 5
    assert judge.metric.name == "brier_skill"
    expected = mean_over_folds(race, probability, lambda y, p: ((p - y) ** 2).mean())
    assert scored["none"].loss == pytest.approx(expected, rel=0.02)
    folds = [((probability - race.y) ** 2)[race.folds.validates(0, fold)].mean() for fold in range(5)]
    assert scored["none"].standard_error == pytest.approx(np.std(folds, ddof=1) * math.sqrt(1 / 5 + 1 / 4), rel=0.25)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_function_is_not_taken_for_the_metric_whose_name_it_has(name: str) -> None:
    race = Race(n_rows=300)

    def brier_skill(y_true: pd.Series, y_proba: pd.DataFrame) -> float:
        return -float(((y_proba["yes"] - (y_true == "yes")) ** 2).mean())

    expected = judge_of(race, brier_skill)
    brier_skill.__name__ = name
    judge = judge_of(race, brier_skill)
    assert judge.metric.name not in METRICS
    found, wanted = by_shift(judge.score(race.outcome(race.logit))), by_shift(expected.score(race.outcome(race.logit)))
    assert {shift: each.draws.tolist() for shift, each in found.items()} == {
        shift: each.draws.tolist() for shift, each in wanted.items()
    }


@pytest.mark.parametrize(
    ("value", "message"), [(math.nan, "returned nan for fold 1 of 5"), ("high", "must return one number")]
)
def test_a_function_that_returns_no_number_is_an_error(value: object, message: str) -> None:
    race = Race(n_rows=200)
    with pytest.raises(ConfigError, match=message):
        judge_of(race, lambda y_true, y_proba: value).score(race.outcome(race.logit))


def test_unknown_metrics_and_too_few_replicates_are_errors() -> None:
    race = Race(n_rows=200)
    with pytest.raises(ConfigError, match="metric='auc' is unknown"):
        judge_of(race, "auc")
    with pytest.raises(ConfigError, match="neither a name nor a function"):
        Metric.of(3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="n_bootstrap=5"):
        judge_of(race, n_bootstrap=5)


def test_a_probability_that_is_no_number_is_an_error_that_counts_rows() -> None:
    race = Race(n_rows=200)
    outcome = race.outcome(race.logit)
    outcome.probabilities[0, :3] = np.nan
    with pytest.raises(DataError, match="3 of 200 validation rows"):
        judge_of(race).score(outcome)


def test_the_same_seed_gives_the_same_replicates_for_every_candidate() -> None:
    race = Race(n_rows=300)
    outcome = race.outcome(race.logit)
    first, second = (judge_of(race, random_state=3).score(outcome)[0] for _ in range(2))
    np.testing.assert_array_equal(first.draws, second.draws)
    other = judge_of(race, random_state=4).score(outcome)[0]
    assert other.loss == first.loss
    assert not np.array_equal(other.draws, first.draws)


@pytest.mark.parametrize("metric", ["balanced_cross_entropy", "worst_group_risk", "balanced_accuracy", "log_loss"])
def test_offsets_for_a_later_model_do_what_the_race_did(metric: str) -> None:
    race = Race(n_rows=2000, groups=("a", "b"))
    judge = judge_of(race, metric)
    outcome = race.outcome(race.logit)
    for shift, scored in by_shift(judge.score(outcome)).items():
        fitted = ProbabilityShift.of(judge.fitted(outcome, shift), race.table, race.coded)  # type: ignore[arg-type]
        applied = fitted.apply(outcome.probabilities[0], race.table.frame)
        np.testing.assert_allclose(applied.sum(axis=1), 1)
        again = judge.score(dataclasses.replace(outcome, probabilities=applied[None]))[0]
        # A threshold for the balanced accuracy is a noisy thing: here it is fitted on the rows that it is judged on.
        assert again.loss == pytest.approx(scored.loss, abs=0.03 if metric == "balanced_accuracy" else 0.02), shift


def test_offsets_of_small_segments_are_not_surer_for_being_seen_in_several_repeats() -> None:
    once, often = Race(n_rows=160, groups=("a", "b")), Race(n_rows=160, groups=("a", "b"), repeats=5)
    found = [judge_of(race).fitted(race.outcome(race.logit), "tuned").offsets for race in (once, often)]
    np.testing.assert_allclose(found[1], found[0], atol=1e-6)  # the models say the same in every repeat


def test_scoring_thirty_candidates_takes_seconds() -> None:
    race = Race(n_rows=10_000)
    judge = judge_of(race, n_bootstrap=200)
    arms = [race.outcome(race.noisy(), smote((place + 1) / 10)) for place in range(10)]
    started = time.process_time()
    scored = [each for outcome in arms for each in judge.score(outcome)]
    assert len(scored) == 30
    assert time.process_time() - started < 4


def test_a_candidate_is_named_by_arm_and_shift() -> None:
    assert [Candidate(smote(0.5), shift).name for shift in ("none", "prior", "tuned")] == [
        "smote, ratio 0.5",
        "smote, ratio 0.5, corrected prior",
        "smote, ratio 0.5, tuned threshold",
    ]
