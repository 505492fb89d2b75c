"""What is known about AutoGluon's model families when rows are added to their training data."""

from __future__ import annotations

# Their `_fit` hands sample_weight to the learner (read in autogluon.tabular 1.6.3); the others log that they ignore it
# or take none, and get fewer rows instead.
HONOUR_WEIGHTS = frozenset({"GBM", "GBM_PREP", "CAT", "XGB", "RF", "XT", "LR", "EBM"})

# Tabular foundation models read the training rows as context, and their authors advise against oversampling
# (PriorLabs/TabPFN#45); text and image models see columns that no row generator makes; ensembles have no own rows.
LEFT_PLAIN = frozenset(
    {
        *("TABPFNMIX", "TABPFN-2.6", "TABPFN-3", "REALTABPFN-V2", "REALTABPFN-V2.5"),
        *("TABICL", "TABDPT", "TABDPT-TURBO", "MITRA", "NORI"),
        *("AG_TEXT_NN", "AG_IMAGE_NN", "AG_AUTOMM", "FT_TRANSFORMER"),
        *("ENS_WEIGHTED", "SIMPLE_ENS_WEIGHTED", "DUMMY"),
    }
)

# Columns that AutoGluon derived together from one original column (a date and its parts, a text and its word counts).
# Their values belong together, so they are only ever taken over from one real row.
DERIVED_TYPES = ("datetime_as_int", "text_ngram", "text_special", "text_as_category", "binned")
TWO_VALUED_TYPES = ("bool",)
STACK_TYPE = "stack"

KEY_SUFFIX = "_SYN"  # AutoGluon's key of a rebalanced class: that of the family with this at its end
