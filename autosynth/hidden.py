"""Hidden: options as reports show them, without keys, passwords and the like."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["HIDDEN", "is_secret", "plain_options", "without_secrets"]

HIDDEN = "(hidden)"
SECRET = re.compile(
    r"(^|[_-])((api|access)?_?key(_?id)?|token|secret|password|passwd|passphrase|credentials?|auth|authorization)$",
    re.IGNORECASE,
)
IN_ADDRESS = re.compile(r"(?<=://)[^/\s@]+@")  # user and password


def is_secret(name: object) -> bool:
    """Return whether what goes by this name is nobody's business.

    Examples
    --------
    >>> [name for name in ("api_key", "AWS_ACCESS_KEY_ID", "auth", "max_tokens", "k") if is_secret(name)]
    ['api_key', 'AWS_ACCESS_KEY_ID', 'auth']
    """
    return SECRET.search(str(name)) is not None


def without_secrets(value: Any, name: object = "") -> Any:
    """Return a copy in which everything of a secret's name, at any depth, and every password in an address is hidden.

    Examples
    --------
    >>> without_secrets({"hosts": [{"url": "https://me:pw@a.org", "token": "t1"}], "k": 5})
    {'hosts': [{'url': 'https://(hidden)@a.org', 'token': '(hidden)'}], 'k': 5}
    """
    if is_secret(name) and value is not None:
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: without_secrets(inner, key) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        kept = [without_secrets(inner) for inner in value]
        return kept if isinstance(value, list) else tuple(kept)
    return IN_ADDRESS.sub(f"{HIDDEN}@", value) if isinstance(value, str) else value


def plain_options(options: Any) -> dict[str, Any] | None:
    """Return an options dataclass as plain data without secrets; None when it is none.

    Our own options hold no key, only the name of the variable that does; those of others may.
    """
    if not dataclasses.is_dataclass(options) or isinstance(options, type):
        return None
    plain: dict[str, Any] = without_secrets(dataclasses.asdict(options))
    return plain
