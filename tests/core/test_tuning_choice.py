from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from autosynth.exceptions import AutosynthError, ConfigError, DataError
from autosynth.rebalancing import rebalance
from autosynth.table import Table
from autosynth.tuning.arm import CLASS_WEIGHTS, NONE, Arm
from autosynth.tuning.candidate import Candidate, Scored
from autosynth.tuning.choice import Choice, choose
from autosynth.tuning.folds import Folds
from autosynth.tuning.judge import Judge
from autosynth.tuning.label_codes import Coded
from autosynth.tuning.outcome import ArmOutcome
from autosynth.tuning.probability_shift import ProbabilityShift
from autosynth.tuning.rule import Pick, pick
from autosynth.tuning.shifts import FittedShift
from autosynth.tuning.ways import Ways
from tests.core.race import Race, left_early, smote

ERROR = 0.01
RNG_DRAWS = 200


def candidate(
    arm: Arm, loss: float, *, shift: str = "none", error: float = ERROR, seed: int = 0, status: str = "done"
) -> Scored:
    """Return a candidate whose noise is its own."""
    noise = np.random.default_rng([seed, len(arm.name), ord(shift[0])]).normal(size=RNG_DRAWS)
    draws = loss + error / math.sqrt(2) * np.r_[0.0, (noise - noise.mean()) / noise.std()]
    nothing = np.full((1, 5, 1, 2), np.nan)
    outcome = ArmOutcome(arm, np.empty((1, 0, 2)), nothing, 5, status, n_synthetic=100.0 * arm.ratio)  # type: ignore[arg-type]
    return Scored(
        candidate=Candidate(arm, shift),  # type: ignore[arg-type]
        outcome=outcome,
        folds=np.ones((1, 5), dtype=bool),
        draws=draws,
        cell_risks=np.column_stack([draws, draws]),
        mean_risk=draws,
    )


def picked(*some: Scored) -> str:
    return pick(some).chosen.name


def choice_of(race: Race, outcomes: Sequence[ArmOutcome], **options: object) -> Choice:
    judge = Judge.of(race.table, race.folds, **{"n_bootstrap": 100} | options)
    scored = [each for outcome in outcomes for each in judge.score(outcome)]
    return choose(scored, judge, gain_of=Ways(judge, outcomes).gain_of, outcomes=outcomes)


def null_race(seed: int, n_arms: int, metric: str, n_rows: int) -> Pick:
    """Race plain training and class weights against arms that are as good as they are, and differ by noise alone."""
    race = Race(n_rows, share=0.2, seed=seed)
    judge = Judge.of(race.table, race.folds, metric=metric, n_bootstrap=60)
    outcomes = race.outcomes(n_arms, noise=0.3)
    return pick([each for outcome in outcomes for each in judge.score(outcome)])


def test_plain_training_stays_when_nothing_is_clearly_better() -> None:
    assert picked(candidate(NONE, 0.50), candidate(smote(), 0.495)) == "none"


def test_an_arm_that_leads_by_more_than_a_standard_error_is_chosen_when_it_is_alone() -> None:
    assert picked(candidate(NONE, 0.50), candidate(smote(), 0.48)) == "smote, ratio 1"


def test_the_best_of_many_must_lead_by_more_than_the_best_of_many_leads_by_chance() -> None:
    alone = candidate(smote(), 0.483)
    many = [candidate(smote((place + 1) / 50), 0.5, seed=place + 1) for place in range(49)]
    assert picked(candidate(NONE, 0.50), alone) == "smote, ratio 1"
    challenge = pick([candidate(NONE, 0.50), alone, *many]).challenge
    assert challenge is not None
    assert 1.5 < challenge.lead < 2.0
    assert 1.0 < challenge.by_chance < 2.3
    assert not challenge.is_won


def test_candidates_far_behind_do_not_raise_the_bar() -> None:
    many = [candidate(smote((place + 1) / 50), 0.9, seed=place + 1) for place in range(49)]
    challenge = pick([candidate(NONE, 0.50), candidate(smote(), 0.483), *many]).challenge
    assert challenge is not None
    assert challenge.by_chance == 0
    assert challenge.is_won


def test_candidates_that_left_early_raise_the_bar_too() -> None:
    stayed = [candidate(NONE, 0.50), candidate(smote(), 0.483)]
    left = [candidate(smote(place / 50), 0.5, seed=place, status="dropped") for place in range(1, 50)]
    challenge = pick([*stayed, *left]).challenge
    assert challenge is not None
    assert challenge.n_tried == 50
    assert challenge.by_chance == pytest.approx(0.8 * 2.25, abs=0.05)  # of the largest of fifty standard normal draws
    assert not challenge.is_won


def test_fifty_arms_of_pure_noise_are_nearly_never_chosen() -> None:
    picks = [null_race(seed, 50, "roc_auc", n_rows=300) for seed in range(15)]
    leads = [each.challenge.lead for each in picks if each.challenge is not None]
    assert sum(each.chosen.candidate.level == 2 for each in picks) <= 1
    assert sum(each.chosen.name == "none" for each in picks) >= 9  # else class weights, alone of their kind
    assert np.mean(np.array(leads) > 1) > 0.3  # the bare rule of one standard error would take one so often


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["balanced_cross_entropy", "worst_group_risk", "average_precision", "log_loss"])
def test_arms_of_pure_noise_are_nearly_never_chosen_by_any_metric(metric: str) -> None:
    for n_arms in (1, 12, 50):
        picks = [null_race(seed, n_arms, metric, n_rows=1500) for seed in range(40)]
        assert sum(each.chosen.candidate.level == 2 for each in picks) <= 5, n_arms


def test_a_really_better_arm_is_chosen_among_many() -> None:
    for seed in range(3):
        race = Race(1000, seed=seed)
        outcomes = race.outcomes(10, noise=0.3, better=0.7)
        assert choice_of(race, outcomes, metric="roc_auc").arm == outcomes[2].arm


def test_doing_less_wins_within_one_standard_error() -> None:
    shifts = [candidate(NONE, 0.50, shift=shift) for shift in ("none", "prior", "tuned")]
    assert picked(*shifts) == "none"
    assert picked(candidate(NONE, 0.9), candidate(NONE, 0.505, shift="prior"), shifts[2]) == "none, tuned threshold"
    assert picked(candidate(NONE, 0.9), candidate(NONE, 0.55, shift="prior"), shifts[2]) == "none, tuned threshold"
    assert picked(candidate(NONE, 0.9), shifts[1], candidate(NONE, 0.505, shift="tuned")) == "none, tuned threshold"
    assert picked(candidate(NONE, 0.9), shifts[1], candidate(NONE, 0.55, shift="tuned")) == "none, corrected prior"
    weights = candidate(CLASS_WEIGHTS, 0.495)
    assert picked(shifts[2], weights) == "none, tuned threshold"
    assert picked(shifts[2], candidate(CLASS_WEIGHTS, 0.47)) == "class weights"
    less, more = candidate(smote(1.0, weight=0.1), 0.402), candidate(smote(1.0), 0.40)
    assert picked(shifts[2], more, less) == "smote, ratio 1, weight 0.1"


def test_the_closed_form_is_chosen_where_it_leads_the_tuned_shift_of_its_arm_by_more_than_a_standard_error() -> None:
    plain, tuned = candidate(NONE, 0.9), candidate(NONE, 0.50, shift="tuned")
    assert picked(plain, tuned, candidate(NONE, 0.495, shift="prior")) == "none, tuned threshold"
    assert picked(plain, tuned, candidate(NONE, 0.48, shift="prior")) == "none, corrected prior"
    few, many = smote(0.5), smote(1.0)
    best = candidate(many, 0.50, shift="tuned", seed=1)
    few_tuned, few_prior = candidate(few, 0.512, shift="tuned"), candidate(few, 0.507, shift="prior")
    assert picked(plain, few_prior, best) == few_prior.name
    assert picked(plain, few_tuned, few_prior, best) == best.name  # behind it, and no better than the closed form


def test_weights_are_no_excuse_for_rows() -> None:
    none, weights = candidate(NONE, 0.50), candidate(CLASS_WEIGHTS, 0.40)
    assert picked(none, weights, candidate(smote(), 0.395)) == "class weights"
    result = pick([none, weights, candidate(smote(), 0.395)])
    assert result.reference is not None
    assert result.reference.name == "class weights"
    assert result.best.name == "smote, ratio 1"


def test_effort_orders_shifts_weights_and_synthetic_weight_times_rows() -> None:
    ordered = [
        *(candidate(NONE, 0.5, shift=shift) for shift in ("none", "tuned", "prior")),
        *(candidate(CLASS_WEIGHTS, 0.5, shift=shift) for shift in ("none", "tuned")),
        candidate(smote(1.0, weight=0.1), 0.5),
        candidate(smote(0.5), 0.5),
        candidate(smote(0.5), 0.5, shift="tuned"),
        candidate(smote(1.0), 0.5),
    ]
    assert [each.effort for each in ordered] == sorted(each.effort for each in ordered)


def test_where_nobody_knows_the_noise_nothing_is_done() -> None:
    none, better = candidate(NONE, 0.50), candidate(smote(), 0.30)
    unknown = [Scored(**{**vars(each), "draws": np.r_[each.loss, np.full(20, np.nan)]}) for each in (none, better)]
    assert picked(*unknown) == "none"


def test_candidates_that_left_early_are_never_chosen() -> None:
    assert picked(candidate(NONE, 0.50), candidate(smote(), 0.1, status="dropped")) == "none"
    result = pick([candidate(smote(), 0.5)])
    assert result.chosen.name == "smote, ratio 1"
    assert result.reference is None
    assert result.challenge is None


def test_a_race_that_nobody_finished_is_an_error_with_all_reasons() -> None:
    race = Race(200)
    outcomes = [
        left_early(race.outcome(race.logit), race.folds, 1, "out of time", "the budget of 3 s ended"),
        left_early(race.outcome(race.logit, smote()), race.folds, 0, "failed", "ValueError: no rows"),
    ]
    judge = Judge.of(race.table, race.folds)
    scored = [each for outcome in outcomes for each in judge.score(outcome)]
    with pytest.raises(AutosynthError, match=r"none: out of time, the budget of 3 s ended"):
        pick(scored)


def test_the_words_of_doing_nothing_say_how_near_the_best_arm_came() -> None:
    race = Race(1500, seed=1)
    choice = choice_of(race, race.outcomes(3), metric="log_loss")
    assert str(choice).startswith("Do nothing: ")
    assert choice.is_none
    assert choice.rebalance_arguments == {}
    assert not choice.offsets.any()
    assert "candidates with synthetic rows, 'smote, ratio" in choice.reason
    assert "within noise" in choice.reason or "no gain" in choice.reason


def test_a_moved_threshold_is_told_with_its_price_and_is_no_gain() -> None:
    race = Race(3000, seed=1)
    choice = choice_of(race, [outcome for outcome in race.outcomes(2) if not outcome.arm.class_weights])
    assert choice.shift in ("prior", "tuned")
    assert choice.is_none
    assert choice.reason.startswith("No synthetic rows; ")
    assert "(predict 'yes' from a probability of 0." in choice.reason
    assert choice.threshold == pytest.approx(0.1, abs=0.03)
    assert "lowers balanced cross-entropy by 0." in choice.reason
    assert "At the real prior, its probabilities fit worse" in choice.reason
    assert not re.search(r"\bgain", choice.reason)
    assert choice.gains is not None
    assert choice.gains.balanced.is_mere_shift


def test_the_threshold_is_told_for_the_rarer_class_and_never_as_a_probability_of_one() -> None:
    race = Race(4000, share=0.99, seed=1)
    choice = choice_of(race, [race.outcome(race.logit)])
    assert choice.threshold is not None
    assert choice.threshold > 0.9
    told = re.search(r"\(predict 'no' from a probability of (0\.\d+) on\)", choice.reason)
    assert told is not None
    assert float(told[1]) == pytest.approx(1 - choice.threshold, rel=0.1)


def test_a_choice_that_chance_may_explain_is_told_as_such() -> None:
    race = Race(600, seed=11)
    better = choice_of(race, [race.outcome(race.noisy(0.8)), race.balanced(race.noisy(0.4), smote())])
    far = choice_of(Race(3000, seed=1), Race(3000, seed=1).outcomes(2, better=0.8))
    assert better.uses_synthetic
    assert "do not rule out zero" in better.reason
    assert "do not rule out zero" not in far.reason


def test_a_really_better_arm_is_told_with_what_is_ranking() -> None:
    race = Race(3000, seed=1)
    choice = choice_of(race, race.outcomes(2, better=0.8))
    assert choice.uses_synthetic
    assert not choice.is_none
    assert choice.reason.startswith("smote, ratio 0.5")
    assert "the best without synthetic rows" in choice.reason
    assert "ranking +0." in choice.reason
    assert "a mere shift of probabilities +0." in choice.reason
    assert "falls by" not in choice.reason


def test_a_lower_auc_behind_a_lower_risk_is_told() -> None:
    race = Race(4000, seed=2)
    # As good a ranking, but of two values that are hardly apart from further ones: no temperature mends that.
    flat = np.sign(race.logit - race.prior - 3) + 0.001 * race.logit
    worse = race.balanced(race.noisy(0.8), smote())
    choice = choice_of(race, [race.outcome(flat), worse])
    assert choice.uses_synthetic
    assert "Note that AUC over all rows falls by 0." in choice.reason
    assert "average precision over all rows falls by 0." in choice.reason


def test_shifts_that_mix_up_the_order_between_groups_are_told() -> None:
    race = Race(4000, seed=2, groups=("a", "b"))
    # Rows of group a are ill far more often, as the model knows; even classes in each group take that knowledge away.
    is_often = (race.coded.segment_codes == 0) & (race.rng.random(4000) < 0.7)
    race.y[is_often] = 1
    frame = race.table.frame.assign(ill=np.where(race.y == 1, "yes", "no"))
    race.table = Table.from_frame(frame, label="ill", group_by="site")
    race.coded, race.folds = Coded.of(race.table), Folds.of(race.table)
    often = np.log(0.73 / 0.27)
    choice = choice_of(
        race, [race.outcome(np.where(race.coded.segment_codes == 0, often, -2.2) + race.noisy(0.5) * 0.3)]
    )
    assert choice.probability_shift.depends_on_groups
    assert choice.threshold is None
    assert "Note that AUC over all rows falls by 0." in choice.reason


def test_class_weights_are_told_as_weights() -> None:
    race = Race(3000, seed=1)
    outcomes = [race.outcome(race.noisy(1.0)), race.balanced(race.noisy(0.1), CLASS_WEIGHTS)]
    choice = choice_of(race, outcomes)
    assert choice.reason.startswith("No synthetic rows; weigh the rows of each group so that all groups count the same")
    assert choice.rebalance_arguments == {}
    assert not choice.is_none
    assert not choice.uses_synthetic


def test_the_arguments_of_the_choice_go_into_rebalance() -> None:
    race = Race(600, share=0.2, seed=1)
    arm = Arm(generator="smote", ratio=0.5, augment=10, alpha=0.2, synthetic_weight=0.3)
    judge = Judge.of(race.table, race.folds, n_bootstrap=50)
    outcomes = [race.outcome(race.noisy()), race.balanced(race.noisy(better=1.5), arm)]
    generators = {"smote": {"generator": "smote", "generator_options": {"k_neighbors": 3}}}
    scored = [each for outcome in outcomes for each in judge.score(outcome)]
    choice = choose(scored, judge, generators=generators)
    assert choice.rebalance_arguments == {
        "generator": "smote",
        "generator_options": {"k_neighbors": 3},
        "strategy": 0.5,
        "augment": 10,
        "alpha": 0.2,
        "synthetic_weight": 0.3,
    }
    result = rebalance(race.table.frame, label="ill", check="off", **choice.rebalance_arguments)
    assert result.plan.synthetic_weight == 0.3


def test_the_reason_names_generators_that_could_not_be_judged() -> None:
    race = Race(300)
    logit = race.noisy()
    failed = [
        left_early(
            race.outcome(logit, Arm(generator=name, ratio=ratio)), race.folds, 0, "failed", "ValueError: no pairs"
        )
        for name, ratio in (("broken", 1.0), ("broken", 0.5), ("smote", 0.5))
    ]
    choice = choice_of(race, [race.outcome(logit), *failed, race.balanced(logit, smote())])
    assert "Not judged, since they failed: 'broken' (ValueError: no pairs)." in choice.reason
    assert "Not judged" not in choice_of(race, [race.outcome(logit), race.balanced(logit, smote())]).reason


def shift_of(race: Race, offsets: np.ndarray) -> ProbabilityShift:
    return ProbabilityShift.of(FittedShift(offsets), race.table, race.coded)


def test_a_shift_finds_the_columns_of_the_classes_and_the_groups_of_the_rows() -> None:
    race = Race(200, share=0.4, groups=("a", "b"))
    shift = shift_of(race, np.array([[0.0, 1.0], [0.0, -1.0], [0.0, 3.0]]))
    proba = pd.DataFrame({"yes": [0.5, 0.5, 0.5], "no": [0.5, 0.5, 0.5]}, index=[7, 8, 9])
    moved = shift.apply(proba, pd.DataFrame({"site": ["a", "b", "never seen"]}, index=[7, 8, 9]))
    assert list(moved.columns) == ["yes", "no"]
    assert list(moved.index) == [7, 8, 9]
    assert moved["yes"].tolist() == pytest.approx([1 / (1 + math.exp(-each)) for each in (1, -1, 3)])
    as_series = shift.apply(np.full((3, 2), 0.5), pd.Series(["a", "b", "never seen"], name="site"))
    np.testing.assert_allclose(as_series[:, 1], moved["yes"])


def test_a_shift_that_needs_groups_says_so() -> None:
    race = Race(200, share=0.4, groups=("a", "b"))
    shift = shift_of(race, np.array([[0.0, 1.0], [0.0, -1.0], [0.0, 3.0]]))
    proba = np.full((3, 2), 0.5)
    assert shift.threshold is None
    for groups, error, message in (
        (None, ConfigError, "differs between groups"),
        (pd.DataFrame({"town": [1, 2, 3]}), ConfigError, "lack the columns"),
        (pd.DataFrame({"site": ["a"]}), DataError, "groups have 1 rows, probabilities 3"),
    ):
        with pytest.raises(error, match=message):
            shift.apply(proba, groups)
    named = pd.DataFrame(proba, columns=["no", "yes"], index=[7, 8, 9])
    with pytest.raises(DataError, match="different indexes"):  # the same rows in another order
        shift.apply(named, pd.DataFrame({"site": ["a", "b", "a"]}, index=[8, 7, 9]))
    with pytest.raises(DataError, match="shape"):
        shift.apply(np.full((3, 3), 1 / 3))
    with pytest.raises(DataError, match="the classes are"):
        shift.apply(pd.DataFrame({"yes": [1.0], "maybe": [0.0]}))
    with pytest.raises(DataError, match="missing or infinite"):
        shift.apply(np.full((3, 2), np.nan))
    even = shift_of(race, np.tile([0.0, math.log(9)], (3, 1)))
    assert even.threshold == pytest.approx(0.1)
    np.testing.assert_allclose(even.apply(np.array([[0.9, 0.1]])), 0.5)


def test_a_shift_reads_binned_group_columns() -> None:
    rng = np.random.default_rng(0)
    race = Race(300, share=0.4)
    frame = race.table.frame.assign(age=rng.normal(50, 10, 300))
    table = Table.from_frame(frame, label="ill", group_by={"age": [50.0]})
    coded = Coded.of(table)
    offsets = np.array([[0.0, float(place)] for place in range(3)])
    shift = ProbabilityShift.of(FittedShift(offsets), table, coded)
    moved = shift.apply(np.full((300, 2), 0.5), frame)
    np.testing.assert_allclose(np.log(moved[:, 1] / moved[:, 0]), coded.segment_codes, atol=1e-9)


def test_a_shift_reads_the_segments_of_the_race_with_missing_values_and_several_columns() -> None:
    rng = np.random.default_rng(0)
    frame = Race(300, share=0.4).table.frame.assign(
        site=rng.choice(["b", "a", None], 300), ward=rng.choice([3, 1, 2], 300)
    )
    table = Table.from_frame(frame, label="ill", group_by=["ward", "site"])
    coded = Coded.of(table)
    assert coded.n_segments == 9
    shift = ProbabilityShift.of(FittedShift(np.array([[0.0, float(place)] for place in range(10)])), table, coded)
    moved = shift.apply(np.full((300, 2), 0.5), frame)
    np.testing.assert_allclose(np.log(moved[:, 1] / moved[:, 0]), coded.segment_codes, atol=1e-9)
