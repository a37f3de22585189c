"""Open the identity store that an address names."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.identities import IdentityStore
from analyzer.identities.records import Settings
from analyzer.registry import Spec
from analyzer.weights.network_spec import resolve
from ina_input import regular

WAIT_S = 120.0
"""How long a store may be away, or locked by others, before a call gives up."""
_MAX_ADDRESS_BYTES = 1 << 16
_SERVERS = ("redis", "rediss", "unix")
_UNREADABLE = "the address of the identity store cannot be read: write"


def settings_for(describer: str, threshold: float | None, refine: int | None = None) -> Settings:
    """Return the settings for matching people by the embeddings of a describer.

    Args:
        describer: Its spec.
        threshold: Distance of embeddings of length one, below which two are one person; `None`
            takes the one that the describer's file states as `UNIT_THRESHOLD`, or, of a network
            that the spec names with `embed`, the one of its specification.
        refine: How many embeddings a centroid is made of at most; `None` takes the default.

    Raises:
        UsageError: It states none.
        WeightsError: The network that it names is not here.
    """
    if threshold is None:
        # Not asked of the describer itself: its libraries need not be where a server runs.
        spec = Spec.parse(describer)
        options = dict(spec.options)
        threshold = registry.constant("describe", spec.component, "UNIT_THRESHOLD")
        if "embed" in options:
            threshold = resolve(options["embed"], options.get("spec", ""))[1].threshold
    if threshold is None:
        raise UsageError(
            f"describer {describer!r} states no threshold for identities: give the distance of "
            "embeddings of length one, below which two are one person, with --identity_threshold"
        )
    settings = Settings(model=describer, threshold=threshold)
    return settings if refine is None else replace(settings, refine=refine)


def address(text: str, *, default: Path) -> str:
    """Return the address that a command's `--identities` stands for; paths become absolute.

    Args:
        text: An address; `@FILE` for the one that stands in a file, since process lists show what
            stands on a command line; empty for the default.
        default: File of the store where none is named.

    Raises:
        UsageError: The file cannot be read, or the address names no store.
    """
    url = text or str(default)
    if text.startswith("@"):
        try:
            url = regular.read_text(text[1:], limit=_MAX_ADDRESS_BYTES).strip()
        except OSError as error:
            raise UsageError(f"--identities {text}: {error.strerror}: name a file") from error
        except ValueError as error:
            raise UsageError(f"--identities {text}: {error}") from error
    path = file_of(url)
    return url if path is None else str(path.absolute())


def file_of(url: str) -> Path | None:
    """Return the file that an address names; `None` for a server.

    Raises:
        UsageError: The address names neither.
    """
    scheme, _, rest = url.partition(":")
    path = url.removeprefix("sqlite:///")
    if scheme in _SERVERS:
        if not rest.startswith("//"):
            # It may hold a password, so it is not shown.
            raise UsageError(f"{_UNREADABLE} {scheme}://... with two slashes")
        return None
    if not path or (scheme == "sqlite" and path == url):
        raise UsageError(f"{_UNREADABLE} sqlite:///relative/path or sqlite:////absolute/path")
    if "://" in path:
        raise UsageError(
            f"no identity stores at {scheme}://; there are: a path, sqlite:///, redis://, "
            "rediss://, unix://"
        )
    return Path(path)


def open_store(
    url: str,
    *,
    settings: Settings | None,
    key: bytes | None = None,
    wait_s: float = WAIT_S,
    on_wait: Callable[[], object] = lambda: None,
) -> IdentityStore:
    """Open a store; a new one is made where settings are given.

    Args:
        url: A path, `sqlite:///relative/path`, `sqlite:////absolute/path`, or the address of a
            Redis server: `redis://:password@host:port/db?prefix=name`, `rediss://` for TLS,
            `unix://:password@/path?prefix=name`. Further options are those of redis-py.
        settings: How it is to match; `None` takes the store as it is.
        key: Key of an encrypted store, as `analyzer.identities.encryption.key_file.read` returns
            it: a new store is encrypted with it. `None` for a store that is not encrypted.
        wait_s: How long the store may be away, or locked by others, before a call gives up.
        on_wait: Called now and then by a call that has to wait, or to try again.

    Raises:
        UsageError: No such store, one that was made with other settings or another key, or an
            address that cannot be read.
        MissingDependency: Redis-py is not installed, or cryptography, for an encrypted store.
        ResourceError: The disk or the server gave out.
    """
    path = file_of(url)
    rest: dict[str, Any] = {
        "settings": settings, "key": key, "wait_s": wait_s, "on_wait": on_wait
    }  # fmt: skip
    if path is None:
        server, prefix = _split_prefix(url)
        store: IdentityStore = registry.load(
            "identities", "redis", url=server, prefix=prefix, **rest
        )
    else:
        store = registry.load("identities", "sqlite", path=str(path), **rest)
    return store


def _split_prefix(url: str) -> tuple[str, str]:
    """Take our option out of an address; the others are redis-py's."""
    # Not taken apart any further: put together again, unix:///path would lose two slashes.
    server, _, query = url.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    prefix = options.pop("prefix", "ina")
    if not prefix:
        raise UsageError("the prefix of an identity store is empty: write ?prefix=NAME")
    return f"{server}?{urlencode(options)}" if options else server, prefix
