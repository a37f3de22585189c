"""ArcFace's alignment, against another implementation and against faces with known points."""

import numpy as np
import pytest

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.inference.runtime import Runtime
from analyzer.stages.align import arcface
from analyzer.stages.align._dlib_points import Predictor, three_points
from tests.support.media import ASTRONAUT_FACE, astronaut

RUNTIME = Runtime(device="cpu")


def aligner(spec: str):
    return registry.load("align", spec, runtime=RUNTIME)


@pytest.mark.parametrize("seed", range(5))
def test_similarity_is_umeyamas(seed):
    transform = pytest.importorskip("skimage.transform").SimilarityTransform
    random = np.random.default_rng(seed)
    points = random.normal(size=(5, 2)) * 40 + 300
    target = arcface._TEMPLATE + random.normal(size=(5, 2)) * 3
    if hasattr(transform, "from_estimate"):
        expected = transform.from_estimate(points, target)
    else:  # scikit-image before 0.26
        expected = transform()
        assert expected.estimate(points, target)
    np.testing.assert_allclose(arcface.similarity(points, target), expected.params[:2], atol=1e-8)


def test_similarity_of_one_point_five_times_is_finite():
    assert np.isfinite(arcface.similarity(np.full((5, 2), 7.0), arcface._TEMPLATE)).all()


@pytest.mark.parametrize("size", [112, 224])
def test_points_of_the_face_go_where_the_template_says(size):
    """A picture that is white at five points alone, turned and scaled."""
    scale = size / 112
    angle = np.deg2rad(25)
    turn = 3 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (arcface._TEMPLATE @ turn.T + [200, 60]).astype(np.float32)
    image = np.zeros((600, 600, 3), np.uint8)
    for x, y in np.rint(points).astype(int):
        image[y - 3 : y + 4, x - 3 : x + 4] = 255
    boxes = np.array([[150, 100, 450, 500]], np.float32)
    chip = aligner(f"arcface:size={size}").align(image, boxes, points[None]).images[0, ..., 0]
    for x, y in (arcface._TEMPLATE + 0.5) * scale - 0.5:
        reach = 6 * scale
        rows, columns = np.nonzero(chip > 127)
        near = (abs(columns - x) < reach) & (abs(rows - y) < reach)
        assert columns[near].mean() == pytest.approx(x, abs=0.6 * scale)
        assert rows[near].mean() == pytest.approx(y, abs=0.6 * scale)


@pytest.fixture(scope="module")
def detections():
    return registry.load("detect", "centerface", runtime=RUNTIME).detect([astronaut()])[0]


def test_dlibs_points_stand_in_where_the_detector_has_none(detections):
    """Both chips show one face in one place: they are nearly the same picture."""
    cut = aligner("arcface")
    expected = cut.align(astronaut(), detections.boxes, detections.landmarks).images[0]
    missing = np.full_like(detections.landmarks, np.nan)
    guessed = [
        cut.align(astronaut(), detections.boxes, marks).images[0] for marks in (None, missing)
    ]
    np.testing.assert_array_equal(*guessed)
    correlation = np.corrcoef(expected.ravel(), guessed[0].ravel())[0, 1]
    assert correlation > 0.8


def test_chip_of_dlib_beside_is_the_one_that_dlib_cuts(detections):
    image = astronaut()
    both = aligner("arcface:beside=150").align(image, detections.boxes, detections.landmarks)
    chip = aligner("chip").align(image, detections.boxes, detections.landmarks)
    own = aligner("arcface").align(image, detections.boxes, detections.landmarks)
    assert both.images.shape == (1, 262, 262, 3)
    np.testing.assert_array_equal(both.images[:, :150, 112:], chip.images)
    np.testing.assert_array_equal(both.images[:, :112, :112], own.images)
    assert both.frontality == chip.frontality
    assert both.sharpness == own.sharpness


def test_no_face_no_chip_beside():
    none = np.empty((0, 4), np.float32)
    assert aligner("arcface:beside=150").align(astronaut(), none, None).images.shape == (
        *(0, 262, 262, 3),
    )


def test_face_at_the_edge_of_the_picture_is_cut_with_black_around():
    image = astronaut()[70:, 190:]
    box = ASTRONAUT_FACE - np.array([190, 70, 190, 70], np.float32)
    assert len(aligner("arcface").align(np.ascontiguousarray(image), box, None)) == 1


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_points_of_a_face_that_the_edge_cuts_are_where_they_are_in_the_whole_face(side):
    """Its box ends at the edge; the points beyond are guessed, and those seen stay in place."""
    image, (x1, y1, x2, y2) = astronaut(), ASTRONAUT_FACE[0]
    width, height = (x2 - x1) * 0.35, (y2 - y1) * 0.35
    left = round(x1 + width) if side == "left" else 0
    right = round(x2 - width) if side == "right" else image.shape[1]
    top = round(y1 + height) if side == "top" else 0
    bottom = round(y2 - height) if side == "bottom" else image.shape[0]
    seen = np.ascontiguousarray(image[top:bottom, left:right])
    corner = np.array([left, top, left, top], np.float32)
    limits = np.array([right - left, bottom - top] * 2, np.float32)
    box = np.clip(ASTRONAUT_FACE - corner, 0, limits).astype(np.float32)
    predictor = Predictor()
    whole = three_points(predictor.locate(image, ASTRONAUT_FACE))[0]
    points = three_points(predictor.locate(seen, box))[0] + corner[:2]
    assert np.linalg.norm(points - whole, axis=1).max() < 0.12 * (x2 - x1)


def test_a_size_that_is_none_is_refused():
    with pytest.raises(UsageError, match="side in pixels"):
        aligner("arcface:size=0")
