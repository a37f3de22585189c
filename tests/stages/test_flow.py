"""The flow tracker's own ways: it looks back from a detection, and bridges what it lost."""

import dataclasses

import numpy as np
import pytest

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.types import Detections, Frame

TEXTURE = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
STEP = 4


def box(i: int) -> np.ndarray:
    """Where the face is in picture i: it goes to the right."""
    return np.array([20 + STEP * i, 30, 60 + STEP * i, 70], np.float32)


def frame(i: int, *, dark: bool = False, cut: bool = False) -> Frame:
    image = np.full((120, 160, 3), 90, np.uint8)
    left, top = box(i)[:2].astype(int)
    image[top : top + 40, left : left + 40] = TEXTURE
    if dark:
        image[:] = 0
    return Frame(index=i, time_s=i / 10, duration_s=0.1, image=image, cut=cut)


def found(*numbers: int) -> Detections:
    boxes = np.array([box(i) for i in numbers], np.float32).reshape(-1, 4)
    return Detections(boxes=boxes, scores=np.ones(len(boxes), np.float32))


def track(frames, detections):
    return registry.load("track", "flow", runtime=Runtime()).track(frames, detections)


def test_a_face_is_followed_to_where_it_went():
    faces = track([frame(i) for i in range(3)], [found(0), None, found(2)])
    assert [f.track_id.tolist() for f in faces] == [[0], [0], [0]]
    np.testing.assert_allclose(faces[1].boxes[0], box(1), atol=1)
    assert np.isnan(faces[1].detect_conf).all()


def test_a_new_face_is_followed_back_to_the_detection_before():
    faces = track([frame(i) for i in range(4)], [found(), None, None, found(3)])
    assert [f.track_id.tolist() for f in faces] == [[], [0], [0], [0]]
    np.testing.assert_allclose(faces[1].boxes[0], box(1), atol=1.5)


@pytest.mark.parametrize("groups", [[4], [1, 3]], ids=["in one group", "over two groups"])
def test_a_face_lost_in_the_dark_and_found_again_was_in_between(groups):
    frames = [frame(0), frame(1, dark=True), frame(2, dark=True), frame(3)]
    detections = [found(0), None, None, found(3)]
    tracker, faces = registry.load("track", "flow", runtime=Runtime()), []
    for count in groups:
        faces += tracker.track(frames[:count], detections[:count])
        frames, detections = frames[count:], detections[count:]
    assert [f.track_id.tolist() for f in faces] == [[0], [0], [0], [0]]
    for i, f in enumerate(faces):
        np.testing.assert_allclose(f.boxes[0], box(i), atol=0.01)
    assert np.isnan(faces[1].detect_conf[0])
    assert 0 < faces[1].track_conf[0] < 1


def test_what_is_not_found_again_was_not_there():
    frames = [frame(0), frame(1, dark=True), frame(2, dark=True), frame(3, dark=True)]
    faces = track(frames, [found(0), None, None, found()])
    assert [f.track_id.tolist() for f in faces] == [[0], [], [], []]


def test_nothing_is_bridged_over_a_cut():
    frames = [frame(0), frame(1, dark=True), frame(2, cut=True), frame(3)]
    faces = track(frames, [found(0), None, None, found(3)])
    assert [f.track_id.tolist() for f in faces] == [[0], [], [1], [1]]


def test_pictures_of_one_time_are_bridged_by_their_number():
    """As where the clock of a container stood still."""
    frames = [dataclasses.replace(frame(i, dark=0 < i < 3), time_s=1.0) for i in range(4)]
    faces = track(frames, [found(0), None, None, found(3)])
    assert [f.track_id.tolist() for f in faces] == [[0], [0], [0], [0]]
    for i, f in enumerate(faces):
        np.testing.assert_allclose(f.boxes[0], box(i), atol=0.01)
