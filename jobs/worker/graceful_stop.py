"""Graceful stop requested by a signal; the time in which a machine is suspended does not count."""

from __future__ import annotations

import math
import signal
import time
from typing import Any

POLL_S = 0.2


class GracefulStop:
    """A request to stop: the first lets the current job finish in time, the second stops at once.

    It has plain attributes only: a signal handler that interrupts the code of a `threading.Event`
    waits for ever.

    Args:
        grace_s: Time that the current job has after the request, in seconds.
    """

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._deadline = math.inf

    @property
    def requested(self) -> bool:
        """Whether a stop was requested, so that no further jobs are taken."""
        return self._deadline < math.inf

    @property
    def overdue(self) -> bool:
        """Whether the current job must be given up."""
        return time.monotonic() >= self._deadline

    @property
    def left_s(self) -> float:
        """Time that the current job still has, in seconds; infinite before a stop is requested."""
        return max(0.0, self._deadline - time.monotonic())

    def listen(self) -> None:
        """Request a stop at SIGTERM, SIGINT and SIGHUP."""
        signal.signal(signal.SIGTERM, self.on_signal)
        signal.signal(signal.SIGINT, self.on_signal)
        # Under nohup it is ignored, and stays so.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self.on_hangup)

    def on_hangup(self, *_: Any) -> None:
        """Stop after the current job: of a terminal that is gone, several signals may come."""
        self.request()

    def on_signal(self, *_: Any) -> None:
        """Stop after the current job the first time, at once the second."""
        if self.requested:
            self._deadline = -math.inf
        else:
            self.request()

    def request(self) -> None:
        """Stop after the current job."""
        self._deadline = min(self._deadline, time.monotonic() + self._grace_s)

    def wait(self, seconds: float) -> None:
        """Sleep until the time is over or a stop is requested."""
        until = time.monotonic() + seconds
        while not self.requested and (left_s := until - time.monotonic()) > 0:
            time.sleep(min(POLL_S, left_s))
