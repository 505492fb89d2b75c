"""``transformer``: a compact causal transformer over table cells, trained on the user's own rows."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autosynth import Group, SampledRows, Table, require_extra
from autosynth.cells import CellCodec, Cells
from autosynth.exceptions import ConfigError, GenerationError
from autosynth.seeding import integer_seed
from autosynth_llm.transformer.copula import latent_scores
from autosynth_llm.transformer.options import TransformerOptions
from autosynth_llm.transformer.sizes import Sizes

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth_llm.transformer.training import Member

BLOCK_ROWS = 2_048  # drawn together, in one order of the columns
BLOCKS_PER_MEMBER = 4  # at least, so that rows come in several orders
MIN_BLOCK_ROWS = 16
MIN_ROWS_TO_HOLD_OUT = 4  # a smaller group is trained on whole
MIN_GAIN = 0.01  # nats per held-out cell; with less, columns independent within the group do as well
MIN_GPU_ROWS = 5_000


class TransformerGenerator:
    """Learns a table cell by cell, in any order of the columns, with the group first.

    Parameters
    ----------
    options : TransformerOptions, optional

    Attributes
    ----------
    sizes_ : Sizes
        Of the networks and their training, by the options or by the table.
    codec_ : CellCodec
    members_ : tuple of Member
        The trained networks; empty when there is nothing to learn beyond the group.
    groups_ : tuple of Group
    gain_ : float
        Nats per held-out cell by which the networks beat columns that are independent within the group.

    Examples
    --------
    >>> from autosynth.toy import shortcut_table
    >>> table = Table.from_frame(shortcut_table(200), label="ill", group_by="hospital")
    >>> options = TransformerOptions(steps=20, members=1)
    >>> fitted = TransformerGenerator(options).fit(table, rng=np.random.default_rng(0))
    >>> rows = fitted.sample({table.groups[-1]: 3}, rng=np.random.default_rng(0)).frame
    >>> len(rows), bool(rows["age"].between(table.schema["age"].minimum, table.schema["age"].maximum).all())
    (3, True)
    """

    def __init__(self, options: TransformerOptions | None = None) -> None:
        self.options = options or TransformerOptions()

    def fit(self, table: Table, *, rng: np.random.Generator) -> TransformerGenerator:
        """Train on the rows of ``table``.

        Raises
        ------
        ConfigError
            If a GPU is asked for and there is none, or a checkpoint cannot be read.
        MissingExtraError
            If torch is not installed.
        """
        started = time.monotonic()
        require_extra("torch", extra="llm")
        require_extra("safetensors", extra="llm")
        from autosynth_llm.transformer.checkpoint import Checkpoint, clear
        from autosynth_llm.transformer.threads import limited_threads
        from autosynth_llm.transformer.training import Task, train_member

        self.groups_ = table.groups
        self.sizes_ = Sizes.of(self.options, len(table), table.frame.shape[1])
        self.codec_ = CellCodec.learn(table, max_bins=self.sizes_.bins, max_levels=self.options.max_levels)
        self.members_: tuple[Member, ...] = ()
        seed = integer_seed(rng)
        if not (self.codec_.n_tokens > 1).any():
            return self
        cells = self.codec_.encode(table.frame, table.group_codes)
        folds = _folds(table, self.sizes_.members, self.options.holdout_share, np.random.default_rng(seed))
        n_members = min(self.sizes_.members, int(folds.max()) + 1)  # each needs rows that it does not learn
        task = Task(
            codec=self.codec_,
            cells=cells,
            latent=latent_scores(self.codec_, cells, np.random.default_rng([seed, len(table)])),
            group_codes=table.group_codes,
            axis_codes=_axis_values(table.grouping.axis_codes),
            folds=folds,
            options=self.options,
            sizes=self.sizes_,
            seed=seed,
            device=_device(self.options.device, len(table)),
        )
        limit = self.options.time_limit_s
        with limited_threads(self.options.n_threads):
            for member in range(n_members):
                deadline = math.inf if limit is None else started + limit * (member + 1) / n_members
                checkpoint = Checkpoint.of(self.options.checkpoint, task, member)
                self.members_ += (train_member(task, member, deadline, checkpoint),)
        if self.options.checkpoint is not None and all(member.is_complete for member in self.members_):
            clear(self.options.checkpoint, task)
        return self

    @property
    def gain_(self) -> float:
        """Nats per held-out cell that the networks know beyond columns independent within the group."""
        return float(np.mean([member.gain for member in self.members_])) if self.members_ else 0.0

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> SampledRows:
        """Draw ``counts[group]`` rows of every group.

        Raises
        ------
        GenerationError
            If nothing was fitted yet, or the table holds no such group.
        """
        codes = self._codes(counts)
        notes = {}
        if self.gain_ < MIN_GAIN and len(codes):
            gain = f"{self.gain_:.3f} nats per held-out cell"
            notes[f"rows of a model that found no dependence between columns ({gain}): 'independent' does as well"] = (
                len(codes)
            )
        cells, codes = self._draw(codes, rng)
        return self.codec_.decode(cells, codes, rng=rng, notes=notes)

    def _codes(self, counts: Mapping[Group, int]) -> npt.NDArray[np.int64]:
        """Return the code of every row wanted, group by group."""
        if not hasattr(self, "codec_"):
            raise GenerationError("this transformer has not learned from a table yet. Call fit before sample.")
        for group in counts:
            if group not in self.groups_:
                raise GenerationError(f"{group} is no group of the table. Groups: {'; '.join(map(str, self.groups_))}.")
        codes = [np.full(count, self.groups_.index(group), dtype=np.int64) for group, count in counts.items()]
        return np.concatenate([np.empty(0, dtype=np.int64), *codes])

    def save(self, folder: str | Path) -> Path:
        """Write the fitted generator into a folder as safetensors and JSON.

        The folder holds real values (categories, limits, and whole cells of columns that are copied): treat it as you
        treat the table.

        Raises
        ------
        GenerationError
            If nothing was fitted yet.
        ConfigError
            If the folder exists and holds something else.
        DataError
            If the table holds a value or a column name that JSON cannot hold.
        """
        if not hasattr(self, "codec_"):
            raise GenerationError("this transformer has not learned from a table yet. Call fit before save.")
        from autosynth_llm.transformer.storage import save

        return save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> TransformerGenerator:
        """Return the generator that :meth:`save` wrote.

        Raises
        ------
        ConfigError
            If the folder is no saved transformer, incomplete, or of another version of the format.
        """
        require_extra("torch", extra="llm")
        require_extra("safetensors", extra="llm")
        from autosynth_llm.transformer.storage import load

        return load(cls, Path(folder))

    def _draw(self, codes: npt.NDArray[np.int64], rng: np.random.Generator) -> tuple[Cells, npt.NDArray[np.int64]]:
        """Return cells, and the group of each: every network draws blocks of rows, each in an order of its own."""
        shape = (len(codes), len(self.codec_.columns))
        if not self.members_ or not len(codes):
            return Cells(np.zeros(shape, dtype=np.int64), np.zeros(shape)), codes
        import torch

        from autosynth_llm.transformer.drawing import draw_cells
        from autosynth_llm.transformer.threads import limited_threads

        n_members = len(self.members_)
        most = max(1, len(codes) // MIN_BLOCK_ROWS)
        n_blocks = max(math.ceil(len(codes) / BLOCK_ROWS), min(most, BLOCKS_PER_MEMBER * n_members))
        blocks = [codes[start::n_blocks] for start in range(n_blocks)]  # every block holds all groups
        drawn = []
        with limited_threads(self.options.n_threads):
            for number, block in enumerate(blocks):
                member = self.members_[number % n_members]
                order = int(rng.integers(len(member.orders.columns)))
                drawn.append(draw_cells(member, torch.as_tensor(block), order, self.options.temperature, rng))
        tokens = np.concatenate([block.tokens.numpy() for block in drawn])
        scores = np.concatenate([block.scores.numpy() for block in drawn]).astype(np.float64)
        return Cells(tokens, scores), np.concatenate(blocks)


def _axis_values(axis_codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number the values of all axes one after the other, so that each gets an embedding of its own."""
    sizes = axis_codes.max(axis=0) + 1
    return np.asarray(axis_codes + np.concatenate([[0], np.cumsum(sizes)[:-1]]), dtype=np.int64)


def _folds(table: Table, n_members: int, holdout_share: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the fold of every row, spread evenly within each group; -1 for rows of tiny groups, never held out."""
    n_folds = max(n_members, round(1 / holdout_share))
    folds = np.full(len(table), -1, dtype=np.int64)
    large = [group for group, size in zip(table.groups, table.group_sizes, strict=True) if size >= MIN_ROWS_TO_HOLD_OUT]
    # With tiny groups alone, rows are held out all the same, or nothing could be judged.
    positions = np.concatenate([rng.permutation(table.positions(group)) for group in large or table.groups])
    folds[positions] = np.arange(len(positions)) % n_folds
    return folds


def _device(wanted: str, n_rows: int) -> str:
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "device='cuda', but torch finds no CUDA device here. Use device='auto' or 'cpu', or install a build of "
            "torch for your GPU."
        )
    if wanted == "auto":
        return "cuda" if n_rows >= MIN_GPU_ROWS and torch.cuda.is_available() else "cpu"
    return wanted
