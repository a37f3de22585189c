"""The file of a claim: who has made it, and digests of the destinations."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ina_input import documents
from joblist.beneath import opened_folder
from jobs.outputs.publish import NEW
from jobs.system.process_identity import ProcessIdentity, pid_namespace, start_time

FOLDER, SUFFIX = ".ina-claims", ".claim"
MAX_HEAD_BYTES = 16_384
MAX_BYTES = 1 << 28
MAX_STALE_S = 3 * 86400.0
"""Three of the longest leases."""
ASKING, HELD = b"asking\n", b"held  \n"
DIGEST_BYTES = 8


@dataclass(frozen=True)
class ClaimOwner:
    """The server that has made a claim."""

    ledger: str
    """Path of its ledger."""
    ledger_id: str
    ledger_inode: int
    """Number of the ledger's file on its disk, which a copy does not have; 0 without a file."""
    host: str
    pid: int
    boot_id: str
    pid_namespace: str
    started: int
    """When its process started, in ticks of the machine; 0 if that is not known."""
    since: str
    """When it made the claim."""
    stale_s: float
    """A claim that was not renewed for so long is dead, where its process cannot be looked at."""
    number: str = field(default_factory=lambda: secrets.token_hex(8))
    """Random number of this run of the server."""

    @classmethod
    def own(cls, ledger: Path, ledger_id: str, *, stale_s: float) -> ClaimOwner:
        """Return this process's."""
        process = ProcessIdentity.own()
        return cls(
            ledger=str(ledger.absolute()),
            ledger_id=ledger_id,
            ledger_inode=ledger.stat().st_ino if ledger.exists() else 0,
            host=process.host,
            pid=process.pid,
            boot_id=process.boot_id,
            pid_namespace=pid_namespace(),
            started=start_time(process.pid) or 0,
            since=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC"),
            stale_s=stale_s,
        )

    def __str__(self) -> str:
        return f"the server on {self.host} (process {self.pid}, ledger {self.ledger})"

    def is_dead(self, age_s: float, *, seen_from: ClaimOwner) -> bool:
        """Say whether this server has certainly ended.

        Args:
            age_s: Time since its claim was renewed.
            seen_from: The server that asks, which has its own ledger open.
        """
        place = (self.boot_id, self.pid_namespace)
        if self.started and place == (seen_from.boot_id, seen_from.pid_namespace):
            return start_time(self.pid) != self.started
        return self.has_ledger_of(seen_from) or age_s > self.stale_s

    def has_ledger_of(self, other: ClaimOwner) -> bool:
        """Say whether both have the same ledger, one after the other: it is locked."""
        own = (self.ledger_inode, self.ledger, self.ledger_id)
        return own == (other.ledger_inode, other.ledger, other.ledger_id)


@dataclass(frozen=True)
class FoundClaim:
    """The claim of another server."""

    folder: str
    name: str
    owner: ClaimOwner | None
    """None while it is being written, or if it cannot be read."""
    is_held: bool
    age_s: float
    digests: frozenset[int] | None
    """Digests of the destinations; None while it is being written."""

    @property
    def path(self) -> str:
        """Path of the file."""
        return os.path.join(self.folder, FOLDER, self.name)

    def meets(self, digests: set[int]) -> bool:
        """Say whether some of these destinations may be among its own."""
        return self.digests is None or not digests.isdisjoint(self.digests)

    def is_dead(self, *, seen_from: ClaimOwner) -> bool:
        """Say whether its server has certainly ended."""
        if self.owner is None:
            return self.age_s > seen_from.stale_s
        return self.owner.is_dead(self.age_s, seen_from=seen_from)

    def __str__(self) -> str:
        who = self.owner or "a server that starts just now"
        since = f", since {self.owner.since}" if self.owner else ""
        return f"{who}{since}, renewed {self.age_s:.0f} s ago"


def digest(path: str) -> int:
    """Return the digest of a path relative to the folder of a claim."""
    return int.from_bytes(blake2b(os.fsencode(path), digest_size=DIGEST_BYTES).digest(), "little")


@contextlib.contextmanager
def opened(folder: str, root: str | None, *, make: bool = False) -> Iterator[int]:
    """Open the folder of the claims in a folder, never through a link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    with opened_folder(folder, root, make=make) as parent:
        while True:
            if make:
                _make(parent)
            try:
                claims = os.open(FOLDER, flags, dir_fd=parent)
                break
            except FileNotFoundError:
                # Another server has removed it with its own claim.
                if not make:
                    raise
        try:
            yield claims
        finally:
            os.close(claims)


def _make(parent: int) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(FOLDER, dir_fd=parent)
        # Servers of other users that may write here must be able to claim, too.
        mode = os.fstat(parent).st_mode & 0o7777
        with contextlib.suppress(OSError):
            os.chmod(FOLDER, mode, dir_fd=parent)


def write(name: str, claims: int, owner: ClaimOwner, digests: array[int], state: bytes) -> None:
    """Write a claim, or its state if it is there.

    Args:
        name: Name of the file.
        claims: Descriptor of the open folder of claims.
        owner: Server that makes it.
        digests: Digests of its destinations.
        state: `ASKING` or `HELD`.
    """
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.suppress(FileNotFoundError):
        with os.fdopen(os.open(name, flags, dir_fd=claims), "wb") as file:
            file.write(state)
        return
    head = json.dumps({**vars(owner), "count": len(digests)}).encode()
    with os.fdopen(os.open(name, NEW, 0o644, dir_fd=claims), "wb") as file:
        file.write(state + head + b"\n" + digests.tobytes())


def claims_in(folder: str, root: str | None, now: float) -> Iterator[FoundClaim]:
    """Yield the claims in a folder, those that vanish meanwhile left out."""
    with contextlib.suppress(FileNotFoundError), opened(folder, root) as claims:
        for name in sorted(os.listdir(claims)):
            if name.endswith(SUFFIX):
                with contextlib.suppress(FileNotFoundError):
                    yield _read(folder, name, claims, now)


def _read(folder: str, name: str, claims: int, now: float) -> FoundClaim:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, dir_fd=claims), "rb") as file:
        info = os.fstat(file.fileno())
        age_s = max(0.0, now - info.st_mtime)
        state, head = file.readline(MAX_HEAD_BYTES), file.readline(MAX_HEAD_BYTES)
        owner, count = _owner(head)
        data = file.read(min(count * DIGEST_BYTES, MAX_BYTES)) if owner else b""
    digests = None
    if owner and len(data) == count * DIGEST_BYTES:
        digests = frozenset(array("Q", data))
    return FoundClaim(folder, name, owner, state == HELD, age_s, digests)


def _owner(head: bytes) -> tuple[ClaimOwner | None, int]:
    """Return owner and number of destinations from the head of a claim; None if it is none."""
    try:
        values: dict[str, Any] = documents.parse(head)
        count = values.pop("count")
        is_right = type(count) is int and 0 <= count <= MAX_BYTES // DIGEST_BYTES
        is_right &= all(type(v) is type(getattr(EXAMPLE, n)) for n, v in values.items())
        owner = ClaimOwner(**values)
        return (owner, count) if is_right and 0 < owner.stale_s <= MAX_STALE_S else (None, 0)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None, 0


EXAMPLE = ClaimOwner("", "", 0, "", 0, "", "", 0, "", 0.0, "")
"""For the types of its fields."""
