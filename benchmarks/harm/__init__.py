"""Parts of the do-no-harm benchmark: tables, splits, arms, predictions, shifts, metrics, verdicts, summary."""
