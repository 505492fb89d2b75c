"""Descriptions of configured objects: the same text for the same configuration, in every process."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import partial
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["describe", "digest", "home_of"]

PLAIN = (str, bytes, int, float, complex, bool, type(None), np.generic)
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def describe(value: Any) -> str:
    """Return a text that differs where two configured objects do, for results that are kept under it.

    Functions are described by their name, their code, and the numbers, texts and functions that they enclose; arrays
    and tables by a hash of what they hold; other objects by their class and attributes.  An address in memory, by which
    Python shows many objects, says nothing about them and is left out.

    Examples
    --------
    >>> describe(lambda x: x + 1) == describe(lambda x: x + 2)
    False
    >>> describe({"k": np.arange(3)}) == describe({"k": np.arange(3)})
    True
    """
    return _describe(value, ())


def digest(value: Any) -> str:
    """Return a short name for plain data, the same for the same data.

    Examples
    --------
    >>> digest({"fold": 1, "repeat": 0}) == digest({"repeat": 0, "fold": 1})
    True
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def home_of(value: Any) -> str:
    """Return the top-level module that an object's class comes from.

    Examples
    --------
    >>> home_of(pd.Series())
    'pandas'
    """
    return type(value).__module__.partition(".")[0]


def _describe(value: Any, parents: tuple[int, ...]) -> str:
    if isinstance(value, PLAIN):
        return f"{type(value).__name__}:{value!r}"
    if isinstance(value, type | ModuleType):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value.__name__)}"
    if id(value) in parents:
        return f"parent {parents.index(id(value))}"
    within = (*parents, id(value))
    if isinstance(value, np.ndarray | pd.DataFrame | pd.Series | pd.Index):
        return _describe_array(value)
    if isinstance(value, FunctionType | MethodType):
        return _describe_function(value, within)
    if isinstance(value, partial):
        return f"partial({_describe([value.func, value.args, value.keywords], within)})"
    if isinstance(value, Mapping):
        entries = sorted(f"{_describe(key, within)}={_describe(entry, within)}" for key, entry in value.items())
        return f"{type(value).__name__}({', '.join(entries)})"
    if isinstance(value, list | tuple | set | frozenset):
        entries = [_describe(entry, within) for entry in value]
        return (
            f"{type(value).__name__}({', '.join(sorted(entries) if isinstance(value, set | frozenset) else entries)})"
        )
    return f"{type(value).__module__}.{type(value).__qualname__}({_describe_attributes(value, within)})"


def _describe_attributes(value: Any, within: tuple[int, ...]) -> str:
    slots = [name for kind in type(value).__mro__ for name in _slots_of(kind)]
    attributes = {
        **getattr(value, "__dict__", {}),
        **{name: getattr(value, name) for name in slots if hasattr(value, name)},
    }
    if not attributes:
        return ADDRESS.sub("", repr(value))
    return ", ".join(f"{name}={_describe(entry, within)}" for name, entry in sorted(attributes.items()))


def _slots_of(kind: type) -> list[str]:
    slots = kind.__dict__.get("__slots__", ())
    return [name for name in ([slots] if isinstance(slots, str) else slots) if name not in ("__dict__", "__weakref__")]


def _describe_array(value: Any) -> str:
    if isinstance(value, np.ndarray):
        content = repr(value.tolist()).encode() if value.dtype == object else np.ascontiguousarray(value).tobytes()
        looks = [str(value.dtype), value.shape]
    else:
        frame = value if isinstance(value, pd.DataFrame) else value.to_frame()
        content = (
            pd.util.hash_pandas_object(frame.astype(dict.fromkeys(frame.select_dtypes("object"), str)))
            .to_numpy()
            .tobytes()
        )
        looks = [str(frame.dtypes.tolist()), repr(frame.columns.tolist())]
    return f"{type(value).__name__}:{looks}:{hashlib.sha256(content).hexdigest()[:16]}"


def _describe_function(function: FunctionType | MethodType, within: tuple[int, ...]) -> str:
    bare = function.__func__ if isinstance(function, MethodType) else function
    owner = _describe(function.__self__, within) if isinstance(function, MethodType) else ""
    cells = [cell.cell_contents for cell in bare.__closure__ or () if cell != CellType()]
    cells = [each for each in cells if isinstance(each, (*PLAIN, FunctionType))]  # a list may be its diary
    held = _describe([bare.__defaults__, bare.__kwdefaults__, *cells], within)
    code = hashlib.sha256(_code_of(bare.__code__).encode()).hexdigest()[:16]
    return f"{owner}{bare.__module__}.{bare.__qualname__}:{code}({held})"


def _code_of(code: CodeType) -> str:
    constants = [_code_of(each) if isinstance(each, CodeType) else _describe(each, ()) for each in code.co_consts]
    return repr((code.co_code, constants, code.co_names))
