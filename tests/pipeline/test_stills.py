"""Single pictures that a face fills: they are looked at again in a border, and films are not."""

import numpy as np
import pytest
import skimage.data
from PIL import Image

from analyzer.files import cache
from analyzer.gallery.folder import Galleries
from analyzer.imaging.boxes import clip, iou
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import load_components
from analyzer.pipeline.detection import SECOND_BORDER, PaddedDetector, StillDetector
from analyzer.pipeline.stills import describe_still
from analyzer.types import Detections
from tests.support import media
from tests.support.analysis import analyze

FACE = (185, 90, 260, 160)
"""The astronaut's face, cut so tightly that CenterFace finds none: x1, y1, x2, y2."""


class Noted:
    """A detector that notes what it is shown, and finds one face in each wide enough picture."""

    def __init__(self, name, least_px, share=1.0):
        self.provenance = {name: "0"}
        self.seen, self._least_px, self._share = [], least_px, share

    def detect(self, images):
        self.seen.append([image.shape[1] for image in images])
        return [self._faces(image.shape[1]) for image in images]

    def _faces(self, width):
        if width < self._least_px:
            return Detections.empty()
        box = np.array([[0, 0, width * self._share, 2]], np.float32)
        return Detections(boxes=box, scores=np.ones(1, np.float32), landmarks=None)


def pictures(*widths):
    return [np.zeros((20, width, 3), np.uint8) for width in widths]


def test_only_pictures_without_a_face_are_looked_at_again_and_order_stays():
    first, second = Noted("a", 40), Noted("b", 20)
    found = StillDetector(first, second).detect(pictures(10, 50, 30))
    assert second.seen == [[10, 30]]
    assert [d.boxes[:, 2].tolist() for d in found] == [[], [50], [30]]
    StillDetector(first, second).detect(pictures(50))
    assert len(second.seen) == 1
    assert StillDetector(first, second).provenance == {"a": "0", "b": "0"}
    assert StillDetector(first, second).detect([]) == []


@pytest.mark.parametrize(("share", "count"), [(0.3, 0), (0.4, 1)])
def test_of_the_second_look_small_faces_are_left_out(share, count):
    detector = StillDetector(Noted("a", 1000), Noted("b", 0, share))
    assert len(detector.detect([np.zeros((30, 20, 3), np.uint8)])[0]) == count


def test_the_border_of_the_second_look_is_around_the_bare_picture():
    """One that the user wants is that of the first look."""
    bare = Noted("a", 1000)
    StillDetector(PaddedDetector(bare, 0.1), PaddedDetector(bare, SECOND_BORDER)).detect(
        pictures(100)
    )
    assert bare.seen == [[120], [100 + 2 * int(100 * SECOND_BORDER)]]


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "path", tmp_path.joinpath("cache").joinpath)


@pytest.fixture(scope="module")
def models():
    return load_components(AnalysisOptions(engine="image", device="cpu"))


@pytest.fixture
def tight(tmp_path):
    """A portrait that the face fills."""
    path = tmp_path / "people" / "an-astronaut.png"
    path.parent.mkdir()
    Image.fromarray(skimage.data.astronaut()).crop(FACE).save(path)
    return path


@pytest.fixture(scope="module")
def whole(models, tmp_path_factory):
    """The whole picture with its faces."""
    path = tmp_path_factory.mktemp("whole") / "a.png"
    Image.fromarray(skimage.data.astronaut()).save(path)
    return describe_still(str(path), models)


def test_a_still_that_a_face_fills_has_the_face_at_its_place(tight, models, whole):
    report = analyze(str(tight), components=models)
    (box,) = report.observations.boxes
    assert (box >= 0).all()
    assert (box[2:] <= [FACE[2] - FACE[0], FACE[3] - FACE[1]]).all()
    there = whole.detections.boxes - np.array(FACE[:2] * 2, np.float32)
    assert iou(box[None], clip(there, FACE[2] - FACE[0], FACE[3] - FACE[1]))[0, 0] > 0.8
    distance = np.linalg.norm(report.observations.embeddings[0] - whole.descriptions.embeddings[0])
    assert distance < models.describer.threshold


def test_a_poster_and_a_portrait_that_a_face_fills_are_the_same_face(tight, models, whole):
    still = describe_still(str(tight), models)
    landmarks = still.detections.landmarks + np.array(FACE[:2], np.float32)
    off = np.linalg.norm(landmarks - whole.detections.landmarks, axis=2)
    assert off.max() < 0.2 * still.chips.face_px[0]
    gallery = Galleries(models).get(str(tight.parent))
    assert gallery.names == ("an-astronaut",)
    assert not gallery.notes
    np.testing.assert_array_equal(gallery.embeddings, still.descriptions.embeddings)
    poster = analyze("none.png", components=models, poster=str(tight)).poster
    np.testing.assert_array_equal(poster.boxes, still.detections.boxes)


def test_frames_of_a_film_are_looked_at_once(tight, models, tmp_path):
    film = tmp_path / "film.mkv"
    media.ffmpeg("-i", tight, "-c:v", "ffv1", film)
    films = load_components(AnalysisOptions(device="cpu"))
    assert not len(analyze(str(film), components=films).observations)
    assert len(describe_still(str(tight), films).detections) == 1
