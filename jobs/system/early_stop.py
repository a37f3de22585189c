"""Signals that ask a program to stop before it has begun with its work."""

from __future__ import annotations

import signal
from typing import Any

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedEarly(BaseException):
    """A signal came before there was anything to finish.

    Like KeyboardInterrupt it is no Exception: nothing but the program itself handles it.

    Args:
        number: Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.by_hand = number == signal.SIGINT
        """Whether it was Ctrl-C."""


def listen() -> None:
    """Raise StoppedEarly in the main thread at the first signal, until other handlers are set.

    Further signals change nothing: what was begun is taken back, and that is the end.
    """
    for number in STOPS:
        # Under nohup, or in the background of a script, some are ignored, and stay so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def _stop(number: int, *_: Any) -> None:
    for other in STOPS:
        signal.signal(other, signal.SIG_IGN)
    raise StoppedEarly(number)
