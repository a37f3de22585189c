"""Data types of jobs, and their plain-dict forms for the wire and the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from joblist.model import JobSpec
from joblist.shard import Shard

PROTOCOL = 4
"""Version of the conversation between worker and server."""
OBJECT_ID = "ina.jobs"
DEFAULT_PORT = 9471
MAX_CLAIM = 64
MAX_ERROR_CHARS = 4000
MAX_FAULT_CHARS = 1000
"""Of the reason for one missing file."""
HOST_KINDS = {"unknown_host": "input", "silent_host": "transient"}
"""Kinds of failures at a host that the network perhaps hides -> what they are if it does not."""
AWAY_KINDS = ("storage", "missing", "unreachable", *HOST_KINDS)
"""Kinds of failures with a storage or a host that is perhaps away; see `JobFailed`."""
FAILURE_KINDS = ("input", "transient", "resource", "bug", "crash", "worker", *AWAY_KINDS)
"""Why a job may fail; see `JobFailed`. `crash`: the process that ran it died."""


class State(str, Enum):
    """Where a job stands; the arrows between states are in jobs.ledger."""

    READY = "ready"
    LEASED = "leased"
    PUBLISHING = "publishing"
    SHARDED = "sharded"
    """Its shards are at work, or wait for workers."""
    WAIT = "wait"
    DONE = "done"
    FAILED = "failed"
    POISON = "poison"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


FINAL = frozenset({State.DONE, State.FAILED, State.POISON, State.CANCELLED, State.SKIPPED})
"""States that no worker can change any more."""


@dataclass(frozen=True)
class PartFile:
    """An output that is written but does not stand under its final name yet."""

    part: str
    """Where it was written."""
    path: str
    """Where it goes."""
    sha256: str
    size: int
    """Bytes."""

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PartFile:
        """Build from a dict with these fields; others are left out.

        Raises:
            KeyError, TypeError, ValueError: One is missing, or of another type.
        """
        file = cls(plain["part"], plain["path"], plain["sha256"], plain["size"])
        texts = isinstance(file.part, str) and isinstance(file.path, str)
        if not texts or not isinstance(file.sha256, str) or not isinstance(file.size, int):
            raise ValueError("these are not the fields of a file")
        return file


@dataclass(frozen=True)
class Manifest:
    """What one run of a job produced."""

    files: Mapping[str, PartFile]
    """Exporter name -> file, in the order of publishing: csv comes last."""
    statistics: Mapping[str, float] = field(default_factory=dict)
    """Counts that the server adds up for its summary."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """Exporter name -> why it has no file."""

    @property
    def lacks(self) -> str:
        """What is missing and why, in words; empty where all files were written."""
        return "; ".join(f"no {name}: {reason}" for name, reason in self.faults.items())

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dict; the order of files is kept."""
        plain = asdict(self)
        # Most have none, and older versions know of none.
        return plain if self.faults else {k: v for k, v in plain.items() if k != "faults"}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Manifest:
        """Build from `to_dict`, also that of another version, as far as it has the same fields.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: It is no manifest.
        """
        files = {name: PartFile.from_dict(entry) for name, entry in plain["files"].items()}
        counts = plain.get("statistics") or {}
        counts = {name: n for name, n in counts.items() if isinstance(n, int | float)}
        told = plain.get("faults")
        faults = {name: str(n) for name, n in told.items()} if isinstance(told, dict) else {}
        return cls(files=files, statistics=counts, faults=faults)


class PartPaths(dict[str, Path]):
    """Exporter name -> path that it writes to.

    Attributes:
        faults: Exporter name -> why it has no file.
    """

    def __init__(self, paths: Mapping[str, Path]) -> None:
        super().__init__(paths)
        self.faults: dict[str, str] = {}

    def give_up(self, name: str, reason: str) -> None:
        """Leave out a file that cannot be written; the job goes on without it.

        Args:
            name: Name of the exporter.
            reason: Reason, in words.
        """
        del self[name]
        self.faults[name] = reason


@dataclass(frozen=True)
class Probe:
    """A file by which a worker knows that it sees the server's storage."""

    path: str
    text: str
    """What it must contain."""
    is_destination: bool = True
    """Whether outputs go into its folder, and not only below it."""


@dataclass(frozen=True)
class Bounds:
    """What jobs may read and write; the server sets it, and every worker keeps it."""

    input_root: str | None = None
    """Folder that every medium must lie in."""
    output_root: str | None = None
    """Folder that every destination must lie in."""
    allow_urls: bool = False
    """Whether a medium may be an https address."""
    max_download: int = 20_000_000_000
    """Bytes that a medium behind an address may have."""


@dataclass(frozen=True)
class Lease:
    """The right to work on a job for a while."""

    job: int
    token: int
    """Fencing token: grows with each claim of the job."""
    spec: JobSpec
    options: Mapping[str, Any]
    """Analysis options, as the server was given them."""
    attempt: int = 1
    kind: str = "run"
    """`run`, or `publish`: finish the renames that a lost worker began."""
    manifest: Manifest | None = None
    """What to publish; only with kind `publish`."""
    bounds: Bounds = field(default_factory=Bounds)
    shard: Shard | None = None
    """Which part to do; its csv is the file of that part."""
    parts: tuple[str, ...] = ()
    """Files of all parts, in order: make one result of them."""
    ledger: str = ""
    """Id of the ledger, in the names of part files; empty for work without a ledger."""
    key: str = ""
    """Names the work: the same when it is done again, another for other work of any server."""
    private: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What else the work needs; it may hold passwords, so it is never written."""
    probe: Probe | None = None
    """File that its worker must find before the job, and again before a path is called bad."""

    @property
    def source_path(self) -> str:
        """Medium, a path or an address."""
        return self.spec.source_path

    @property
    def dests(self) -> Mapping[str, str]:
        """Exporter name -> absolute path of its file."""
        return self.spec.dests

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dict."""
        return {
            "job": self.job,
            "token": self.token,
            "spec": self.spec.to_dict(),
            "options": dict(self.options),
            "attempt": self.attempt,
            "kind": self.kind,
            "manifest": self.manifest.to_dict() if self.manifest else None,
            "bounds": asdict(self.bounds),
            "shard": asdict(self.shard) if self.shard else None,
            "parts": list(self.parts),
            "ledger": self.ledger,
            "key": self.key,
            "private": dict(self.private),
            "probe": asdict(self.probe) if self.probe else None,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Lease:
        """Build from `to_dict`."""
        manifest = plain["manifest"]
        return cls(
            job=plain["job"],
            token=plain["token"],
            spec=JobSpec.from_dict(plain["spec"]),
            options=plain["options"],
            attempt=plain["attempt"],
            kind=plain["kind"],
            manifest=Manifest.from_dict(manifest) if manifest else None,
            bounds=Bounds(**plain["bounds"]),
            shard=Shard(**plain["shard"]) if plain["shard"] else None,
            parts=tuple(plain["parts"]),
            ledger=plain["ledger"],
            key=plain["key"],
            private=dict(plain["private"]),
            probe=Probe(**plain["probe"]) if plain["probe"] else None,
        )


@dataclass(frozen=True)
class Outcome:
    """How one run, or one publishing, of a job ended."""

    manifest: Manifest | None = None
    """What was written; None after a failure."""
    kind: str = ""
    """Empty, or why it failed: one of `FAILURE_KINDS`."""
    error: str = ""
    is_ended: bool = False
    """Whether the supervisor has ended it: then nobody has looked for the cause."""


@dataclass(frozen=True)
class Job:
    """One row of the ledger, for reports."""

    id: int
    spec: JobSpec
    state: State
    token: int
    """Of its newest lease; once the winner is fixed, the winner's."""
    attempts: int
    lost: int
    """Leases that were lost while the job ran."""
    fails: int
    """Failures that may be retried."""
    worker: str | None
    error_kind: str | None
    error: str | None
    manifest: Manifest | None
    parent: int | None = None
    """The job of which this is a shard."""
    shard: Shard | None = None
    cut: int | None = None
    """Token with which the job was divided, while it is; of a shard, its parent's."""
    shards: int | None = None
    """Number of parts."""
    length: float | None = None
    """Of its medium, in seconds: None before anybody looked, infinite where it cannot be told."""
    second_worker: str | None = None
    """Name of the worker that has a second lease of the job."""
    is_unreadable: bool = False
    """Whether its row cannot be read: then names and numbers are only stand-ins."""
