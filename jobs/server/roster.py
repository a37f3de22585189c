"""The workers of a server: which are admitted, and which are alive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.ledger import queries
from jobs.ledger.ledger import Ledger
from jobs.server.leases import LeaseBook
from jobs.system.process_identity import ProcessIdentity
from jobs.types import PROTOCOL


class WorkerRoster:
    """The workers that have called the server.

    Args:
        ledger: Ledger, which remembers the workers of earlier servers.
        book: Leases, and the times of calls.
        program: Version that workers must have.
        models: Hashes of the models that workers must have, by name.
    """

    def __init__(
        self, ledger: Ledger, book: LeaseBook, *, program: str, models: Mapping[str, str]
    ) -> None:
        self._ledger = ledger
        self._book = book
        self._required = {"protocol": PROTOCOL, "program": program}
        self._models = dict(models)
        self._workers: dict[str, dict[str, Any]] = {}
        self._greeted: set[str] = set()
        """Workers that have greeted this run of the server."""

    def refusal(self, info: Mapping[str, Any]) -> str:
        """Return why a worker cannot work for this server; empty where it can.

        Args:
            info: What the worker says of itself: versions, and hashes of its models.
        """
        for name, expected in self._required.items():
            if info.get(name) != expected:
                return (
                    f"this worker has {name} {info.get(name)!r}, the server has {expected!r}: "
                    "install the same version on both"
                )
        for name, digest in self._models.items():
            offered = info.get("models", {}).get(name)
            if offered != digest:
                return (
                    f"this worker has model {name} with hash {str(offered)[:12]}, the server has "
                    f"{digest[:12]}: install the same version on both"
                )
        return ""

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
