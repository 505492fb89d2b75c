"""GroupSampler: balances the cells of group columns, whatever is to be predicted."""

from __future__ import annotations

from typing import Any

from autosynth_sklearn.sampler import SyntheticSampler
from autosynth_sklearn.target import ColumnTarget, Target


class GroupSampler(SyntheticSampler):
    """An over-sampler that balances groups alone: for regression, and for features whose values are rare.

    It takes what :class:`SyntheticSampler` takes, and gives the same attributes.  The target plays no part in the
    groups: it may be a quantity, classes or several columns, and goes along with its row, so that synthetic rows get a
    target of their own.

    Parameters
    ----------
    generator, generator_options, augment, alpha, synthetic_weight, check, random_state
        As in :class:`SyntheticSampler`; ``generator`` cannot be "auto", whose race wants classes.
    sampling_strategy : str, float, mapping or callable
        As there, with groups for classes: ``{"south": 500}``, or ``{("south", "F"): 500}`` with two columns.
    group_by : column, sequence of columns, or mapping, optional
        Columns of ``X``, by name or by number, whose cells are balanced.  Needed, unless ``fit_resample`` gets
        ``groups``.

    Notes
    -----
    A quantity is the label of the generator's table: SMOTE leaves it out of the distance and interpolates it (as for
    regression in Torgo et al. 2013).  Any other target is a column like the features.

    References
    ----------
    Torgo, Ribeiro, Pfahringer, Branco. SMOTE for Regression. EPIA, 2013.

    Examples
    --------
    >>> from autosynth.toy import shortcut_table
    >>> X = shortcut_table(500)
    >>> y = X.pop("severity")
    >>> X_new, y_new = GroupSampler(group_by="hospital", random_state=0).fit_resample(X, y)
    >>> X["hospital"].value_counts().to_dict(), X_new["hospital"].value_counts().to_dict()
    ({'north': 422, 'south': 78}, {'north': 422, 'south': 422})
    """

    def _read_target(self, y: Any) -> Target:
        return ColumnTarget.read(y)
