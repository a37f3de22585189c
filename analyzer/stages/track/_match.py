"""Assignment of the boxes of one frame to those of the frame before."""

import numpy as np

from analyzer.imaging import boxes
from analyzer.types import F32


def match(before: F32, now: F32, min_iou: float) -> tuple[list[tuple[int, int]], F32]:
    """Return the one-to-one assignment with the greatest total overlap (Kuhn, 1955).

    Args:
        before: (m, 4) float32, boxes.
        now: (n, 4) float32, boxes.
        min_iou: IoU below which pairs are not linked.

    Returns:
        Pairs (index before, index now), and their IoU (number of pairs,).
    """
    overlap = boxes.iou(before, now)
    linkable = overlap >= min_iou
    if (linkable.sum(0) > 1).any() or (linkable.sum(1) > 1).any():
        # Its library is a third of all imports, and most films never leave a choice.
        from analyzer.stages.track import _assignment

        rows, columns = _assignment.greatest(np.where(linkable, overlap, 0))
        good = linkable[rows, columns]
        rows, columns = rows[good], columns[good]
    else:
        rows, columns = np.nonzero(linkable)
    return list(zip(rows.tolist(), columns.tolist(), strict=True)), overlap[rows, columns]
