"""Deadlines of leases, in memory: a heartbeat writes nothing, and setting a clock has no effect."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.types import Job

log = logging.getLogger(__name__)


@dataclass
class HeldLease:
    """A lease that a worker holds."""

    job: int
    token: int
    worker: str
    source: str
    """Path of the medium, and which shard of it, for the display."""
    running: bool
    """Whether the worker works on the job; else the job is queued in the worker."""
    share: tuple[float, float] = (0.0, 1.0)
    """Part of its job that it does, for the display: start and end, 0 to 1."""
    deadline: float = 0.0
    """Time at which it expires, by the clock of the book; so are the next two."""
    granted: float = 0.0
    renewed: float = 0.0
    progress: Mapping[str, Any] = field(default_factory=dict)
    done: float = 0.0
    """Share of its work that is done, as last reported: not every stage reports it."""

    @classmethod
    def of(cls, job: Job, *, running: bool) -> HeldLease:
        """Return the lease of a job.

        Args:
            job: Job with its worker.
            running: Whether the worker works on it now.
        """
        # A job that joins its shards is nearly done.
        share = (0.0, 1.0) if job.cut is None else (1.0, 1.0)
        part = f" [{job.shard.number + 1}/{job.shard.count}]" if job.shard else ""
        return cls(
            job=job.id,
            token=job.token,
            worker=job.worker or "",
            source=job.spec.source_path + part,
            running=running,
            share=(0.0, 1 / job.shard.count) if job.shard else share,
        )

    def status(self) -> dict[str, Any]:
        """Return the fields for a display; `done` is the share of the job, 0 to 1."""
        low, high = self.share
        return {
            "job": self.job,
            "source": self.source,
            "progress": dict(self.progress),
            "done": low + (high - low) * self.done,
        }


class LeaseBook:
    """All leases with their deadlines, and the last call of each worker; safe between threads.

    Args:
        lease_s: Time without a heartbeat after which a lease expires, in seconds.
        late_s: Time between two calls of `expire` after which the server itself was held up, and
            heard no heartbeat, in seconds.
        clock: Clock that returns monotonic seconds.
    """

    def __init__(
        self,
        lease_s: float,
        *,
        late_s: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lease_s = lease_s
        self._late_s = late_s
        self._clock = clock
        self._mutex = threading.Lock()
        self._held: dict[tuple[int, int], HeldLease] = {}
        self._last_expire = clock()
        self._first_calls: dict[str, float] = {}
        self._last_calls: dict[str, float] = {}
        self._troubles: deque[tuple[float, str]] = deque()

    def note_call(self, worker: str) -> None:
        """Record that a worker has called."""
        with self._mutex:
            now = self._clock()
            self._first_calls.setdefault(worker, now)
            self._last_calls[worker] = now

    def silent_s(self, worker: str) -> float:
        """Return the time since the last call of a worker, in seconds."""
        with self._mutex:
            now = self._clock()
            return now - self._last_calls.get(worker, now)

    def remove_worker(self, worker: str) -> None:
        """Remove a worker that has left."""
        with self._mutex:
            self._first_calls.pop(worker, None)
            self._last_calls.pop(worker, None)

    def live_workers(self) -> list[str]:
        """Return the workers that have called within one lease."""
        with self._mutex:
            return self._callers_within(self._lease_s)

    def _callers_within(self, seconds: float) -> list[str]:
        since = self._clock() - seconds
        return [worker for worker, when in self._last_calls.items() if when >= since]

    def add(self, held: HeldLease) -> None:
        """Add a lease, with its full time."""
        with self._mutex:
            held.granted = held.renewed = self._clock()
            held.deadline = held.renewed + self._lease_s
            self._held[held.job, held.token] = held

    def renew(self, worker: str, job: int, token: int, progress: Mapping[str, Any] | None) -> bool:
        """Extend a lease; return False if this worker no longer holds it."""
        with self._mutex:
            held = self._held.get((job, token))
            if held is None or held.worker != worker:
                return False
            held.renewed = self._clock()
            held.deadline = held.renewed + self._lease_s
            if progress is not None:
                held.running = True
                held.progress = progress
                held.done = float(progress.get("done", held.done))
            return True

    def drop(self, job: int, token: int, *, worker: str | None = None) -> bool:
        """End a lease of this worker, or of any worker; return whether there was one."""
        with self._mutex:
            held = self._held.get((job, token))
            if held is None or worker not in (None, held.worker):
                return False
            del self._held[job, token]
            return True

    def drop_others(self, job: int, winner: int) -> None:
        """End every lease of a job except that of the winner, a token."""
        with self._mutex:
            for key in [k for k in self._held if k[0] == job and k[1] != winner]:
                del self._held[key]

    def long_at_work(self, worker: str, *, age_s: float) -> list[int]:
        """Return jobs that other workers have had for some time, the oldest first.

        Args:
            worker: Worker without a job.
            age_s: Least age of the leases, in seconds.
        """
        with self._mutex:
            latest = self._clock() - age_s
            # A worker without progress may not know of its lease.
            old = [
                held
                for held in self._held.values()
                if held.worker != worker and held.progress and held.granted <= latest
            ]
            return [held.job for held in sorted(old, key=lambda held: held.granted)]

    def is_held(self, worker: str, job: int, token: int) -> bool:
        """Return whether a worker holds a lease."""
        with self._mutex:
            held = self._held.get((job, token))
            return held is not None and held.worker == worker

    def held(self, worker: str | None = None) -> list[HeldLease]:
        """Return the leases of one worker, or of all."""
        with self._mutex:
            return [h for h in self._held.values() if worker is None or h.worker == worker]

    def status(self, worker: str) -> list[dict[str, Any]]:
        """Return the fields for a display of each lease of a worker."""
        return [held.status() for held in self.held(worker)]

    def expire(self) -> Iterator[tuple[HeldLease, bool]]:
        """Remove the leases that have expired; if this call itself is late, extend all instead.

        Yields:
            The lease, and whether its job may be the cause: the job was running, its worker has not
            called since, and most other workers still call. If most workers are silent, the network
            or the storage is the cause.
        """
        with self._mutex:
            now = self._clock()
            late_s, self._last_expire = now - self._last_expire, now
            if late_s > self._late_s:
                self._extend_all(now, late_s)
            expired = [held for held in self._held.values() if held.deadline <= now]
            for held in expired:
                del self._held[held.job, held.token]
                self._troubles.append((now, held.worker))
            is_outage = self._is_outage(now)
            blames = [h.running and not is_outage and self._is_silent_alone(h) for h in expired]
        yield from zip(expired, blames, strict=True)

    def _extend_all(self, now: float, late_s: float) -> None:
        """Give each lease its full time again: nobody could renew one while the server was held."""
        if self._held:
            log.warning("the server was held up for %.0f s: all leases are extended", late_s)
        for held in self._held.values():
            held.deadline = now + self._lease_s

    def _is_silent_alone(self, held: HeldLease) -> bool:
        """Return whether the worker of a lease has fallen silent, and most others have not.

        Only workers that had called before the silence are counted: those that came later replace
        silent ones, and say nothing about why these are.
        """
        since = self._last_calls.get(held.worker)
        # A worker that has not called since this server began fell silent with the earlier one.
        if since is None or since > held.renewed:
            return False
        recent = self._callers_within(3 * self._lease_s)
        witnesses = {worker for worker in recent if self._first_calls[worker] <= since}
        silent = witnesses - set(self._callers_within(self._lease_s / 2))
        return len(silent) <= max(1, len(witnesses) / 2)

    def note_trouble(self, worker: str) -> None:
        """Record that a worker failed at a job because of its machine or the storage."""
        with self._mutex:
            self._troubles.append((self._clock(), worker))

    def is_outage(self) -> bool:
        """Return whether so many workers are in trouble that their jobs cannot be the cause."""
        with self._mutex:
            return self._is_outage(self._clock())

    def _is_outage(self, now: float) -> bool:
        """Return whether more than half of the workers had trouble within the last lease time."""
        while self._troubles and self._troubles[0][0] < now - self._lease_s:
            self._troubles.popleft()
        troubled = {worker for _, worker in self._troubles}
        recent = set(self._callers_within(3 * self._lease_s)) | troubled
        return len(troubled) > max(1, len(recent) / 2)
