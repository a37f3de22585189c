"""What a medium says of itself, in titles, languages and chapters, for the mp4."""

from collections.abc import Iterator, Mapping
from typing import Any

NONE = ("-map_metadata", "-1", "-map_chapters", "-1")
"""Options of ffmpeg that leave out whatever a medium says of itself."""
_REPLACED = "\ufffd"


def options(container: Any, number: int, streams: Mapping[str, int]) -> Iterator[str]:
    """Yield the options with which ffmpeg copies the tags of a medium.

    The text of an mp4 is UTF-8. What is something else has a sign in place of each unknown byte.

    Args:
        container: Open medium, of PyAV, in which unknown bytes are replaced.
        number: Number of the medium among the inputs of ffmpeg.
        streams: Stream of the mp4, as ffmpeg names it -> number of the stream in the medium.
    """
    yield from ("-map_metadata", str(number), "-map_chapters", str(number))
    yield from _mended("g", container.metadata)
    for name, index in streams.items():
        yield from (f"-map_metadata:s:{name}", f"{number}:s:{index}")
        yield from _mended(f"s:{name}", container.streams[index].metadata)
    for place, chapter in enumerate(container.chapters()):
        yield from _mended(f"c:{place}", chapter["metadata"])


def _mended(place: str, tags: Mapping[str, str]) -> Iterator[str]:
    for key, value in tags.items():
        if _REPLACED in value and _REPLACED not in key:
            yield from (f"-metadata:{place}", f"{key}={value}")
