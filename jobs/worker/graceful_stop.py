"""The wish to stop, as a signal brings it."""

from __future__ import annotations

import math
import signal
import time
from typing import Any

from jobs.retry import boottime

POLL_S = 0.2


class GracefulStop:
    """The wish to stop: once is polite, twice is at once.

    Plain attributes only: a signal handler that interrupts an Event's own code stops for ever.
    """

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._deadline = math.inf

    @property
    def requested(self) -> bool:
        """Whether a stop is requested: no further jobs are taken."""
        return self._deadline < math.inf

    @property
    def overdue(self) -> bool:
        """Whether the current job is to be given up."""
        return boottime() >= self._deadline

    def listen(self) -> None:
        """Let SIGTERM and SIGINT tell it."""
        signal.signal(signal.SIGTERM, self.on_signal)
        signal.signal(signal.SIGINT, self.on_signal)

    def on_signal(self, *_: Any) -> None:
        """Stop politely the first time, at once the second."""
        if self.requested:
            self._deadline = -math.inf
        else:
            self.request()

    def request(self) -> None:
        """Stop after the current job."""
        self._deadline = min(self._deadline, boottime() + self._grace_s)

    def wait(self, seconds: float) -> None:
        """Sleep, unless the worker is to stop."""
        until = boottime() + seconds
        while not self.requested and (left_s := until - boottime()) > 0:
            time.sleep(min(POLL_S, left_s))
