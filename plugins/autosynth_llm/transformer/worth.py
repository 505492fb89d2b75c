"""Whether a table can teach the transformer anything, within minutes."""

from __future__ import annotations

from collections.abc import Sequence

from autosynth import TableSchema

MIN_ROWS = 30  # of a group that would get rows: from here on the network has half of the say in it, n / (n + 30)
MIN_COLUMNS = 2  # with one column there is no dependence to learn
MAX_CELLS = (
    1_000_000  # one training takes half a minute of processor time for 400,000 cells, and a race trains per fold
)


def is_worth_training(schema: TableSchema, group_sizes: Sequence[int]) -> bool:
    """Return whether training is likely to pay, as a race between generators wants to know.

    Not where every group that would get rows is tiny: all weight is then on the shrunken copula and on shares, which
    ``independent`` gives in milliseconds, and better with a handful of rows.  Not where the columns are free texts,
    which are copied from real rows, and not where a training would take minutes.

    Parameters
    ----------
    schema : TableSchema
        Of the real rows.
    group_sizes : sequence of int
        Real rows of every group.
    """
    fixed = {schema.label, *schema.group_by}
    n_learned = sum(column.kind != "text" for column in schema.columns if column.name not in fixed)
    smaller = sorted(group_sizes)[:-1]  # the largest group is what the others are brought to
    n_cells = sum(group_sizes) * len(schema.columns)
    return n_learned >= MIN_COLUMNS and max(smaller, default=0) >= MIN_ROWS and n_cells <= MAX_CELLS
