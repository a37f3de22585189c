"""Retries: backoff, limits, and the clocks that measure the waiting."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

BACKOFF_S = 30.0
BACKOFF_CAP_S = 3600.0


@dataclass(frozen=True)
class Timing:
    """The rhythm of a server and its workers; all values in seconds."""

    lease_s: float = 120.0
    """A worker that was silent for so long has lost its jobs."""

    @property
    def beat_s(self) -> float:
        """Time between heartbeats: six of them in a lease."""
        return self.lease_s / 6

    @property
    def eager_s(self) -> float:
        """Shortest time between heartbeats that bring news, for the display."""
        return max(0.2, self.lease_s / 60)

    @property
    def fence_s(self) -> float:
        """A worker without an answer for so long stops by itself, before the lease ends."""
        return 0.75 * self.lease_s

    @property
    def late_s(self) -> float:
        """Time without a look at the leases after which the server itself was held up."""
        return max(1.0, self.lease_s / 4)

    @property
    def call_timeout_s(self) -> float:
        """Longest wait for one heartbeat's answer."""
        return min(30.0, self.lease_s / 4)


def backoff(fails: int, *, base_s: float = BACKOFF_S, cap_s: float = BACKOFF_CAP_S) -> float:
    """Return how long to wait after the n-th failure, in seconds, with full jitter."""
    return random.uniform(0.0, min(cap_s, base_s * 2.0 ** min(fails - 1, 30)))


def may_retry(kind: str, fails: int, *, max_attempts: int) -> bool:
    """Say whether a job that failed `fails` times is worth another attempt.

    Args:
        kind: Kind of the last failure. Bad input stays bad; a bug is given one more chance,
            for what looks like one may be a device in trouble.
        fails: Failures so far, the last one included.
        max_attempts: Limit for every kind.
    """
    limit = {"input": 1, "bug": 2}.get(kind, max_attempts)
    return fails < min(limit, max_attempts)


def jittered(seconds: float) -> float:
    """Return the time with +-20 %, so that workers do not beat in step."""
    return seconds * random.uniform(0.8, 1.2)


def boottime() -> float:
    """Return seconds on a clock that is never set, and runs on during suspend."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class SteadyClock:
    """Wall time at the start plus monotonic time since: it is never set back."""

    def __init__(self) -> None:
        self._offset_s = time.time() - time.monotonic()

    def __call__(self) -> float:
        """Return seconds since the epoch."""
        return self._offset_s + time.monotonic()
