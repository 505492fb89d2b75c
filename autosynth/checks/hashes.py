"""RowHashes: real rows that can be recognised and not read, so that copies are found where the rows are not at hand.

A row becomes 64 bits, salted.  Whoever holds the salt can still try out rows that they guess; with a key in the
environment variable AUTOSYNTH_HASH_KEY, which is stored nowhere, they cannot.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.checks.distance import row_hashes
from autosynth.checks.parts import Parts
from autosynth.exceptions import ConfigError, DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.checks.contamination import KnownRows

    Hashes = npt.NDArray[np.uint64]
    Mask = npt.NDArray[np.bool_]

KEY_VARIABLE = "AUTOSYNTH_HASH_KEY"
MAX_BYTES = 2**30  # of one list of hashes
TEXTS = ("salt", "key_proof", "witness", "training", "held_out")
COUNTS = ("n_coincident", "n_held_out_coincident")


@dataclass(frozen=True, kw_only=True)
class RowHashes:
    """Salted hashes of the training rows and, where there are some, of held-out rows.

    Attributes
    ----------
    salt : str
        Random, as hexadecimal digits.
    key_proof : str
        What the key of the environment must give; empty where none was set.
    witness : str
        What rows that everybody knows must give, so that a change of the way in which rows are hashed is noticed.
    training, held_out : str
        The distinct hashes, 8 bytes each in rising order, as base64; ``held_out`` is empty where there are none.
    n_coincident, n_held_out_coincident : tuple of (int, int), one pair per group
        Of how many real rows how many coincide with others by chance; see :func:`coincidences`.
    """

    salt: str
    key_proof: str
    witness: str
    training: str
    held_out: str
    n_coincident: tuple[tuple[int, int], ...]
    n_held_out_coincident: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, known: KnownRows, n_groups: int) -> RowHashes:
        """Hash training and held-out rows with a new salt, and with the key of the environment where there is one."""
        salt = secrets.token_hex(16)
        secret = _secret(salt)
        held_out = known.held_out.keys if known.held_out is not None else np.empty(0, dtype=np.uint64)
        by_chance, held_out_by_chance = coincidences(known, n_groups)
        return cls(
            salt=salt,
            key_proof=_proof(secret) if os.environ.get(KEY_VARIABLE) else "",
            witness=_witness(salt),
            training=_encode(np.unique(_salted(known.training.keys, secret))),
            held_out=_encode(np.unique(_salted(held_out, secret))),
            n_coincident=by_chance,
            n_held_out_coincident=held_out_by_chance,
        )

    @property
    def needs_key(self) -> bool:
        """Whether a key was set when the rows were hashed, so that the same is needed to find copies."""
        return bool(self.key_proof)

    def find(self, rows: pd.DataFrame) -> tuple[Mask, Mask]:
        """Return which rows equal a training row, and which equal a held-out row and no training row.

        Parameters
        ----------
        rows : DataFrame of shape (n_rows, n_columns)
            The columns that were hashed, in their order and dtypes.

        Raises
        ------
        ConfigError
            If the key of the environment is absent, or not the one that the rows were hashed with.
        DataError
            If rows are hashed differently here from where the reference was made.
        """
        secret = self._checked_secret()
        keys = _salted(row_hashes(rows), secret)
        in_training = np.isin(keys, self._training)
        return in_training, np.isin(keys, self._held_out) & ~in_training

    def sign(self, content: bytes) -> str:
        """Return a digest of some content, 64 hexadecimal digits, that salt and key go into.

        Raises
        ------
        ConfigError
            If the key of the environment is absent, or not the one that the rows were hashed with.
        """
        return hashlib.blake2b(content, digest_size=32, key=self._checked_secret()).hexdigest()

    def _checked_secret(self) -> bytes:
        if _witness(self.salt) != self.witness:
            raise DataError(
                "rows are hashed differently here from where the reference was made, so that no copy could be found. "
                f"Use the version of pandas that made it (this is {pd.__version__}), or make the reference again."
            )
        if self.needs_key and not os.environ.get(KEY_VARIABLE):
            raise ConfigError(
                f"the rows were hashed with a key, and the environment variable {KEY_VARIABLE} is not set. Set it."
            )
        secret = _secret(self.salt, self.needs_key)
        if self.needs_key and not secrets.compare_digest(_proof(secret), self.key_proof):
            raise ConfigError(f"the rows were hashed with another key than the one in {KEY_VARIABLE}. Set that one.")
        return secret

    @cached_property
    def _training(self) -> Hashes:
        return _decode(self.training)

    @cached_property
    def _held_out(self) -> Hashes:
        return _decode(self.held_out)

    def to_dict(self) -> dict[str, Any]:
        """Return the hashes as plain data for JSON; the key is no part of it."""
        texts = {name: getattr(self, name) for name in TEXTS}
        counts = {name: [list(pair) for pair in getattr(self, name)] for name in COUNTS}
        return {**texts, **counts}

    @classmethod
    def from_dict(cls, state: Any, n_groups: int) -> RowHashes:
        """Return the hashes that :meth:`to_dict` wrote.

        Raises
        ------
        DataError
            If they are none.
        """
        parts = Parts(state, of="the hashes of rows")
        texts: dict[str, Any] = {name: parts.text(name) for name in TEXTS}
        for name in ("training", "held_out"):
            _decode(texts[name])
        if not re.fullmatch(r"[0-9a-f]{32}", texts["salt"]):
            raise DataError("the hashes of rows are damaged: 'salt' should be 32 hexadecimal digits.")
        counts: dict[str, Any] = {name: _read_pairs(parts, name, n_groups) for name in COUNTS}
        return cls(**texts, **counts)


def coincidences(known: KnownRows, n_groups: int) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Return how many real rows of each group coincide by chance, as pairs (rows that do, rows looked at).

    First with other training rows; then with held-out rows that no training row explains: the larger share of what
    real rows and what rows with shuffled columns do, as in :func:`autosynth.checks.memorization.copy_shares`.
    """
    keys, groups = known.training.keys, known.training_groups
    in_training = _per_group(_repeated(keys), groups, n_groups)
    if known.held_out is None or known.mixed is None:
        return in_training, ()
    hidden, hidden_groups = known.held_out.keys, known.held_out_groups
    real = _per_group(
        np.concatenate([~_repeated(keys) & np.isin(keys, hidden), _repeated(hidden) & ~np.isin(hidden, keys)]),
        np.concatenate([groups, hidden_groups]),
        n_groups,
    )
    mixed_keys = known.mixed.keys
    mixed = _per_group(np.isin(mixed_keys, hidden) & ~np.isin(mixed_keys, keys), known.mixed_groups, n_groups)
    totals = [sum(hits for hits, _ in some) / max(sum(rows for _, rows in some), 1) for some in (real, mixed)]
    return in_training, real if totals[0] >= totals[1] else mixed


def _per_group(mask: Mask, groups: npt.NDArray[np.int64], n_groups: int) -> tuple[tuple[int, int], ...]:
    known = groups >= 0
    hits = np.bincount(groups[known & mask], minlength=n_groups).tolist()
    return tuple(zip(hits, np.bincount(groups[known], minlength=n_groups).tolist(), strict=True))


def _repeated(keys: Hashes) -> Mask:
    return pd.Series(keys).duplicated(keep=False).to_numpy()


def _secret(salt: str, with_key: bool = True) -> bytes:
    key = os.environ.get(KEY_VARIABLE, "") if with_key else ""
    return hashlib.blake2b(key.encode(), digest_size=32, key=bytes.fromhex(salt)).digest()


def _proof(secret: bytes) -> str:
    return hashlib.blake2b(b"autosynth: this is the key", digest_size=16, key=secret).hexdigest()


def _witness(salt: str) -> str:
    rows = pd.DataFrame(
        {
            "number": [0.0, 1.5, np.nan],
            "whole": [1, 2, 3],
            "truth": [True, False, True],
            "text": ["a", "b", None],
            "category": pd.Categorical(["x", None, "y"]),
            "day": pd.to_datetime(["2020-01-31", "", "1999-12-31"]),
        }
    )
    return hashlib.blake2b(row_hashes(rows).tobytes(), digest_size=16, key=bytes.fromhex(salt)).hexdigest()


def _salted(keys: Hashes, secret: bytes) -> Hashes:
    distinct, places = np.unique(keys, return_inverse=True)
    salted = b"".join(
        hashlib.blake2b(key.to_bytes(8, "little"), digest_size=8, key=secret).digest() for key in distinct.tolist()
    )
    return np.frombuffer(salted, dtype="<u8").astype(np.uint64)[places.reshape(-1)]


def _encode(hashes: Hashes) -> str:
    return base64.b64encode(hashes.astype("<u8").tobytes()).decode("ascii")


def _decode(text: str) -> Hashes:
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError as error:
        raise DataError(f"the hashes of rows are damaged: {error}.") from error
    if len(raw) % 8 or len(raw) > MAX_BYTES:
        raise DataError(f"the hashes of rows are damaged: {len(raw)} bytes are no list of 64-bit numbers.")
    return np.frombuffer(raw, dtype="<u8").astype(np.uint64)


def _read_pairs(parts: Parts, name: str, n_groups: int) -> tuple[tuple[int, int], ...]:
    pairs = parts.items(name, n_groups if parts.part(name) else 0)
    found = tuple(Parts({"pair": pair}, of="the hashes of rows").wholes("pair", 2) for pair in pairs)
    return tuple((hits, rows) for hits, rows in found)
