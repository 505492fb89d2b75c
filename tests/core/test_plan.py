from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autosynth import SamplingPlan, Table
from autosynth.exceptions import ConfigError

FEW = settings(max_examples=60, deadline=None)
SIZES = st.lists(st.integers(1, 25), min_size=2, max_size=5).filter(lambda sizes: sum(sizes) > len(sizes))
RATIOS = st.just("balance") | st.floats(0.01, 1.0)
WEIGHTS = st.floats(0.05, 10.0)


def table_of(sizes: Sequence[int]) -> Table:
    labels = [f"class {position}" for position, size in enumerate(sizes) for _ in range(size)]
    return Table.from_frame(pd.DataFrame({"y": labels}), label="y")


def totals(plan: SamplingPlan) -> dict[str, int]:
    return {row.group["y"]: row.n_real + row.n_synthetic for row in plan.groups}


def test_balance_brings_every_group_to_the_largest() -> None:
    assert totals(SamplingPlan.make(table_of([20, 5, 1]))) == {"class 0": 20, "class 1": 20, "class 2": 20}


def test_a_ratio_is_a_share_of_the_largest_group() -> None:
    assert totals(SamplingPlan.make(table_of([20, 15, 1]), strategy=0.5)) == {
        "class 0": 20,
        "class 1": 15,
        "class 2": 10,
    }


def test_totals_may_be_given_per_group() -> None:
    table = table_of([20, 5, 1])
    plan = SamplingPlan.make(table, strategy={"class 1": 7, table.groups[2]: 3}, augment=2)
    assert totals(plan) == {"class 0": 22, "class 1": 9, "class 2": 5}


def test_alpha_is_the_share_of_augmented_rows_unless_given() -> None:
    table = table_of([20, 5])
    assert SamplingPlan.make(table).alpha == 0
    assert SamplingPlan.make(table, augment=5).alpha == 0.2
    assert SamplingPlan.make(table, augment=5, alpha=0.7).alpha == 0.7


@given(sizes=SIZES, strategy=RATIOS, augment=st.integers(0, 9), alpha=st.none() | st.floats(0, 0.99))
@FEW
def test_counts_add_up(sizes: list[int], strategy: str | float, augment: int, alpha: float | None) -> None:
    table = table_of(sizes)
    plan = SamplingPlan.make(table, strategy=strategy, augment=augment, alpha=alpha if augment else None)
    assert plan.n_real == sum(sizes) == len(table)
    assert plan.n_synthetic == sum(plan.counts.values()) == sum(row.n_oversample + row.n_augment for row in plan.groups)
    assert plan.to_frame()["total"].sum() == plan.n_real + plan.n_synthetic
    for row in plan.groups:
        share = 1.0 if strategy == "balance" else strategy
        assert row.n_real + row.n_oversample == max(row.n_real, round(share * max(sizes)))
        assert row.n_augment == augment
    if strategy == "balance":
        assert plan.n_real + sum(row.n_oversample for row in plan.groups) == len(sizes) * max(sizes)


@given(data=st.data(), sizes=SIZES, augment=st.integers(0, 9))
@FEW
def test_counts_of_given_totals_add_up(data: st.DataObject, sizes: list[int], augment: int) -> None:
    table = table_of(sizes)
    extra = {group: data.draw(st.integers(0, 9)) for group in table.groups}
    named = {group: int(size) + extra[group] for group, size in zip(table.groups, table.group_sizes, strict=True)}
    plan = SamplingPlan.make(table, strategy=named, augment=augment)
    assert {row.group: row.n_oversample for row in plan.groups} == extra
    assert plan.n_synthetic == sum(extra.values()) + augment * len(sizes)


@given(
    sizes=SIZES,
    strategy=RATIOS,
    augment=st.integers(0, 9),
    alpha=st.none() | st.floats(0, 0.99),
    weight=WEIGHTS,
    seed=st.integers(0, 99),
)
@FEW
def test_weights_give_the_papers_objective(
    sizes: list[int], strategy: str | float, augment: int, alpha: float | None, weight: float, seed: int
) -> None:
    plan = SamplingPlan.make(
        table_of(sizes),
        strategy=strategy,
        augment=augment,
        alpha=alpha if augment else None,
        synthetic_weight=weight,
    )
    n_oversample = sum(row.n_oversample for row in plan.groups)
    is_augmented = np.arange(plan.n_synthetic) >= n_oversample
    weights = plan.weights(is_augmented)
    assert weights.mean() == pytest.approx(1)

    def objective(real: np.ndarray, oversampled: np.ndarray, augmented: np.ndarray) -> float:
        """(1 - α) · mean over real and oversampled rows + α · mean over augmented ones, synthetic rows w times."""
        first = (real.sum() + weight * oversampled.sum()) / (len(real) + len(oversampled))
        second = weight * augmented.mean() if len(augmented) else 0.0
        return (1 - plan.alpha) * first + plan.alpha * second

    losses = np.random.default_rng(seed).exponential(size=len(weights))
    ones = np.ones(len(weights))
    cuts = [plan.n_real, plan.n_real + n_oversample]
    expected = objective(*np.split(losses, cuts)) / objective(*np.split(ones, cuts))
    assert np.mean(weights * losses) == pytest.approx(expected)
    if weight == 1:
        assert np.mean(weights * losses) == pytest.approx(objective(*np.split(losses, cuts)))


def test_without_augmentation_all_weights_are_one() -> None:
    plan = SamplingPlan.make(table_of([20, 5]), strategy=0.5)
    assert plan.weights(np.zeros(plan.n_synthetic, dtype=bool)).tolist() == [1.0] * 30


def test_synthetic_weight_is_the_ratio_of_an_oversampled_to_a_real_row() -> None:
    real, oversampled, _ = SamplingPlan.make(table_of([20, 5]), synthetic_weight=0.3).part_weights()
    assert oversampled / real == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strategy": "balanced"}, r"strategy='balanced' is unknown\. Use 'balance', a ratio in \(0, 1\]"),
        ({"strategy": 0}, "strategy=0 is unknown"),
        ({"strategy": 1.5}, "strategy=1.5 is unknown"),
        ({"strategy": float("nan")}, "strategy=nan is unknown"),
        ({"strategy": True}, "strategy=True is unknown"),
        ({"strategy": np.array([0.5, 1])}, r"strategy=array\(.* is unknown"),
        ({"strategy": {"class 0": 19}}, "asks for 19 rows of y=class 0, which holds 20 real ones. Real rows are never"),
        ({"strategy": {"class 1": 7.5}}, "asks for 7.5 rows of 'class 1'. Use a whole number"),
        ({"strategy": {"class 1": -1}}, "asks for -1 rows"),
        ({"strategy": {"class 9": 30}}, "strategy names the group 'class 9'"),
        ({"strategy": {"class 1": 30, ("class 1",): 40}}, "strategy names y=class 1 twice: 'class 1' and"),
        ({"augment": -1}, "augment=-1. Use a whole number of rows per group"),
        ({"augment": 2.5}, "augment=2.5"),
        ({"augment": True}, "augment=True"),
        ({"augment": 5, "alpha": 1.2}, "alpha=1.2. Use a weight from 0 to 1"),
        ({"augment": 5, "alpha": float("nan")}, "alpha=nan"),
        ({"augment": 5, "alpha": "0.5"}, "alpha='0.5'. Use a weight"),
        ({"augment": 5, "alpha": 1}, "alpha=1 gives real rows no weight at all"),
        ({"alpha": 0.5}, "alpha=0.5 weighs augmented rows, and augment=0 asks for none"),
        ({"synthetic_weight": 0}, "synthetic_weight=0. Use a number above 0"),
        ({"synthetic_weight": "1"}, "synthetic_weight='1'. Use a number"),
        ({"synthetic_weight": 11}, "at most 10"),
    ],
)
def test_amounts_out_of_range_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SamplingPlan.make(table_of([20, 5]), **arguments)


def test_a_plan_prints_as_a_table_with_its_weights_and_notes() -> None:
    frame = pd.DataFrame({"y": ["n", "y"] * 20, "age": range(40)})
    plan = SamplingPlan.make(Table.from_frame(frame, label="y", group_by={"age": 2}), augment=3, synthetic_weight=0.5)
    text = str(plan)
    assert "y=n, age=> 19.5" in text
    assert "weights: real 1.1" in text
    assert "age is cut into 2 bins: <= 19.5, > 19.5" in text


def test_a_plan_is_plain_data_for_json() -> None:
    plan = SamplingPlan.make(table_of([20, 5]), augment=np.int64(2))
    assert json.loads(json.dumps(plan.to_dict())) == plan.to_dict()
    assert plan.to_dict()["groups"][1] == {"group": "y=class 1", "real": 5, "oversample": 15, "augment": 2, "total": 22}
