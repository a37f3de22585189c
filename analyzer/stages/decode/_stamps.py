"""Stamps of pictures: those of presentation, or of decoding where the container has no others.

AVI, ASF and some MXF and MP4 files say only in which order and when packets are decoded. What a
demuxer then guesses for presentation is late, and runs back where decoders reorder pictures.
FFmpeg's rule, `guess_correct_pts`: a picture has the stamp of the packet with which it left the
decoder. The last pictures leave it with no packet; they follow the picture before them.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from av.video.frame import VideoFrame

_WITHOUT_PRESENTATION = ("avi", "asf")
"""Beginnings of the names of containers that have stamps of decoding only."""
_MAX_REORDERING_S = 2
"""Seconds by which a guessed stamp may run back."""
_CALM = 32
"""Number of pictures since a break of the clock before another rule is chosen."""
PEEKED = 8
"""Number of pictures that show whether the stamps of presentation are guessed."""
_REORDERING = ("h264", "hevc", "vc1", "wmv3")
"""Codecs that may be found to reorder pictures only when these are decoded."""


def lacks_presentation(container: Any) -> bool:
    """Return whether a container has stamps of decoding only."""
    return bool(container.format.name.startswith(_WITHOUT_PRESENTATION))


def may_reorder(stream: Any) -> bool:
    """Return whether the decoder of a stream may show pictures in another order."""
    codec = stream.codec_context
    return bool(codec.has_b_frames) or codec.name in _REORDERING


def run_back(pictures: Sequence[VideoFrame]) -> bool:
    """Return whether the stamps of presentation run back where those of decoding do not."""
    stamps = Stamps(by_decoding=False, reorders=True)
    for picture in pictures:
        stamps.of(picture)
    return stamps.by_decoding


class Stamps:
    """Chooses between the two stamps of each picture, in the order of presentation.

    Args:
        by_decoding: Whether the stamps of presentation are known to be guessed.
        reorders: Whether the decoder reorders pictures; without that the stamps are the same.
    """

    def __init__(self, *, by_decoding: bool, reorders: bool) -> None:
        self.by_decoding = by_decoding
        self._reorders, self._calm = reorders, _CALM
        self._last: tuple[int, int] | None = None
        self._any = False

    def of(self, picture: VideoFrame) -> Fraction | None:
        """Return the stamp of the next picture in seconds; `None` where it has none."""
        shown, decoded = picture.pts, picture.dts
        if not picture.time_base:
            return None
        self._any = self._any or shown is not None
        may_be_guessed = self._reorders and not self.by_decoding
        if may_be_guessed and shown is not None and decoded is not None:
            self._compare(shown, decoded, picture.time_base)
        return _seconds(decoded if self.by_decoding else shown, picture.time_base)

    @property
    def are_guessed(self) -> bool:
        """Whether no picture so far had a stamp that says when it is shown."""
        return not self._any or (self.by_decoding and self._reorders)

    def _compare(self, shown: int, decoded: int, unit: Fraction) -> None:
        """Choose the stamps of decoding once those of presentation run back alone.

        In whole units of the stamps: done with every picture, fractions take their time.
        """
        last, self._last = self._last, (shown, decoded)
        if last is None:
            return
        longest = _MAX_REORDERING_S * unit.denominator
        is_break = not 0 <= (decoded - last[1]) * unit.numerator <= longest
        self._calm = 0 if is_break else self._calm + 1
        runs_back = 0 < (last[0] - shown) * unit.numerator < longest and decoded > last[1]
        self.by_decoding = runs_back and self._calm >= _CALM


def timestamp(picture: VideoFrame) -> Fraction | None:
    """Return when a picture is shown, in seconds of the container; `None` where it is unknown."""
    return _seconds(picture.pts, picture.time_base) if picture.time_base else None


def _seconds(stamp: int | None, unit: Fraction) -> Fraction | None:
    """Return a stamp in seconds, which the container gives in units of so many."""
    return None if stamp is None else Fraction(stamp * unit.numerator, unit.denominator)
