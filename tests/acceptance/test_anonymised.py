"""Detectors look at anonymised videos, picture by picture, and find no hidden person."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
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


def bare(truth: list[F32], after: list[F32]) -> list[tuple[int, list[int]]]:
    """The faces of the source that are still found, and in which pictures.

    A face is found by a box with its middle in the face: with a low score a detector finds a face
    in leaves beside what is blurred.
    """
    assert len(truth) == len(after)
    return [
        (number, box.round().tolist())
        for number, (old, new) in enumerate(zip(truth, after, strict=True))
        for box in new
        if is_inside((box[:2] + box[2:]) / 2, old).any()
    ]


def is_inside(point: F32, faces: F32) -> Any:
    """Which (n,) of some boxes (n, 4) a point (2,) lies in."""
    return ((faces[:, :2] <= point) & (point < faces[:, 2:])).all(axis=1)


def test_all_faces_of_every_picture_are_gone(case: Case, tmp_path: Path) -> None:
    blurred = case.export("all", tmp_path / "x.mp4")
    assert sum(map(len, case.truth)) > 100
    assert bare(case.truth, found(blurred)) == []
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
