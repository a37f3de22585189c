"""Presentation timestamps as seconds that never run backwards."""

from fractions import Fraction

_MAX_FORWARD_S, _MAX_BACKWARD_S = 10, Fraction(1, 10)
"""Steps beyond these are taken for a break in the clock of a broadcast, as ffmpeg does."""


class Clock:
    """The player's clock of one medium.

    Args:
        origin: Start time of the container in seconds.
        jumps: Whether the container's clock may break off and start again (MPEG streams), or have
            single timestamps damaged in transmission. The pictures then follow each other.
    """

    def __init__(self, origin: Fraction, *, jumps: bool) -> None:
        self._origin = origin
        self._jumps = jumps
        self._shift = Fraction(0)
        self._last: Fraction | None = None

    def time(self, timestamp: Fraction | None, following: Fraction) -> Fraction:
        """Return the time at which a picture is shown, in seconds.

        Args:
            timestamp: Timestamp of the picture in seconds; without one the picture follows the
                picture before it.
            following: End of the picture before, in seconds.
        """
        time = following if timestamp is None else timestamp - self._origin + self._shift
        if self._last is not None:
            if self._jumps and not -_MAX_BACKWARD_S <= time - following <= _MAX_FORWARD_S:
                self._shift += following - time
                time = following
            time = max(time, self._last)
        self._last = time
        return time
