"""The options of the three generators, checked when they are built."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autosynth.exceptions import ConfigError, nearest

DISTRIBUTIONS = ("beta", "gamma", "gaussian_kde", "norm", "truncnorm", "uniform")


@dataclass(frozen=True, kw_only=True)
class NeuralOptions:
    """What CTGAN and TVAE have in common.

    Attributes
    ----------
    epochs : int or None
        Passes over the training rows; None takes as many as make a fixed number of training steps (see the two
        generators), so that small and large tables train equally long.
    batch_size : int
        Rows per training step.
    embedding_dim : int
        Size of the noise vector, or of the latent space.
    max_levels : int
        A category column with more levels would blow up the one-hot coding; its values are copied from real rows of
        the same group instead, as texts are, and counted.
    max_train_rows : int
        The model learns from at most this many rows, drawn with equal shares of all groups.
    max_draws : int
        Budget of rejection: rows drawn per call of ``sample`` at most.
    max_rejection_rounds : int
        Budget of rejection: how often what is missing may be drawn again.
    time_limit_s : float or None
        Training ends with the epoch in which this many seconds have passed; one epoch is always trained.
    enable_gpu : bool
        Train and draw on a GPU when there is one.  Equal seeds give equal rows on CPU only.
    """

    epochs: int | None = None
    batch_size: int = 500
    embedding_dim: int = 128
    max_levels: int = 100
    max_train_rows: int = 50_000
    max_draws: int = 1_000_000
    max_rejection_rounds: int = 20
    time_limit_s: float | None = None
    enable_gpu: bool = False

    def __post_init__(self) -> None:
        if self.epochs is not None:
            _check_whole("epochs", self.epochs, 1)
        for name in ("embedding_dim", "max_draws", "max_rejection_rounds"):
            _check_whole(name, getattr(self, name), 1)
        for name in ("batch_size", "max_levels", "max_train_rows"):
            _check_whole(name, getattr(self, name), 2)
        if self.time_limit_s is not None:
            _check_positive("time_limit_s", self.time_limit_s)
        if not isinstance(self.enable_gpu, bool):
            raise ConfigError(f"enable_gpu={self.enable_gpu!r} is no truth value. Use True or False.")


@dataclass(frozen=True, kw_only=True)
class CTGANOptions(NeuralOptions):
    """Options of ``ctgan``; beyond the common ones they are those of ``ctgan.CTGAN``.

    Attributes
    ----------
    generator_dim, discriminator_dim : tuple of int
        Widths of the hidden layers.
    generator_lr, discriminator_lr : float
        Learning rates.
    discriminator_steps : int
        Updates of the discriminator per update of the generator.
    pac : int
        Rows that the discriminator judges together; divides ``batch_size``.
    """

    generator_dim: tuple[int, ...] = (256, 256)
    discriminator_dim: tuple[int, ...] = (256, 256)
    generator_lr: float = 2e-4
    discriminator_lr: float = 2e-4
    discriminator_steps: int = 1
    pac: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("generator_dim", "discriminator_dim"):
            object.__setattr__(self, name, _widths(name, getattr(self, name)))
        for name in ("generator_lr", "discriminator_lr"):
            _check_positive(name, getattr(self, name))
        for name in ("discriminator_steps", "pac"):
            _check_whole(name, getattr(self, name), 1)
        if self.batch_size % self.pac or self.batch_size % 2:
            raise ConfigError(
                f"batch_size={self.batch_size} does not fit. CTGAN needs an even multiple of pac={self.pac}; "
                f"try {max(1, round(self.batch_size / (2 * self.pac))) * 2 * self.pac}."
            )


@dataclass(frozen=True, kw_only=True)
class TVAEOptions(NeuralOptions):
    """Options of ``tvae``; beyond the common ones they are those of ``ctgan.TVAE``.

    Attributes
    ----------
    compress_dims, decompress_dims : tuple of int
        Widths of the hidden layers of encoder and decoder.
    l2scale : float
        Weight decay.
    loss_factor : float
        Weight of the reconstruction error.
    """

    compress_dims: tuple[int, ...] = (128, 128)
    decompress_dims: tuple[int, ...] = (128, 128)
    l2scale: float = 1e-5
    loss_factor: float = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("compress_dims", "decompress_dims"):
            object.__setattr__(self, name, _widths(name, getattr(self, name)))
        for name in ("l2scale", "loss_factor"):
            _check_positive(name, getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class GaussianCopulaOptions:
    """Options of ``gaussian_copula``.

    Attributes
    ----------
    distribution : str
        Marginal of numbers that hardly repeat: "beta" (SDV's default), "gamma", "gaussian_kde", "norm", "truncnorm" or
        "uniform".  Numbers that repeat (counts, amounts with a spike at zero) keep their observed shares.
    min_group_rows : int
        A smaller group borrows this many rows of other groups for its marginals; rows of such groups are counted.
    shrinkage : float
        Correlations of a group of n rows get the weight n / (n + shrinkage), those pooled over all groups the rest.
    max_levels : int
        Values of a category column with more levels are copied from real rows of the same group, as texts are.
    max_group_rows : int
        A group's copula learns from at most this many of its rows.
    """

    distribution: str = "beta"
    min_group_rows: int = 30
    shrinkage: float = 10.0
    max_levels: int = 100
    max_group_rows: int = 20_000

    def __post_init__(self) -> None:
        if self.distribution not in DISTRIBUTIONS:
            raise ConfigError(
                f"distribution={self.distribution!r} is unknown.{nearest(self.distribution, DISTRIBUTIONS)} "
                f"Use one of {', '.join(DISTRIBUTIONS)}."
            )
        for name in ("min_group_rows", "max_levels", "max_group_rows"):
            _check_whole(name, getattr(self, name), 2)
        if not _is_number(self.shrinkage) or self.shrinkage < 0:
            raise ConfigError(f"shrinkage={self.shrinkage!r} is out of range. Use a number of rows, 0 or more.")


def _check_whole(name: str, value: object, minimum: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
        raise ConfigError(f"{name}={value!r} is out of range. Use a whole number from {minimum} on.")


def _check_positive(name: str, value: object) -> None:
    if not _is_number(value) or not value > 0:  # type: ignore[operator]  # a number by the check before
        raise ConfigError(f"{name}={value!r} is out of range. Use a number above 0.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _widths(name: str, value: object) -> tuple[int, ...]:
    """Return layer widths as a tuple; a list may come from JSON or the command line."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise ConfigError(f"{name}={value!r} is no list of layer widths. Use whole numbers, such as (128, 128).")
    for width in value:
        _check_whole(name, width, 1)
    return tuple(value)
