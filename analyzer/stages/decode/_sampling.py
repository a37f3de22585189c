"""Rules that select the frames to analyse: by time, by count, or all."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from analyzer.stages.decode._timeline import same_rate


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

    @classmethod
    def of(
        cls, *, fps: float | None, step: int | None, start: float | None, stop: float | None
    ) -> "Sampling":
        """Build a rule from options; a decimal such as 29.97 is taken as written."""
        rate, first, last = (None if v is None else Fraction(str(v)) for v in (fps, start, stop))
        return cls(fps=rate, step=step, start=first, stop=last)

    def at_rate(self, rate: Fraction | None) -> "Sampling":
        """Return the rule for a medium: a rate written as 29.97 is the medium's, of 30000/1001.

        Args:
            rate: Nominal pictures a second of the medium; `None` where there is none.
        """
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
        if self.start is not None and time < self.start:
            return False
        if cut:
            return True
        if self.step is not None:
            return index % self.step == 0
        if self.fps is None or before is None:
            return True
        first_in_range = self.start is not None and before < self.start
        return first_in_range or math.floor(time * self.fps) > math.floor(before * self.fps)

    def ends(self, time: Fraction) -> bool:
        """Return whether no sample comes from this time on."""
        return self.stop is not None and time >= self.stop
