"""The samplers keep the contracts of imbalanced-learn and scikit-learn, and every exception has its reason."""

from __future__ import annotations

from typing import Any

import pytest

imblearn_checks = pytest.importorskip("imblearn.utils.estimator_checks")

from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from autosynth_sklearn import GroupSampler, RebalancedClassifier, SyntheticSampler  # noqa: E402

SAMPLERS = [
    SyntheticSampler("smote", random_state=0),
    SyntheticSampler("ros", random_state=0),
    SyntheticSampler("adasyn", random_state=0),
    SyntheticSampler("independent", random_state=0),
    SyntheticSampler("smote", group_by=[0], random_state=0),
    SyntheticSampler("ros", group_by=[0], random_state=0),
]
GROUP_SAMPLERS = [
    GroupSampler("smote", group_by=[0], random_state=0),
    GroupSampler("ros", group_by=[0], random_state=0),
]
GROUPS_ARE_NO_CLASSES = {
    "check_target_type": "a continuous target is what this sampler is for; imbalanced-learn's refuse it",
    "check_samplers_fit_resample": "classes become equal in imbalanced-learn, the groups of a feature here",
    "check_samplers_sampling_strategy_fit_resample": "its keys are classes; the keys here are groups of a feature",
}


@imblearn_checks.parametrize_with_checks(SAMPLERS)
def test_samplers_keep_the_whole_contract_of_imbalanced_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@imblearn_checks.parametrize_with_checks(GROUP_SAMPLERS, expected_failed_checks=lambda _: GROUPS_ARE_NO_CLASSES)
def test_group_samplers_keep_what_is_not_about_classes(estimator: Any, check: Any) -> None:
    check(estimator)


@imblearn_checks.parametrize_with_checks([RebalancedClassifier(LogisticRegression(max_iter=200), generator="ros")])
def test_the_classifier_keeps_the_contract_of_imbalanced_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@parametrize_with_checks([*SAMPLERS, *GROUP_SAMPLERS])
def test_samplers_keep_the_whole_contract_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("check", sorted(GROUPS_ARE_NO_CLASSES))
def test_what_is_expected_to_fail_does_fail(check: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        getattr(imblearn_checks, check)("GroupSampler", GROUP_SAMPLERS[1])
