"""Measuring arms in folds: what generators and learners see, what arms share, what fails, and when time is up."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from autosynth import Table
from autosynth.exceptions import BudgetError, ConfigError, GenerationError, UnknownGeneratorError
from autosynth.generator import GeneratorInfo, NoOptions
from autosynth.tuning.arm import CLASS_WEIGHTS, NONE, Arm, arms_of
from autosynth.tuning.fold_source import plan_of
from autosynth.tuning.folds import Folds
from autosynth.tuning.halving import measure_arms
from autosynth.tuning.judge import Judge
from autosynth.tuning.label_codes import Coded
from autosynth.tuning.learners import make_learner
from autosynth.tuning.racer import Racer
from autosynth.tuning.rungs import n_trials, rungs


def _numbers(X):
    return X[["age", "severity", "pressure"]].astype(float).fillna(0.0)


class Notebook:
    """A learner that keeps what it was given; every fit takes ``seconds`` of its own clock."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds
        self.now = 0.0
        self.trained = []
        self.predicted = []

    def fit(self, X, y, sample_weight=None):
        self.now += self.seconds
        self.trained.append((X, y, sample_weight))
        self.model = GaussianNB().fit(_numbers(X), y, sample_weight)
        return self

    def predict_proba(self, X):
        self.predicted.append(X)
        return self.model.predict_proba(_numbers(X))


class Race:
    """A table of patients with a number of their own, its folds, and generators that a test scripts."""

    def __init__(self, frame, *, cv=3, classifier=None, seconds=0.0):
        frame = frame.assign(number=np.arange(float(len(frame))))
        self.table = Table.from_frame(frame, label="ill", group_by="hospital")
        self.folds = Folds.of(self.table, cv=cv)
        self.judge = Judge.of(self.table, self.folds, n_bootstrap=20)
        self.notebook = Notebook(seconds)
        self.learner = self.notebook if classifier is None else make_learner(classifier, self.table.schema, 2, 0)

    def measure(self, arms, generators=(), **options):
        racers = {name: Racer(name, unfitted, unfitted) for name, unfitted in dict(generators).items()}
        options = {"halving": False, "clock": lambda: self.notebook.now, "racers": racers, **options}
        return measure_arms(self.table, arms, self.folds, self.learner, judge=self.judge, **options)


@pytest.fixture
def race(frame):
    return Race(frame)


def test_no_validation_row_reaches_a_generator_or_a_model(race, scripted):
    learned = []

    def learn(table):
        learned.append(set(table.frame["number"]))
        fitted = scripted()
        fitted.table_ = table
        return fitted

    outcomes = race.measure([NONE, CLASS_WEIGHTS, Arm(generator="copies")], {"copies": scripted(learn=learn)})
    assert [outcome.status for outcome in outcomes] == ["done"] * 3
    everyone = set(range(len(race.table)))
    for fold in range(3):
        validating = set(np.flatnonzero(race.folds.validates(0, fold)))
        assert learned[fold] == everyone - validating
        for arm in range(3):
            X, _, _ = race.notebook.trained[3 * arm + fold]
            assert set(X["number"]) == everyone - validating
            assert set(race.notebook.predicted[3 * arm + fold]["number"]) == validating
            assert "ill" not in X
            assert "ill" not in race.notebook.predicted[3 * arm + fold]


def test_probabilities_are_those_of_the_fold_that_validates_the_row(race):
    (outcome,) = race.measure([NONE])
    assert np.isfinite(outcome.probabilities).all()
    for fold in range(3):
        mask = race.folds.validates(0, fold)
        X = race.table.frame[~mask]
        coded = Coded.of(race.table)
        model = GaussianNB().fit(_numbers(X), coded.label_codes[~mask])
        assert outcome.probabilities[0, mask] == pytest.approx(model.predict_proba(_numbers(race.table.frame[mask])))


def test_arms_of_a_generator_share_the_first_rows_and_it_is_asked_once_per_fold(race, scripted):
    asked = []

    def copies(table, counts, rng):
        asked.append(counts)
        drawn = [rng.choice(table.positions(group), size=n) for group, n in counts.items()]
        return table.frame.iloc[np.concatenate(drawn)]

    arms = arms_of(["g"], ratios=(0.5, 1.0), augment=(0, 7), synthetic_weights=(0.3, 1.0))[2:]
    outcomes = race.measure(arms, {"g": scripted(copies)})
    parts = [race.table.keep(race.folds.trains(0, fold)) for fold in range(3)]
    assert asked == [plan_of(Arm(generator="g", ratio=1.0, augment=7), table).counts for table in parts]
    for fold, table in enumerate(parts):
        trials = race.notebook.trained[len(arms) * fold : len(arms) * (fold + 1)]
        added = [_added(X, y, len(table)) for X, y, _ in trials]
        most = added[arms.index(Arm(generator="g", ratio=1.0, augment=7))]
        for arm, taken in zip(arms, added, strict=True):
            plan = plan_of(arm, table)
            assert sum(map(len, taken.values())) == plan.n_synthetic
            assert all(numbers == most[cell][: len(numbers)] for cell, numbers in taken.items())
    for arm, outcome in zip(arms, outcomes, strict=True):
        assert outcome.n_synthetic == pytest.approx(np.mean([plan_of(arm, table).n_synthetic for table in parts]))


def test_the_first_rows_of_a_generator_that_sorts_them_stand_for_all(race, scripted):
    def by_number(table, counts, rng):
        return table.frame.iloc[
            np.concatenate([np.sort(rng.choice(table.positions(group), size=n)) for group, n in counts.items()])
        ]

    race.measure([Arm(generator="g", ratio=0.5), Arm(generator="g")], {"g": scripted(by_number)})
    some, everything = (X["number"].iloc[80:] for X, _, _ in race.notebook.trained[:2])
    assert some.max() > everything.quantile(0.8)


def _added(X, y, n_real):
    """Return the numbers of the synthetic rows per group, in their order."""
    rows = X.iloc[n_real:].assign(ill=y[n_real:])
    return {cell: some["number"].tolist() for cell, some in rows.groupby(["ill", "hospital"])}


def test_trained_holds_the_weight_of_every_class_in_every_segment(race, scripted):
    arms = [NONE, CLASS_WEIGHTS, Arm(generator="g"), Arm(generator="g", ratio=0.5, augment=5, synthetic_weight=0.3)]
    outcomes = race.measure(arms, {"g": scripted()})
    coded = Coded.of(race.table)
    for fold in range(3):
        table = race.table.keep(race.folds.trains(0, fold))
        for outcome in outcomes:
            if outcome.arm.is_synthetic:
                plan = plan_of(outcome.arm, table)
                real, oversampled, augmented = plan.part_weights()
                sums = [
                    real * row.n_real + oversampled * row.n_oversample + augmented * row.n_augment
                    for row in plan.groups
                ]
            elif outcome.arm.class_weights:
                sums = np.full(len(table.groups), len(table) / len(table.groups))
            else:
                sums = table.group_sizes
            expected = np.zeros((coded.n_segments, coded.n_classes))
            expected[coded.group_segments, coded.group_labels] = sums
            assert outcome.trained[0, fold] == pytest.approx(expected)


def test_weights_of_the_groups_are_what_full_balance_does_with_copies(race):
    race.measure([CLASS_WEIGHTS])
    for X, y, weights in race.notebook.trained:
        cells = pd.DataFrame({"y": y, "hospital": X["hospital"].to_numpy(), "w": weights})
        sums = cells.groupby(["y", "hospital"])["w"].sum()
        assert np.ptp(sums) == pytest.approx(0, abs=1e-9)
        assert weights.mean() == pytest.approx(1)


def test_rows_depend_on_the_seed_and_not_on_what_else_races(race, scripted):
    arm = Arm(generator="g")

    def probabilities(arms, seed=0):
        outcomes = race.measure(arms, {"g": scripted(), "h": scripted()}, rng=seed)
        return next(outcome.probabilities for outcome in outcomes if outcome.arm == arm)

    alone = probabilities([arm])
    assert (probabilities([NONE, Arm(generator="h"), arm]) == alone).all()
    assert (probabilities([arm, Arm(generator="g", synthetic_weight=0.3)]) == alone).all()
    assert (probabilities([arm], seed=1) != alone).any()


def test_a_generator_that_fails_takes_out_its_own_arms_alone(race, scripted):
    def broken(table, counts, rng):
        raise RuntimeError("no more memory")

    arms = [NONE, Arm(generator="good"), Arm(generator="bad"), Arm(generator="bad", ratio=0.5)]
    outcomes = race.measure(arms, {"good": scripted(), "bad": scripted(broken)}, halving=True)
    assert [outcome.status for outcome in outcomes] == ["done", "done", "failed", "failed"]
    assert outcomes[2].n_done == 0
    assert outcomes[2].reason.startswith("GenerationError: generator 'bad' failed while it sampled")
    assert "no more memory" in outcomes[3].reason


def test_a_generator_that_falls_short_takes_out_the_arms_that_need_more(race, scripted):
    calls = iter(range(100))

    # In each fold: a first call brings 20 rows per group, two idle rounds nothing, and the call for fewer 20 again.
    def few(table, counts, rng):
        n_most = 20 if next(calls) % 4 in (0, 3) else 0
        rows = [rng.choice(table.positions(group), size=min(n, n_most)) for group, n in counts.items()]
        return table.frame.iloc[np.concatenate(rows)]

    arms = [NONE, Arm(generator="g", ratio=0.3), Arm(generator="g", ratio=1.0)]
    outcomes = race.measure(arms, {"g": scripted(few)})
    assert [outcome.status for outcome in outcomes] == ["done", "done", "failed"]
    assert "too few valid synthetic rows" in outcomes[2].reason


def test_rows_that_cost_money_are_not_asked_for_again_when_too_few_came(race, scripted):
    asked = []

    def one(table, counts, rng):
        asked.append(sum(counts.values()))
        return (
            table.frame.iloc[[int(table.positions(group)[0]) for group in counts]]
            if len(asked) == 1
            else table.frame[:0]
        )

    generator = scripted(one)
    info = GeneratorInfo(name="paid", factory=scripted, options=NoOptions, remote=True)
    arms = [NONE, Arm(generator="paid", ratio=0.3), Arm(generator="paid")]
    outcomes = race.measure(arms, racers={"paid": Racer("paid", generator, generator, info=info)})
    assert [outcome.status for outcome in outcomes] == ["done", "failed", "failed"]
    assert len(asked) == 3  # one call that brought rows, and two that brought none


def test_a_learner_without_weights_takes_out_the_arms_that_weigh_rows(frame, scripted):
    race = Race(frame, classifier=KNeighborsClassifier())
    arms = arms_of(["g"], synthetic_weights=(0.3, 1.0))
    outcomes = race.measure(arms, {"g": scripted()})
    assert [outcome.status for outcome in outcomes] == ["done", "failed", "failed", "done"]
    assert "takes no sample_weight" in outcomes[1].reason


def test_what_the_learner_raises_on_real_rows_is_raised(frame, scripted):
    race = Race(frame, classifier=LogisticRegression(C=-1.0))
    with pytest.raises(ValueError, match="'C' parameter"):
        race.measure([NONE, CLASS_WEIGHTS])


def test_an_error_that_all_arms_share_is_raised(race, scripted):
    def broken(table, counts, rng):
        raise RuntimeError("no more memory")

    with pytest.raises(GenerationError, match="no more memory"):
        race.measure([Arm(generator="bad"), Arm(generator="bad", ratio=0.5)], {"bad": scripted(broken)})


def test_registered_generators_are_built_by_the_names_of_the_arms(race):
    with pytest.raises(UnknownGeneratorError, match="Did you mean 'smote'"):
        measure_arms(race.table, [Arm(generator="smot")], race.folds, race.learner, judge=race.judge)
    with pytest.raises(ConfigError, match="no arms to measure"):
        race.measure([])


def test_the_better_half_stays_after_every_rung_and_arms_without_rows_to_the_end(frame, scripted):
    race = Race(frame, cv=5)
    arms = arms_of(["g"], ratios=(0.4, 0.6, 0.8, 1.0), synthetic_weights=(0.3, 1.0))
    seen = []
    outcomes = race.measure(
        arms, {"g": scripted()}, halving=True, on_trial=lambda arm, done, planned: seen.append((done, planned))
    )
    n_done = [outcome.n_done for outcome in outcomes]
    assert n_done[:2] == [5, 5]
    assert sorted(n_done[2:]) == [2, 2, 2, 2, 4, 4, 5, 5]
    assert {outcome.status for outcome in outcomes if outcome.n_done < 5} == {"dropped"}
    assert seen == [(number, 36) for number in range(1, 37)]
    finalists = {outcome.arm: outcome for outcome in outcomes if outcome.n_done == 5}
    dropped = next(outcome for outcome in outcomes if outcome.n_done == 4)
    assert dropped.reason == "after 4 of 5 folds, 2 of 4 arms with rows were better"
    last = finalists[next(arm for arm in finalists if arm.is_synthetic)]
    four = np.array([[True] * 4 + [False]])

    def loss(outcome):
        return min(scored.loss for scored in race.judge.score(outcome, four))

    assert loss(last) <= loss(dropped)


def test_every_candidate_is_told_once_with_its_standing(frame, scripted):
    race = Race(frame, cv=4)
    told = []
    arms = arms_of(["g"], ratios=(0.5, 1.0), synthetic_weights=(0.3, 1.0))
    outcomes = race.measure(arms, {"g": scripted()}, halving=True, on_result=told.append)
    assert len({scored.name for scored in told}) == len(told)
    assert {scored.candidate.arm for scored in told} == set(arms)
    by_arm = {outcome.arm: outcome for outcome in outcomes}
    for scored in told:
        outcome = by_arm[scored.candidate.arm]
        assert (scored.outcome.status, scored.outcome.n_done) == (outcome.status, outcome.n_done)
    assert told[0].name == "none"


@settings(max_examples=30)
@given(st.integers(1, 60))
def test_rungs_cover_all_folds_and_double(n_folds):
    rounds = rungs(n_folds)
    assert rounds[0][0] == 0
    assert rounds[-1][1] == n_folds
    assert all(stop == start for (_, stop), (start, _) in itertools.pairwise(rounds))
    assert all(stop == 2**power for power, (_, stop) in enumerate(rounds[:-1]))
    assert n_trials(2, 8, n_folds, halving=True) <= n_trials(2, 8, n_folds, halving=False) == 10 * n_folds


def test_a_budget_marks_what_did_not_fit_and_keeps_what_did(frame, scripted):
    race = Race(frame, cv=4, seconds=10.0)
    arms = arms_of(["g", "h"], ratios=(0.5, 1.0))
    outcomes = race.measure(arms, {"g": scripted(), "h": scripted()}, time_budget_s=125.0, halving=True)
    status = {outcome.arm.name: (outcome.status, outcome.n_done) for outcome in outcomes}
    assert status["none"] == status["class weights"] == ("done", 4)
    assert [status[arm.name] for arm in arms[2:]] == [("out of time", 1)] * 4
    assert {outcome.reason for outcome in outcomes if outcome.status == "out of time"} == {
        "after 1 of 4 folds, there was time left for 1 of the arms with rows",
        "the time budget of 125 s ended after 1 of its folds",
    }


def test_a_short_budget_narrows_the_field_to_what_can_still_finish(frame, scripted):
    race = Race(frame, cv=4, seconds=10.0)
    arms = arms_of(["g"], ratios=(0.25, 0.5, 0.75, 1.0), synthetic_weights=(0.3, 1.0))
    outcomes = race.measure(arms, {"g": scripted()}, time_budget_s=80 + 80 + 35, halving=True)
    status = [outcome.status for outcome in outcomes[2:]]
    assert status.count("done") == 1
    assert status.count("out of time") == 7
    assert race.notebook.now == 80 + 80 + 30


def test_without_halving_a_budget_finishes_one_generator_after_the_other(frame, scripted):
    race = Race(frame, cv=4, seconds=10.0)
    arms = [NONE, Arm(generator="g"), Arm(generator="h")]
    outcomes = race.measure(arms, {"g": scripted(), "h": scripted()}, time_budget_s=95.0)
    assert [(outcome.status, outcome.n_done) for outcome in outcomes] == [("done", 4), ("done", 4), ("out of time", 1)]
    assert outcomes[2].reason == "the time budget of 95 s ended after 1 of its folds"
    assert np.isnan(outcomes[2].trained[0, 1:]).all()


def test_a_budget_too_small_for_two_candidates_says_what_would_do(frame, scripted):
    race = Race(frame, cv=4, seconds=10.0)
    with pytest.raises(BudgetError, match=r"time_budget_s=65 .*'none' 4, 'class weights' 2.* need about 80 s"):
        race.measure(arms_of(["g"]), {"g": scripted()}, time_budget_s=65.0)
    with pytest.raises(BudgetError, match="Folds run: none"):
        race.measure(arms_of(["g"]), {"g": scripted()}, time_budget_s=1e-9, clock=iter(range(100)).__next__)
    with pytest.raises(ConfigError, match="time_budget_s=0"):
        race.measure([NONE], time_budget_s=0)
