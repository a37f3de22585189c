"""Path of ffmpeg: the one on PATH if it is capable enough, otherwise imageio-ffmpeg's."""

import functools
import re
import shutil
import subprocess

from analyzer.errors import MissingDependency

_REQUIRED_FLAGS = ("--enable-libass", "--enable-libx264")
_MIN_LIBAVFILTER = (8, 44)
"""Version in ffmpeg 5.1, the first release with `-fps_mode`."""


@functools.cache
def find_ffmpeg() -> str:
    """Return the path of an ffmpeg that can burn in subtitles and encode H.264.

    Raises:
        MissingDependency: No such ffmpeg is installed.
    """
    for path in (shutil.which("ffmpeg"), _packaged_ffmpeg()):
        if path and _is_capable(path):
            return path
    raise MissingDependency(
        "ffmpeg 5.1 or newer with libass and libx264",
        needed_by="burning in subtitles",
        install="imageio-ffmpeg",
    )


def _packaged_ffmpeg() -> str | None:
    """Return the path of the program in the imageio-ffmpeg wheel; `None` without it."""
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


def _is_capable(path: str) -> bool:
    """Return whether a program has the required parts and is new enough."""
    try:
        output = subprocess.run(
            [path, "-version"], capture_output=True, text=True, check=False, timeout=30
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    matched = re.search(r"libavfilter +(\d+)\. *(\d+)\.", output)
    version = (int(matched[1]), int(matched[2])) if matched else (0, 0)
    return version >= _MIN_LIBAVFILTER and all(flag in output for flag in _REQUIRED_FLAGS)
