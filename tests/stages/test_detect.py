"""Detectors with weights that users bring, and their messages when these are missing or wrong."""

import sys

import numpy as np
import pytest

from analyzer import registry
from analyzer.errors import MissingDependency, UsageError, WeightsError
from analyzer.inference.runtime import Runtime
from analyzer.weights import fetch, locate
from tests.support import media, networks


def detector(spec, **options):
    return registry.load("detect", spec, runtime=Runtime(device="cpu", **options))


def lit(*cells, height=96, width=128, side=16):
    """A black picture with white squares, by column and row."""
    image = np.zeros((height, width, 3), np.uint8)
    for column, row in cells:
        image[row * side : (row + 1) * side, column * side : (column + 1) * side] = 255
    return image


def face(column, row, *, scale=2.0, stride=8):
    """Box and points that the network made for tests gives a white cell."""
    centre = np.array([column, row]) * stride
    left, up, right, down = (d * stride for d in networks.DISTANCES)
    box = (np.tile(centre, 2) + np.array([-left, -up, right, down])) * scale
    points = (centre + np.reshape(networks.MARKS, (5, 2)) * stride) * scale
    return np.clip(box, 0, [128, 96, 128, 96]), points


class TestScrfd:
    @pytest.mark.parametrize("batched", [True, False])
    @pytest.mark.parametrize("marks", [True, False])
    def test_outputs_become_the_boxes_that_they_mean(self, batched, marks, tmp_path):
        path = networks.scrfd(tmp_path / "a.onnx", marks=marks, batched=batched)
        detections = detector(f"scrfd:weights={path},size=64").detect(
            [lit((3, 2)), lit(), lit((1, 1), (5, 3))]
        )
        assert [len(f) for f in detections] == [1, 0, 2]
        box, points = face(3, 2)
        np.testing.assert_allclose(detections[0].boxes[0], box, atol=1e-3)
        assert detections[0].scores[0] == pytest.approx(127.5 / 128, abs=1e-4)
        if marks:
            np.testing.assert_allclose(detections[0].landmarks[0], points, atol=1e-3)
        else:
            assert detections[0].landmarks is None
        expected = sorted(face(*cell)[0].tolist() for cell in ((1, 1), (5, 3)))
        np.testing.assert_allclose(sorted(detections[2].boxes.tolist()), expected, atol=1e-3)

    def test_batch_and_threads_change_nothing(self, tmp_path):
        path = networks.scrfd(tmp_path / "a.onnx")
        pictures = [lit((i % 8, i % 6)) for i in range(7)]
        single, batched = (
            detector(f"scrfd:weights={path},size=64", batch_size=b, threads=t).detect(pictures)
            for b, t in ((1, 1), (4, 2))
        )
        for a, b in zip(single, batched, strict=True):
            np.testing.assert_array_equal(a.boxes, b.boxes)

    def test_fixed_size_is_kept_and_overlapping_boxes_are_one(self, tmp_path):
        path = networks.scrfd(tmp_path / "a.onnx", sides=(64, 96))
        scrfd = detector(f"scrfd:weights={path},confidence=0.4")
        detections = scrfd.detect([lit((3, 2), height=128, width=192)])[0]
        assert len(detections) == 1  # the second anchor's box is the same
        np.testing.assert_allclose(detections.boxes[0], face(3, 2)[0], atol=1e-3)

    def test_larger_strides(self, tmp_path):
        path = networks.scrfd(tmp_path / "a.onnx")
        detections = detector(f"scrfd:weights={path},size=128,overlap=0.99").detect(
            [lit((0, 0), height=128, width=128, side=32)]
        )[0]
        ends = [(round(x), round(y)) for x, y in detections.boxes[:, 2:].tolist()]
        assert {(24, 32), (48, 64), (96, 128)} <= set(ends)

    def test_another_network_is_refused(self, tmp_path):
        path = networks.scrfd(tmp_path / "a.onnx", marks=False)
        model = networks.onnx.load(str(path))
        del model.graph.output[3:]
        networks.onnx.save(model, str(path))
        with pytest.raises(WeightsError, match=r"no scores and boxes for \d+ anchors.*not SCRFD"):
            detector(f"scrfd:weights={path}").detect([lit()])

    def test_other_sizes_are_refused(self, tmp_path):
        path = networks.scrfd(tmp_path / "a.onnx", sides=(60, 60))
        with pytest.raises(WeightsError, match="takes 60 x 60 pixels, no multiples of 32"):
            detector(f"scrfd:weights={path}")

    def test_a_published_name_needs_the_published_hash(self, tmp_path):
        path = networks.scrfd(tmp_path / "scrfd_10g_kps.onnx")
        with pytest.raises(
            WeightsError, match=r"not the published file of this name: .*; give an SCRFD"
        ):
            detector(f"scrfd:weights={path}")


class TestRetinaFace:
    @pytest.mark.parametrize("batch", [1, "n"])
    def test_outputs_become_the_boxes_that_they_mean(self, batch, tmp_path):
        path = networks.retinaface(tmp_path / "a.onnx", batch=batch)
        detections = detector(f"retinaface:weights={path},size=64").detect(
            [lit((3, 2)), lit(), lit((1, 1), (6, 4))]
        )
        assert [len(f) for f in detections] == [1, 0, 2]
        # An anchor of 16 pixels around the cell's middle, in a picture of half the size.
        x, y = 2 * (3.5 * 8 + 8), 2 * 2.5 * 8
        np.testing.assert_allclose(
            detections[0].boxes[0], [x - 16, y - 32, x + 16, y + 32], atol=1e-3
        )
        assert detections[0].scores[0] == pytest.approx(1, abs=1e-4)
        marks = np.reshape(networks.MARKS, (5, 2)) * 1.6 + [28, 20]
        np.testing.assert_allclose(detections[0].landmarks[0], 2 * marks, atol=1e-3)

    def test_larger_strides_and_a_fixed_size(self, tmp_path):
        path = networks.retinaface(tmp_path / "a.onnx", sides=(128, 128))
        picture = lit((0, 0), height=128, width=128, side=32)
        detections = detector(f"retinaface:weights={path},overlap=0.99").detect([picture])[0]
        sides = np.round(detections.boxes[:, 2]).astype(int).tolist()
        # Right ends of the anchors of 16, 64 and 256 pixels: the middle, and a whole side.
        assert {20, 72} <= set(sides)
        assert max(sides) == 128

    def test_another_network_is_refused(self, tmp_path):
        path = networks.scrfd(tmp_path / "a.onnx")
        with pytest.raises(WeightsError, match="not RetinaFace; give a RetinaFace network"):
            detector(f"retinaface:weights={path}")
        with pytest.raises(WeightsError, match="models fetch retinaface_mv2 gets"):
            detector("retinaface")


class TestSsd:
    ROWS = (
        (0, 1, 0.9, 0.1, 0.2, 0.5, 0.6),
        (0, 1, 0.97, -0.1, 0.5, 0.3, 1.2),
        (0, 1, 0.3, 0.1, 0.1, 0.2, 0.2),
        (0, 0, 0, 0, 0, 0, 0),
    )

    def test_rows_become_boxes(self, tmp_path):
        path = networks.ssd(tmp_path / "a.onnx", self.ROWS)
        image = np.zeros((100, 200, 3), np.uint8)
        detections = detector(f"ssd:weights={path}").detect([image, image])
        assert [len(f) for f in detections] == [2, 2]
        expected = [[0, 50, 60, 100], [20, 20, 100, 60]]
        np.testing.assert_allclose(detections[0].boxes, expected, atol=1e-3)
        np.testing.assert_allclose(detections[0].scores, [0.97, 0.9], atol=1e-6)

    def test_another_network_is_refused(self, tmp_path):
        path = networks.ssd(tmp_path / "a.onnx", [(1, 2, 3)])
        with pytest.raises(WeightsError, match=r"not a face network of the form \(1, 1, n, 7\)"):
            detector(f"ssd:weights={path}")

    def test_a_structure_is_needed(self, tmp_path):
        path = tmp_path / "a.pb"
        path.touch()
        with pytest.raises(WeightsError, match=r"no weights: download res10_300x300.*config=FILE"):
            detector(f"ssd:weights={path}")

    @pytest.mark.parametrize("suffix", ["pb", "caffemodel"])
    def test_broken_files_are_refused(self, suffix, tmp_path):
        weights, config = tmp_path / f"a.{suffix}", tmp_path / "a.txt"
        weights.write_bytes(b"nothing")
        config.write_text("nothing")
        cure = "OpenCV cannot read it; download|reads no .caffemodel; take the .pb"
        with pytest.raises((UsageError, WeightsError), match=cure):
            detector(f"ssd:weights={weights},config={config}")

    def test_other_files_are_refused(self, tmp_path):
        (tmp_path / "a.bin").touch()
        with pytest.raises(UsageError, match=r"weights end with .caffemodel, .pb or .onnx"):
            detector(f"ssd:weights={tmp_path}/a.bin,config={tmp_path}/a.bin")


@pytest.fixture
def yunet(shared):
    return next((shared / "models").glob("yunet_*.onnx"))


class TestYunet:
    def test_landmarks_are_those_of_the_other_detector(self, yunet):
        data = pytest.importorskip("skimage.data")
        image = np.ascontiguousarray(data.astronaut())
        detections = detector(f"yunet:weights={yunet}").detect([image])[0]
        other = detector("centerface").detect([image])[0]
        # Left eye, right eye, nose, corners of the mouth: as they lie in the picture.
        np.testing.assert_allclose(detections.landmarks, other.landmarks, atol=8)

    def test_size_decides_how_small_faces_may_be(self, yunet):
        data = pytest.importorskip("skimage.data")
        image = np.zeros((1080, 1920, 3), np.uint8)
        image[200:264, 300:364] = data.astronaut()[::8, ::8]
        counts = {
            size: len(detector(f"yunet:weights={yunet},size={size}").detect([image])[0])
            for size in (320, 1920)
        }
        assert counts == {320: 0, 1920: 1}

    def test_truncated(self, yunet, tmp_path):
        path = tmp_path / "a.onnx"
        path.write_bytes(yunet.read_bytes()[:100_000])
        with pytest.raises(WeightsError, match="not a whole ONNX file; download face_detection_yu"):
            detector(f"yunet:weights={path}")


def test_another_network_is_no_yunet(tmp_path):
    path = networks.scrfd(tmp_path / "a.onnx")
    with pytest.raises(WeightsError, match="OpenCV finds no YuNet in it; download"):
        detector(f"yunet:weights={path}")


@pytest.mark.parametrize("name", ["retinaface", "scrfd", "ssd", "yunet"])
class TestWeightsOfUsers:
    def test_none(self, name):
        with pytest.raises(WeightsError, match=f"^no weights: .*--detector {name}:weights=FILE"):
            detector(name)

    def test_missing(self, name, tmp_path):
        with pytest.raises(WeightsError, match=f"no such file, .*: .*{name}:weights=FILE"):
            detector(f"{name}:weights={tmp_path}/a.onnx")

    def test_not_onnx(self, name, tmp_path):
        path = tmp_path / "a.onnx"
        path.write_bytes(b"<html>Not found</html>")
        with pytest.raises(WeightsError, match=r"not a whole ONNX file; .*https://"):
            detector(f"{name}:weights={path}")

    def test_values_out_of_range(self, name):
        with pytest.raises(UsageError, match=f"{name}: confidence=2.0 must be between 0 and 1"):
            detector(f"{name}:confidence=2")


def test_missing_library_comes_with_its_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    monkeypatch.delitem(sys.modules, "analyzer.stages.detect.yolo", raising=False)
    with pytest.raises(MissingDependency, match=r"needs ultralytics; .*pip install 'ultralytics>="):
        detector("yolo")


class TestDlib:
    @pytest.mark.parametrize("name", ["hog", "mmod"])
    def test_doubling_without_end_is_refused(self, name):
        with pytest.raises(UsageError, match=f"{name}: upsample=9 must be 0 to 4"):
            detector(f"{name}:upsample=9")

    def test_other_weights_are_refused(self, tmp_path):
        path = tmp_path / "a.dat"
        path.write_bytes(b"nothing")
        with pytest.raises(WeightsError, match="dlib cannot read it: give a file for dlib's cnn"):
            detector(f"mmod:weights={path}")

    def test_doubling_finds_smaller_faces(self):
        data = pytest.importorskip("skimage.data")
        image = np.zeros((200, 300, 3), np.uint8)
        image[20:148, 20:148] = np.ascontiguousarray(data.astronaut())[40:296:2, 90:346:2]
        counts = [len(detector(f"hog:upsample={n}").detect([image])[0]) for n in (0, 1)]
        assert counts == [0, 1]


def test_a_model_that_was_added_goes_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(locate, "folder", lambda: tmp_path / "models")
    fetch.add(networks.scrfd(tmp_path / "a.onnx"), name="ours")
    scrfd = detector("scrfd:weights=ours,size=64")
    assert [len(f) for f in scrfd.detect([lit((3, 2))])] == [1]
    assert set(scrfd.provenance) == {"ours.onnx"}


def test_faint_faces_are_more_and_change_no_other() -> None:
    image = media.astronaut()
    (found,) = detector("centerface").detect([image])
    (all_found,) = detector("centerface:faint=0.01").detect_faint([image])
    np.testing.assert_array_equal(all_found.certain.boxes, found.boxes)
    assert len(all_found) > len(found)
    (none,) = detector("centerface:confidence=0.999").detect([image])
    (faint,) = detector("centerface:confidence=0.999").detect_faint([image])
    assert len(none) == len(faint.certain) == 0
    np.testing.assert_array_equal(faint.boxes, found.boxes)
