"""The ledger: an interrupted race goes on where it ended, and answers as an uninterrupted one does."""

import json

import numpy as np
import pandas as pd
import pytest

from autosynth import Table
from autosynth.exceptions import ConfigError, OutputError
from autosynth.tuning.arm import arms_of
from autosynth.tuning.fold_source import FoldRows
from autosynth.tuning.folds import Folds
from autosynth.tuning.halving import measure_arms
from autosynth.tuning.judge import Judge
from autosynth.tuning.ledger import Ledger, describe_learner, fingerprint
from autosynth.tuning.racer import Racer
from autosynth.tuning.trial import FoldResult

ARMS = arms_of(["g"], ratios=(0.5, 1.0), synthetic_weights=(0.3, 1.0))
KEY = {"arm": "none", "fold": 0}


class ByAge:
    """A learner that counts its fits: the class shares of four ages, which weights and rows change."""

    n_fits = 0

    def get_params(self, deep=True):
        return {"n_ages": 4}

    def fit(self, X, y, sample_weight=None):
        type(self).n_fits += 1
        weights = np.ones(len(y)) if sample_weight is None else sample_weight
        fitted = ByAge()
        fitted.counts = np.full((4, 2), 1.0)
        np.add.at(fitted.counts, (self._ages(X), y), weights)
        return fitted

    def predict_proba(self, X):
        shares = self.counts / self.counts.sum(axis=1, keepdims=True)
        return shares[self._ages(X)]

    def _ages(self, X):
        return np.clip((X["age"].fillna(0).to_numpy(dtype=float) // 25).astype(int), 0, 3)


class Setting:
    """A race of copies over 4 folds that counts the work done."""

    def __init__(self, frame, scripted, *, seed=0, options="3 neighbours"):
        self.table = Table.from_frame(frame, label="ill", group_by="hospital")
        self.folds = Folds.of(self.table, cv=4)
        self.judge = Judge.of(self.table, self.folds, n_bootstrap=20)
        self.seed = seed
        asked = self.asked = []

        def copies(table, counts, rng):
            asked.append(counts)
            rows = [rng.choice(table.positions(group), size=n) for group, n in counts.items()]
            return table.frame.iloc[np.concatenate(rows)]

        self.generator = scripted(copies)
        self.generator.options = options

    @property
    def n_asked(self):
        return len(self.asked)

    def run(self, folder, *, arms=ARMS, **options):
        before = ByAge.n_fits, self.n_asked
        outcomes = measure_arms(
            self.table,
            arms,
            self.folds,
            ByAge(),
            judge=self.judge,
            ledger=Ledger(folder),
            rng=self.seed,
            racers={"g": Racer("g", self.generator, self.generator)},
            **options,
        )
        self.work = (ByAge.n_fits - before[0], self.n_asked - before[1])
        return outcomes


@pytest.fixture
def setting(frame, scripted):
    return Setting(frame, scripted)


def _assert_same(first, second):
    for one, other in zip(first, second, strict=True):
        assert one.arm == other.arm
        assert (one.status, one.n_done, one.reason) == (other.status, other.n_done, other.reason)
        assert one.n_synthetic == other.n_synthetic
        np.testing.assert_array_equal(one.probabilities, other.probabilities)
        np.testing.assert_array_equal(one.trained, other.trained)


@pytest.mark.parametrize("n_results", [1, 5, 9])
def test_an_interrupted_race_goes_on_with_the_answer_of_an_uninterrupted_one(setting, tmp_path, n_results):
    whole = setting.run(None)
    n_fits, n_asked = setting.work
    told = []

    def stop(scored):
        told.append(scored)
        if len(told) == n_results:
            raise KeyboardInterrupt

    before = ByAge.n_fits, setting.n_asked
    with pytest.raises(KeyboardInterrupt):
        setting.run(tmp_path / "ledger", on_result=stop)
    done = ByAge.n_fits - before[0], setting.n_asked - before[1]
    assert not list((tmp_path / "ledger").glob("*.part"))
    _assert_same(setting.run(tmp_path / "ledger"), whole)
    assert setting.work == (n_fits - done[0], n_asked - done[1])
    _assert_same(setting.run(tmp_path / "ledger"), whole)
    assert setting.work == (0, 0)


def test_an_interruption_between_the_arms_of_a_fold_asks_no_generator_twice(setting, tmp_path):
    whole = setting.run(None)

    def stop(arm, n_trials, n_planned):
        if n_trials == 10:  # 8 without rows, and 2 of the 4 others in the first fold
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        setting.run(tmp_path, on_trial=stop)
    asked = setting.n_asked
    _assert_same(setting.run(tmp_path), whole)
    assert setting.n_asked - asked == 3  # of 4 folds, the first one's rows were kept


def test_more_time_goes_on_where_the_budget_ended(setting, tmp_path):
    whole = setting.run(None)
    ticks = iter(range(10**6))
    late = setting.run(tmp_path, time_budget_s=60.0, clock=lambda: float(next(ticks)))
    assert "out of time" in {outcome.status for outcome in late}
    first = setting.work[0]
    _assert_same(setting.run(tmp_path), whole)
    assert 0 < first < first + setting.work[0] == sum(outcome.n_done for outcome in whole)


def test_more_arms_measure_only_what_is_new(setting, tmp_path):
    some = setting.run(tmp_path, arms=ARMS[:2] + ARMS[3:4] + ARMS[5:])
    more = setting.run(tmp_path, halving=False)
    assert setting.work[1] == 0  # the largest arm raced before
    assert setting.work[0] < 4 * len(ARMS)
    by_arm = {outcome.arm: outcome for outcome in more}
    for outcome in some:
        seen = np.isfinite(outcome.probabilities)
        np.testing.assert_array_equal(outcome.probabilities[seen], by_arm[outcome.arm].probabilities[seen])


def test_a_generator_of_other_options_is_measured_anew(frame, scripted, tmp_path):
    Setting(frame, scripted).run(tmp_path)
    other = Setting(frame, scripted, options="5 neighbours")
    other.run(tmp_path)
    assert other.work[1] == 4
    assert other.work[0] < 4 * len(ARMS)


def test_a_ledger_of_other_data_seed_or_folds_is_refused_with_what_differs(setting, frame, scripted, tmp_path):
    setting.run(tmp_path)
    with pytest.raises(ConfigError, match=r"ledger=.* other settings: seed was \d+, is \d+. Give the same settings"):
        Setting(frame, scripted, seed=1).run(tmp_path)
    changed = frame.assign(age=frame["age"] + 1)
    with pytest.raises(ConfigError, match="other settings: table differs"):
        Setting(changed, scripted).run(tmp_path)
    setting.folds = Folds.of(setting.table, cv=3)
    with pytest.raises(ConfigError, match="other settings: folds differs"):
        setting.run(tmp_path)


def test_files_that_cannot_be_read_are_measured_again(setting, tmp_path):
    whole = setting.run(tmp_path)
    files = sorted(tmp_path.glob("*.npz")) + sorted(tmp_path.glob("*.parquet"))
    assert len(files) == setting.work[0] + setting.work[1]
    for number, path in enumerate(files):
        content = path.read_bytes()
        path.write_bytes([b"", content[: len(content) // 2], b"no archive at all"][number % 3])
    _assert_same(setting.run(tmp_path), whole)
    assert setting.work[0] == sum(outcome.n_done for outcome in whole)


def test_a_result_comes_back_as_it_was(tmp_path):
    ledger = Ledger(tmp_path)
    result = FoldResult(np.array([[0.1, 0.9]]), np.array([[3.0, 4.5]]), 7, 1.25, {"made by the fallback": 2})
    ledger.put(KEY, result)
    found = ledger.get(KEY)
    assert (found.n_synthetic, found.seconds, found.notes) == (7, 1.25, {"made by the fallback": 2})
    np.testing.assert_array_equal(found.probabilities, result.probabilities)
    np.testing.assert_array_equal(found.trained, result.trained)
    assert ledger.get({**KEY, "fold": 1}) is None


def test_rows_come_back_in_the_dtypes_of_the_table_whatever_these_are(tmp_path):
    frame = pd.DataFrame(
        {
            "y": ["a", "a", "b", "b", "b"],
            3: [1.5, np.nan, 0.1 + 0.2, -0.0, 1e300],
            "kind": pd.Categorical(["u", "v", None, "u", "v"], categories=["v", "u", "never"], ordered=True),
            "flag": pd.array([True, None, False, True, True], dtype="boolean"),
            "truth": pd.Series([True, False, None, True, True], dtype=object),
            "whole": pd.array([1, None, 3, 4, 2**53 + 1], dtype="Int64"),
            "when": pd.date_range("2024-03-29", periods=5, freq="37h", tz="Europe/Paris"),
            "long": pd.to_timedelta([1, 2, None, 4, 5], unit="ms"),
            ("a", "tuple"): [None, "x", "x", "é", ""],
            "band": pd.cut([1, 5, 9, 5, 1], [0, 3, 6, 10]),
            "mixed": pd.Categorical([1, "one", None, 1, "one"], categories=[1, "one"]),
        }
    )
    table = Table.from_frame(frame, label="y")
    ledger = Ledger(tmp_path)
    ledger.put_rows(KEY, FoldRows(frame, np.array([0, 0, 1, 1, 1]), {"retried": 3}, "too few"))
    found = ledger.get_rows(KEY, table)
    pd.testing.assert_frame_equal(found.frame, frame)
    assert found.group_codes.tolist() == [0, 0, 1, 1, 1]
    assert (found.notes, found.shortfall) == ({"retried": 3}, "too few")


def test_without_a_folder_nothing_is_kept():
    ledger = Ledger()
    ledger.claim({"seed": 0})
    ledger.put(KEY, FoldResult(np.ones((1, 2)), np.ones((1, 2))))
    assert ledger.get(KEY) is None
    assert ledger.part("more").folder is None


def test_parts_of_a_ledger_claim_for_themselves(tmp_path):
    ledger = Ledger(tmp_path / "new" / "ledger")
    ledger.part("large").claim({"seed": 0})
    ledger.part("small").claim({"seed": 1})
    assert json.loads((tmp_path / "new" / "ledger" / "small" / "ledger.json").read_text())["seed"] == 1


@pytest.mark.parametrize("content", ["", "[1, 2]", "{"])
def test_a_folder_of_other_files_is_no_ledger(tmp_path, content):
    (tmp_path / "ledger.json").write_text(content)
    with pytest.raises(ConfigError, match="empty or a new folder"):
        Ledger(tmp_path).claim({"seed": 0})
    (tmp_path / "ledger.json").unlink()
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"no ledger\.json"):
        Ledger(tmp_path).claim({"seed": 0})
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be used as a folder"):
        Ledger(tmp_path / "file").claim({"seed": 0})


def test_a_fingerprint_follows_cells_and_roles_but_not_row_labels(frame):
    def of(some, **roles):
        return fingerprint(Table.from_frame(some, **{"label": "ill", "group_by": "hospital", **roles}))

    assert of(frame) == of(frame.set_axis(range(5, 125))) == of(frame.copy())
    changed = frame.copy()
    changed.loc[3, "severity"] += 1e-9
    others = [changed, frame.rename(columns={"age": "years"}), frame.iloc[::-1], frame.iloc[:-1]]
    assert len({of(frame), *map(of, others), of(frame, group_by=None), of(frame, group_by="ward")}) == 7


def test_learners_are_told_apart_by_their_settings():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    def described(C):
        return describe_learner(make_pipeline(LogisticRegression(C=C)))

    assert described(1.0) == described(1.0)
    assert described(1.0) != described(2.0)
    assert described(1.0) != describe_learner(LogisticRegression())


def test_a_message_about_other_settings_stays_short(tmp_path):
    Ledger(tmp_path / "kept").claim({f"option {place}": place for place in range(40)})
    with pytest.raises(ConfigError, match=r"option 4 was 4, is 5; and 35 more\. Give the same") as raised:
        Ledger(tmp_path / "kept").claim({f"option {place}": place + 1 for place in range(40)})
    assert len(str(raised.value)) < 400
