"""SyntheticSampler and GroupSampler on their own: forms, amounts, groups, weights and origins."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("imblearn")

from imblearn.over_sampling import RandomOverSampler
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from autosynth import SampledRows
from autosynth.exceptions import AutosynthWarning, CheckFailedError, ConfigError, DataError
from autosynth.plugins import current_plugins
from autosynth.toy import overlapping_classes, shortcut_table
from autosynth_sklearn import GroupSampler, SyntheticSampler
from autosynth_sklearn.sampling_strategy import spread_evenly
from tests.conftest import ScriptedGenerator

QUICK = ("ros", "smote", "adasyn", "borderline_smote", "independent")


@pytest.fixture(scope="module")
def points() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    frame = overlapping_classes(300, minority_share=0.2, n_features=3)
    y = frame.pop("target").to_numpy()
    return frame.to_numpy(), y


@pytest.fixture(scope="module")
def three() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Classes a, b and c with 100, 60 and 20 rows."""
    y = np.repeat(["a", "b", "c"], [100, 60, 20])
    return np.random.default_rng(0).normal(size=(180, 2)), y


@pytest.fixture
def patients() -> tuple[pd.DataFrame, pd.Series]:
    """Patients with every kind of column, missing values, and an index of names."""
    X = shortcut_table(400, minority_share=0.2)
    X = X.assign(
        age=X["age"].astype("Int64"),
        ward=X["ward"].astype("category"),
        hospital=X["hospital"].astype("string"),
        seen=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(400) % 90, unit="D"),
    ).set_axis([f"patient {number}" for number in range(400)])
    X.loc[X.index[::9], ["age", "hospital"]] = None
    return X, X.pop("ill")


def cells(frame: pd.DataFrame, y: Any) -> dict[Any, int]:
    return Counter(zip(y, frame["hospital"], strict=True))


# --- what comes back ---------------------------------------------------------------------------------------------


def test_real_rows_of_a_dataframe_come_first_with_their_index_dtypes_and_labels(patients: Any) -> None:
    X, y = patients
    sampler = SyntheticSampler(random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    pd.testing.assert_frame_equal(X_new[:400], X)
    pd.testing.assert_series_equal(y_new[:400], y)
    assert X_new.dtypes.equals(X.dtypes)
    assert X_new.index.is_unique
    assert y_new.index.equals(X_new.index)
    other, y_other = clone(sampler).fit_resample(X, y.set_axis(range(400)))
    assert y_other.index.equals(other.index)
    assert y_new.value_counts().to_dict() == {"no": 320, "yes": 320}
    assert X_new[400:]["hospital"].isna().any()
    assert sampler.feature_names_in_.tolist() == list(X.columns)


@pytest.mark.parametrize("layout", ["csr", "csc", "coo", "lil", "dok"])
def test_sparse_rows_come_back_in_their_layout(points: Any, layout: str) -> None:
    X, y = points
    thin = sparse.csr_array(np.where(X > 0.5, X, 0.0)).asformat(layout)
    X_new, _ = SyntheticSampler(random_state=0).fit_resample(thin, y)
    assert type(X_new) is type(thin)
    np.testing.assert_array_equal(X_new.toarray()[:300], thin.toarray())
    assert X_new.nnz < X_new.shape[0] * X_new.shape[1]


@pytest.mark.parametrize(
    "form",
    [
        lambda y: y.astype("float32"),
        lambda y: y == 1,
        lambda y: np.where(y, "yes", "no"),
        lambda y: np.where(y, "yes", "no").astype(object),
        lambda y: pd.Series(np.where(y, "yes", "no"), dtype="category", name="class"),
        lambda y: pd.Series(y, index=np.arange(300) + 7).astype("int8"),
        lambda y: pd.DataFrame({"class": y.astype("int16")}),
        lambda y: y.tolist(),
        lambda y: np.eye(2, dtype="uint8")[y],
        lambda y: sparse.csr_array(np.eye(2)[y]),
        lambda y: pd.DataFrame(np.eye(2, dtype=int)[y], columns=["no", "yes"]),
    ],
)
def test_labels_come_back_in_the_form_they_came_in(points: Any, form: Any) -> None:
    X, y = points[0], form(points[1])
    _, y_new = SyntheticSampler(random_state=0).fit_resample(X, y)
    plain = np.asarray(y_new.todense() if sparse.issparse(y_new) else y_new)
    codes = plain.argmax(axis=1) if plain.ndim == 2 and plain.shape[1] > 1 else np.unique(plain, return_inverse=True)[1]
    assert type(y_new) is type(y)
    assert str(getattr(y_new, "dtype", "")) == str(getattr(y, "dtype", ""))
    assert not isinstance(y_new, pd.Series | pd.DataFrame) or y_new.index.is_unique
    assert getattr(y_new, "name", None) == getattr(y, "name", None)
    assert list(getattr(y_new, "columns", [])) == list(getattr(y, "columns", []))
    assert np.bincount(codes.ravel()).tolist() == [240, 240]


def test_arrays_of_strings_and_numbers_keep_both(points: Any) -> None:
    X = np.empty((300, 2), dtype=object)
    X[:, 0], X[:, 1] = np.resize(["north", "south", None], 300), points[0][:, 0]
    X_new, _ = SyntheticSampler(random_state=0).fit_resample(X, points[1])
    assert X_new.dtype == object
    assert set(map(type, X_new[300:, 1])) == {float}
    assert set(X_new[300:, 0]) - {None} == {"north", "south"}


def test_columns_of_lists_keep_their_types() -> None:
    X = [[1, "a"], [2, "b"], [3, "a"], [4, "b"], [5, "a"]]
    X_new, y_new = SyntheticSampler(random_state=0).fit_resample(X, ["no", "no", "no", "yes", "yes"])
    assert X_new[:5] == X
    assert list(map(type, X_new[-1])) == [int, str]
    assert y_new[-1] == "yes"


def test_a_text_that_is_longer_than_the_array_holds_is_not_cut(points: Any) -> None:
    def longer(table: Any, counts: Any, rng: Any) -> pd.DataFrame:
        rows = fathers_unknown(table, counts)
        rows[0] = rows[0] + " junior"
        return rows

    X = np.array([[f"name {place}"] for place in range(300)])
    X_new, _ = SyntheticSampler(ScriptedGenerator(longer), random_state=0).fit_resample(X, points[1])
    assert X_new.dtype.kind == "U"
    assert all(name.endswith(" junior") for name in X_new[300:, 0])


# --- how many rows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "strategy",
    [
        "auto",
        "minority",
        "not minority",
        "not majority",
        "all",
        {"c": 50, "b": 61},
        lambda y: {"c": int((y == "a").sum())},
    ],
)
def test_every_strategy_gives_the_counts_of_imbalanced_learn(three: Any, strategy: Any) -> None:
    theirs = RandomOverSampler(sampling_strategy=strategy, random_state=0)
    ours = SyntheticSampler(sampling_strategy=strategy, random_state=0)
    assert Counter(ours.fit_resample(*three)[1]) == Counter(theirs.fit_resample(*three)[1])
    assert ours.sampling_strategy_ == dict(theirs.sampling_strategy_)
    assert clone(ours).fit(*three).sampling_strategy_ == ours.sampling_strategy_


def test_a_ratio_is_one_of_two_classes_as_in_imbalanced_learn(points: Any, three: Any) -> None:
    _, y = SyntheticSampler(sampling_strategy=0.7, random_state=0).fit_resample(*points)
    assert Counter(y) == Counter(RandomOverSampler(sampling_strategy=0.7).fit_resample(*points)[1])
    with pytest.raises(ConfigError, match="only when the type of target is binary"):
        SyntheticSampler(sampling_strategy=0.7).fit_resample(*three)


def test_augmented_rows_come_on_top_for_every_class(three: Any) -> None:
    sampler = SyntheticSampler(augment=10, random_state=0)
    _, y = sampler.fit_resample(*three)
    assert Counter(y) == {"a": 110, "b": 110, "c": 110}
    assert sampler.sampling_strategy_ == {"a": 10, "b": 50, "c": 90}
    assert clone(sampler).fit(*three).sampling_strategy_ == sampler.sampling_strategy_


def test_even_classes_get_no_row_and_no_warning(points: Any) -> None:
    X, y = points
    even = np.concatenate([np.flatnonzero(y == 1), np.flatnonzero(y == 0)[:60]])
    sampler = SyntheticSampler(random_state=0)
    X_new, _ = sampler.fit_resample(X[even], y[even])
    np.testing.assert_array_equal(X_new, X[even])
    assert not sampler.is_synthetic_.any()
    assert sampler.parents_.shape == (0, 0)


# --- whose rows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("generator", QUICK)
def test_any_registered_generator_makes_the_rows(points: Any, generator: str) -> None:
    sampler = SyntheticSampler(generator, random_state=0)
    X_new, y_new = sampler.fit_resample(*points)
    assert Counter(y_new) == {0: 240, 1: 240}
    assert sampler.report_.generator == generator
    np.testing.assert_array_equal(X_new[~sampler.is_synthetic_], points[0])


def test_options_and_configured_objects_reach_the_generator(points: Any) -> None:
    named = SyntheticSampler("smote", generator_options={"k_neighbors": 1}, random_state=0)
    object_ = current_plugins().build("smote", {"k_neighbors": 1})
    given = clone(SyntheticSampler(object_, random_state=0))
    np.testing.assert_array_equal(named.fit_resample(*points)[0], given.fit_resample(*points)[0])
    assert named.report_.options.k_neighbors == 1


def test_parents_are_the_rows_that_a_synthetic_one_lies_between(points: Any) -> None:
    X, y = points
    sampler = SyntheticSampler("smote", random_state=0)
    X_new, _ = sampler.fit_resample(X, y)
    base, partner = X[sampler.parents_[:, 0]], X[sampler.parents_[:, 1]]
    assert sampler.is_synthetic_.sum() == len(sampler.parents_) == 180
    assert (X_new[300:] >= np.minimum(base, partner) - 1e-9).all()
    assert (X_new[300:] <= np.maximum(base, partner) + 1e-9).all()
    assert (y[sampler.parents_] == 1).all()


def test_copies_name_the_row_that_they_copy_and_others_may_name_none(patients: Any, points: Any) -> None:
    X, y = patients
    ros = SyntheticSampler("ros", random_state=0)
    X_new, _ = ros.fit_resample(X, y)
    pd.testing.assert_frame_equal(
        X_new[400:].reset_index(drop=True), X.iloc[ros.parents_[:, 0]].reset_index(drop=True), check_exact=True
    )
    silent = ScriptedGenerator(lambda table, counts, rng: fathers_unknown(table, counts))
    unknown = SyntheticSampler(silent, random_state=0)
    unknown.fit_resample(*points)
    assert unknown.parents_.shape == (180, 0)


def fathers_unknown(table: Any, counts: Any) -> pd.DataFrame:
    return pd.concat([table.frame.iloc[np.resize(table.positions(group), n)] for group, n in counts.items()])


def test_equal_seeds_give_equal_rows_and_samplers_survive_pickling(points: Any) -> None:
    first, again, other = (
        SyntheticSampler(random_state=seed).fit_resample(*points)[0] for seed in (3, np.random.RandomState(3), 4)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    sampler = SyntheticSampler(random_state=3)
    sampler.fit_resample(*points)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(sampler)).fit_resample(*points)[0], first)


def test_a_race_may_answer_that_no_row_is_worth_adding() -> None:
    frame = overlapping_classes(300, minority_share=0.2, n_features=2)
    y = frame.pop("target")
    settings = {"generators": ["ros"], "cv": 2, "learner": LogisticRegression()}
    sampler = SyntheticSampler("auto", generator_options=settings, random_state=0)
    X_new, _ = sampler.fit_resample(frame, y)
    assert sampler.report_.tuning is not None
    assert len(X_new) == 300 + sum(sampler.sampling_strategy_.values())
    with pytest.raises(ConfigError, match="lets a race choose how many rows"):
        clone(sampler).set_params(sampling_strategy=0.5).fit_resample(frame, y)


def test_checks_of_the_rows_warn_or_raise_when_asked(points: Any) -> None:
    far = ScriptedGenerator(lambda table, counts, rng: one_row(table, counts))
    with pytest.warns(AutosynthWarning):
        SyntheticSampler(far, check="warn").fit_resample(*points)
    with pytest.raises(CheckFailedError):
        SyntheticSampler(far, check="raise").fit_resample(*points)


def one_row(table: Any, counts: Any) -> SampledRows:
    (group,) = counts
    return SampledRows(table.frame.iloc[np.resize(table.positions(group)[:1], counts[group])])


# --- groups ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wards() -> tuple[pd.DataFrame, pd.Series]:
    """Most ill people lie in the south: (no, north) 300, (yes, south) 60, (no, south) 30, (yes, north) 10."""
    frame = shortcut_table(400, minority_share=0.2).drop(columns=["pressure", "smoker", "ward"])
    y = frame.pop("ill")
    sizes = {("no", "north"): 300, ("yes", "south"): 60, ("no", "south"): 30, ("yes", "north"): 10}
    hospital = pd.Series([cell[1] for cell, size in sizes.items() for _ in range(size)])
    label = pd.Series([cell[0] for cell, size in sizes.items() for _ in range(size)], name=y.name)
    return frame.assign(hospital=hospital), label


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("auto", (300, 300, 300, 300)),
        ("minority", (300, 60, 30, 300)),
        ("not minority", (300, 300, 300, 10)),
        (0.5, (300, 150, 150, 150)),
        ({("yes", "north"): 60}, (300, 60, 30, 60)),
        ({"yes": 110}, (300, 60, 30, 50)),
        ({"yes": 201, ("no", "south"): 31}, (300, 101, 31, 100)),
        (lambda y: {"no": 330 + int((y == "yes").sum())}, (300, 60, 100, 10)),
    ],
)
def test_strategies_mean_groups_where_there_are_some(wards: Any, strategy: Any, expected: tuple[int, ...]) -> None:
    X, y = wards
    sampler = SyntheticSampler(group_by="hospital", sampling_strategy=strategy, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    found = cells(X_new, y_new)
    order = [("no", "north"), ("yes", "south"), ("no", "south"), ("yes", "north")]
    assert tuple(found[cell] for cell in order) == expected
    assert sum(sampler.sampling_strategy_.values()) == sum(expected) - 400


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(0, 300))
def test_rows_of_a_class_are_spread_as_evenly_as_may_be(sizes: list[int], n_new: int) -> None:
    added = spread_evenly(np.array(sizes), sum(sizes) + n_new)
    after = np.array(sizes) + added
    assert sum(added) == n_new
    assert min(added) >= 0
    grown = after[np.array(added) > 0]
    assert n_new == 0 or grown.max() <= after.min() + 1  # nothing grew while another group was smaller


def test_groups_may_be_no_features_and_come_back_beside_the_rows(wards: Any) -> None:
    X, y = wards
    X = X.set_axis([f"patient {number}" for number in range(400)])
    features, hospital = X.drop(columns="hospital"), X["hospital"]
    sampler = SyntheticSampler(random_state=0)
    X_new, y_new = sampler.fit_resample(features, y, groups=hospital)
    assert list(X_new.columns) == list(features.columns)
    assert sampler.groups_.index.equals(X_new.index)
    assert set(cells(sampler.groups_, y_new).values()) == {300}
    pd.testing.assert_series_equal(sampler.groups_["hospital"][:400], hospital)
    alike, _ = clone(sampler).fit_resample(features, y, groups=hospital.to_numpy())
    np.testing.assert_array_equal(alike, X_new)
    assert clone(sampler).fit_resample(features, y)[0].shape[0] == 660


def test_several_group_columns_may_come_from_both_sides(wards: Any) -> None:
    X, y = wards
    sex = pd.DataFrame({"sex": np.resize(["F", "M", "M"], 400)})
    sampler = SyntheticSampler(group_by=["hospital"], sampling_strategy="all", random_state=0)
    sampler.fit_resample(X, y, groups=sex)
    assert list(sampler.groups_.columns) == ["hospital", "sex"]
    assert len(sampler.sampling_strategy_) == 8
    assert len(next(iter(sampler.sampling_strategy_))) == 3


def test_columns_of_arrays_and_frames_are_grouped_by_number_and_cut_into_bins(points: Any) -> None:
    X, y = points
    sampler = SyntheticSampler(group_by={1: [0.0]}, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    assert len(set(Counter(zip(y_new, X_new[:, 1] > 0, strict=True)).values())) == 1
    framed, _ = clone(sampler).fit_resample(pd.DataFrame(X, columns=list("abc")), y)
    np.testing.assert_array_equal(framed, X_new)


# --- weights -----------------------------------------------------------------------------------------------------


def test_real_rows_keep_their_weights_and_synthetic_ones_inherit_the_mean_of_their_group(wards: Any) -> None:
    X, y = wards
    weights = np.arange(400) / 7
    sampler = SyntheticSampler(group_by="hospital", synthetic_weight=0.5, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y, sample_weight=weights)
    np.testing.assert_array_equal(sampler.sample_weight_[:400], weights)
    is_rare = (X["hospital"] == "north") & (y == "yes")
    rare_new = (X_new["hospital"] == "north") & (y_new == "yes") & sampler.is_synthetic_
    np.testing.assert_allclose(sampler.sample_weight_[rare_new.to_numpy()], 0.5 * weights[is_rare.to_numpy()].mean())


def test_weights_of_the_parts_are_those_of_the_core(three: Any) -> None:
    X, y = three
    options = {"augment": 20, "alpha": 0.3, "synthetic_weight": 0.5}
    sampler = SyntheticSampler(**options, random_state=0)
    sampler.fit_resample(X, y)
    real, oversampled, augmented = sampler.plan_.part_weights()
    assert set(sampler.sample_weight_[:180]) == {1.0}
    assert sorted(set(sampler.sample_weight_[180:].round(9))) == pytest.approx(
        sorted({oversampled / real, augmented / real})
    )


def test_weights_change_no_row(points: Any) -> None:
    plain, _ = SyntheticSampler(random_state=0).fit_resample(*points)
    weighed, _ = SyntheticSampler(random_state=0).fit_resample(*points, sample_weight=np.arange(300))
    np.testing.assert_array_equal(plain, weighed)


# --- groups without classes --------------------------------------------------------------------------------------


def test_a_quantity_goes_along_while_groups_are_balanced(wards: Any) -> None:
    X, _ = wards
    y = pd.Series(np.linspace(0, 1, 400) ** 2, name="cost")
    sampler = GroupSampler(group_by="hospital", random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    assert X_new["hospital"].value_counts().to_dict() == {"north": 310, "south": 310}
    pd.testing.assert_series_equal(y_new[:400], y)
    in_south = y[(X["hospital"] == "south").to_numpy()]
    assert y_new[400:].between(in_south.min(), in_south.max()).all()
    assert sampler.sampling_strategy_ == {"south": 220}
    assert [str(part.group) for part in sampler.plan_.groups] == ["hospital=north", "hospital=south"]


@pytest.mark.parametrize(
    "target",
    [
        np.resize(["a", "b", "c"], 400),
        np.resize([1, 2, 3, 4, 5], 400),
        np.column_stack([np.linspace(0, 1, 400), np.arange(400)]),
        pd.DataFrame({"cost": np.linspace(0, 1, 400), "kind": np.resize(["a", "b"], 400)}),
        np.linspace(0, 1, 400).tolist(),
        np.column_stack([np.ones(400), np.arange(400)]),
    ],
    ids=["strings", "stars", "two numbers", "mixed", "list", "constant"],
)
def test_targets_of_any_kind_play_no_part_in_the_groups(wards: Any, target: Any) -> None:
    sampler = GroupSampler(group_by="hospital", random_state=0)
    X_new, y_new = sampler.fit_resample(wards[0], target)
    assert X_new["hospital"].value_counts().to_dict() == {"north": 310, "south": 310}
    assert list(X_new.columns) == list(wards[0].columns)
    assert type(y_new) is type(target)
    assert np.shape(y_new) == (620, *np.shape(target)[1:])
    assert [str(part.group) for part in sampler.plan_.groups] == ["hospital=north", "hospital=south"]
    if not isinstance(target, pd.DataFrame | list) and target.ndim == 1:
        assert set(y_new) == set(target)


def test_reports_of_groups_alone_name_no_column_that_the_user_does_not_have(wards: Any) -> None:
    X, y = wards
    sampler = GroupSampler(group_by="hospital", check="warn", random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.report_.label is None
    assert [str(group) for group in sampler.plan_.strategy] == ["hospital=south"]
    subjects = {result.subject for result in sampler.report_.checks}
    assert "hospital=south" in subjects
    assert "group=hospital=south, hospital=south" not in subjects


def test_groups_alone_take_strategies_bins_weights_and_groups_beside(wards: Any) -> None:
    X, _ = wards
    y = X["severity"].to_numpy()
    sampler = GroupSampler(group_by={"age": [50]}, sampling_strategy=1.0, random_state=0)
    X_new, _ = sampler.fit_resample(X, y, sample_weight=np.ones(400))
    assert (X_new["age"] > 50).mean() == 0.5
    assert set(sampler.sample_weight_) == {1.0}
    beside = GroupSampler(sampling_strategy={"south": 100}, random_state=0)
    X_new, _ = beside.fit_resample(X.drop(columns="hospital"), y, groups=X["hospital"])
    assert beside.groups_["hospital"].value_counts().to_dict() == {"north": 310, "south": 100}


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generator": "smoet"}, "Did you mean 'smote'"),
        ({"generator_options": {"k": 3}}, "has no option 'k'"),
        ({"sampling_strategy": "balanse"}, r"sampling_strategy='balanse' is unknown\. .*Use one of 'auto'"),
        ({"sampling_strategy": 1.5}, r"sampling_strategy=1.5 is out of range\. Use a name"),
        ({"sampling_strategy": ["yes"]}, "a mapping of rows in total, or a callable"),
        ({"sampling_strategy": {"yes": 1}}, "does not fit these rows"),
        ({"sampling_strategy": {"maybe": 900}}, "not present in the data"),
        ({"augment": -1}, "augment=-1"),
        ({"group_by": "hospitl"}, "Did you mean 'hospital'"),
        ({"group_by": 7}, "group_by=7 is not a column"),
        ({"group_by": "hospital", "sampling_strategy": {("yes", "nord"): 50}}, r"Did you mean .\('yes', 'north'\)"),
        ({"group_by": "hospital", "sampling_strategy": {"yes": 3}}, "asks for 3 rows of 'yes', which has 70 real ones"),
        ({"group_by": "hospital", "sampling_strategy": {"yes": 90.5}}, "Use a whole number"),
        (
            {"group_by": "hospital", "sampling_strategy": {("yes", "north"): 50, "yes": 200}},
            r"names the group \('yes', 'north'\) twice",
        ),
        ({"group_by": "hospital", "sampling_strategy": lambda y: 3}, "sampling_strategy returned 3"),
        ({"generator": "auto", "group_by": "hospital", "augment": 5}, "augment"),
    ],
)
def test_options_that_make_no_sense_are_refused(wards: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SyntheticSampler(**options).fit_resample(*wards)


def test_rows_that_do_not_fit_are_refused(wards: Any) -> None:
    X, y = wards
    with pytest.raises(DataError, match="y holds one class only, 'no', in 330 rows"):
        SyntheticSampler().fit_resample(X[y == "no"], y[y == "no"])
    with pytest.raises(DataError, match="groups has 3 rows for 400 rows of X"):
        SyntheticSampler().fit_resample(X, y, groups=["a", "b", "c"])
    with pytest.raises(ConfigError, match="groups holds the column 'hospital', which X holds as well"):
        SyntheticSampler().fit_resample(X, y, groups=X["hospital"])
    with pytest.raises(DataError, match=r"X has 0 rows\. Give two or more"):
        SyntheticSampler().fit_resample(X[:0], y[:0])
    with pytest.raises(DataError, match="several columns called 'age'"):
        SyntheticSampler().fit_resample(X[["age", "age"]], y)
    with pytest.raises(DataError, match=r"the columns of X have 2 levels\. Join them"):
        SyntheticSampler().fit_resample(X[["age"]].set_axis(pd.MultiIndex.from_tuples([("a", "b")]), axis=1), y)
    with pytest.raises(DataError, match=r"y holds 10 missing labels\. Drop these rows first"):
        SyntheticSampler().fit_resample(X, y.mask(y.index < 10))
    with pytest.raises(DataError, match=r"datetime64.*name no classes. Use y.astype\(str\)"):
        SyntheticSampler().fit_resample(X, pd.Timestamp("2024-01-01") + pd.to_timedelta(y.index % 2, unit="D"))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        SyntheticSampler().fit_resample(X, y[:-1])
    with pytest.raises(DataError, match=r"y holds one value only, 1\.0, in 400 rows"):
        GroupSampler(group_by="hospital").fit_resample(X, np.ones(400))
    with pytest.raises(ConfigError, match=r"there is nothing to balance\. Name columns of X in group_by"):
        GroupSampler().fit_resample(X, y)
    with pytest.raises(ConfigError, match="Use sampling_strategy='auto' and class labels"):
        GroupSampler("auto", group_by="hospital").fit_resample(X, X["severity"])


def test_without_imbalanced_learn_the_extra_is_named_and_the_classifier_works() -> None:
    program = """
import sys
sys.modules["imblearn"] = None
from autosynth_sklearn import RebalancedClassifier
try:
    from autosynth_sklearn import SyntheticSampler
except ImportError as error:
    print(error)
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "'imblearn' is not installed. Bring it with: pip install 'autosynth[sklearn]'" in answer.stdout
