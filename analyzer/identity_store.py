"""Open the identity store that an address names."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.identities import IdentityStore
from analyzer.identity import Settings

WAIT_S = 120.0
"""How long a store may be away, or locked by others, before a call gives up."""
_SERVERS = ("redis", "rediss", "unix")


def open_store(url: str, *, settings: Settings | None, wait_s: float = WAIT_S) -> IdentityStore:
    """Open a store; a new one is made where settings are given.

    Args:
        url: a path, ``sqlite:///relative/path``, ``sqlite:////absolute/path``, or the address of a
            Redis server: ``redis://:password@host:port/db?prefix=name``, ``rediss://`` for TLS,
            ``unix://:password@/path?prefix=name``. Further options are those of redis-py.
        settings: how it is to match; ``None`` takes the store as it is.
        wait_s: how long the store may be away, or locked by others, before a call gives up.

    Raises:
        UsageError: no such store, one that was made with other settings, or an address that cannot
            be read.
        MissingDependency: redis-py is not installed.
        ResourceError: the disk or the server gave out.
    """
    scheme = url.partition("://")[0] if "://" in url else ""
    rest: dict[str, Any] = {"settings": settings, "wait_s": wait_s}
    if scheme in ("", "sqlite"):
        path = url.removeprefix("sqlite:///")
        if not path or "://" in path:
            raise UsageError(f"{url!r}: write sqlite:///relative/path or sqlite:////absolute/path")
        store: IdentityStore = registry.load("identities", "sqlite", path=path, **rest)
    elif scheme in _SERVERS:
        server, prefix = _split_prefix(url)
        store = registry.load("identities", "redis", url=server, prefix=prefix, **rest)
    else:
        raise UsageError(
            f"no identity stores at {scheme}://; there are: a path, sqlite:///, redis://, "
            "rediss://, unix://"
        )
    return store


def _split_prefix(url: str) -> tuple[str, str]:
    """Take our option out of an address; the others are redis-py's."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    prefix = options.pop("prefix", "ina")
    if not prefix:
        raise UsageError("the prefix of an identity store is empty: write ?prefix=NAME")
    return urlunsplit(parts._replace(query=urlencode(options))), prefix
