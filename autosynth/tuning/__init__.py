"""Whether to add rows, which, and how many: arms raced on a table's own rows, with generators fitted inside folds."""
