"""CTGAN and TVAE as generators: training with equal shares of all groups, drawing by bounded rejection."""

from __future__ import annotations

import logging
import math
import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth import Group, SampledRows, Table
from autosynth.extras import require_extra
from autosynth.isolation import isolated
from autosynth_sdv.coding import CELL, TableCode
from autosynth_sdv.gaps import GapRates
from autosynth_sdv.options import CTGANOptions, NeuralOptions, TVAEOptions
from autosynth_sdv.rejection import draw_until_full

if TYPE_CHECKING:
    import numpy.typing as npt
    from typing_extensions import Self

logger = logging.getLogger(__name__)

OURS = frozenset({"epochs", "max_levels", "max_train_rows", "max_draws", "max_rejection_rounds", "time_limit_s"})


class NeuralGenerator:
    """What CTGAN and TVAE share.

    Label and group columns are replaced by one discrete column, the *cell*.  The network learns from rows drawn with
    equal shares of all cells, so that no cell is rare in what it learns.  Rows that come out in another cell are
    rejected before they are decoded, within the budget of the options; when it is used up, fewer rows come back and
    the notes say so.

    A group may be as small as one row: the row is then repeated in training, and the rows drawn lean on it and on what
    the groups have in common.
    """

    options: NeuralOptions

    def fit(self, table: Table, *, rng: np.random.Generator) -> Self:
        """Train the network; the table is not kept, apart from columns that are copied.

        Raises
        ------
        MissingExtraError
            If ctgan or torch is not installed.
        """
        started = time.monotonic()
        torch = require_extra("torch", extra="sdv")
        require_extra("ctgan", extra="sdv")
        options = self.options
        self.groups_ = table.groups
        self.code_, coded = TableCode.learn(table, max_levels=options.max_levels, for_network=True, rng=rng)
        self.gaps_ = GapRates.take_from(coded, table.group_codes)
        coded.insert(0, CELL, table.group_codes)
        rows = balanced_rows(table.group_codes, min(len(table), options.max_train_rows), rng)
        with isolated(rng, torch=torch, gpu=options.enable_gpu):
            self.network_ = self._network(options.epochs or self._default_epochs(len(rows)))
            self.network_.train_until(
                coded.iloc[rows].reset_index(drop=True),
                math.inf if options.time_limit_s is None else started + options.time_limit_s,
            )
        seconds = time.monotonic() - started
        logger.info("trained %d epochs on %d rows in %.1f s", self.network_.n_epochs, len(rows), seconds)
        return self

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> SampledRows:
        """Draw rows, reject those of other groups, and stop when all are there or the budget is used up."""
        torch = require_extra("torch", extra="sdv")
        wanted = np.zeros(len(self.groups_), dtype=np.int64)
        for group, count in counts.items():
            wanted[self.groups_.index(group)] = count
        with isolated(rng, torch=torch, gpu=self.options.enable_gpu):
            accepted = draw_until_full(
                self.network_.draw,
                wanted,
                max_draws=self.options.max_draws,
                max_rounds=self.options.max_rejection_rounds,
            )
            coded = self.network_.decode(accepted.encoded) if len(accepted.cells) else {}
        coded |= self.gaps_.draw(accepted.cells, rng)
        return self.code_.rows(coded, accepted.cells, rng, accepted.notes)

    @property
    def _network_options(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self.options).items() if name not in OURS}

    @abstractmethod
    def _network(self, epochs: int) -> Any:
        """Return the untrained network of :mod:`autosynth_sdv.networks`."""

    @abstractmethod
    def _default_epochs(self, n_rows: int) -> int:
        """Return the epochs for ``epochs=None``."""


class CTGANGenerator(NeuralGenerator):
    """CTGAN with the cell as the condition of every row drawn.

    The condition is nearly always met, and rejection then discards a few rows in a hundred; see
    :class:`autosynth_sdv.networks.CellCTGAN` for the figures.  Equal shares in training pay here too: after 480 steps
    on 8,000 rows of ``adult``, spikes not split off yet, the mean Kolmogorov-Smirnov distance of the numbers was 0.22
    in the smallest cell (261 rows) and 0.15 in the largest, against 0.38 and 0.32 after training on the rows as they
    are.

    Parameters
    ----------
    options : CTGANOptions, optional
        ``epochs=None`` takes 1,000 training steps, but at least 30 epochs and at most 1,500.  A step takes about 0.09 s
        on one core for the 14 columns of ``adult``, so that a fit takes 75
        to 90 s.
    """

    def __init__(self, options: CTGANOptions | None = None) -> None:
        self.options: CTGANOptions = options or CTGANOptions()

    def _network(self, epochs: int) -> Any:
        from autosynth_sdv.networks import CellCTGAN

        return CellCTGAN(epochs=epochs, **self._network_options)

    def _default_epochs(self, n_rows: int) -> int:
        return epochs_for_steps(1_000, max(n_rows // self.options.batch_size, 1))


class TVAEGenerator(NeuralGenerator):
    """TVAE, which knows no conditions: one pool of rows serves all cells that want some.

    Equal shares in training are what makes rejection affordable.  With 4 cells of which the smallest holds 3 % of
    8,000 rows (``adult``, 1,200 steps), 0.2 % of the rows drawn were of that cell after training on the rows as they
    are and 20 % after training with equal shares; the mean total variation distance of its categories fell from 0.24
    to 0.18.  Drawing levels by their probabilities (:class:`autosynth_sdv.networks.CellTVAE`) and the default number of
    steps bring it to 0.06.

    Parameters
    ----------
    options : TVAEOptions, optional
        ``epochs=None`` takes 5,000 training steps, but at least 30 epochs and at most 1,500.  That took 47 to 72 s on
        one core for 8,000 rows of ``adult``.
    """

    def __init__(self, options: TVAEOptions | None = None) -> None:
        self.options: TVAEOptions = options or TVAEOptions()

    def _network(self, epochs: int) -> Any:
        from autosynth_sdv.networks import CellTVAE

        return CellTVAE(epochs=epochs, **self._network_options)

    def _default_epochs(self, n_rows: int) -> int:
        return epochs_for_steps(5_000, math.ceil(n_rows / self.options.batch_size))


def epochs_for_steps(n_steps: int, steps_per_epoch: int) -> int:
    """Return how many epochs make about ``n_steps`` training steps, from 30 to 1,500.

    Examples
    --------
    >>> epochs_for_steps(5_000, 1), epochs_for_steps(1_000, 16), epochs_for_steps(1_000, 100)
    (1500, 63, 30)
    """
    return min(max(math.ceil(n_steps / steps_per_epoch), 30), 1_500)


def balanced_rows(groups: npt.NDArray[np.int64], n_rows: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw row positions with equal shares of all groups, in random order; each group gets a row at least.

    Every row of a group is taken equally often, give or take one.

    Examples
    --------
    >>> groups = np.array([0, 0, 0, 0, 0, 1])
    >>> groups[balanced_rows(groups, 6, np.random.default_rng(0))].tolist().count(1)
    3
    """
    n_groups = int(groups.max()) + 1
    share = max(1, n_rows // n_groups)
    drawn = [np.resize(rng.permutation(np.flatnonzero(groups == group)), share) for group in range(n_groups)]
    return rng.permutation(np.concatenate(drawn))
