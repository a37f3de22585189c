"""Detectors look at anonymised videos, picture by picture, and find no hidden person."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import cv2
import dlib
import numpy as np
import pytest

from analyzer import registry
from analyzer.export import mp4
from analyzer.imaging import boxes
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from analyzer.types import F32, U8, MediaReport
from tests.support.analysis import analyze

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
RUNTIME = Runtime(device="cpu")
MEETS = 0.1
"""Intersection over union of boxes that are one face."""
DETAIL = 0.2
"""Share of the variance of a face's Laplacian that is left where it is not blurred."""


@dataclass(frozen=True)
class Case:
    """A video, and its report from five pictures a second."""

    path: Path
    report: MediaReport
    truth: list[F32]
    """The boxes (n, 4) that our detector finds in each picture of the source."""

    def export(self, choice: str, target: Path) -> Path:
        options = {**self.report.provenance["options"], "anonymise": choice}
        chosen = {**self.report.provenance, "options": options}
        mp4.create(runtime=RUNTIME).write(replace(self.report, provenance=chosen), target)
        return target


def pictures(path: Path) -> Iterator[U8]:
    with av.open(os.fspath(path)) as container:
        for picture in container.decode(video=0):
            yield picture.to_ndarray(format="rgb24")


def found(path: Path) -> list[F32]:
    detector: Any = registry.load("detect", "centerface", runtime=RUNTIME)
    return [detector.detect([picture])[0].boxes for picture in pictures(path)]


def found_by_hog(path: Path) -> int:
    """How many faces dlib's own detector finds in every third picture."""
    detector = dlib.get_frontal_face_detector()
    return sum(len(detector(p, 0)) for n, p in enumerate(pictures(path)) if n % 3 == 0)


def look(path: Path) -> Case:
    models = components.load_components(AnalysisOptions(fps=5, device="cpu"))
    return Case(path, analyze(str(path), components=models), found(path))


@pytest.fixture(scope="module")
def sample_case(sample: Path) -> Case:
    return look(sample / "sample.mp4")


@pytest.fixture(scope="module", params=["sample", "short_hamilton_clip", "chaplin"])
def case(request: pytest.FixtureRequest) -> Case:
    if request.param == "sample":
        case_of_clip: Case = request.getfixturevalue("sample_case")
        return case_of_clip
    media = request.getfixturevalue("shared") / "media" / "video"
    return look(media / f"{request.param}.mp4")


def bare(case: Case, blurred: Path) -> list[tuple[int, list[int]]]:
    """The faces of the source that are found in a blurred video, and in which pictures.

    Now and then the edge of what is blurred and leaves beside it are taken for a face: that one is
    bare only if the face of the source has kept its detail.
    """
    after, left = found(blurred), []
    assert len(case.truth) == len(after)
    shown = zip(pictures(case.path), pictures(blurred), case.truth, after, strict=True)
    for number, (before, now, old, new) in enumerate(shown):
        for box in new:
            meets = old[boxes.iou(box[None], old)[0] > MEETS] if len(old) else old
            if any(detail(now, face) > DETAIL * detail(before, face) for face in meets):
                left.append((number, box.round().tolist()))
    return left


def detail(picture: U8, box: F32) -> float:
    """The variance of the Laplacian in a box of a picture."""
    x1, y1, x2, y2 = np.rint(np.maximum(box, 0)).astype(int).tolist()
    grey = cv2.cvtColor(picture[y1:y2, x1:x2], cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def test_all_faces_of_every_picture_are_gone(case: Case, tmp_path: Path) -> None:
    blurred = case.export("all", tmp_path / "x.mp4")
    assert sum(map(len, case.truth)) > 100
    assert bare(case, blurred) == []
    assert found_by_hog(blurred) == 0


def named(report: MediaReport, person: int) -> MediaReport:
    """The same report, with a name for one person."""
    persons = [replace(p, name="Grace") if p.person_id == person else p for p in report.persons]
    return replace(report, persons=tuple(persons))


def shown(report: MediaReport, person: int) -> list[tuple[int, F32]]:
    """In which pictures somebody was seen, and the box (1, 4)."""
    rows = np.nonzero(report.row_persons() == person)[0]
    table = report.observations
    return [(int(table.frame[row]), table.boxes[row : row + 1]) for row in rows]


@pytest.mark.parametrize("choice", ["named", "unnamed", "grace"])
def test_the_right_ones_are_left(sample_case: Case, choice: str, tmp_path: Path) -> None:
    first, second = (p.person_id for p in sample_case.report.persons[:2])
    case = replace(sample_case, report=named(sample_case.report, first))
    after = found(case.export(choice, tmp_path / "x.mp4"))

    def share(person: int) -> float:
        """How often somebody is found where they were."""
        visible = shown(case.report, person)
        hits = [boxes.iou(after[n], box).max(initial=0) > 0.5 for n, box in visible]
        return sum(hits) / len(hits)

    left = {"named": second, "grace": second, "unnamed": first}[choice]
    gone = first + second - left
    assert share(gone) == 0
    assert share(left) > 0.9
