from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autosynth.exceptions import ConfigError, DataError
from autosynth.groups import Group
from autosynth.predictions import check_same_rows, read_predictions, read_segments, read_target

LABELS = ["no", "yes", "no", "yes"]
PROBA = [0.1, 0.8, 0.4, 0.6]


def test_the_second_sorted_label_is_positive_unless_named() -> None:
    target = read_target(LABELS, PROBA, classes=None, positive_class=None)
    assert target.classes == ("no", "yes")
    assert target.positive == 1
    named = read_target(LABELS, PROBA, classes=None, positive_class="no")
    assert read_predictions(PROBA, named).probabilities[:, 0].tolist() == PROBA


def test_columns_of_a_frame_are_the_classes_and_a_baseline_may_order_them_otherwise() -> None:
    frame = pd.DataFrame({"yes": PROBA, "no": 1 - np.array(PROBA)})
    target = read_target(LABELS, frame, classes=None, positive_class="yes")
    assert target.classes == ("yes", "no")
    baseline = read_predictions(frame[["no", "yes"]], target, name="baseline")
    assert (baseline.probabilities == read_predictions(frame, target).probabilities).all()


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1, 0, 1],
        [False, True, False, True],
        [1.5, 2.5, 1.5, 2.5],
        pd.to_datetime(["2020", "2021", "2020", "2021"]),
        pd.array(["a", "b", "a", "b"], dtype="string"),
        pd.Series([False, True, False, True], dtype="boolean"),
        pd.Series([3, 4, 3, 4], dtype="Int64"),
        pd.Categorical(list("abab")),
    ],
)
def test_labels_may_have_any_type(labels: object) -> None:
    target = read_target(labels, PROBA, classes=None, positive_class=None)
    assert target.codes.tolist() == [0, 1, 0, 1]


def test_categories_keep_their_order_and_unused_ones_are_no_group() -> None:
    sizes = pd.Series(
        pd.Categorical(["small", "big", "small", None], categories=["small", "medium", "big"]), name="size"
    )
    segments, codes = read_segments(sizes, 4)
    assert [str(segment) for segment in segments] == ["size=small", "size=big", "size=missing"]
    assert codes.tolist() == [0, 1, 0, 2]


def test_missing_group_values_of_every_kind_are_one_group() -> None:
    values = pd.Series(["a", None, np.nan, pd.NA], dtype=object)
    segments, codes = read_segments(values, 4)
    assert segments == (Group((("group", "a"),)), Group((("group", None),)))
    assert codes.tolist() == [0, 1, 1, 1]


def test_a_frame_without_columns_splits_nothing() -> None:
    segments, codes = read_segments(pd.DataFrame(index=range(3)), 3)
    assert segments == (Group(()),)
    assert codes.tolist() == [0, 0, 0]


def test_group_columns_without_names_are_numbered() -> None:
    segments, codes = read_segments(np.array([["F", "x"], ["M", "x"], ["F", "x"]]), 3)
    assert [str(segment) for segment in segments] == ["group_1=F, group_2=x", "group_1=M, group_2=x"]
    assert codes.tolist() == [0, 1, 0]


def test_the_predicted_label_is_positive_strictly_above_the_threshold() -> None:
    target = read_target(LABELS, [0.5, 0.5, 0.7, 0.7], classes=None, positive_class=None)
    proba = [0.5, 0.5, 0.7, 0.7]
    assert read_predictions(proba, target).hits.tolist() == [1, 0, 0, 1]
    assert read_predictions(proba, target, threshold=0.7).hits.tolist() == [1, 0, 1, 0]
    assert read_predictions(proba, target, y_pred=LABELS).hits.tolist() == [1, 1, 1, 1]


def test_float32_probabilities_keep_their_resolution() -> None:
    target = read_target(LABELS, PROBA, classes=None, positive_class=None)
    assert read_predictions(np.float32(PROBA), target).resolution == float(np.finfo(np.float32).eps)
    assert read_predictions(PROBA, target).resolution == float(np.finfo(np.float64).eps)


@pytest.mark.parametrize(
    ("y_true", "y_proba", "options", "message"),
    [
        (["a", None, "b", "a"], PROBA, {}, "1 missing labels. Drop"),
        (["a"] * 4, PROBA, {}, "one label only, 'a'"),
        (["a"] * 4, pd.DataFrame({"a": PROBA, "b": PROBA}), {}, "one label only"),
        (["a", "b", "c", "a"], PROBA, {}, "3 labels: 'a', 'b', 'c'. Pass one column per class"),
        (
            ["no", "yess", "no", "yes"],
            pd.DataFrame({"no": PROBA, "yes": PROBA}),
            {},
            "without a probability: 'yess'.*mean",
        ),
        ([0, 1, 0, 1], pd.DataFrame({"0": PROBA, "1": PROBA}), {}, "same type"),
        (pd.DataFrame({"y": LABELS}), PROBA, {}, "2 dimensions"),
    ],
)
def test_unusable_labels_are_data_errors(y_true: object, y_proba: object, options: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_target(y_true, y_proba, classes=None, positive_class=None)


@pytest.mark.parametrize(
    ("y_proba", "classes", "positive_class", "message"),
    [
        (np.full((4, 2), 0.5), None, None, "2 columns without names. Pass classes"),
        (np.full((4, 2), 0.5), ["no", "yes", "maybe"], None, "names 3 classes, y_proba has 2"),
        (np.full((4, 2), 0.5), ["no", "no"], None, "name one twice"),
        (pd.DataFrame(np.full((4, 2), 0.5), columns=["no", "no"]), None, None, "name one twice"),
        (pd.DataFrame({"no": PROBA, "yes": PROBA}), ["yes", "no"], None, "Leave classes out"),
        (PROBA, None, "yess", "positive_class='yess' is not a class.*Did you mean 'yes'"),
        (pd.DataFrame(np.eye(4)[:, :3], columns=["no", "yes", "maybe"]), None, "yes", "for two classes"),
    ],
)
def test_contradicting_classes_are_config_errors(
    y_proba: object, classes: list | None, positive_class: object, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        read_target(LABELS, y_proba, classes=classes, positive_class=positive_class)


@pytest.mark.parametrize(
    ("y_proba", "message"),
    [
        ([0.1, np.nan, 0.2, 0.3], "NaN in 1 rows"),
        (np.array([[0.5, 0.5], [np.nan, 0.5], [np.nan, np.nan], [0, 1]]), "NaN in 2 rows"),
        ([0.1, 1.2, 0.2, 0.3], "ranges from 0.1 to 1.2"),
        ([10, 80, 40, 60], "labels, scores or percentages"),
        (np.array([[0.5, 0.5], [0.5, 0.6], [1, 0], [0, 1]]), "sums to 1.1 in row 1, and is off in 1 rows"),
        (np.full((4, 3), 1 / 3), r"shape \(4, 3\). Pass \(n_rows, 2\)"),
        (["0.1", "high", "0.2", "0.3"], "no number"),
        (pd.DataFrame({"no": PROBA, "maybe": PROBA}), "columns 'no', 'maybe', the classes are 'no', 'yes'"),
    ],
)
def test_impossible_probabilities_are_data_errors(y_proba: object, message: str) -> None:
    target = read_target(LABELS, PROBA, classes=None, positive_class=None)
    with pytest.raises(DataError, match=message):
        read_predictions(y_proba, target)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"threshold": 1.5}, ConfigError, "threshold=1.5 is no probability"),
        ({"threshold": True}, ConfigError, "threshold=True is no probability"),
        ({"threshold": 0.5, "y_pred": LABELS}, ConfigError, "Pass one of them"),
        ({"y_pred": ["no", "yes", "no", "perhaps"]}, DataError, "y_pred holds 'perhaps'"),
        ({"y_pred": ["no", "yes", "no", None]}, DataError, "y_pred holds missing labels"),
        ({"y_pred": [["no"]] * 4}, DataError, "2 dimensions"),
    ],
)
def test_unusable_decisions_are_errors(options: dict, error: type[Exception], message: str) -> None:
    target = read_target(LABELS, PROBA, classes=None, positive_class=None)
    with pytest.raises(error, match=message):
        read_predictions(PROBA, target, **options)


def test_threshold_is_refused_with_more_than_two_classes() -> None:
    proba = np.full((3, 3), 1 / 3)
    target = read_target(["a", "b", "c"], proba, classes=["a", "b", "c"], positive_class=None)
    with pytest.raises(ConfigError, match="threshold is for two classes, and there are 3"):
        read_predictions(proba, target, threshold=0.4)


def test_differing_lengths_empty_inputs_and_scalars_are_data_errors() -> None:
    with pytest.raises(DataError, match="y_true has 4, y_proba has 3"):
        check_same_rows(y_true=LABELS, y_proba=PROBA[:3])
    with pytest.raises(DataError, match="there are no rows"):
        check_same_rows(y_true=[], y_proba=[])
    with pytest.raises(DataError, match="groups is a str"):
        check_same_rows(y_true=LABELS, groups="sex")


def test_differing_indexes_are_a_data_error_that_names_both_ways_out() -> None:
    y_true = pd.Series(LABELS, index=[7, 3, 5, 1])
    with pytest.raises(DataError, match=r"y_proba.loc\[y_true.index\], or pass y_proba.to_numpy\(\)"):
        check_same_rows(y_true=y_true, groups=None, y_proba=pd.Series(PROBA))
    assert check_same_rows(y_true=y_true, y_proba=PROBA) == 4


def test_two_group_columns_of_one_name_are_a_data_error() -> None:
    with pytest.raises(DataError, match="two columns of one name"):
        read_segments(pd.DataFrame([[1, 2]], columns=["a", "a"]), 1)
