"""The way of a medium: from the entry of a program down to the detector, no step back up."""

import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import analyzer
import ina_worker
from analyzer.__main__ import main
from analyzer.options import AnalysisOptions
from analyzer.stages.detect.centerface import CenterFace
from jobs.types import JobSpec, Lease
from tests.support.architecture import PACKAGES, ROOT

MAX_FRAMES, MAX_FILES = 9, 7
HOME = {str(ROOT / package) for package in PACKAGES}


def ours(frames: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Yield file and function of the frames that are the project's, outermost first."""
    for frame in frames:
        name = str(Path(frame.filename).resolve())
        if any(name.startswith(f"{home}/") for home in HOME):
            yield name.removeprefix(f"{ROOT}/"), frame.name


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The frames from the entry to the detector: those of the caller, then those of its thread.

    The detector runs in a thread; what waits for it, in the thread of the entry, comes first.
    """
    steps: list[tuple[str, str]] = []
    entry = threading.get_ident()
    detect = CenterFace.detect

    def traced(self: CenterFace, images: Any) -> Any:
        if not steps and len(images):
            caller = traceback.extract_stack(sys._current_frames()[entry])
            own = traceback.extract_stack()
            steps.extend(ours(caller))
            steps.extend(ours(own))
            steps.append(("analyzer/stages/detect/centerface.py", "detect"))
        return detect(self, images)

    monkeypatch.setattr(CenterFace, "detect", traced)
    return steps


def by_command(video: Path, out: Path) -> None:
    assert main(["analyze", str(video), "-o", str(out), "--fps", "5", "--export", "csv"]) == 0


def by_api(video: Path, out: Path) -> None:
    analyzer.analyze(video, fps=5)


def by_worker(video: Path, out: Path) -> None:
    out.mkdir()
    lease = Lease(
        job=1,
        token=1,
        kind="run",
        spec=JobSpec(source_path=str(video), dests={"csv": str(out / "a.csv")}),
        options=AnalysisOptions(fps=5).to_dict(),
        key="k",
    )
    task = ina_worker.make_task({"threads": 0})
    task(lease, {"csv": out / "part"}, lambda _values: None)


@pytest.mark.parametrize("entry", [by_command, by_api, by_worker])
def test_the_way_is_short_and_goes_down(
    entry: Callable[[Path, Path], None], way: list[tuple[str, str]], sample: Path, tmp_path: Path
) -> None:
    entry(sample / "sample.mp4", tmp_path / "out")
    files = [name for name, _ in way]
    visits = [name for i, name in enumerate(files) if i == 0 or files[i - 1] != name]
    shown = "\n".join(f"{name}: {function}" for name, function in way)
    assert len(way) <= MAX_FRAMES, shown
    assert len(set(files)) <= MAX_FILES, shown
    assert len(visits) == len(set(visits)), shown
