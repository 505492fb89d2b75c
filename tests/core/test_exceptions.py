from __future__ import annotations

import pickle

import pytest

from autosynth import Group
from autosynth.checks import CheckReport
from autosynth.exceptions import (
    AutosynthError,
    CheckFailedError,
    DataError,
    InsufficientRowsError,
    MissingExtraError,
    UnknownGeneratorError,
)

GROUP = Group((("ill", "yes"),))


@pytest.mark.parametrize(
    "error",
    [
        DataError("no"),
        UnknownGeneratorError("smoote", ["smote"]),
        MissingExtraError("ctgan", "sdv"),
        InsufficientRowsError({GROUP: 5}, {GROUP: 3}, reasons="a", advice="b"),
        CheckFailedError("failed", CheckReport()),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_between_processes_with_their_message_and_attributes(error: AutosynthError) -> None:
    travelled = pickle.loads(pickle.dumps(error))
    assert type(travelled) is type(error)
    assert str(travelled) == str(error)
    assert vars(travelled) == vars(error)
