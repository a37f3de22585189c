"""SIGTERM and SIGHUP end a program as Ctrl-C does: what it has begun is taken back."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

STOPS = (signal.SIGTERM, signal.SIGHUP)


class Terminated(KeyboardInterrupt):
    """A signal asked the program to stop.

    Args:
        number: Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number
        """What a shell shows of a program that the signal has ended."""


@contextmanager
def raised() -> Iterator[None]:
    """Raise `Terminated` in the main thread at the first signal; a second one ends the process.

    Signals that the program has handlers for, or that are ignored as under nohup, stay so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [number for number in STOPS if signal.getsignal(number) == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _stop(number: int, *_: Any) -> None:
    for other in STOPS:
        if signal.getsignal(other) == _stop:
            signal.signal(other, signal.SIG_DFL)
    raise Terminated(number)
