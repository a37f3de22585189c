"""The ffmpeg program: the one on PATH if it can do the work, else imageio-ffmpeg's."""

import functools
import re
import shutil
import subprocess

from analyzer.errors import MissingDependency

_NEEDED = ("--enable-libass", "--enable-libx264")
_OLDEST_LIBAVFILTER = (8, 44)  # ffmpeg 5.1, the first that knows -fps_mode


@functools.cache
def find_ffmpeg() -> str:
    """Return the path of an ffmpeg that can burn in subtitles and encode H.264.

    Raises:
        MissingDependency: There is none.
    """
    for path in (shutil.which("ffmpeg"), _packaged()):
        if path and _can(path):
            return path
    raise MissingDependency(
        "ffmpeg 5.1 or newer with libass and libx264",
        needed_by="burning in subtitles",
        install="imageio-ffmpeg",
    )


def _packaged() -> str | None:
    """Return the program inside the imageio-ffmpeg wheel."""
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


def _can(path: str) -> bool:
    """Return whether a program has the needed parts, and is new enough."""
    try:
        output = subprocess.run(
            [path, "-version"], capture_output=True, text=True, check=False, timeout=30
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    matched = re.search(r"libavfilter +(\d+)\. *(\d+)\.", output)
    version = (int(matched[1]), int(matched[2])) if matched else (0, 0)
    return version >= _OLDEST_LIBAVFILTER and all(flag in output for flag in _NEEDED)
