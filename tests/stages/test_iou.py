"""The IoU tracker's own ways: what coasts goes on from where it has coasted to."""

from collections.abc import Sequence

import numpy as np
import pytest

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.types import Detections, Faces, Frame

SIDE, WIDTH, HEIGHT, RATE = 40, 640, 120, 10


def box(left: float) -> np.ndarray:
    return np.array([left, 30, left + SIDE, 30 + SIDE], np.float32)


def found(*lefts: float) -> Detections:
    boxes = np.array([box(left) for left in lefts], np.float32).reshape(-1, 4)
    return Detections(boxes=boxes, scores=np.ones(len(boxes), np.float32))


def track(detections: Sequence[Detections | None], *, max_gap: float = 1) -> list[Faces]:
    tracker = registry.load("track", f"iou:max_gap={max_gap}", runtime=Runtime())
    frames = [
        Frame(
            index=i,
            time_s=i / RATE,
            duration_s=1 / RATE,
            image=np.zeros((HEIGHT, WIDTH, 3), np.uint8),
        )
        for i in range(len(detections))
    ]
    return tracker.track(frames, detections)


@pytest.mark.parametrize("seen", [None, found()], ids=["not looked for", "not found"])
def test_a_quick_face_goes_on_where_it_has_coasted_to(seen: Detections | None) -> None:
    """12 pixels a picture, and 6 pictures without it: two sides from where it was seen last."""
    step = 12
    sightings = [found(step * i) if i < 3 or i == 8 else seen for i in range(9)]
    faces = track(sightings)
    assert faces[8].track_id.tolist() == [0]
    if seen is None:
        assert [f.track_id.tolist() for f in faces] == [[0]] * 9
        np.testing.assert_allclose(faces[7].boxes[0], box(7 * step), atol=1e-3)


def test_who_comes_where_a_face_was_is_another() -> None:
    """The first has gone on by then, and is found where it went."""
    faces = track([found(0), found(15), None, None, None, found(15, 75)])
    assert faces[5].track_id.tolist() == [1, 0]


def test_a_face_that_stops_without_a_gap_stays_one_track() -> None:
    """A whole side in one picture would be too far; from picture to picture nothing is guessed."""
    faces = track([found(0), found(20), found(20), found(20)])
    assert [f.track_id.tolist() for f in faces] == [[0]] * 4
