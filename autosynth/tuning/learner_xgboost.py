"""XGBoost on tables as they come: missing values and categories are its own business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.extras import require_extra
from autosynth.tuning.encoding import FeatureEncoding
from autosynth.tuning.learner_probabilities import FittedClassifier, present_classes

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from autosynth.schema import TableSchema

TREE_BOOSTERS = (None, "gbtree", "dart")
METHODS_WITH_CATEGORIES = (None, "auto", "hist", "approx")
# Below it, one thread: 9,000 x 20 take 1 s with it, and on two busy cores 44 s with two, which wait for each other.
MIN_CELLS_FOR_THREADS = 2_000_000


@dataclass(frozen=True, kw_only=True)
class XGBoostLearner:
    """XGBoost's classifier with categories as categories, whose levels are those of the training rows.

    Small tables are learned on one thread, large ones on as many as OpenMP allows (OMP_NUM_THREADS); the trees are the
    same.  A classifier with ``n_jobs`` of its own keeps it.

    Attributes
    ----------
    classifier : xgboost.XGBClassifier
        Unfitted; every fit has a copy of its own.
    schema : TableSchema
        Of the whole table.
    n_classes : int
        Classes of the whole table.
    """

    classifier: Any
    schema: TableSchema
    n_classes: int

    @classmethod
    def with_defaults(cls, schema: TableSchema, n_classes: int, random_state: int) -> XGBoostLearner:
        """Return XGBoost with its own defaults.

        Raises
        ------
        MissingExtraError
            If XGBoost is not installed.
        """
        xgboost = require_extra("xgboost", extra="tune")
        classifier = xgboost.XGBClassifier(tree_method="hist", random_state=random_state, verbosity=0)
        return cls(classifier=classifier, schema=schema, n_classes=n_classes)

    def fit(
        self, X: pd.DataFrame, y: npt.NDArray[np.int64], sample_weight: npt.NDArray[np.float64] | None = None
    ) -> FittedClassifier:
        """Train on rows without the label; see :class:`autosynth.tuning.learners.TableLearner`."""
        from sklearn.base import clone

        present, positions = present_classes(y)
        encoding = FeatureEncoding.learn(X, self.schema)
        kinds = ["c" if holds_levels else "q" for holds_levels in encoding.holds_levels]
        features = encoding.encode(X)
        model = clone(self.classifier).set_params(enable_categorical=True, feature_types=kinds)
        if model.n_jobs is None and features.size < MIN_CELLS_FOR_THREADS:
            model.set_params(n_jobs=1)
        model.fit(features, positions, sample_weight=sample_weight)
        return FittedClassifier(model, encoding.encode, present, self.n_classes, type(model).__name__)


def takes_categories(classifier: Any) -> bool:
    """Return whether a classifier object is XGBoost's, of a kind that can split categories."""
    if not any(base.__module__.partition(".")[0] == "xgboost" for base in type(classifier).__mro__):
        return False
    settings = classifier.get_params()
    return settings.get("booster") in TREE_BOOSTERS and settings.get("tree_method") in METHODS_WITH_CATEGORIES
