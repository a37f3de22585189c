"""A delay line: pictures leave it when it is known whether a shot begins with them."""

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
class TimedPicture:
    """A decoded picture and its position in the medium."""

    index: int
    """Number in the order of presentation."""
    picture: VideoFrame
    time: Fraction
    """When a player shows it, in seconds."""
    end: Fraction
    """When it would end if no other picture followed, in seconds."""
    due: Fraction
    """Up to which moment it is early enough, in seconds: its time with its rounding."""
    damage: int = 0
    """Number of damaged packets and pictures behind the picture before, up to this one."""
    cut: bool = False
    """Whether it is the first of a new shot."""
    small: U8 | None = None
    """(h, w) grey: the form of it that the watcher is shown."""


def mark_cuts(
    pictures: Iterable[TimedPicture], watcher: Watcher | None, size: tuple[int, int]
) -> Iterator[TimedPicture]:
    """Pass pictures on in order, each marked if a cut lies before it.

    At most the watcher's `lookahead` pictures are held back.

    Args:
        pictures: Pictures in order of time.
        watcher: Observer that finds the cuts; `None`: no picture is marked.
        size: Width and height of the stream's first picture. Later ones may have another size, but
            a watcher compares pictures of one size.
    """
    if watcher is None:
        yield from pictures
        return
    scaler, reformatter = VideoReformatter(), VideoReformatter()
    line: deque[TimedPicture] = deque()
    for newest in pictures:
        line.append(newest)
        newest.small = thumbnail(scaler.reformat(newest.picture, *size), reformatter)
        cuts = watcher.update(newest.small, float(newest.time))
        if cuts:
            for waiting in line:
                waiting.cut = waiting.cut or float(waiting.time) in cuts
        if len(line) > watcher.lookahead:
            yield line.popleft()
    yield from line
