"""Intervals on screen, merged from samples."""

import numpy as np
from numpy.typing import NDArray

from analyzer.types.media import SAME_TIME_S


def merge(
    starts: NDArray[np.float64], ends: NDArray[np.float64]
) -> tuple[tuple[float, float], ...]:
    """Merge samples that follow each other without a gap.

    Args:
        starts: (n,) start of each sample, in seconds, in any order.
        ends: (n,) end of each sample, in seconds.

    Returns:
        Start and end of each interval, in order of time.
    """
    order = np.argsort(starts, kind="stable")
    starts, latest_end = starts[order], np.maximum.accumulate(ends[order])
    first = np.nonzero(np.append(True, starts[1:] > latest_end[:-1] + SAME_TIME_S))[0]
    last = np.append(first[1:], len(starts)) - 1
    return tuple(zip(starts[first].tolist(), latest_end[last].tolist(), strict=True))
