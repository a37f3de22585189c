"""Deadlines of leases, in memory: a heartbeat costs no write, and no clock can be set."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.types import Job


@dataclass
class Held:
    """A lease that a worker holds."""

    job: int
    token: int
    worker: str
    source: str
    """Path of the medium, and which shard of it, for the display."""
    running: bool
    """Whether it is the job at work, not one that is queued in the worker."""
    share: tuple[float, float] = (0.0, 1.0)
    """What of its job it does, for the display: from where to where, 0 to 1."""
    deadline: float = 0.0
    granted: float = 0.0
    renewed: float = 0.0
    progress: Mapping[str, Any] = field(default_factory=dict)
    done: float = 0.0
    """Share of its work that is done, as its worker last said: not every stage says so."""

    @classmethod
    def of(cls, job: Job, *, running: bool) -> Held:
        """Describe the lease of a job."""
        # What is to be put together of shards is nearly done.
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

    def shown(self) -> dict[str, Any]:
        """Return what a display shows of it; `done` is how much of its job is."""
        low, high = self.share
        return {
            "job": self.job,
            "source": self.source,
            "progress": dict(self.progress),
            "done": low + (high - low) * self.done,
        }


class LeaseBook:
    """Who holds which job until when.

    Args:
        lease_s: Time without a heartbeat after which a job is lost.
        clock: Monotonic seconds.
    """

    def __init__(self, lease_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._lease_s = lease_s
        self._clock = clock
        self._mutex = threading.Lock()
        self._held: dict[tuple[int, int], Held] = {}
        self._seen: dict[str, float] = {}
        self._losers: deque[tuple[float, str]] = deque()

    def seen(self, worker: str) -> None:
        """Note that a worker has called."""
        with self._mutex:
            self._seen[worker] = self._clock()

    def silent_s(self, worker: str) -> float:
        """Return the time since a worker has called, in seconds."""
        with self._mutex:
            now = self._clock()
            return now - self._seen.get(worker, now)

    def forget(self, worker: str) -> None:
        """Note that a worker has gone for good."""
        with self._mutex:
            self._seen.pop(worker, None)

    def live(self) -> list[str]:
        """Return the workers that have called within one lease."""
        with self._mutex:
            return self._seen_within(self._lease_s)

    def _seen_within(self, seconds: float) -> list[str]:
        since = self._clock() - seconds
        return [worker for worker, when in self._seen.items() if when >= since]

    def add(self, held: Held) -> None:
        """Start a full lease."""
        with self._mutex:
            held.granted = held.renewed = self._clock()
            held.deadline = held.renewed + self._lease_s
            self._held[held.job, held.token] = held

    def renew(self, worker: str, job: int, token: int, progress: Mapping[str, Any] | None) -> bool:
        """Extend a lease; False when this worker does not hold it any more."""
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
        """End every lease of a job but one."""
        with self._mutex:
            for key in [k for k in self._held if k[0] == job and k[1] != winner]:
                del self._held[key]

    def long_at_work(self, worker: str, *, age_s: float) -> list[int]:
        """Return jobs that other workers have been at for some time, the longest first."""
        with self._mutex:
            latest = self._clock() - age_s
            # One without progress may not even know of its lease.
            old = [
                held
                for held in self._held.values()
                if held.worker != worker and held.progress and held.granted <= latest
            ]
            return [held.job for held in sorted(old, key=lambda held: held.granted)]

    def held(self, worker: str | None = None) -> list[Held]:
        """Return the leases of one worker, or of all."""
        with self._mutex:
            return [h for h in self._held.values() if worker is None or h.worker == worker]

    def shown(self, worker: str) -> list[dict[str, Any]]:
        """Return what a display shows of the leases of a worker."""
        return [held.shown() for held in self.held(worker)]

    def expire(self) -> Iterator[tuple[Held, bool]]:
        """Remove the leases that are over.

        Yields:
            The lease, and whether its job is to blame: it was running, its worker fell
            silent with it, and it was not one of many that fell silent together, which
            points to the network or the storage.
        """
        with self._mutex:
            now = self._clock()
            over = [held for held in self._held.values() if held.deadline <= now]
            for held in over:
                del self._held[held.job, held.token]
                self._losers.append((now, held.worker))
            outage = self._outage(now) or self._silence()
            silent = [self._seen.get(h.worker, -1.0) <= h.renewed for h in over]
        for held, is_silent in zip(over, silent, strict=True):
            yield held, held.running and is_silent and not outage

    def _silence(self) -> bool:
        """Say whether most workers are silent, though not all of their leases are over yet."""
        recent = set(self._seen_within(3 * self._lease_s))
        silent = recent - set(self._seen_within(self._lease_s / 2))
        return len(silent) > max(1, len(recent) / 2)

    def trouble(self, worker: str) -> None:
        """Note that a worker has lost a job, or failed at it, for want of something around it."""
        with self._mutex:
            self._losers.append((self._clock(), worker))

    def outage(self) -> bool:
        """Say whether so many workers are in trouble that their jobs cannot be the cause."""
        with self._mutex:
            return self._outage(self._clock())

    def _outage(self, now: float) -> bool:
        """Say whether more than half of the workers have lost leases within one lease."""
        while self._losers and self._losers[0][0] < now - self._lease_s:
            self._losers.popleft()
        losers = {worker for _, worker in self._losers}
        recent = set(self._seen_within(3 * self._lease_s)) | losers
        return len(losers) > max(1, len(recent) / 2)
