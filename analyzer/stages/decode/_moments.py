"""Single pictures of a medium, found again by the time at which they are shown."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import av.error
from av.video.frame import VideoFrame

from analyzer.stages.decode._line import Shown
from analyzer.stages.decode._pictures import PictureStream, stamp

_TOLERANCE = Fraction(1, 10**6)
_LEADS_S = (1, 10)
"""How long before a picture to begin: seeking may land behind what was asked for, and on pictures
that refer to others before them."""


def sought(
    container: Any, stream: Any, origin: Fraction, times_s: Sequence[float]
) -> Iterator[VideoFrame | None]:
    """Seek each picture; ``None`` for one that is not found.

    Args:
        container: whose timestamps run through without a break.
        stream: of the pictures.
        origin: the container's start time in seconds.
        times_s: when the pictures are shown.
    """
    for time_s in times_s:
        wanted = Fraction(time_s) + origin
        tries = (_from(container, stream, wanted, lead_s) for lead_s in _LEADS_S)
        yield next((picture for picture in tries if picture is not None), None)


def _from(container: Any, stream: Any, wanted: Fraction, lead_s: int) -> VideoFrame | None:
    """Decode from some time before a picture until it comes."""
    try:
        container.seek(int((wanted - lead_s) / stream.time_base), stream=stream)
    except av.error.FFmpegError:
        return None
    for picture in (decoded.picture for decoded in PictureStream(container, stream)):
        when = stamp(picture)
        if when is not None and when >= wanted - _TOLERANCE:
            return picture if when <= wanted + _TOLERANCE else None
    return None


def walked(shown: Iterable[Shown], times_s: Sequence[float]) -> Iterator[VideoFrame | None]:
    """Decode all pictures to find some; as `sought`, of ascending times."""
    ahead = iter(shown)
    found = next(ahead, None)
    for time_s in times_s:
        while found is not None and found.time < Fraction(time_s) - _TOLERANCE:
            found = next(ahead, None)
        near = found is not None and found.time <= Fraction(time_s) + _TOLERANCE
        yield found.picture if near and found is not None else None
