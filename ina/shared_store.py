"""The identity store that all workers of a run share."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from analyzer.errors import AnalyzerError, MissingDependency, UsageError
from analyzer.identities import IdentityStore, address
from analyzer.identities.corrections import user_name
from analyzer.identities.encryption import key_file as key_files
from ina_web import Site
from jobs.errors import JobFailed
from jobs.system.mounts import network_type
from jobs.system.process_identity import ProcessIdentity

STORE_WAIT_S = 5.0
"""Seconds that the store may be away when its address is checked."""


class SharedStore:
    """An identity store, opened to check that it works, and for its counters.

    Args:
        text: Value of `--identities`.
        describer: Describer of the analysis.
        threshold: Value of `--identity_threshold`.
        refine: Value of `--refine_limit`.
        default: File of the store where the text is empty.
        key_file: Value of `--identity_key`.

    Raises:
        AnalyzerError: The store cannot be used.
        UsageError: It is on a network disk, or no address is given.
    """

    def __init__(
        self,
        text: str,
        describer: str,
        threshold: float | None,
        refine: int | None,
        *,
        default: Path | None = None,
        key_file: str | None = None,
    ) -> None:
        if not text and default is None:
            raise UsageError("--identities: give the address of the store")
        url = address.address(text, default=default or Path())
        path = address.file_of(url)
        if path is not None:
            _refuse_network(path)
        settings = address.settings_for(describer, threshold, refine)
        key = key_files.read(key_file)
        self._open = partial(
            address.open_store, url, settings=settings, key=key, wait_s=STORE_WAIT_S
        )
        self.store = self._open()
        own = ProcessIdentity.own()
        is_local = path is not None or url.startswith("unix:")
        machine = {"host": own.host, "boot_id": own.boot_id} if is_local else None
        self.private: Mapping[str, Any] = private(url, machine, key)
        """What tasks need; it may hold a password, and the key of an encrypted store."""

    def sites(self, stack: ExitStack) -> dict[str, Site]:
        """Return the page of the store's people for a dashboard; none without its libraries.

        Args:
            stack: Closes the page at its end.
        """
        from analyzer.workflows.archive.site import PATH, PeopleSite

        try:
            site = PeopleSite(self._open, user_name())
        except MissingDependency as error:
            print(f"ina_server: no page of people: {error}", file=sys.stderr)
            return {}
        return {PATH: stack.enter_context(closing(site))}

    def summary(self) -> str:
        """Return the counters of the store in words."""
        return summary(self.store)


def private(url: str, machine: Mapping[str, str] | None, key: bytes | None) -> Mapping[str, Any]:
    """Return what a lease tells tasks of a store; they go over the wire, and into no file."""
    return {"url": url, "machine": machine, "key": key.hex() if key else ""}


def summary(store: IdentityStore) -> str:
    """Return the counters of a store in words."""
    try:
        return f"{store.counters()}: {store.name}"
    except AnalyzerError as error:
        return str(error)


def require_machine(machine: Mapping[str, str] | None) -> None:
    """Require that this is the machine of the store.

    Args:
        machine: `host` and `boot_id`; None where the store is for all machines.

    Raises:
        JobFailed: It is another machine.
    """
    own = ProcessIdentity.own()
    if machine and (machine["host"], machine["boot_id"]) != (own.host, own.boot_id):
        raise JobFailed(
            "worker",
            f"the identity store is of {machine['host']} only, and this is {own.host}: give "
            f"--identities redis://HOST:6379, or work on {machine['host']} only",
        )


def has_password(url: str) -> bool:
    """Return whether an address holds a password."""
    parts = urlsplit(url)
    return parts.password is not None or "password" in parse_qs(parts.query)


def _refuse_network(path: Path) -> None:
    kind = network_type(path)
    if kind:
        raise UsageError(
            f"{path} is on a file system of type {kind}, and an identity store in a file is for "
            "one machine: give a file on a local disk, or --identities redis://HOST:6379"
        )
