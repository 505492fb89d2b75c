"""A table as users have them: numbers, categories, dates, a text, and missing values in each."""

from __future__ import annotations

import numpy as np
import pandas as pd

WORDS = ["pain", "fever", "cough", "severe", "mild", "chronic", "acute", "without", "rash", "since", "weeks"]


def clinic(n_rows: int = 150, random_state: int = 0) -> pd.DataFrame:
    """Return patients, a fifth of them ill; every note starts with a code that no other row has."""
    rng = np.random.default_rng(random_state)
    ill = np.arange(n_rows) % 5 == 0
    admitted = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, n_rows), unit="D")
    frame = pd.DataFrame(
        {
            "age": rng.integers(20, 90, n_rows),
            "dose": rng.normal(np.where(ill, 7.0, 5.0), 1.0).round(2),
            "ward": pd.Categorical(rng.choice(["heart", "lung", "skin"], n_rows)),
            "city": rng.choice(["Rome", "Oslo", "Lima"], n_rows),
            "smoker": rng.random(n_rows) < 0.3,
            "admitted": admitted,
            "note": [f"{note_code(row)} {' '.join(rng.choice(WORDS, 6))}" for row in range(n_rows)],
            "ill": np.where(ill, "yes", "no"),
        }
    )
    for name in ("dose", "ward", "city", "admitted", "note"):
        frame.loc[rng.random(n_rows) < 0.08, name] = None
    return frame


def note_code(row: int) -> str:
    """Return the code in the note of a row."""
    return f"case{row:04d}"
