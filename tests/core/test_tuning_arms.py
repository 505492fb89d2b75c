"""Arms: what is done to the training rows, what it is called, and what it may not be."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autosynth.exceptions import ConfigError
from autosynth.tuning.arm import CLASS_WEIGHTS, NONE, Arm, arms_of

RATIOS = st.lists(st.sampled_from([0.1, 0.25, 0.5, 1.0]), min_size=1, max_size=3)
WEIGHTS = st.lists(st.sampled_from([0.1, 0.3, 1.0, 2.0]), min_size=1, max_size=3)
EXTRA = st.lists(st.sampled_from([0, 10, 200]), min_size=1, max_size=3)
ALPHAS = st.lists(st.sampled_from([None, 0.2, 0.5]), min_size=1, max_size=3)


def test_arms_without_rows_come_first_and_race_even_alone():
    assert arms_of([]) == (NONE, CLASS_WEIGHTS)
    assert arms_of(["ros"])[:2] == (NONE, CLASS_WEIGHTS)
    assert [arm.is_synthetic for arm in arms_of(["ros"])] == [False, False, True]


def test_names_say_what_differs_from_full_balance():
    names = [arm.name for arm in arms_of(["smote"], (0.5, 1), (0, 200), (None, 0.3), (0.3, 1))]
    assert names[:6] == [
        "none",
        "class weights",
        "smote, ratio 0.5, weight 0.3",
        "smote, ratio 0.5",
        "smote, ratio 0.5, 200 more per group, weight 0.3",
        "smote, ratio 0.5, 200 more per group",
    ]
    assert names[-1] == "smote, ratio 1, 200 more per group, alpha 0.3"


@settings(max_examples=30)
@given(RATIOS, EXTRA, ALPHAS, WEIGHTS)
def test_every_arm_occurs_once_and_has_a_name_of_its_own(ratios, augment, alphas, weights):
    arms = arms_of(["smote", "ros"], ratios, augment, alphas if any(augment) else (None,), weights)
    assert len({arm.name for arm in arms}) == len(set(arms)) == len(arms)
    assert len({json.dumps(arm.to_dict()) for arm in arms}) == len(arms)
    assert all(arm.alpha is None for arm in arms if arm.augment == 0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"generator": "ros", "ratio": 0}, "ratio=0 is out of range"),
        ({"generator": "ros", "ratio": 1.5}, "ratio=1.5 is out of range"),
        ({"generator": "ros", "augment": -1}, "augment=-1"),
        ({"generator": "ros", "alpha": 0.5}, "alpha=0.5 weighs augmented rows"),
        ({"generator": "ros", "synthetic_weight": 0}, "synthetic_weight=0"),
        ({"generator": "ros", "class_weights": True}, "Rows or weights"),
        ({"class_weights": 1}, "class_weights=1"),
        ({"ratio": 0.5}, "without a generator"),
    ],
)
def test_an_impossible_arm_is_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        Arm(**wrong)


@pytest.mark.parametrize("wrong", [{"ratios": 0.5}, {"augment": ()}, {"synthetic_weights": "1"}, {"alphas": []}])
def test_amounts_are_lists_of_values_to_try(wrong):
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))}=.* is no list of values"):
        arms_of(["ros"], **wrong)


@pytest.mark.parametrize(
    ("augment", "alphas", "message"),
    [((100,), (0.2, 2.0), r"alpha=2.0\. Use a weight from 0 to 1"), ((0,), (0.3,), r"augment=\(0,\) adds none")],
)
def test_alphas_are_weights_and_have_rows_to_weigh(augment, alphas, message):
    with pytest.raises(ConfigError, match=message):
        arms_of(["ros"], augment=augment, alphas=alphas)
