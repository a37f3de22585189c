"""Which frames the detector is asked for, and how frames are grouped."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from analyzer.types import Frame


@dataclass
class Scheduled:
    """A frame, and whether the detector is asked for it."""

    frame: Frame
    due: bool


def batches(frames: Iterable[Frame], *, period: int, size: int) -> Iterator[list[Scheduled]]:
    """Group frames so that each group ends with a detection.

    Due is every ``period``-th frame of a shot, counted from its first, and the last before a cut
    or the end: so a tracker may look back from each detection to the one before, and a shot is
    treated alike wherever decoding began.

    Args:
        frames: in order of time.
        period: 1 asks the detector every time.
        size: least number of frames a group; the last may be smaller.
    """
    batch: list[Scheduled] = []
    since = 0
    for frame in frames:
        since = 0 if frame.cut else since
        if frame.cut and batch:
            batch[-1].due = True
        if len(batch) >= size and batch[-1].due:
            yield batch
            batch = []
        batch.append(Scheduled(frame, since % period == 0))
        since += 1
    if batch:
        batch[-1].due = True
        yield batch
