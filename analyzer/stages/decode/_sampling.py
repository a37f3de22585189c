"""Rules that select the frames to analyse: by time, by count, or all."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from analyzer.stages.decode._timeline import same_rate

_MARGIN_S = Fraction(10)
"""Seconds on either side of a segment that are read for the tracks that cross its borders."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """A rule for one frame that needs only this frame and the one before it.

    Times are those up to which a frame is early enough, with its rounding: so that a sample does
    not depend on the units of the container (`analyzer.stages.decode._timeline`).

    With a rate, the time axis of the player is cut into cells of `1 / fps` seconds from its
    zero, and the first frame of each cell is taken. So a sample never depends on where decoding
    began, and rounding never adds up: over an hour, sample and picture stay together.
    """

    fps: Fraction | None = None
    """Samples a second."""
    step: int | None = None
    """Every how many frames a sample is taken."""
    start: Fraction | None = None
    """Time of the first sample at the earliest, in seconds."""
    stop: Fraction | None = None
    """Time before which samples are taken, in seconds."""
    margin: Fraction | None = None
    """Of a segment: seconds around it that are read, too. Its samples are those that the whole
    medium has there. `None` for a range: its first frame is a sample, and nothing else is read."""

    @classmethod
    def of(
        cls,
        *,
        fps: float | None,
        step: int | None,
        start: float | None,
        stop: float | None,
        segment: bool = False,
    ) -> "Sampling":
        """Build a rule from options; a decimal such as 29.97 is taken as written."""
        rate, first, last = (None if v is None else Fraction(str(v)) for v in (fps, start, stop))
        # The last sample of a segment lasts up to the next one, which is to be read.
        margin = max(_MARGIN_S, 2 / rate if rate else Fraction(0)) if segment else None
        return cls(fps=rate, step=step, start=first, stop=last, margin=margin)

    @property
    def begin(self) -> Fraction | None:
        """Time from which on frames are read for samples, in seconds."""
        return None if self.start is None else self.start - (self.margin or 0)

    @property
    def limit(self) -> Fraction | None:
        """Time up to which frames are read, in seconds."""
        return None if self.stop is None else self.stop + (self.margin or 0)

    @property
    def can_seek(self) -> bool:
        """Whether frames long before a segment need not be decoded: nothing counts them."""
        is_late = self.begin is not None and self.begin > 0
        return self.margin is not None and is_late and self.step is None

    def at_rate(self, rate: Fraction | None) -> "Sampling":
        """Return the rule for a medium: a rate written as 29.97 is the medium's, of 30000/1001.

        Args:
            rate: Nominal pictures a second of the medium; `None` where there is none.
        """
        if self.margin is not None and self.step and rate:
            return replace(self, margin=max(self.margin, 2 * self.step / rate))
        if self.fps is None or not rate:
            return self
        part = rate / max(1, round(rate / self.fps))
        return replace(self, fps=part) if same_rate(self.fps, part) else self

    @property
    def is_dense(self) -> bool:
        """Whether every picture up to the end is a sample."""
        return self.fps is None and self.step in (None, 1) and self.start is None

    def wants(
        self, index: int, time: Fraction, before: Fraction | None, *, cut: bool = False
    ) -> bool:
        """Return whether a frame is a sample.

        Args:
            index: Number of the frame in presentation order.
            time: Time up to which it is early enough, in seconds.
            before: That time of the frame before it; `None` for the first.
            cut: Whether it is the first of a new shot.
        """
        if self.begin is not None and time < self.begin:
            return False
        if cut:
            return True
        if self.step is not None:
            return index % self.step == 0
        if self.fps is None or before is None:
            return True
        is_range = self.start is not None and self.margin is None
        first_in_range = is_range and before < (self.start or 0)
        return first_in_range or math.floor(time * self.fps) > math.floor(before * self.fps)

    def ends(self, time: Fraction) -> bool:
        """Return whether no sample comes from this time on."""
        return self.limit is not None and time >= self.limit
