"""Descriptions tell configured objects apart, whatever they are, and say the same of the same ones in every process."""

import os
import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from autosynth.tuning.description import describe


class Plain:
    def __init__(self, **attributes):
        vars(self).update(attributes)


class Slotted:
    __slots__ = ("k", "unset")

    def __init__(self, k):
        self.k = k


def scaled_by(factor):
    return lambda values: values * factor


def pipeline(function):
    return make_pipeline(FunctionTransformer(function), LogisticRegression())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Plain(options={"a": 1}, scale=0.0), Plain(options={"a": 1}, scale=5.0)),
        (Slotted(3), Slotted(4)),
        (Plain(rows=np.arange(5000)), Plain(rows=np.r_[np.arange(4999), 0])),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 3]})),
        (pipeline(lambda values: values), pipeline(lambda values: values * 0)),
        (scaled_by(1), scaled_by(2)),
        (partial(scaled_by, 1), partial(scaled_by, 2)),
        (partial(lambda v: v), partial(lambda v: -v)),
        (LogisticRegression(C=1.0), LogisticRegression(C=2.0)),
        (1, 1.0),
        ([1, 2], [2, 1]),
        (Plain(options={"a": 1}).__init__, Plain(options={"a": 2}).__init__),
    ],
)
def test_what_is_configured_otherwise_is_described_otherwise(one, other):
    assert describe(one) == describe(one)
    assert describe(one) != describe(other)


def test_the_order_of_entries_does_not_count_where_it_means_nothing():
    assert describe({"a": 1, "b": {3, 4, 5}}) == describe({"b": {5, 4, 3}, "a": 1})


def test_an_object_that_holds_itself_comes_to_an_end():
    ring = Plain(k=1)
    ring.next = [ring]
    assert describe(ring) == describe(ring)


def test_another_process_gives_the_same_description():
    listed = ", ".join(map(repr, "abcdefgh"))
    code = (
        "from autosynth.tuning.description import describe; import numpy as np;"
        "from sklearn.linear_model import LogisticRegression;"
        f"known = lambda x: x in {{{listed}}};"  # a constant that is a set
        f"print(describe([lambda x: x + 1, known, object(), {{{listed}}}, np.arange(9), LogisticRegression()]))"
    )
    command = [sys.executable, "-c", code]
    first, second = (
        subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in "12"
    )
    assert first == second
    assert " at 0x" not in first
