"""Small H.264 copy of a medium that browsers do not play, to be a part of the review page.

It has the times of the report: the container's start is 0, and every picture is kept.
"""

import tempfile
from pathlib import Path
from typing import IO, Any

import av
import ffmpeg

from analyzer.errors import AnalyzerError
from analyzer.export import _addresses, _anonymity, _encoder
from analyzer.files import source
from analyzer.files.containers import explained, picture_stream
from analyzer.files.ffmpeg import find_ffmpeg
from analyzer.types import MediaReport

KINDS = ("auto", "always", "never")
"""Media that get a copy: those that browsers do not play, all, none."""
_PLAYED_CODECS = ("h264", "vp8", "vp9", "av1")
_PLAYED_CONTAINERS = {"mov", "mp4", "matroska", "webm"}
_HEIGHT_PX = 360
_MAX_BYTES = 12_000_000
"""So that a page stays below 20 MB: base64 makes 16 MB of it."""
_BITS_PER_S = (60_000, 700_000)
"""Below the first, pictures show nothing any more; above the second, they are no better."""
_SOUND_BITS_PER_S = 32_000
_OVERHEAD = 0.9
"""Share of the bytes that pictures and sound may take; the container takes the rest."""
_THREADS = 2
"""The same everywhere: the encoder cuts the work by them, and equal reports give equal bytes."""


def make(report: MediaReport, kind: str) -> tuple[bytes, list[str]]:
    """Return an MP4 of the medium, and notes; empty where none is needed or possible.

    Args:
        report: Report of a video.
        kind: One of `KINDS`.
    """
    if kind == "never" or _anonymity.is_wanted(report):
        return b"", []
    try:
        with explained(report.info.uri), source.held(report.info.uri) as path:
            origin, codec = _origin_and_codec(path)
            if kind == "auto" and codec is None:
                return b"", []
            rate = _picture_bits_per_s(report.info.duration_s, limited=kind == "auto")
            if rate is None:
                return b"", [
                    f"browsers do not play {codec}, and a copy of so long a film is too large for "
                    "the page: export mp4 beside it, or html:proxy=always"
                ]
            return _encode(report, path, origin, rate), []
    except AnalyzerError as error:
        return b"", [f"no copy for browsers: {error}"]


def _origin_and_codec(path: str) -> tuple[float, str | None]:
    """Return the container's start in seconds, and what in it browsers do not play, if any."""
    with av.open(
        _addresses.ffmpeg_url(path), options=_addresses.OPEN_OPTIONS, metadata_errors="replace"
    ) as container:
        origin = (container.start_time or 0) / av.time_base
        video = picture_stream(container)
        if video is None:
            return origin, None
        if video.codec_context.name not in _PLAYED_CODECS:
            return origin, video.codec_context.name
        names = set(container.format.name.split(","))
        return origin, None if names & _PLAYED_CONTAINERS else container.format.name


def _picture_bits_per_s(duration_s: float, *, limited: bool) -> int | None:
    """Return the bit rate of the pictures; `None` where the film is too long for the page."""
    least, most = _BITS_PER_S
    if not limited:
        return most
    room = int(_OVERHEAD * 8 * _MAX_BYTES / max(duration_s, 1)) - _SOUND_BITS_PER_S
    return None if room < least else min(room, most)


def _encode(report: MediaReport, path: str, origin: float, bits_per_s: int) -> bytes:
    """Return the copy.

    Raises:
        AnalyzerError: ffmpeg is missing, or fails.
    """
    url = _addresses.ffmpeg_url(path)
    with tempfile.TemporaryDirectory(prefix="ina-proxy-") as folder:
        file = Path(folder, "proxy.mp4")
        medium = ffmpeg.input(url, **_addresses.OPEN_OPTIONS, itsoffset=f"{-origin:.6f}")
        picture = medium["v"].filter("scale", -2, f"min({_HEIGHT_PX},ceil(ih/2)*2)")
        picture = picture.filter("setsar", 1).filter("format", "yuv420p")
        streams = [picture, medium["a:0?"]]
        graph = ffmpeg.output(*streams, f"file:{file}", **_options(bits_per_s))
        argv = ffmpeg.compile(graph.overwrite_output(), cmd=find_ffmpeg())
        failure = _encoder.run(argv, folder, report.info.uri, _write_nothing)
        if failure is not None:
            raise failure
        return file.read_bytes()


def _write_nothing(_: IO[bytes]) -> None:
    """Write nothing to ffmpeg, which reads the medium itself."""


def _options(bits_per_s: int) -> dict[str, Any]:
    """Return ffmpeg's options of the file."""
    return {
        "format": "mp4",
        "vcodec": "libx264",
        "preset": "veryfast",
        "crf": 28,
        "maxrate": bits_per_s,
        "bufsize": 2 * bits_per_s,
        "threads": _THREADS,
        "fps_mode": "passthrough",
        "enc_time_base:v": "1/90000",
        "acodec": "aac",
        "ac": 1,
        "audio_bitrate": _SOUND_BITS_PER_S,
        "movflags": "+faststart",
        "map_metadata": -1,
        "fflags": "+bitexact",
        "flags:v": "+bitexact",
        "flags:a": "+bitexact",
        "loglevel": "error",
    }
