"""Frontality: falls as a head turns aside, up or down, and does not care for anything else."""

import numpy as np
import pytest

from analyzer.imaging import quality

EYES_AND_NOSE = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0.75, 0.41]])
"""A face's points as right, down and towards the camera, in distances between the eyes."""


def seen(yaw: float = 0, pitch: float = 0, roll: float = 0) -> np.ndarray:
    """The points (3, 2) in a picture of a head turned by degrees; pitch above 0 looks up."""
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (EYES_AND_NOSE @ (tilt @ nod @ turn).T)[:, :2]


def frontality(points: np.ndarray) -> float:
    points = points.astype(np.float32)
    return float(quality.frontality(points[None, :2], points[None, 2])[0])


def test_a_straight_look_is_frontal_however_large_rolled_or_ordered():
    for roll in (0, 30, 90, 180):
        assert frontality(100 + 40 * seen(roll=roll)) == pytest.approx(1, abs=1e-4)
    assert frontality(seen()[[1, 0, 2]]) == pytest.approx(1)


@pytest.mark.parametrize("turn", [{"yaw": 1}, {"yaw": -1}, {"pitch": 1}])
def test_the_further_a_face_looks_aside_or_up_the_less_frontal_it_is(turn):
    (way, sign), *_ = turn.items()
    values = [frontality(seen(**{way: sign * angle})) for angle in (0, 10, 20, 30, 40)]
    assert values == sorted(values, reverse=True)
    assert values[1] > 0.8
    assert values[3] < 0.6
    assert values[4] < 0.4


@pytest.mark.parametrize(("nose", "least", "most"), [(0.8, 1, 1), (1.1, 0.3, 0.6), (1.4, 0, 0)])
def test_a_nose_far_below_the_eyes_looks_down_or_is_seen_from_the_side(nose, least, most):
    assert least <= frontality(np.array([[0, 0], [1, 0], [0.5, nose]])) <= most


def test_eyes_in_one_point_are_no_frontal_face():
    assert frontality(np.array([[5, 5], [5, 5], [5, 9]])) == 0


def test_no_face():
    none = quality.frontality(np.empty((0, 2, 2), np.float32), np.empty((0, 2), np.float32))
    assert none.shape == (0,)


@pytest.mark.parametrize(
    ("box", "share", "whole"),
    [
        ((50, 50, 150, 180), 1, (50, 50, 150, 180)),
        ((0, 50, 50, 180), 0.5, (-50, 50, 50, 180)),  # a detector that ends boxes at the edge
        ((-50, 50, 50, 180), 0.5, (-50, 50, 50, 180)),  # one that does not
        ((50, 235, 150, 300), 0.5, (50, 235, 150, 365)),
        ((350, 50, 400, 180), 0.5, (350, 50, 450, 180)),
        ((0, 50, 100, 180), 1, (0, 50, 100, 180)),
        ((0, 0, 100, 130), 1, (0, 0, 100, 130)),
    ],
)
def test_a_face_that_the_edge_cuts_is_known_by_its_box(box, share, whole):
    faces = np.array([box], np.float32)
    assert quality.inside(faces, (400, 300))[0] == pytest.approx(share, abs=0.01)
    np.testing.assert_allclose(quality.whole(faces, (400, 300)), [whole], atol=0.5)
    mirrored = np.array([[400 - box[2], box[1], 400 - box[0], box[3]]], np.float32)
    assert quality.inside(mirrored, (400, 300))[0] == pytest.approx(share, abs=0.01)
