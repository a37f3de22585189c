"""Assignment of the boxes of one frame to those of the frame before."""

import numpy as np
from scipy.optimize import linear_sum_assignment

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
    rows, columns = linear_sum_assignment(np.where(overlap >= min_iou, overlap, 0), maximize=True)
    good = overlap[rows, columns] >= min_iou
    rows, columns = rows[good], columns[good]
    return list(zip(rows.tolist(), columns.tolist(), strict=True)), overlap[rows, columns]
