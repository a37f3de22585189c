"""Single pictures of a medium, found again by the time at which they are shown."""

from collections.abc import Iterable
from fractions import Fraction

import av.error
from av.video.frame import VideoFrame

from analyzer.stages.decode._line import TimedPicture
from analyzer.stages.decode._pictures import PictureStream
from analyzer.stages.decode._stream import OpenStream

_TOLERANCE_S = Fraction(1, 10**6)
_LEADS_S = (1, 10)
"""Seconds before a picture at which decoding begins, one try after the other: seeking may land
behind the target, and on pictures that refer to others before them."""


class PictureSeek:
    """Finds pictures by seeking to each.

    Args:
        opened: Stream with stamps that run through without a break.
    """

    def __init__(self, opened: OpenStream) -> None:
        self._opened = opened
        self._container, self._stream = opened.container, opened.stream
        self._timeline = opened.facts.timeline

    def at(self, time_s: float) -> VideoFrame | None:
        """Return the picture that is shown from a time on; `None` where it is not found.

        Args:
            time_s: Time of the picture in seconds.
        """
        target = Fraction(time_s)
        tries = (self._decode_from(target, lead_s) for lead_s in _LEADS_S)
        return next((picture for picture in tries if picture is not None), None)

    def _decode_from(self, target: Fraction, lead_s: int) -> VideoFrame | None:
        """Decode from some time before a picture until it comes."""
        timeline = self._timeline
        # Some demuxers fail before the first picture instead of going to it.
        begin = max(timeline.first, target - lead_s) + timeline.origin
        try:
            self._container.seek(int(begin / timeline.unit), stream=self._stream)
        except av.error.FFmpegError:
            return None
        stamps = self._opened.stamps()
        for decoded in PictureStream(self._container, self._stream, self._opened.following.fit):
            stamp = stamps.of(decoded.picture)
            time = None if stamp is None else timeline.time(stamp)
            if time is not None and time >= target - _TOLERANCE_S:
                return decoded.picture if time <= target + _TOLERANCE_S else None
        return None


class PictureScan:
    """Finds pictures among all pictures of a medium, in order of time.

    Args:
        pictures: Pictures in order of time.
    """

    def __init__(self, pictures: Iterable[TimedPicture]) -> None:
        self._remaining = iter(pictures)
        self._candidate = next(self._remaining, None)

    def at(self, time_s: float) -> VideoFrame | None:
        """Return the picture that is shown from a time on; `None` where it is not found.

        Args:
            time_s: Time of the picture in seconds, no earlier than the one before.
        """
        target = Fraction(time_s)
        while self._candidate is not None and self._candidate.time < target - _TOLERANCE_S:
            self._candidate = next(self._remaining, None)
        candidate = self._candidate
        if candidate is None or candidate.time > target + _TOLERANCE_S:
            return None
        return candidate.picture
