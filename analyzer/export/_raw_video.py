"""Decoded pictures as raw video, for the standard input of ffmpeg.

ffmpeg is given the very pictures of the analysis, with their times: so neither its version nor its
idea of a container's clock, order or orientation decides which picture is where.
"""

from fractions import Fraction
from typing import IO, Any

import av
import av.error
from av.video.frame import VideoFrame

_FINEST = Fraction(1, 48_000)
"""Seconds; a time base that is coarser is divided, so that mended times are not rounded much."""
_CARRIED = frozenset(
    (
        *("gbrp", "gbrp9le", "gbrp10le", "gbrp12le", "gbrp14le", "gbrp16le"),
        *("gbrap", "gbrap10le", "gbrap12le", "rgb48le", "rgb48be", "rgba64be"),
        *("rgb24", "bgr24", "rgba", "bgra", "argb", "abgr", "rgb0", "bgr0", "0rgb"),
        *("gray", "gray9le", "gray10le", "gray12le", "gray14le", "gray16le", "gray16be"),
        *("yuv410p", "yuv411p", "yuv440p", "nv12", "nv21", "uyvy422", "yuyv422"),
        *("yuv420p", "yuv420p9le", "yuv420p10le", "yuv420p12le", "yuv420p14le", "yuv420p16le"),
        *("yuv422p", "yuv422p10le", "yuv422p12le", "yuv422p16le"),
        *("yuv444p", "yuv444p10le", "yuv444p12le", "yuv444p16le"),
        *("yuva420p", "yuva420p10le", "yuva422p", "yuva422p10le", "yuva444p", "yuva444p10le"),
        *("yuvj420p", "yuvj422p", "yuvj440p", "yuvj444p"),
    )
)
"""Pixel formats with a code in NUT that all versions of ffmpeg read; others are sent as RGB."""
_FULL_RANGE = 2


def time_base(stream: Any) -> Fraction:
    """Return the unit of the times of a stream's pictures in seconds, 1/10,000 or less."""
    base = Fraction(stream.time_base or Fraction(1, 1000))
    return base if base <= Fraction(1, 10_000) else base / -(-base // _FINEST)


def input_options(first: VideoFrame) -> dict[str, Any]:
    """Return the options with which ffmpeg reads what `RawVideo` writes.

    Args:
        first: First picture, which states the colours of all.
    """
    # Without copyts, the first picture would come at 0 wherever there is no sound before it.
    options: dict[str, Any] = {
        "copyts": None,
        "format": "nut",
        "probesize": 32,
        "analyzeduration": 0,
    }
    if first.format.name not in _CARRIED:
        return options
    names = ("color_range", "colorspace", "color_primaries", "color_trc")
    stated = {name: int(getattr(first, name) or 0) for name in names}
    if first.format.name.startswith("yuvj"):
        stated["color_range"] = _FULL_RANGE
    return {**options, **stated}


class RawVideo:
    """Writer of pictures, in the size and the pixel format of the first one.

    Args:
        stream: Binary stream to write to.
        first: First picture.
        base: Unit of the times, in seconds.
    """

    def __init__(self, stream: IO[bytes], first: VideoFrame, base: Fraction) -> None:
        self._base, self._last = base, -1
        self._container: Any = av.open(stream, "w", format="nut", buffer_size=1 << 20)
        self._stream = self._container.add_stream("rawvideo", rate=25)
        self._stream.width, self._stream.height = first.width, first.height
        name = first.format.name
        self._stream.pix_fmt = name if name in _CARRIED else "rgb24"
        self._stream.time_base = self._stream.codec_context.time_base = base

    def write(self, picture: VideoFrame, time: Fraction) -> bool:
        """Write a picture.

        Args:
            picture: The picture; its stamps are changed.
            time: Time at which it is shown, in seconds; no picture has the time of another.

        Returns:
            Whether it was written; damage may leave it without valid colours.

        Raises:
            BrokenPipeError: The reader has ended.
        """
        self._last = max(round(time / self._base), self._last + 1)
        picture.pts, picture.time_base = self._last, self._base
        try:
            packets = self._stream.encode(picture)
        except av.error.FFmpegError:
            return False
        self._container.mux(packets)
        return True

    def close(self) -> None:
        """Write what is left; the stream stays open."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
