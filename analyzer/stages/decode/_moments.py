"""Single pictures of a medium, found again by the time at which they are shown."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import av.error
from av.video.frame import VideoFrame

from analyzer.stages.decode._line import TimedPicture
from analyzer.stages.decode._pictures import PictureStream, timestamp

_TOLERANCE_S = Fraction(1, 10**6)
_LEADS_S = (1, 10)
"""Seconds before a picture at which decoding begins, one try after the other: seeking may land
behind the target, and on pictures that refer to others before them."""


def seek_pictures(
    container: Any, stream: Any, origin: Fraction, times_s: Sequence[float]
) -> Iterator[VideoFrame | None]:
    """Seek each picture.

    Args:
        container: Open container with timestamps that run through without a break.
        stream: Stream of the pictures.
        origin: Start time of the container in seconds.
        times_s: Times at which the pictures are shown, in seconds.

    Yields:
        A picture for each time; `None` where it is not found.
    """
    for time_s in times_s:
        target = Fraction(time_s) + origin
        tries = (_decode_from(container, stream, target, lead_s) for lead_s in _LEADS_S)
        yield next((picture for picture in tries if picture is not None), None)


def _decode_from(container: Any, stream: Any, target: Fraction, lead_s: int) -> VideoFrame | None:
    """Decode from some time before a picture until it comes."""
    try:
        container.seek(int((target - lead_s) / stream.time_base), stream=stream)
    except av.error.FFmpegError:
        return None
    for picture in (decoded.picture for decoded in PictureStream(container, stream)):
        shown = timestamp(picture)
        if shown is not None and shown >= target - _TOLERANCE_S:
            return picture if shown <= target + _TOLERANCE_S else None
    return None


def scan_pictures(
    pictures: Iterable[TimedPicture], times_s: Sequence[float]
) -> Iterator[VideoFrame | None]:
    """Find some pictures among all pictures of a medium.

    Args:
        pictures: Pictures in order of time.
        times_s: Times at which these pictures are shown, in seconds, ascending.

    Yields:
        A picture for each time; `None` where it is not found.
    """
    remaining = iter(pictures)
    candidate = next(remaining, None)
    for time_s in times_s:
        target = Fraction(time_s)
        while candidate is not None and candidate.time < target - _TOLERANCE_S:
            candidate = next(remaining, None)
        is_near = candidate is not None and candidate.time <= target + _TOLERANCE_S
        yield candidate.picture if is_near and candidate is not None else None
