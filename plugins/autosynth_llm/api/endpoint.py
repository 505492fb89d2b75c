"""Where requests go, and the key for it: read when needed, kept nowhere, cut out of every complaint that comes back."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from autosynth.exceptions import ConfigError

BASE_URL_VARIABLE = "OPENAI_BASE_URL"
DEFAULT_BASE_URL = "https://api.openai.com/v1"
CUSTOM_HEADERS_VARIABLE = "OPENAI_CUSTOM_HEADERS"  # the client reads it: one "name: value" per line
ACCOUNT_HEADERS = ("OpenAI-Organization", "OpenAI-Project")
NO_KEY = "no-key"  # the client insists on one
SHORTEST_SECRET = 8  # characters; shorter keys are stand-ins such as "none", which occur in ordinary words
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible server.

    Attributes
    ----------
    base_url : str
        As the client wants it, up to the version: "https://api.openai.com/v1".
    api_key_env : str or None
        The environment variable with the key; None when the server wants none.
    """

    base_url: str
    api_key_env: str | None

    @classmethod
    def resolve(cls, base_url: str | None, api_key_env: str | None) -> Endpoint:
        """Return the endpoint that the options and the environment name.

        Raises
        ------
        ConfigError
            If the variable OPENAI_BASE_URL holds no usable address.
        """
        if base_url is None:
            base_url = os.environ.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL
            check_base_url(base_url, f"the environment variable {BASE_URL_VARIABLE}")
        return cls(base_url, api_key_env)

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        parts = urlsplit(self.base_url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    @property
    def is_plain_http(self) -> bool:
        """Whether rows and key would cross the network unencrypted."""
        parts = urlsplit(self.base_url)
        return parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS

    @property
    def is_default(self) -> bool:
        """Whether it is OpenAI's own, whom the client's other variables in the environment are meant for."""
        return urlsplit(self.base_url)[:2] == urlsplit(DEFAULT_BASE_URL)[:2]

    def headers_not_meant(self) -> list[str]:
        """Return the headers that the client takes from the environment, and that this server must not see."""
        if self.is_default:
            return []
        custom = os.environ.get(CUSTOM_HEADERS_VARIABLE, "").split("\n")
        return [*ACCOUNT_HEADERS, *(line.partition(":")[0].strip() for line in custom if ":" in line)]

    def read_key(self) -> str:
        """Return the key from the environment.

        Raises
        ------
        ConfigError
            If the variable is not set, or holds what no header can carry.
        """
        if self.api_key_env is None:
            return NO_KEY
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise ConfigError(
                f"the environment variable {self.api_key_env} is not set, so {self.host} cannot be asked. Put the key "
                "into it, name another variable with api_key_env, or use api_key_env=None (null on the command line) "
                "for a server without keys."
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigError(
                f"the environment variable {self.api_key_env} holds characters that no key has (it is not shown here). "
                "Copy the key again."
            )
        return key

    def scrub(self, text: str) -> str:
        """Return a complaint without the key, which some servers repeat in them."""
        key = os.environ.get(self.api_key_env or "", "").strip()
        return text.replace(key, "[key]") if len(key) >= SHORTEST_SECRET else text


def check_base_url(base_url: object, name: str) -> None:
    """Raise unless ``base_url`` is an http or https address without credentials, which would show up in reports.

    Raises
    ------
    ConfigError
        Without repeating an address that holds a password or a query.
    """
    parts = _split(base_url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{name} is no http or https address. Use one such as 'http://localhost:8000/v1'.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            f"{name} holds a user name, a password or a query (not shown here), which would appear in reports. "
            "Leave them out; the key goes into the environment variable that api_key_env names."
        )


def _split(base_url: object) -> SplitResult | None:
    try:
        parts = urlsplit(base_url) if isinstance(base_url, str) else None
        if parts is not None:
            _ = parts.port  # read here, because a wrong one raises only when it is read
    except ValueError:
        return None
    return parts
