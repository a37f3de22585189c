"""The IoU tracker's own ways: what coasts goes on from where it has coasted to."""

from collections.abc import Sequence
from dataclasses import replace

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


def test_a_quick_face_goes_on_where_it_has_coasted_to() -> None:
    """12 pixels a picture, and 5 pictures without a detection: far from where it was seen last."""
    step = 12
    faces = track([found(step * i) if i < 3 or i == 8 else None for i in range(9)])
    assert [f.track_id.tolist() for f in faces] == [[0]] * 9
    np.testing.assert_allclose(faces[7].boxes[0], box(7 * step), atol=1e-3)


def test_who_comes_where_a_face_was_is_another() -> None:
    """The first has gone on by then, and is found where it went."""
    faces = track([found(0), found(15), None, None, None, found(15, 75)])
    assert faces[5].track_id.tolist() == [1, 0]


@pytest.mark.parametrize("missed", [0, 3])
def test_where_the_detector_looks_nothing_is_guessed(missed: int) -> None:
    """A face that is not found stays where it was seen: it is shown nowhere else."""
    faces = track([found(0), found(20), *[found()] * missed, found(20)])
    assert [f.track_id.tolist() for f in faces] == [[0], [0], *[[]] * missed, [0]]


def faintly(left: float, *, certain: Sequence[float] = ()) -> Detections:
    """A faint detection after some certain ones."""
    some = found(*certain, left)
    return replace(some, faint=np.arange(len(some)) == len(certain))


def test_a_faint_detection_carries_on_a_track() -> None:
    faces = track([found(0), faintly(5), found(10)])
    assert [f.track_id.tolist() for f in faces] == [[0], [0], [0]]
    assert faces[1].faint is not None
    assert faces[1].faint.tolist() == [True]


def test_a_faint_detection_begins_none() -> None:
    faces = track([faintly(0), faintly(0, certain=[200]), faintly(200)])
    assert [f.track_id.tolist() for f in faces] == [[], [0], [0]]


def test_a_faint_detection_takes_no_track_from_a_certain_one() -> None:
    """The faint one lies where the face was; the certain one is where it went."""
    faces = track([found(0), faintly(0, certain=[15])])
    assert faces[1].boxes[:, 0].tolist() == [15]
    assert faces[1].track_id.tolist() == [0]
