"""Portraits: the best face of each person, cut out of the medium again."""

import io
import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from analyzer.reports import portraits
from tests.support import media
from tests.support.analysis import analyze
from tests.support.reports import Face, make_report


@pytest.fixture(scope="module")
def report(sample):
    models = components.load_components(AnalysisOptions(fps=2, device="cpu"))
    return analyze(str(sample / "sample.mp4"), components=models)


def read(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)))


def where(face: np.ndarray, portrait: np.ndarray) -> tuple[float, float, float]:
    """How alike the portrait is to a face somewhere, and where that face's centre is."""
    matches = []
    for width in range(50, 110, 2):
        small = cv2.resize(face, (width, round(width * face.shape[0] / face.shape[1])))
        scores = cv2.matchTemplate(portrait, small, cv2.TM_CCOEFF_NORMED)
        y, x = np.unravel_index(scores.argmax(), scores.shape)
        matches.append((float(scores.max()), x + small.shape[1] / 2, y + small.shape[0] / 2))
    return max(matches)


def test_a_portrait_shows_the_face_of_the_truth_with_a_margin(sample, report):
    truth = json.loads((sample / "sample.truth.json").read_text())
    rows = list(portraits.best(report).values())
    assert len(rows) == len(truth["people"])
    pictures = portraits.cut(report, rows)
    decoder = registry.load("decode", "video", runtime=Runtime())
    for row, jpeg in pictures.items():
        portrait = read(jpeg)
        assert portrait.shape == (portraits.SIDE_PX, portraits.SIDE_PX, 3)
        frame = str(report.observations.frame[row])
        time_s = [float(report.observations.time_s[row])]
        (picture,) = decoder.pictures(str(sample / "sample.mp4"), time_s)
        box = min(
            (p["boxes"][frame] for p in truth["people"].values() if frame in p["boxes"]),
            key=lambda b: abs(np.array(b) - report.observations.boxes[row]).sum(),
        )
        x1, y1, x2, y2 = (round(v) for v in box)
        alike, x, y = where(picture[y1:y2, x1:x2], portrait)
        assert alike > 0.95
        assert abs(x - 80) < 10
        assert 75 < y < 100


def test_a_person_has_portraits_of_its_best_tracks(report):
    rows = portraits.of_tracks(report, most=1)
    best = portraits.best(report)
    assert sorted(rows.values()) == sorted(best.values())
    every = portraits.of_tracks(report)
    owners = dict(zip(report.identities.track_ids, report.identities.person_ids, strict=True))
    assert sorted(every) == sorted(t for t, person in owners.items() if person >= 0)
    for track, row in every.items():
        assert report.observations.track_id[row] == track


def test_sharp_large_sure_and_frontal_faces_are_best():
    faces = [
        Face(n, n / 5, (0, 0, 50, 50), detect_conf=c) for n, c in enumerate((0.5, 0.9, 0.9, 0.8))
    ]
    report = make_report(faces)
    table = report.observations

    def best(**columns):
        arrays = {name: np.array(values, np.float32) for name, values in columns.items()}
        changed = replace(report, observations=replace(table, **arrays))
        return portraits.best(changed)

    assert best() == {0: 1}  # the first of equals
    assert best(sharpness=[0.5, 0.5, 0.6, 0.5]) == {0: 2}
    assert best(frontality=[0.5, 0.5, 0.6, 0.5]) == {0: 2}
    assert best(face_px=[20, 20, 20, 60]) == {0: 3}
    assert best(face_px=[200, 200, 200, 999]) == {0: 1}


def test_of_nobody_there_is_none(tmp_path):
    report = make_report([Face(0, 0.0, (0, 0, 9, 9))], persons={0: -1}, uri="missing.mp4")
    assert portraits.best(report) == portraits.of_tracks(report) == {}
    notes: list[str] = []
    assert portraits.cut(report, [], note=notes.append) == {}
    assert notes == []


@pytest.mark.parametrize("box", [(0, 0, 60, 60), (250, 180, 320, 240), (0, 0, 320, 240)])
def test_at_the_border_it_is_moved_into_the_picture(box, tmp_path):
    path = media.video(tmp_path / "a.mp4", seconds=0.2)
    report = make_report([Face(0, 0.0, box)], size=(320, 240), uri=str(path))
    table = replace(report.observations, picture_px=np.array([320 * 240], np.float32))
    pictures = portraits.cut(replace(report, observations=table), [0], side_px=64)
    assert read(pictures[0]).shape == (64, 64, 3)


def test_of_stills_and_of_one_that_is_gone(tmp_path):
    for number, colour in enumerate(("red", "blue")):
        Image.new("RGB", (200, 100), colour).save(tmp_path / f"{number}.png")
    faces = [Face(n, float(n), (50, 30, 80, 60), track=n) for n in range(2)]
    report = make_report(faces, kind="image", engine="image")
    stills = tuple(str(tmp_path / f"{n}.png") for n in range(2))
    report = replace(
        report,
        info=replace(report.info, stills=stills),
        observations=replace(report.observations, picture_px=np.full(2, 200 * 100, np.float32)),
    )
    assert [int(read(jpeg).mean(axis=(0, 1)).argmax()) for jpeg in
            portraits.cut(report, [0, 1]).values()] == [0, 2]  # fmt: skip
    (tmp_path / "0.png").unlink()
    notes: list[str] = []
    assert list(portraits.cut(report, [0, 1], note=notes.append)) == [1]
    assert notes == ["portraits: 1 of 2 were not found again"]


def test_a_medium_that_was_replaced_gives_none(sample, report, tmp_path):
    path = tmp_path / "a.mp4"
    shutil.copy(sample / "sample.mp4", path)
    moved = replace(report, info=replace(report.info, uri=str(path)))
    rows = list(portraits.best(report).values())
    assert portraits.cut(moved, rows) == portraits.cut(report, rows)
    media.video(path, seconds=20, size="160x120")
    notes: list[str] = []
    assert portraits.cut(moved, rows, note=notes.append) == {}
    assert "were not found again" in notes[0]
    path.write_bytes(b"nothing")
    assert portraits.cut(moved, rows, note=notes.append) == {}
    assert "not a video" in notes[1]
