from __future__ import annotations

import numpy as np
import pandas as pd

from autosynth import Table
from autosynth.segments import Segments


def test_segments_are_the_group_columns_without_the_label(frame: pd.DataFrame, table: Table) -> None:
    segments = Segments.from_table(table)
    codes = segments.codes(frame)
    assert np.bincount(codes).tolist() == frame["hospital"].value_counts().sort_index().tolist()
    assert (codes == Segments.from_frame(frame, "ill", "hospital").codes(frame)).all()


def test_without_group_columns_all_rows_are_one_segment(frame: pd.DataFrame) -> None:
    segments = Segments.from_frame(frame, "ill", None)
    assert segments.codes(frame).tolist() == [0] * len(frame)
    assert segments.columns(frame) is None


def test_a_value_that_training_did_not_hold_belongs_to_no_segment(frame: pd.DataFrame, table: Table) -> None:
    segments = Segments.from_table(table)
    others = frame.head(3).assign(hospital=["north", "west", None])
    assert (segments.codes(others) == -1).tolist() == [False, True, True]
    assert segments.columns(others)["hospital"].tolist() == ["north", "not in training", "not in training"]


def test_bins_are_those_of_training(frame: pd.DataFrame) -> None:
    segments = Segments.from_frame(frame, "ill", {"age": [40, 60]})
    few = frame.head(4).assign(age=[20, 41, 200, 40])
    assert segments.codes(few).tolist() == [0, 1, 2, 0]
    assert segments.seen_in(few.head(1)).codes(few).tolist() == [0, -1, -1, 0]
