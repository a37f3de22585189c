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
    """Group frames of one shot so that each group ends with a detection.

    Due is every ``period``-th frame of a shot, counted from its first, and the last before a cut
    or the end: so a tracker may look back from each detection to the one before. A shot is
    treated alike wherever decoding began, down to the groups, for a network's answers may differ
    in the last bits with what is asked along.

    Args:
        frames: in order of time.
        period: 1 asks the detector every time.
        size: least number of frames a group; the last of a shot may be smaller.
    """
    batch: list[Scheduled] = []
    since = 0
    for frame in frames:
        since = 0 if frame.cut else since
        if batch and (frame.cut or (len(batch) >= size and batch[-1].due)):
            batch[-1].due = True
            yield batch
            batch = []
        batch.append(Scheduled(frame, since % period == 0))
        since += 1
    if batch:
        batch[-1].due = True
        yield batch
