"""Read a medium's duration from its container header."""

from __future__ import annotations

from analyzer import registry
from analyzer.errors import AnalyzerError
from analyzer.inference.runtime import Runtime


def duration_s(path: str, *, start: float | None = None, stop: float | None = None) -> float | None:
    """Return the duration of a video in seconds, as its container states it.

    Args:
        path: The file.
        start: Only from here on is analysed, in seconds.
        stop: Only up to here.

    Returns:
        None where it cannot be told: the file cannot be opened, or states none.
    """
    decoder = registry.load("decode", "video", runtime=Runtime(threads=1))
    try:
        with decoder.open(path) as medium:
            stated_s = float(medium.info.duration_s)
    except AnalyzerError:
        return None
    if stated_s <= 0:
        return None
    return max(0.0, min(stated_s, stop or stated_s) - (start or 0.0))
