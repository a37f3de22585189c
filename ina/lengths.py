"""Lengths of media, for the server: within its bounds, as all that workers read."""

from __future__ import annotations

from analyzer.files import source
from analyzer.pipeline.duration import duration_s


def length_s(
    path: str, *, root: str | None, start: float | None, stop: float | None
) -> float | None:
    """Return the duration of a video in seconds; see `duration_s`.

    Args:
        path: Path of the file.
        root: Folder that it must lie in; None for no such limit.
        start: Only from here on is analysed, in seconds.
        stop: Only up to here.
    """
    with source.limited_to(root):
        return duration_s(path, start=start, stop=stop)
