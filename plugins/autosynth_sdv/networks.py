"""The networks of ctgan, made to stop in time and to draw rows of a cell.

Imports ctgan and torch, so that only methods import this module.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import ctgan
import joblib
import numpy as np
import pandas as pd
import torch

from autosynth_sdv.coding import CELL

if TYPE_CHECKING:
    import numpy.typing as npt


CHUNK_ROWS = 20_000  # drawn at a time, to bound memory


class TimeIsUpError(Exception):
    """Ends training from inside ctgan's loop; the network stays as the last epoch left it."""


class _StopsInTime:
    """Counts epochs, and ends training at a deadline.

    ctgan assigns ``loss_values`` after every epoch, and offers no other place to step in.
    """

    deadline = math.inf  # on the clock of time.monotonic
    n_epochs = 0

    @property
    def loss_values(self) -> pd.DataFrame | None:
        """Losses so far, as ctgan keeps them."""
        return self.__dict__.get("loss_values")

    @loss_values.setter
    def loss_values(self, losses: pd.DataFrame | None) -> None:
        self.__dict__["loss_values"] = losses
        if losses is None or losses.empty:
            self.n_epochs = 0
            return
        self.n_epochs += 1
        if time.monotonic() >= self.deadline:
            raise TimeIsUpError

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Come back from pickle on the CPU, unless a GPU was asked for; ctgan itself takes any GPU it finds."""
        if state["_enable_gpu"]:
            super().__setstate__(state)  # type: ignore[misc]  # of the class mixed with
            return
        self.__dict__.update(state)
        self.set_device("cpu")  # type: ignore[attr-defined]

    def train_until(self, coded: pd.DataFrame, deadline: float) -> None:
        """Train on coded rows, whose first column is the cell; on the CPU in this process alone."""
        self.deadline = deadline
        discrete = [name for name in coded.columns if coded[name].dtype.kind == "i"]
        try:
            with joblib.parallel_config(backend="sequential"):  # ctgan would start a process per core
                self.fit(coded, discrete)  # type: ignore[attr-defined]  # of the class mixed with
        except TimeIsUpError:
            pass


class CellCTGAN(_StopsInTime, ctgan.CTGAN):  # type: ignore[misc]  # ctgan has no types
    """CTGAN with the cell as a condition that is met nearly always.

    ``CTGAN.sample(n, "cell", value)`` draws whole batches of one cell with batch normalisation in training mode, which
    subtracts the batch's mean and with it most of the condition.  After 1,600 training steps on 8,000 rows of ``adult``
    with 4 cells, 9 to 49 % of its rows were of the cell; in evaluation mode, as here, 97 to 99.7 % are.
    """

    def train_until(self, coded: pd.DataFrame, deadline: float) -> None:
        super().train_until(coded, deadline)
        self.positions_ = _positions(coded, self._transformer)
        self.condition_width_ = int(self._data_sampler.dim_cond_vec())
        self._data_sampler: Any = None  # holds the position of every training row for every level
        self._generator.eval()

    def draw(self, cells: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Return encoded rows and their cells; a row that missed the cell it was to have gets cell -1."""
        blocks = [self._draw_chunk(cells[start : start + CHUNK_ROWS]) for start in range(0, len(cells), CHUNK_ROWS)]
        encoded = np.concatenate(blocks)
        got = _cells(encoded, self.positions_)
        return encoded, np.where(got == cells, got, -1)

    def decode(self, encoded: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[Any]]:
        """Return encoded rows as coded columns."""
        return _arrays(self._transformer.inverse_transform(encoded))

    def _draw_chunk(self, cells: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        condition = np.zeros((len(cells), self.condition_width_), dtype=np.float32)
        condition[np.arange(len(cells)), self.positions_[cells]] = 1.0  # the cell is the first discrete column
        with torch.no_grad():
            noise = torch.randn(len(cells), self._embedding_dim).to(self._device)
            drawn = self._generator(torch.cat([noise, torch.from_numpy(condition).to(self._device)], dim=1))
            return np.asarray(self._apply_activate(drawn).cpu().numpy(), dtype=np.float32)


class CellTVAE(_StopsInTime, ctgan.TVAE):  # type: ignore[misc]  # ctgan has no types
    """TVAE, which knows no conditions: draws what comes and says of which cell it is.

    Levels are drawn by the probabilities that the decoder gives them.  ``TVAE.sample`` takes the most probable one, so
    that rare levels, missing ones among them, hardly ever come (SDV#248).  With the default number of steps on 8,000
    rows of ``adult`` the mean total variation distance of the categories within a cell was 0.04 to 0.05 here, and 0.08
    to 0.09 that way.
    """

    def train_until(self, coded: pd.DataFrame, deadline: float) -> None:
        super().train_until(coded, deadline)
        self.positions_ = _positions(coded, self.transformer)
        self.decoder.eval()

    def draw(self, cells: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Return as many encoded rows as there are ``cells``, and the cells that they came out with."""
        sizes = [min(CHUNK_ROWS, len(cells) - start) for start in range(0, len(cells), CHUNK_ROWS)]
        encoded = np.concatenate([self._draw_chunk(size) for size in sizes])
        return encoded, _cells(encoded, self.positions_)

    def decode(self, encoded: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[Any]]:
        """Return encoded rows as coded columns, numbers with the decoder's own noise."""
        sigmas = self.decoder.sigma.detach().cpu().numpy()
        return _arrays(self.transformer.inverse_transform(encoded, sigmas))

    def _draw_chunk(self, n_rows: int) -> npt.NDArray[np.float32]:
        with torch.no_grad():
            noise = torch.randn(n_rows, self.embedding_dim).to(self._device)
            decoded, _ = self.decoder(noise)
            start = 0
            for block in (block for column in self.transformer.output_info_list for block in column):
                values = decoded[:, start : start + block.dim]
                if block.activation_fn == "tanh":
                    values.tanh_()
                else:  # the largest of log-probabilities with Gumbel noise is a draw by these probabilities
                    values.sub_(torch.empty_like(values).exponential_().log_())
                start += block.dim
            return np.asarray(decoded.cpu().numpy(), dtype=np.float32)


def _positions(coded: pd.DataFrame, transformer: Any) -> npt.NDArray[np.int64]:
    """Return where every cell stands in the one-hot block of the first column: cells stand in order of appearance."""
    cells = np.unique(coded[CELL])
    return np.array([transformer.convert_column_name_value_to_id(CELL, cell)["value_id"] for cell in cells])


def _cells(encoded: npt.NDArray[np.float32], positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Read the cells off the one-hot block of the first column, without decoding the others."""
    return np.asarray(np.argsort(positions)[encoded[:, : len(positions)].argmax(axis=1)], dtype=np.int64)


def _arrays(coded: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    return {str(name): coded[name].to_numpy() for name in coded.columns}
