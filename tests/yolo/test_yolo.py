"""A YOLO network that learned faces for a minute, as .pt and as .onnx; without the network."""

import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from analyzer import registry
from analyzer.errors import UsageError, WeightsError
from analyzer.imaging.boxes import iou
from analyzer.inference.runtime import Runtime
from tests.support import networks

pytestmark = [pytest.mark.yolo, pytest.mark.timeout(900)]
pytest.importorskip("ultralytics")

SIDE = 192
TRAINING, TESTING = 320, 60
FACES = {"astronaut": (176, 70, 272, 184), "hopper": (176, 126, 362, 336)}
"""Brow to chin, temple to temple, as in the sample."""


@cache
def portraits():
    data = pytest.importorskip("skimage.data")
    from matplotlib import cbook, image

    hopper = image.imread(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    return {"astronaut": data.astronaut(), "hopper": hopper}


@cache
def backgrounds():
    data = pytest.importorskip("skimage.data")
    return [data.coffee(), data.rocket(), data.chelsea(), data.retina()[:1000, :1000]]


def scene(rng):
    """A picture (SIDE, SIDE, 3) with one or two portraits cut round, and the boxes of the faces."""
    ground = backgrounds()[rng.integers(4)]
    top, left = (rng.integers(n - SIDE + 1) for n in ground.shape[:2])
    picture = np.ascontiguousarray(ground[top : top + SIDE, left : left + SIDE])
    boxes = []
    for half in rng.permutation(2)[: rng.integers(1, 3)]:
        name = ("astronaut", "hopper")[rng.integers(2)]
        x1, y1, x2, y2 = FACES[name]
        cut = portraits()[name][y1:y2, x1:x2]
        height = int(rng.integers(44, 85))
        width = round(height * (x2 - x1) / (y2 - y1))
        cut = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)
        cut = np.clip(cut * rng.uniform(0.7, 1.2), 0, 255).astype(np.uint8)
        if rng.integers(2):
            cut = cut[:, ::-1]
        x = int(rng.integers(half * SIDE // 2, (half + 1) * SIDE // 2 - width + 1))
        y = int(rng.integers(0, SIDE - height + 1))
        picture[y : y + height, x : x + width] = cut
        boxes.append((x, y, x + width, y + height))
    return picture, np.array(boxes, np.float32)


def write(folder: Path, count: int, rng) -> None:
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    for i in range(count):
        picture, boxes = scene(rng)
        cv2.imwrite(str(folder / "images" / f"{i}.png"), picture[:, :, ::-1])
        centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        lines = np.concatenate([centres, sides], 1) / SIDE
        text = "".join("0 " + " ".join(f"{v:.6f}" for v in line) + "\n" for line in lines)
        (folder / "labels" / f"{i}.txt").write_text(text)


TRAIN = """
import os, sys
os.environ["YOLO_OFFLINE"] = "true"
os.environ["YOLO_AUTOINSTALL"] = "false"
from ultralytics import YOLO
folder, side, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
model = YOLO("yolov8n.yaml")
model.train(
    data=f"{folder}/faces.yaml", epochs=epochs, imgsz=side, batch=16, device="cpu", workers=0,
    project=folder, name="run", optimizer="AdamW", lr0=2e-3, warmup_epochs=1, close_mosaic=4,
    amp=False, plots=False, val=False, verbose=False, seed=0, single_cls=True,
)
YOLO(f"{folder}/run/weights/last.pt").export(format="onnx", imgsz=side, simplify=False)
"""


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A network of ours: its .pt; the .onnx stands beside it."""
    folder = tmp_path_factory.mktemp("yolo")
    write(folder / "train", TRAINING, np.random.default_rng(0))
    (folder / "faces.yaml").write_text(
        f"path: {folder}\ntrain: train/images\nval: train/images\nnames: [face]\n"
    )
    command = [sys.executable, "-c", TRAIN, folder, str(SIDE), "14"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "run" / "weights" / "last.pt"


@pytest.fixture(scope="session")
def scenes():
    rng = np.random.default_rng(1)
    return [scene(rng) for _ in range(TESTING)]


def detector(path, **options):
    spec = f"yolo:weights={path},size={SIDE}"
    return registry.load("detect", spec, runtime=Runtime(device="cpu", **options))


@pytest.fixture
def nobody_answers(monkeypatch):
    """Every attempt to reach another machine is an error, and is kept."""
    tried = []

    def refuse(*address):
        tried.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield
    assert tried == []


def test_nine_faces_of_ten_are_found(trained, scenes, nobody_answers):
    detections = detector(trained).detect([picture for picture, _ in scenes])
    hits = sum(
        int((iou(boxes, f.boxes).max(1, initial=0) > 0.5).sum())
        for (_, boxes), f in zip(scenes, detections, strict=True)
    )
    faces = sum(len(boxes) for _, boxes in scenes)
    extra = sum(map(len, detections)) - hits
    print(f"found {hits} of {faces}, {extra} more")
    assert hits >= 0.9 * faces
    assert extra <= 0.2 * faces


def test_exported_as_onnx_it_finds_the_same(trained, scenes, nobody_answers):
    pictures = [picture for picture, _ in scenes]
    first = detector(trained).detect(pictures)
    second = detector(trained.with_suffix(".onnx"), batch_size=1).detect(pictures)
    apart = []
    for a, b in zip(first, second, strict=True):
        assert len(a) == len(b)
        nearest = iou(a.boxes, b.boxes).argmax(1) if len(a) else []
        apart += np.abs(a.boxes - b.boxes[nearest]).ravel().tolist()
    print(f"largest difference {max(apart):.3f} px")
    assert max(apart) <= 1


def test_batches_are_as_single_pictures(trained, scenes):
    pictures = [picture for picture, _ in scenes[:5]]
    network = detector(trained, batch_size=2)
    alone = [network.detect([picture])[0] for picture in pictures]
    for a, b in zip(alone, network.detect(pictures), strict=True):
        np.testing.assert_allclose(a.boxes, b.boxes, atol=0.05)
    assert network.detect([]) == []


class TestWrongFiles:
    def test_another_suffix(self, tmp_path):
        (tmp_path / "a.bin").touch()
        with pytest.raises(UsageError, match=r"weights end with .pt or .onnx"):
            detector(tmp_path / "a.bin")

    @pytest.mark.parametrize("suffix", ["pt", "onnx"])
    def test_truncated(self, suffix, trained, tmp_path):
        path = tmp_path / f"a.{suffix}"
        path.write_bytes(trained.with_suffix(f".{suffix}").read_bytes()[:50_000])
        with pytest.raises(WeightsError, match=r"cannot load it|not a whole ONNX file"):
            detector(path)

    def test_another_network(self, tmp_path):
        path = networks.ssd(tmp_path / "a.onnx", [(1, 2, 3)])
        with pytest.raises(WeightsError, match="not exported by ultralytics; give a YOLO network"):
            detector(path)

    def test_missing(self, tmp_path):
        with pytest.raises(WeightsError, match=r"no such file, .*: give a YOLO network trained on"):
            detector(tmp_path / "none.pt")
