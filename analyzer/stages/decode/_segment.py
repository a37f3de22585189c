"""Samples around a segment of a medium: as many as tell what is seen across its borders."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction

from analyzer.stages.decode._line import TimedPicture
from analyzer.stages.decode._sampling import Sampling

MOST = 50
"""Samples on either side at most: they wait in memory."""


class SegmentSamples:
    """Leaves out samples around a segment that a cut divides from it: no track crosses cuts.

    Args:
        sampling: Rule with the segment.

    Attributes:
        is_over: Whether no further sample is needed.
        end: Then the time up to which samples last, in seconds.
    """

    def __init__(self, sampling: Sampling) -> None:
        self.is_over = False
        self.end = Fraction(0)
        # As frames have them: so that each sample belongs to one segment.
        self._start = float("-inf") if sampling.start is None else float(sampling.start)
        self._stop = float("inf") if sampling.stop is None else float(sampling.stop)
        self._before: deque[TimedPicture] = deque(maxlen=MOST)
        self._behind = 0

    def add(self, shown: TimedPicture) -> Iterator[TimedPicture]:
        """Take the next sample, and yield those that are needed.

        Args:
            shown: A sample of the medium.
        """
        time_s = float(shown.time)
        if shown.cut:
            self._before.clear()
        if time_s < self._start:
            self._before.append(shown)
            return
        if time_s >= self._stop and not self.is_over:
            self.is_over = shown.cut or self._behind == MOST
            self._behind, self.end = self._behind + 1, shown.time
        yield from self._before
        self._before.clear()
        if not self.is_over:
            yield shown
