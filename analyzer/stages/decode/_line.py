"""A delay line: pictures leave it once it is known whether a shot begins with them."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from analyzer.stages.decode import Watcher
from analyzer.stages.decode._thumbnail import thumbnail
from analyzer.types import U8


@dataclass
class Shown:
    """A decoded picture and its place in the medium."""

    index: int
    picture: VideoFrame
    time: Fraction
    """When a player shows it, in seconds."""
    end: Fraction
    """When it would end if no other followed."""
    damage: int = 0
    """Damaged packets and pictures between the picture before and this one, and itself."""
    cut: bool = False
    """Whether it is the first of a new shot."""
    small: U8 | None = None
    """(h, w) what the watcher is shown of it."""


def watched(
    pictures: Iterable[Shown], watcher: Watcher | None, size: tuple[int, int]
) -> Iterator[Shown]:
    """Pass pictures on in order, each marked if a cut lies before it.

    No more than the watcher's ``lookahead`` are held back.

    Args:
        pictures: in order of time.
        watcher: finds the cuts.
        size: width and height of the stream's first picture. Later ones may have others, but a
            watcher compares pictures of one size.
    """
    if watcher is None:
        yield from pictures
        return
    scaler, reformatter = VideoReformatter(), VideoReformatter()
    line: deque[Shown] = deque()
    for shown in pictures:
        line.append(shown)
        shown.small = thumbnail(scaler.reformat(shown.picture, *size), reformatter)
        cuts = watcher.update(shown.small, float(shown.time))
        if cuts:
            for earlier in line:
                earlier.cut = earlier.cut or float(earlier.time) in cuts
        if len(line) > watcher.lookahead:
            yield line.popleft()
    yield from line
