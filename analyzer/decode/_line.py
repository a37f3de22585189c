"""A delay line: pictures leave it once it is known whether a shot begins with them."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from analyzer.decode import Watcher
from analyzer.decode._thumbnail import thumbnail


@dataclass
class Shown:
    """A decoded picture and its place in the medium."""

    index: int
    picture: VideoFrame
    time: Fraction
    """When a player shows it, in seconds."""
    end: Fraction
    """When it would end if no other followed."""
    cut: bool = False
    """Whether it is the first of a new shot."""


def watched(pictures: Iterable[Shown], watcher: Watcher | None) -> Iterator[Shown]:
    """Pass pictures on in order, each marked if a cut lies before it.

    No more than the watcher's ``lookahead`` are held back.
    """
    if watcher is None:
        yield from pictures
        return
    scaler, reformatter = VideoReformatter(), VideoReformatter()
    line: deque[Shown] = deque()
    size: tuple[int, int] | None = None
    for shown in pictures:
        line.append(shown)
        # A stream may change its size; a watcher compares pictures of one size.
        size = size or (shown.picture.width, shown.picture.height)
        picture = scaler.reformat(shown.picture, *size)
        cuts = watcher.update(thumbnail(picture, reformatter), float(shown.time))
        for earlier in line:
            earlier.cut = earlier.cut or float(earlier.time) in cuts
        if len(line) > watcher.lookahead:
            yield line.popleft()
    yield from line
