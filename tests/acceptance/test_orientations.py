"""Eight orientations, told by mp4, Matroska or H.264: csv, subtitle, burnt-in box and blur agree.

The ffmpeg on the `PATH`, the bundled one, and those that `INA_TEST_FFMPEGS` names burn in.
"""

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import dlib
import imageio_ffmpeg
import numpy as np
import pytest

from analyzer import registry
from analyzer.export import _cover, _subtitles, mp4
from analyzer.files import ffmpeg
from analyzer.imaging.boxes import iou
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from analyzer.types import MediaReport
from tests.support import media
from tests.support.analysis import analyze
from tests.support.processes import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
OTHERS = [*filter(None, os.environ.get("INA_TEST_FFMPEGS", "").split(os.pathsep))]
RUNTIME = Runtime(device="cpu")
SHAPE = 360, 480
SIDE, LEFT, TOP = 256, 200, 20
"""Where the portrait stands: off the centre, so that no mirrored or turned picture is equal."""
TRUTH = media.ASTRONAUT_FACE * SIDE / 512 + np.array([LEFT, TOP, LEFT, TOP], np.float32)
NECK = 98
YUNET = ROOT.parent / "shared" / "models"
PICTURES = 8


def scene() -> Any:
    """(h, w, 3) a head; not what is below, where detectors take the collar for a face."""
    picture = np.full((*SHAPE, 3), 128, np.uint8)
    small = cv2.resize(media.astronaut(), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    picture[TOP : TOP + NECK, LEFT : LEFT + SIDE] = small[:NECK]
    return picture


@pytest.fixture(scope="module")
def models() -> components.Components:
    options = AnalysisOptions(device="cpu", attributes=(), anonymise="all")
    return components.load_components(options)


def programs() -> list[str]:
    """The ffmpegs that can burn in."""
    names = [imageio_ffmpeg.get_ffmpeg_exe(), shutil.which("ffmpeg"), *OTHERS]
    return [name for name in dict.fromkeys(names) if name and ffmpeg._is_capable(name)]


def export(report: MediaReport, program: str, choice: str | None, target: Path) -> list[Any]:
    """The pictures (h, w, 3), as they are stored, of an mp4."""
    options = {**report.provenance["options"], "anonymise": choice}
    chosen = replace(report, provenance={**report.provenance, "options": options})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mp4, "find_ffmpeg", lambda: program)
        mp4.create(crf=10, runtime=RUNTIME).write(chosen, target)
    with av.open(str(target)) as container:
        shown = list(container.decode(video=0))
        assert not any(frame.rotation for frame in shown)
        return [frame.to_ndarray(format="rgb24") for frame in shown]


def around(mask: Any) -> Any:
    """(1, 4) box around what is marked."""
    y, x = np.nonzero(mask)
    return np.array([[x.min(), y.min(), x.max() + 1, y.max() + 1]], np.float32)


def drawn(report: MediaReport) -> Any:
    """(1, 4) the first box in the subtitle."""
    text = "".join(_subtitles.lines(report))
    x, y, w, h = map(int, re.findall(r"\\move\((\d+),(\d+),.*?}m 0 0 l (\d+) 0 \d+ (\d+)", text)[0])
    return np.array([[x, y, x + w, y + h]], np.float32)


@pytest.mark.parametrize("carrier", media.CARRIERS)
@pytest.mark.parametrize(("turns", "mirrored"), media.ORIENTATIONS)
def test_all_that_shows_a_face_is_at_the_face(
    turns: int,
    mirrored: bool,
    carrier: str,
    models: components.Components,
    networks: list[Any],
    tmp_path: Path,
) -> None:
    path = media.oriented_film(tmp_path, [scene()] * PICTURES, turns, mirrored, carrier)
    report = analyze(str(path), components=models)
    assert len(report.observations) == PICTURES
    table = report.observations.boxes[:1]
    assert iou(table, TRUTH)[0, 0] > 0.6
    assert iou(table, drawn(report))[0, 0] > 0.8
    time_s = float(report.observations.time_s[2])
    decoder = registry.load("decode", "video", runtime=RUNTIME)
    (source,) = (picture.astype(int) for picture in decoder.pictures(str(path), [time_s]))
    blue = np.array([0x56, 0xB4, 0xE9])
    for program in programs():
        boxed = export(report, program, None, tmp_path / "boxes.mp4")
        hidden = export(report, program, "all", tmp_path / "hidden.mp4")
        assert len(boxed) == len(hidden) == PICTURES
        assert boxed[0].shape == scene().shape
        assert media.sounds(tmp_path / "boxes.mp4") == ["aac"]
        lines = (np.abs(boxed[2].astype(int) - blue).max(axis=2) < 50).copy()
        lines[: int(drawn(report)[0, 1]) - 1] = False  # the label above the box
        lines[int(drawn(report)[0, 3]) + 1 :] = False
        assert iou(table, around(lines))[0, 0] > 0.8, program
        patches = _cover.patches(at_choice(report))
        patch = patches.boxes[(patches.start_s <= time_s) & (patches.end_s > time_s)]
        hull = np.hstack([patch[:, :2].min(axis=0), patch[:, 2:].max(axis=0)])[None]
        blurred = np.abs(hidden[2].astype(int) - source).max(axis=2) > 25
        assert iou(np.clip(hull, 0, (480, 360, 480, 360)), around(blurred))[0, 0] > 0.8, program
        require_no_face(hidden, networks)


def at_choice(report: MediaReport) -> MediaReport:
    options = {**report.provenance["options"], "anonymise": "all"}
    return replace(report, provenance={**report.provenance, "options": options})


@pytest.fixture(scope="module")
def networks() -> list[Any]:
    """CenterFace, and YuNet where its weights are there."""
    specs = ["centerface:confidence=0.3"]
    specs += [f"yunet:weights={path},confidence=0.5" for path in YUNET.glob("yunet_*.onnx")]
    return [registry.load("detect", spec, runtime=RUNTIME) for spec in specs]


def require_no_face(pictures: list[Any], networks: list[Any]) -> None:
    hog = dlib.get_frontal_face_detector()
    for picture in pictures[::3]:
        assert not any(len(network.detect([picture])[0].boxes) for network in networks)
        assert len(hog(picture, 1)) == 0
