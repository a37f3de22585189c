"""The workers of a server: which are admitted, and which are alive."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.ledger import queries
from jobs.ledger.ledger import Ledger
from jobs.server.leases import LeaseBook
from jobs.system.process_identity import ProcessIdentity
from jobs.types import PROTOCOL

log = logging.getLogger(__name__)
MAX_TOLD = 20
SHOWN = 12
"""Characters of a digest in a message."""


@dataclass(frozen=True)
class Demands:
    """What workers must be like, for all results to be the same."""

    program: str = ""
    """Version."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Hashes of the models by name."""
    code: Mapping[str, str] = field(default_factory=dict)
    """Digests of packages and plug-ins by name."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Options that a worker must be able to do, and not set otherwise for itself."""
    allow_mixed: bool = False
    """Whether a worker may differ in all that."""

    def differences(self, info: Mapping[str, Any]) -> list[str]:
        """Return in which ways a worker differs, with both sides of each.

        Args:
            info: What the worker says of itself.
        """
        unlike = []
        if info.get("program") != self.program:
            unlike.append(_both("program", info.get("program"), self.program))
        for kind, name in (("code", "code of {}"), ("models", "model {}")):
            offered = info.get(kind) or {}
            unlike += [
                _both(name.format(part), offered.get(part), digest)
                for part, digest in getattr(self, kind).items()
                if offered.get(part) != digest
            ]
        own = info.get("settings") or {}
        unlike += [
            _both(f"option {name}", own[name], value)
            for name, value in self.settings.items()
            if own.get(name, value) != value
        ]
        return unlike

    def impossible(self, info: Mapping[str, Any]) -> str:
        """Return the setting that a worker cannot do, with the reason; empty if it can do all.

        Args:
            info: What the worker says of itself.
        """
        unable = info.get("unable") or {}
        names = (f"{name} {value}" for name, value in self.settings.items())
        return next((f"{name}: {unable[name]}" for name in names if name in unable), "")


def _both(what: str, worker: Any, server: str) -> str:
    offered = "missing" if worker is None else repr(str(worker)[:SHOWN])
    return f"{what}: {offered} here, {server[:SHOWN]!r} on the server"


class WorkerRoster:
    """The workers that have called the server.

    Args:
        ledger: Ledger, which remembers the workers of earlier servers.
        book: Leases, and the times of calls.
        demands: What workers must be like.
    """

    def __init__(self, ledger: Ledger, book: LeaseBook, demands: Demands) -> None:
        self._ledger = ledger
        self._book = book
        self._demands = demands
        self._workers: dict[str, dict[str, Any]] = {}
        self._greeted: set[str] = set()
        """Workers that have greeted this run of the server."""
        self._told: set[str] = set()
        """Differences of workers that were allowed and logged."""

    def refusal(self, info: Mapping[str, Any]) -> str:
        """Return why a worker cannot work for this server; empty where it can.

        Args:
            info: What the worker says of itself: versions, and digests of code and models.
        """
        if info.get("protocol") != PROTOCOL:
            return (
                f"this worker has protocol {info.get('protocol')!r}, the server has {PROTOCOL!r}: "
                "install the same version on both"
            )
        if impossible := self._demands.impossible(info):
            return f"this worker cannot do what the server asks for: {impossible}"
        differences = "; ".join(self._demands.differences(info))
        if not differences:
            return ""
        if self._demands.allow_mixed:
            if differences not in self._told and len(self._told) < MAX_TOLD:
                self._told.add(differences)
                log.warning("%s differs: %s (here: the worker)", info.get("name"), differences)
            return ""
        return (
            f"this worker differs from the server, and so might its results: {differences}: "
            "install the same version on both, or serve with --allow_mixed"
        )

    def add(self, info: Mapping[str, Any]) -> None:
        """Register a worker, also in the ledger.

        Args:
            info: Its name, process and device.
        """
        worker = str(info["name"])
        identity = ProcessIdentity(info["host"], info["pid"], info["boot_id"])
        self._ledger.register(worker, identity)
        self._workers[worker] = {"name": worker, "host": identity.host, "device": info["device"]}
        self._greeted.add(worker)
        self._book.note_call(worker)

    def has_greeted(self, worker: str) -> bool:
        """Return whether a worker was admitted by this run of the server."""
        return worker in self._greeted

    def note_call(self, worker: str) -> bool:
        """Record a call; a worker that greeted an earlier server is read from the ledger.

        Returns:
            Whether the worker is known; of others, nothing is kept.
        """
        if worker not in self._workers:
            record = self._ledger.store.read(lambda db: queries.worker(db, worker))
            if record is None:
                return False
            self._workers[worker] = {"name": worker, "host": record[0], "device": ""}
        self._book.note_call(worker)
        return True

    def note_device(self, worker: str, device: str) -> None:
        """Record the device of a worker, which it knows once its networks run."""
        if record := self._workers.get(worker):
            record["device"] = device

    def remove(self, worker: str) -> None:
        """Remove a worker that has left."""
        self._book.remove_worker(worker)
        self._workers.pop(worker, None)
        self._greeted.discard(worker)

    def is_dead(self, worker: str, *, seen_from: ProcessIdentity) -> bool:
        """Return whether the process of a worker is certainly gone.

        Args:
            worker: Name of the worker.
            seen_from: This process: only processes of its own machine can be looked up.
        """
        record = self._ledger.store.read(lambda db: queries.worker(db, worker))
        return record is not None and ProcessIdentity(*record).is_dead(seen_from=seen_from)

    def live_hosts(self) -> int:
        """Return the number of machines that have workers now."""
        return len({worker["host"] for worker in self._live()})

    def status(self) -> list[dict[str, Any]]:
        """Return what each live worker is, when it last called, and what it does."""
        return [
            {
                **worker,
                "silent_s": self._book.silent_s(worker["name"]),
                "jobs": self._book.status(worker["name"]),
            }
            for worker in self._live()
        ]

    def _live(self) -> list[dict[str, Any]]:
        live = set(self._book.live_workers())
        # A copy: another thread may add or remove a worker meanwhile.
        return [worker for name, worker in list(self._workers.items()) if name in live]
