"""Threads that go on whatever happens in them, and the log of what does."""

from __future__ import annotations

import logging
import re
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

log = logging.getLogger(__name__)
PAUSE_S = 1.0
"""Time after which a loop that has ended is started again."""
MAX_REMEMBERED = 1000
NUMBER = re.compile(r"\d+")


class FaultLog:
    """Log of unexpected errors: each is told once, however often it comes."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str, str]] = set()

    def note(self, where: str, error: Exception) -> str:
        """Log an error, unless it was logged before; return it as text, with its place.

        Args:
            where: What met it: the name of a thread, or of a call.
            error: The error.
        """
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
        kind = type(error).__name__
        fault = f"{kind}: {str(error)[:200]} ({place})"
        key = (where, kind, place)
        if key not in self._told and len(self._told) < MAX_REMEMBERED:
            self._told.add(key)
            log.error("%s met a fault and goes on, told once: %s", where, fault)
            log.debug("the whole fault", exc_info=error)
        return fault


class RepeatedNotes:
    """Texts that come again and again: each is due when it is new, and then at intervals.

    Texts that differ only by numbers are one: a time that counts down is no news.

    Args:
        every_s: Interval, in seconds.
    """

    def __init__(self, every_s: float = 30.0) -> None:
        self._every_s = every_s
        self._told: dict[str, float] = {}

    def is_due(self, text: str) -> bool:
        """Return whether to tell a text now; then it counts as told."""
        key, now = NUMBER.sub("0", text), time.monotonic()
        if now - self._told.get(key, -self._every_s) < self._every_s:
            return False
        if len(self._told) >= MAX_REMEMBERED:
            self._told.clear()
        self._told[key] = now
        return True


class SteadyThread:
    """A thread for a loop that must not end before it is told to.

    An exception that leaves the loop is logged once, and the loop starts again. A thread that has
    ended all the same is found by `revive_dead`.

    Args:
        loop: Function that returns when it is told to end, by means of its own.
        name: Name of the thread.
        pause_s: Time after which the loop is started again, in seconds.
    """

    def __init__(self, loop: Callable[[], object], *, name: str, pause_s: float = PAUSE_S) -> None:
        self.name = name
        self._loop = loop
        self._pause_s = pause_s
        self._faults = FaultLog()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the loop."""
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._loop()
            except Exception as error:
                self._faults.note(f"thread {self.name}", error)
            self._stopped.wait(self._pause_s)

    def is_dead(self) -> bool:
        """Return whether the thread has ended though nobody told it to."""
        return (
            self._thread is not None and not self._stopped.is_set() and not self._thread.is_alive()
        )

    def end(self) -> None:
        """Start the loop no more; the caller tells the loop itself to end."""
        self._stopped.set()

    def join(self, timeout_s: float = 5.0) -> None:
        """Wait for the end of the thread."""
        if self._thread is not None:
            self._thread.join(timeout_s)


def revive_dead(threads: Iterable[SteadyThread]) -> list[str]:
    """Start dead threads again; return messages for the user."""
    messages = []
    for thread in threads:
        if thread.is_dead():
            thread.start()
            messages.append(f"the thread {thread.name} had ended and is started again")
    return messages
