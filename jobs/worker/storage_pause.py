"""Pauses of a worker with a storage that is away: it asks again, and takes few jobs meanwhile."""

from __future__ import annotations

from jobs.retry import Timing, jittered

FIRST_S = 1.0
LONGEST_S = 30.0


class StoragePause:
    """The pause after each job in a row that went back because of the storage."""

    def __init__(self) -> None:
        self._count = 0

    def lengthen(self) -> None:
        """Record a job that went back because of the storage."""
        self._count += 1

    def end(self) -> None:
        """Record a job that got to its end, whatever end that was."""
        self._count = 0

    def left_s(self, timing: Timing) -> float:
        """Return the time to wait before the next claim, in seconds; 0 while the storage works.

        Args:
            timing: Timing of the server, which takes a longer silence for the worker's end.
        """
        if not self._count:
            return 0.0
        longest_s = min(LONGEST_S, timing.lease_s / 4)
        return jittered(min(longest_s, FIRST_S * 2.0 ** min(self._count - 1, 10)))
