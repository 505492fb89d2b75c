"""How much a fold asks for, and what happens when its generator has no time: without fitting any model."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("autogluon.tabular")

from autosynth import SamplingPlan, Table
from autosynth.toy import overlapping_classes
from autosynth_autogluon.config import InFoldConfig
from autosynth_autogluon.fold_addition import Amounts
from autosynth_autogluon.fold_synthesis import FoldSynthesis
from autosynth_autogluon.fold_view import FoldRows
from tests.integration.recording import RecordingCopies


@pytest.fixture
def plan() -> SamplingPlan:
    table = Table.from_frame(overlapping_classes(100, minority_share=0.2), label="target")
    return SamplingPlan.make(table, augment=10, alpha=0.1, synthetic_weight=0.5)


def test_families_that_honour_weights_are_asked_for_the_plan(plan: SamplingPlan) -> None:
    assert Amounts(1.0, 0.5, weights_as_counts=False).rows(plan) == plan


def test_rows_stand_for_weights_in_the_other_families(plan: SamplingPlan) -> None:
    real, oversampled, augmented = plan.part_weights()
    common, rare = Amounts(1.0, 0.5, weights_as_counts=True).rows(plan).groups
    assert (common.n_oversample, rare.n_oversample) == (0, round(60 * oversampled / real))
    assert common.n_augment == rare.n_augment == round(10 * augmented / real)


@pytest.mark.parametrize("max_rows", [100, 101, 130, 179, 180, 1000])
def test_no_more_rows_are_asked_for_than_a_model_takes(plan: SamplingPlan, max_rows: int) -> None:
    asked = Amounts(1.0, 0.5, weights_as_counts=False, max_rows=max_rows).rows(plan)
    assert asked.n_real + asked.n_synthetic <= max_rows
    assert asked.n_synthetic >= min(80, max_rows - 100) - 3  # one row may be lost in each part that is cut


def test_a_fit_that_was_cut_short_is_tried_again_when_there_is_more_time(tmp_path: Path) -> None:
    frame = overlapping_classes(60, minority_share=0.3)
    fold = FoldRows(frame.drop(columns="target"), frame["target"], is_classification=True, special_types={})
    slow = RecordingCopies(str(tmp_path), fit_seconds=5)
    synthesis = FoldSynthesis(fold, InFoldConfig(generator=slow), str(tmp_path))
    cut = synthesis.fit(1.0)
    assert cut.generator is None
    assert "did not finish within its 1 s" in cut.cut_short
    assert synthesis.fit(1.2) == cut  # remembered: no second wait
    assert not list(tmp_path.glob("fit-*.txt"))
    assert synthesis.fit(None).generator is not None
    assert len(list(tmp_path.glob("fit-*.txt"))) == 1
