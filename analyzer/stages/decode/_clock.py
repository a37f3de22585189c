"""Presentation timestamps as seconds that never run backwards."""

from fractions import Fraction

_AHEAD_S, _BACK_S = 10, Fraction(1, 10)
"""Steps beyond these are taken for a break in the clock of a broadcast, as ffmpeg does."""


class Clock:
    """The player's clock of one medium.

    Args:
        origin: the container's start time in seconds.
        jumps: whether the container's clock may break off and start anew (MPEG streams), or have
            single timestamps damaged in transmission. The pictures then follow each other.
    """

    def __init__(self, origin: Fraction, *, jumps: bool) -> None:
        self._origin = origin
        self._jumps = jumps
        self._shift = Fraction(0)
        self._last: Fraction | None = None

    def time(self, stamp: Fraction | None, following: Fraction) -> Fraction:
        """When a picture is shown.

        Args:
            stamp: its timestamp in seconds; without one it follows the picture before.
            following: the end of the picture before.
        """
        time = following if stamp is None else stamp - self._origin + self._shift
        if self._last is not None:
            if self._jumps and not -_BACK_S <= time - following <= _AHEAD_S:
                self._shift += following - time
                time = following
            time = max(time, self._last)
        self._last = time
        return time
