"""ArcFace's alignment, against another implementation and against faces with known points."""

import cv2
import dlib
import numpy as np
import pytest

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.inference.runtime import Runtime
from analyzer.stages.align import arcface
from analyzer.stages.align._dlib_points import Predictor, facing_one_way, three_points
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


@pytest.mark.parametrize("spec", ["chip", "arcface"])
@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_chip_goes_on_beyond_the_edge_of_the_picture(spec, side):
    """With the pixels at the edge; above the picture it is black."""
    image, box = cut_astronaut(side)
    chip = aligner(spec).align(image, box, None).images[0].astype(int)
    # The chip may be mirrored: what is beyond the left or right edge is on either side.
    rows = chip if side in ("left", "right") else chip.transpose(1, 0, 2)
    ends = {"top": rows[:, :8], "bottom": rows[:, :-9:-1]}
    steps = {n: np.abs(np.diff(end, axis=1)).mean() for n, end in ends.items()}
    beyond = ends[side] if side in ends else ends[min(steps, key=lambda n: steps[n])]
    if side == "top":
        assert (beyond == 0).mean() > 0.9
    else:
        assert (beyond == 0).all(-1).mean() < 0.1
        assert np.abs(np.diff(beyond, axis=1)).mean() < 1.5


def test_a_chip_inside_the_picture_is_dlibs():
    shape = Predictor().locate(astronaut(), ASTRONAUT_FACE)[0].shape
    chip = aligner("chip").align(astronaut(), ASTRONAUT_FACE, None).images[0]
    np.testing.assert_array_equal(chip, dlib.get_face_chip(astronaut(), shape, 150, 0.25))


@pytest.mark.parametrize("spec", ["chip", "arcface", "arcface:beside=150"])
def test_a_face_and_its_mirror_image_have_nearly_one_chip(spec):
    """A face that looks aside: the right half of the picture is squeezed."""
    squeezed = turned_astronaut()
    chips = [
        aligner(spec).align(np.ascontiguousarray(image), box, None).images[0].astype(float)
        for image, box in (
            (squeezed, detect(squeezed)),
            (squeezed[:, ::-1], detect(np.ascontiguousarray(squeezed[:, ::-1]))),
        )
    ]
    same = np.corrcoef(chips[0].ravel(), chips[1].ravel())[0, 1]
    assert same > 0.9
    assert same > np.corrcoef(chips[0].ravel(), chips[1][:, ::-1].ravel())[0, 1]


@pytest.mark.parametrize(
    ("nose", "is_mirrored"), [(50, False), (54, False), (56, True), (44, False)]
)
def test_faces_that_are_turned_look_one_way(nose, is_mirrored):
    chip = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    points = np.array([[25, 40], [75, 40], [nose, 78]], np.float32)
    expected = chip[:, ::-1] if is_mirrored else chip
    np.testing.assert_array_equal(facing_one_way(chip, points), expected)


def cut_astronaut(side):
    """The picture with a third of the face cut off at one side, and the box that is left."""
    image, (x1, y1, x2, y2) = astronaut(), ASTRONAUT_FACE[0]
    width, height = (x2 - x1) * 0.35, (y2 - y1) * 0.35
    left = round(x1 + width) if side == "left" else 0
    right = round(x2 - width) if side == "right" else image.shape[1]
    top = round(y1 + height) if side == "top" else 0
    bottom = round(y2 - height) if side == "bottom" else image.shape[0]
    corner = np.array([left, top, left, top], np.float32)
    limits = np.array([right - left, bottom - top] * 2, np.float32)
    box = np.clip(ASTRONAUT_FACE - corner, 0, limits).astype(np.float32)
    return np.ascontiguousarray(image[top:bottom, left:right]), box


def turned_astronaut():
    """The picture with what is right of the middle of the face squeezed to a third of its width."""
    image, middle = astronaut(), round(float(ASTRONAUT_FACE[0, [0, 2]].mean()))
    rest = image[:, middle:]
    narrow = cv2.resize(rest, (rest.shape[1] // 3, rest.shape[0]), interpolation=cv2.INTER_AREA)
    return np.concatenate([image[:, :middle], narrow], axis=1)


def detect(image):
    return registry.load("detect", "centerface", runtime=RUNTIME).detect([image])[0].boxes[:1]


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_points_of_a_face_that_the_edge_cuts_are_where_they_are_in_the_whole_face(side):
    """Its box ends at the edge; the points beyond are guessed, and those seen stay in place."""
    seen, box = cut_astronaut(side)
    image, x1, x2 = astronaut(), *ASTRONAUT_FACE[0, [0, 2]]
    corner = np.array(image.shape[1::-1]) - seen.shape[1::-1]
    corner *= [side == "left", side == "top"]
    predictor = Predictor()
    whole = three_points(predictor.locate(image, ASTRONAUT_FACE))[0]
    points = three_points(predictor.locate(seen, box))[0] + corner
    assert np.linalg.norm(points - whole, axis=1).max() < 0.12 * (x2 - x1)


def test_a_size_that_is_none_is_refused():
    with pytest.raises(UsageError, match="side in pixels"):
        aligner("arcface:size=0")
