"""Intervals on screen: samples that follow each other are merged."""

import numpy as np
from numpy.typing import NDArray

from analyzer.types.media import SAME_TIME_S


def merge(
    starts: NDArray[np.float64], ends: NDArray[np.float64]
) -> tuple[tuple[float, float], ...]:
    """Join samples that follow each other without a gap.

    Args:
        starts: (n,) of each sample, in seconds, in any order.
        ends: (n,) of each.

    Returns:
        Start and end of each stretch, in order of time.
    """
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(ends[order])
    first = np.nonzero(np.append(True, starts[1:] > reach[:-1] + SAME_TIME_S))[0]
    last = np.append(first[1:], len(starts)) - 1
    return tuple(zip(starts[first].tolist(), reach[last].tolist(), strict=True))
