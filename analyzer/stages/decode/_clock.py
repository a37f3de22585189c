"""Stamps as times that never run backwards: where a clock breaks off, times run on."""

from fractions import Fraction

from analyzer.stages.decode._timeline import Timeline

_MAX_FORWARD_S, _MAX_BACKWARD_S = 10, Fraction(1, 10)
"""Steps beyond these are taken for a break in the clock of a broadcast, as ffmpeg does."""
MAX_PAUSE_S = 3600
"""Longest step ahead that is a pause in a recording of a live stream, and no break."""
_ANY_PAUSE_S = 10**9
_REORDERED = 32
"""Number of pictures behind a break that may be of the time before it: decoders reorder."""


def longest_pause_s(*, jumps: bool, is_live: bool) -> int:
    """Return the longest step ahead, in seconds, that is no break of a clock; see `Clock`."""
    return _MAX_FORWARD_S if jumps else MAX_PAUSE_S if is_live else _ANY_PAUSE_S


class Clock:
    """The player's clock of one medium.

    Args:
        timeline: Timeline of the stream.
        jumps: Whether the container's clock is known to break off and start again (MPEG streams),
            or to have single stamps damaged in transmission.
        is_live: Whether the stamps may be those of a live stream, which jump ahead.

    Attributes:
        back: How often the clock of the container went back.
        ahead: How often it jumped ahead.
    """

    def __init__(self, timeline: Timeline, *, jumps: bool, is_live: bool) -> None:
        self.back = self.ahead = 0
        self._timeline = timeline
        self._jumps, self._is_live = jumps, is_live
        self._shift = Fraction(0)
        self._shift_before: Fraction | None = None
        self._since_break = 0
        self._last: Fraction | None = None

    def time(self, stamp: Fraction | None, following: Fraction) -> Fraction:
        """Return the time at which a picture is shown, in seconds.

        Args:
            stamp: Stamp of the picture in seconds; without one the picture follows the picture
                before it.
            following: End of the picture before, in seconds.
        """
        time = following
        if stamp is not None:
            time = self._mended(self._timeline.time(stamp), following)
        self._since_break += 1
        self._last = time if self._last is None else max(time, self._last)
        return self._last

    def _mended(self, stated: Fraction, following: Fraction) -> Fraction:
        """Return the time of a stamped picture, on the clock that runs on."""
        time = stated + self._shift
        if self._last is None or abs(time - following) <= _MAX_BACKWARD_S:
            return time
        if self._shift_before is not None and self._since_break <= _REORDERED:
            earlier = stated + self._shift_before
            if abs(earlier - following) <= _MAX_BACKWARD_S:
                return earlier
        if self._is_possible(time, following, self._last):
            return time
        self.back += time < following
        self.ahead += time > following
        self._shift_before, self._shift = self._shift, self._shift + following - time
        self._since_break = 0
        return following

    def _is_possible(self, time: Fraction, following: Fraction, last: Fraction) -> bool:
        """Return whether the next picture may come at a time, with no break before it."""
        if self._jumps:
            return -_MAX_BACKWARD_S <= time - following <= _MAX_FORWARD_S
        # Where the rate varies, the picture before may be shown for less than its nominal length.
        is_pause = not self._is_live or time <= following + MAX_PAUSE_S
        return is_pause and time >= last - _MAX_BACKWARD_S
