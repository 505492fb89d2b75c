"""Folds and codes: who validates where, whatever the groups look like."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autosynth import AutosynthWarning, Table
from autosynth.exceptions import ConfigError, DataError
from autosynth.tuning.folds import NEVER, Folds
from autosynth.tuning.label_codes import Coded


def _table(sizes, group_by="site"):
    """A table with so many rows per (label, site)."""
    cells = [cell for cell, size in sizes.items() for _ in range(size)]
    frame = pd.DataFrame(cells, columns=["label", "site"]).assign(x=np.arange(float(len(cells))))
    return Table.from_frame(frame, label="label", group_by=group_by)


SIZES = {("no", "a"): 40, ("no", "b"): 11, ("yes", "a"): 7, ("yes", "b"): 3}


@settings(max_examples=30)
@given(
    st.lists(st.integers(2, 30), min_size=4, max_size=4),
    st.integers(2, 6),
    st.integers(1, 3),
    st.integers(0, 5),
)
def test_every_row_validates_once_per_repeat_and_groups_are_spread_evenly(sizes, cv, repeats, seed):
    table = _table(dict(zip(SIZES, sizes, strict=True)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AutosynthWarning)
        folds = Folds.of(table, cv=cv, repeats=repeats, random_state=seed)
    coded = Coded.of(table)
    for repeat in range(repeats):
        assignment = folds.assignment[repeat]
        assert np.ptp(np.bincount(assignment, minlength=folds.n_folds)) <= 1
        for codes in (table.group_codes, coded.label_codes):
            spread = np.array([np.bincount(assignment[codes == code], minlength=folds.n_folds) for code in set(codes)])
            assert np.ptp(spread, axis=1).max() <= 1
        for fold in range(folds.n_folds):
            trains = folds.trains(repeat, fold)
            assert (trains == ~folds.validates(repeat, fold)).all()
            assert set(table.group_codes[trains]) == set(range(len(table.groups)))
            assert set(coded.label_codes[~trains]) == {0, 1}


def test_the_same_seed_gives_the_same_folds_and_repeats_differ():
    table = _table(SIZES)
    folds = Folds.of(table, cv=3, repeats=2, random_state=7)
    assert (folds.assignment == Folds.of(table, cv=3, repeats=2, random_state=7).assignment).all()
    assert (folds.assignment != Folds.of(table, cv=3, repeats=2, random_state=8).assignment).any()
    assert (folds.assignment[0] != folds.assignment[1]).any()
    assert list(folds) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert len(folds) == 6


def test_a_group_of_one_row_always_trains_and_is_named():
    table = _table({**SIZES, ("yes", "c"): 1, ("no", "c"): 5})
    with pytest.warns(AutosynthWarning, match="1 group has one row only.*label=yes, site=c"):
        folds = Folds.of(table, cv=5)
    alone = table.positions(table.grouping.find(("yes", "c")))
    assert (folds.assignment[0, alone] == NEVER).all()
    assert (np.delete(folds.assignment[0], alone) >= 0).all()
    assert all(folds.trains(0, fold)[alone].all() for fold in range(5))


def test_folds_are_cut_to_the_smallest_class_with_a_word():
    with pytest.warns(AutosynthWarning, match="class label=yes has 3 rows.*3 folds are used instead of 5"):
        folds = Folds.of(_table({("no", "a"): 30, ("yes", "a"): 3}, group_by=None), cv=5)
    assert folds.n_folds == 3


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({("no", "a"): 30, ("no", "b"): 30, ("yes", "a"): 1}, "label=yes has 1 of 61 rows, and a row cannot both"),
        ({("no", "a"): 30, ("yes", "a"): 1, ("yes", "b"): 1}, "label=yes has 2 of 32 rows, each in a group of its own"),
    ],
)
def test_a_class_that_cannot_train_and_validate_is_an_error_with_its_rows(sizes, message):
    with pytest.raises(DataError, match=message):
        Folds.of(_table(sizes))


def test_more_folds_than_rows_is_an_error():
    with pytest.raises(DataError, match=r"cv=9 asks for more folds than the table has rows \(8\)"):
        Folds.of(_table({("no", "a"): 4, ("yes", "a"): 4}, group_by=None), cv=9)


@pytest.mark.parametrize("wrong", [{"cv": 1}, {"cv": 2.5}, {"repeats": 0}, {"cv": True}])
def test_wrong_numbers_of_folds_are_refused(wrong):
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))}=.* out of range"):
        Folds.of(_table(SIZES), **wrong)


def test_a_label_that_is_a_quantity_is_refused():
    frame = pd.DataFrame({"price": np.arange(40.0) / 7, "site": ["a", "b"] * 20})
    with pytest.raises(ConfigError, match="'price' holds 40 different values and reads as a quantity"):
        Folds.of(Table.from_frame(frame, label="price", group_by="site"))


def test_codes_of_kept_rows_are_those_of_the_whole_table():
    table = _table(SIZES)
    coded = Coded.of(table)
    kept = np.arange(len(table)) % 2 == 0
    some = Coded.of(table.keep(kept))
    assert some.classes == coded.classes == ("no", "yes")
    assert some.segments == coded.segments
    assert (some.label_codes == coded.label_codes[kept]).all()
    assert (some.segment_codes == coded.segment_codes[kept]).all()
    assert [str(segment) for segment in coded.segments] == ["site=a", "site=b"]
    for code, group in enumerate(table.groups):
        assert group["label"] == coded.classes[coded.group_labels[code]]
        assert group["site"] == coded.segments[coded.group_segments[code]]["site"]


def test_without_group_columns_all_rows_are_one_segment():
    coded = Coded.of(_table(SIZES, group_by=None))
    assert (coded.n_segments, coded.n_classes) == (1, 2)
    assert (coded.segment_codes == 0).all()
