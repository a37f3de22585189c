"""Boxes of one frame that go on in the next: the same pairs with and without SciPy."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from analyzer.imaging import boxes
from analyzer.stages.track._match import match
from analyzer.types import F32
from tests.support.processes import ROOT

LOADED = """
import sys
import numpy as np
from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.types import Detections, Frame

tracker = registry.load("track", "iou", runtime=Runtime())
for index in range(3):
    left = [[10 + index, 10, 40 + index, 40], [60, 10, 90, 40], [62, 12, 92, 42]]
    boxes = np.array(left[: int(sys.argv[1])], np.float32)
    found = Detections(boxes=boxes, scores=np.ones(len(boxes), np.float32))
    frame = Frame(index=index, time_s=index, duration_s=1, image=np.zeros((50, 100, 3), np.uint8))
    tracker.track([frame], [found])
print("scipy" in sys.modules)
"""


def as_before(before: F32, now: F32, min_iou: float) -> tuple[list[tuple[int, int]], F32]:
    """Every time by SciPy."""
    overlap = boxes.iou(before, now)
    rows, columns = linear_sum_assignment(np.where(overlap >= min_iou, overlap, 0), maximize=True)
    good = overlap[rows, columns] >= min_iou
    rows, columns = rows[good], columns[good]
    return list(zip(rows.tolist(), columns.tolist(), strict=True)), overlap[rows, columns]


def placed(corners: list[tuple[int, int]]) -> F32:
    """Boxes of 40 pixels."""
    at = np.array(corners, np.float32).reshape(-1, 2)
    return np.concatenate([at, at + 40], 1)


CORNERS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)), max_size=6)


@given(CORNERS, CORNERS, st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]))
def test_pairs_are_those_of_the_assignment(before: Any, now: Any, min_iou: float) -> None:
    pairs, overlaps = match(placed(before), placed(now), min_iou)
    expected, their = as_before(placed(before), placed(now), min_iou)
    assert pairs == expected
    np.testing.assert_array_equal(overlaps, their)


@pytest.mark.parametrize(("faces", "loaded"), [(1, False), (2, False), (3, True)])
def test_scipy_is_loaded_where_boxes_leave_a_choice(faces: int, loaded: bool) -> None:
    command = [sys.executable, "-c", LOADED, str(faces)]
    assert subprocess.check_output(command, cwd=ROOT, text=True) == f"{loaded}\n"
