"""Schedule of detection: due frames, and groups of frames."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from analyzer.types import Frame


@dataclass
class Scheduled:
    """A frame, and whether the detector is asked for it."""

    frame: Frame
    due: bool
    gated: bool = False
    """Whether it would have been asked, had the frame been usable."""


def batches(
    frames: Iterable[Frame],
    *,
    period: int,
    size: int,
    usable: Callable[[Frame], bool] = lambda _: True,
) -> Iterator[list[Scheduled]]:
    """Group frames of one shot so that each group ends with a detection.

    Due is every `period`-th frame of a shot, counted from its first, and the last before a cut
    or the end: so a tracker may look back from each detection to the one before. A shot is
    treated alike wherever decoding began, down to the groups, for a network's answers may differ
    in the last bits with what is asked along. In the place of a frame that is not usable the next
    one is due; a group then may end without a detection, and does end when `size` in succession
    are not usable.

    Args:
        frames: In order of time.
        period: 1 asks the detector every time.
        size: Least number of frames a group; the last of a shot may be smaller.
        usable: Whether a frame that is due is worth asking the detector.
    """
    batch: list[Scheduled] = []
    since = waiting = 0  # frames of the shot; frames in succession that were not usable
    for frame in frames:
        if frame.cut:
            since = waiting = 0
            if batch:
                _ask(batch[-1], usable)
        full = frame.cut or (len(batch) >= size and batch[-1].due)
        if batch and (full or (waiting and waiting % size == 0)):
            yield batch
            batch = []
        batch.append(Scheduled(frame, due=False))
        if waiting or since % period == 0:
            _ask(batch[-1], usable)
            waiting = waiting + 1 if batch[-1].gated else 0
        since += 1
    if batch:
        _ask(batch[-1], usable)
        yield batch


def _ask(last: Scheduled, usable: Callable[[Frame], bool]) -> None:
    """Make a frame due, unless it is not usable."""
    if not last.due and not last.gated:
        last.due = usable(last.frame)
        last.gated = not last.due
