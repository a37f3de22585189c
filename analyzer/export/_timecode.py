"""Rates of pictures and timecodes, as editing programs count them.

OpenTimelineIO's timecodes are not used: they refuse rates of no broadcaster, such as 10 or 12.5,
and that library is an extra, which EDL and FCPXML do without.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

_NTSC = Fraction(1000, 1001)
_SAME_RATE = Fraction(2, 10**4)
"""Relative difference below which a rate is a usual one, rounded or measured: 23.98 is 23.976."""
_TEXT = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})([:;.])([0-9]{2,3})")
_TENTHS = 10
"""Of ten minutes, the numbers that drop frame leaves out are left out of nine."""


@dataclass(frozen=True)
class Timecode:
    """The count of pictures at a rate.

    Drop frame leaves out numbers, no pictures: at 29.97 pictures a second the first two of each
    minute, but for every tenth, so that the count keeps up with the clock.
    """

    rate: Fraction
    """Pictures a second."""
    drop: bool = False
    """Whether numbers are left out."""

    @property
    def nominal(self) -> int:
        """Numbers a second: 30 at 29.97."""
        return max(1, round(self.rate))

    def frames(self, text: str) -> int:
        """Return the number of pictures from 00:00:00:00 to a timecode.

        Args:
            text: Timecode, such as `01:00:00;00`.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            return 0
        hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
        minutes += 60 * hours
        dropped = (minutes - minutes // _TENTHS) * self._dropped_a_minute
        return (60 * minutes + seconds) * self.nominal + frames - dropped

    def text(self, frames: int) -> str:
        """Return a number of pictures as timecode; after a day it begins at 0 again.

        Args:
            frames: Number of pictures from 00:00:00:00 on.
        """
        frames %= self.frames("24:00:00:00")
        per_minute = 60 * self.nominal - self._dropped_a_minute
        tens, rest = divmod(frames, _TENTHS * per_minute + self._dropped_a_minute)
        # The first minute of ten is longer than the others.
        later = max(0, rest - self._dropped_a_minute) // per_minute
        number = frames + (9 * tens + later) * self._dropped_a_minute
        seconds, frame = divmod(number, self.nominal)
        minutes, second = divmod(seconds, 60)
        mark = ";" if self.drop else ":"
        return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}{mark}{frame:02}"

    @property
    def _dropped_a_minute(self) -> int:
        return round(self.nominal / 15) if self.drop else 0


def timecode_of(rate: Fraction | None, start: str | None) -> Timecode:
    """Return how the pictures of a medium are counted.

    Args:
        rate: Average rate of the medium; 25 where it is not known.
        start: Timecode of its first picture; `;` or `.` before the frames says drop frame, which
            there is at 29.97 and its multiples only.
    """
    usual = _usual_rate(rate or Fraction(25))
    has_drop = usual == round(usual) // 30 * 30 * _NTSC and usual >= 29
    match = _TEXT.fullmatch(start or "")
    return Timecode(usual, drop=match is not None and match[4] in ";." and has_drop)


def _usual_rate(rate: Fraction) -> Fraction:
    """Return the whole rate, or the one of NTSC, that a rate is; a rate that is neither, as is."""
    whole = Fraction(max(1, round(rate)))
    nearest = min((whole, whole * _NTSC), key=lambda usual: abs(usual - rate))
    return nearest if abs(nearest - rate) <= nearest * _SAME_RATE else rate
