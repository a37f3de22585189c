"""Portraits that are cut to the face are found as often as with their margins."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analyzer.imaging import boxes
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import load_components
from analyzer.stages.detect import Detector
from analyzer.types import F32, U8

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
SAME = 0.4
"""Least IoU of two boxes of one face: detectors draw them with or without forehead."""


@pytest.fixture(scope="module")
def detector() -> Detector:
    """What looks for the faces of stills, posters and portraits."""
    return load_components(AnalysisOptions(engine="image", device="cpu")).still_detector


@pytest.fixture(scope="module")
def portraits(shared: Path, detector: Detector) -> list[tuple[U8, F32]]:
    """Pictures with a margin, and the box of the face in the middle; NaN where none is found."""
    found = []
    for path in sorted((shared / "media" / "images" / "lfw_subset").glob("*/*.jpg")):
        with Image.open(path) as file:
            picture = np.asarray(file.convert("RGB"))
        faces = detector.detect([picture])[0].boxes
        centres = (faces[:, :2] + faces[:, 2:]) / 2
        off = np.abs(centres - np.array(picture.shape[1::-1]) / 2).sum(1)
        found.append((picture, faces[off.argmin()] if len(off) else np.full(4, np.nan, np.float32)))
    assert len(found) == 100
    return found


def cut(portraits: list[tuple[U8, F32]], sides: float) -> Iterator[tuple[U8, F32]]:
    """Each picture cut to the box with its sides scaled, and the box (1, 4) in what is left."""
    for picture, box in portraits:
        height, width = picture.shape[:2]
        wanted = boxes.clip(boxes.scale(box[None], sides), width, height)[0]
        x1, y1, x2, y2 = np.rint(wanted).astype(int).tolist()
        here = box[None] - np.array([x1, y1, x1, y1], np.float32)
        yield np.ascontiguousarray(picture[y1:y2, x1:x2]), boxes.clip(here, x2 - x1, y2 - y1)


@pytest.mark.parametrize(("sides", "lost"), [(1.1, 0.01), (1.0, 0.01), (0.95, 0.01), (0.75, 0.03)])
def test_a_portrait_cut_to_the_face_is_found_as_often_as_with_its_margins(
    sides: float, lost: float, portraits: list[tuple[U8, F32]], detector: Detector
) -> None:
    with_margins = sum(bool(np.isfinite(box).all()) for _, box in portraits)
    known = [(picture, box) for picture, box in portraits if np.isfinite(box).all()]
    hits = 0
    for picture, box in cut(known, sides):
        found = detector.detect([picture])[0].boxes
        hits += bool((boxes.iou(box, found) > SAME).any())
        assert (found >= 0).all()
        assert (found <= np.array([*picture.shape[1::-1]] * 2)).all()
    print(f"sides x {sides:g}: {hits} of 100 found, {with_margins} with their margins")
    assert hits >= with_margins - lost * len(portraits)
