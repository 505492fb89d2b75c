"""SMOTE, ADASYN and borderline SMOTE for tables with groups, mixed columns and missing values.

The methods are those of the papers and of imbalanced-learn, whose results on purely numeric tables these generators
follow in distribution.  The interpolation is our own, because autosynth asks for what that library's classes cannot
give: the parents of every row, groups instead of classes, an exact count per group, dates and missing values, groups
of one or two rows, and memory that does not grow with the number of distinct values (its SMOTENC builds one-hot
columns for the whole table).  The neighbour searches are scipy's k-d tree and distances, so no extra is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import autosynth
from autosynth_smote.generator import AdasynGenerator, BorderlineSmoteGenerator, SmoteGenerator
from autosynth_smote.options import AdasynOptions, BorderlineSmoteOptions, SmoteOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AdasynGenerator",
    "AdasynOptions",
    "BorderlineSmoteGenerator",
    "BorderlineSmoteOptions",
    "SmoteGenerator",
    "SmoteOptions",
]


@autosynth.hookimpl
def autosynth_register_generators(register: autosynth.Register) -> None:
    register(
        "smote",
        SmoteGenerator,
        options=SmoteOptions,
        summary="rows between a real row and a near one; SMOTE, SMOTE-NC or SMOTE-N by the columns",
        quick=True,
    )
    register(
        "adasyn",
        AdasynGenerator,
        options=AdasynOptions,
        summary="SMOTE with more rows around real rows that are hard to classify",
        quick=True,
    )
    register(
        "borderline_smote",
        BorderlineSmoteGenerator,
        options=BorderlineSmoteOptions,
        summary="SMOTE around real rows close to other labels only",
        quick=True,
    )


@autosynth.hookimpl
def autosynth_propose_generators(
    schema: autosynth.TableSchema, groups: Mapping[autosynth.Group, int]
) -> tuple[str, ...] | None:
    """Propose ``smote`` where it does more than copy: a smaller group has two rows, and a column is no free text."""
    fixed = {schema.label, *schema.group_by}
    can_mix = any(column.kind != "text" for column in schema.columns if column.name not in fixed)
    return ("smote",) if can_mix and sorted(groups.values())[-2] > 1 else None
