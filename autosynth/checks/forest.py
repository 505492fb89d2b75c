"""HonestForest: randomized trees that also say what they expect of rows they were grown on, as if they were fresh.

Every tree is grown on half of the rows of each class, so what the other trees expect of a row is what they would expect
of any fresh row.  scikit-learn's own forests draw rows of a rare class so often that none is left out of any tree, once
classes are weighted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.int64]

N_TREES = 60
MAX_GROWN_ON = 1_000  # rows of a class


@dataclass(frozen=True)
class HonestForest:
    """Trees of classes, all of them with the same weight, or of numbers.

    Attributes
    ----------
    trees : tuple
        scikit-learn's.
    unseen : ndarray of shape (n_rows, n_classes) or (n_rows,)
        Probabilities or numbers that the trees expect which were not grown on the row; NaN where all of them were.

    Examples
    --------
    >>> x = np.linspace(0, 1, 200)[:, None]
    >>> forest = HonestForest.of_classes(x, (x[:, 0] > 0.5).astype(int))
    >>> forest.unseen.shape, forest.expect(np.array([[0.9]])).round().tolist()
    ((200, 2), [[0.0, 1.0]])
    """

    trees: tuple[Any, ...]
    unseen: Floats

    @classmethod
    def of_classes(cls, features: Floats, classes: Codes, cells: Codes | None = None) -> HonestForest:
        """Learn classes 0 to n_classes - 1, each of them present, from finite features of shape (n_rows, n_features).

        Within each cell, the classes that it holds have the same weight, so that the cell alone predicts nothing.
        """
        from sklearn.tree import ExtraTreeClassifier

        cells = np.zeros_like(classes) if cells is None else cells

        def grow(seed: int, bag: Codes) -> Any:
            weights = _even_weights(cells[bag], classes[bag])
            tree = ExtraTreeClassifier(min_samples_leaf=2, random_state=seed)
            return tree.fit(features[bag], classes[bag], sample_weight=weights)

        return cls._grow(features, classes, grow)

    @classmethod
    def of_numbers(cls, features: Floats, numbers: Floats) -> HonestForest:
        """Learn finite numbers from finite features of shape (n_rows, n_features)."""
        from sklearn.tree import ExtraTreeRegressor

        def grow(seed: int, bag: Codes) -> Any:
            tree = ExtraTreeRegressor(min_samples_leaf=2, max_features=0.5, random_state=seed)
            return tree.fit(features[bag], numbers[bag])

        return cls._grow(features, np.zeros(len(numbers), dtype=np.int64), grow)

    @classmethod
    def _grow(cls, features: Floats, strata: Codes, grow: Callable[[int, Codes], Any]) -> HonestForest:
        """Grow each tree on half of the rows of each stratum, and ask it about all."""
        rng = np.random.default_rng(0)
        sizes = np.clip(np.bincount(strata) // 2, 1, MAX_GROWN_ON)
        total: Any = 0.0
        n_unseen = np.zeros(len(features))
        trees = []
        for seed in range(N_TREES):
            order = np.lexsort((rng.random(len(strata)), strata))
            rank = np.arange(len(order)) - np.searchsorted(strata[order], strata[order])
            bag = order[rank < sizes[strata[order]]]
            tree = grow(seed, bag)
            is_unseen = np.ones(len(features), dtype=bool)
            is_unseen[bag] = False
            expected = _expect(tree, features)
            total = total + np.where(is_unseen[:, None] if expected.ndim > 1 else is_unseen, expected, 0.0)
            n_unseen += is_unseen
            trees.append(tree)
        counts = np.where(n_unseen > 0, n_unseen, np.nan)
        return cls(tuple(trees), total / (counts[:, None] if total.ndim > 1 else counts))

    def expect(self, features: Floats) -> Floats:
        """Return the probabilities of the classes, shape (n_rows, n_classes), or the numbers, shape (n_rows,)."""
        return np.asarray(np.mean([_expect(tree, features) for tree in self.trees], axis=0))


def _even_weights(cells: Codes, classes: Codes) -> Floats:
    """Return weights with which the classes of a cell count the same, and the cell as much as it has rows."""
    table = np.zeros((int(cells.max()) + 1, int(classes.max()) + 1))
    np.add.at(table, (cells, classes), 1)
    share = table.sum(axis=1) / np.maximum((table > 0).sum(axis=1), 1)  # a cell may have no row in the bag
    return np.asarray(share[cells] / table[cells, classes])


def _expect(tree: Any, features: Floats) -> Floats:
    return np.asarray(tree.predict_proba(features) if hasattr(tree, "predict_proba") else tree.predict(features))
