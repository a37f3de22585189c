"""The way of a medium: from the entry of a program down to the detector, with no step back up.

Detection runs in a thread of its own. What a reader follows is the stack of the thread that
entered, which waits for the detections, and below it the stack of the thread that detects.
"""

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import analyzer
import ina_worker
from analyzer.__main__ import main
from analyzer.options import AnalysisOptions
from analyzer.stages.detect.centerface import CenterFace
from joblist.model import JobSpec
from jobs.types import Lease, PartPaths
from tests.support.architecture import PACKAGES
from tests.support.media import ffmpeg
from tests.support.processes import ROOT

MAX_FRAMES, MAX_FILES = 9, 7
MAX_FRAMES_OF_ALL_THREADS, MAX_FILES_OF_ALL_THREADS = 13, 8
OURS = (*(f"{package}/" for package in PACKAGES), "ina_server.py", "ina_worker.py")
DETECTOR = ("analyzer/stages/detect/centerface.py", "detect")
Steps = list[tuple[str, str]]
"""File and function of each frame of ours, outermost first."""


def steps_of(stack: Iterable[traceback.FrameSummary]) -> Steps:
    """Return the frames that are the project's."""
    names = ((frame.filename.removeprefix(f"{ROOT}/"), frame.name) for frame in stack)
    return [(file, function) for file, function in names if file.startswith(OURS)]


def shown(steps: Steps) -> str:
    return "\n" + "\n".join(f"{file}: {function}" for file, function in steps)


def returns(steps: Steps) -> int:
    """Return how often the way comes back to a file that it has left."""
    files = [file for file, _ in steps]
    visits = [file for i, file in enumerate(files) if i == 0 or files[i - 1] != file]
    return len(visits) - len(set(visits))


@dataclass
class Recorder:
    """The stacks at the first call of the detector."""

    entry: int = field(default_factory=threading.get_ident)
    """The thread that enters."""
    starters: dict[threading.Thread, tuple[threading.Thread, Steps]] = field(default_factory=dict)
    """Thread -> thread that started it, and the stack there."""
    waiting: Steps = field(default_factory=list)
    detecting: Steps = field(default_factory=list)
    all_threads: Steps = field(default_factory=list)
    """Each thread's stack where it started the next one, and that of the detector's."""

    def start_thread(self, thread: threading.Thread) -> None:
        """Note who starts a thread."""
        self.starters[thread] = threading.current_thread(), steps_of(traceback.extract_stack())

    def call_detector(self) -> None:
        """Note the stacks, once the entering thread waits."""
        self.detecting = [*steps_of(traceback.extract_stack()), DETECTOR]
        if threading.get_ident() != self.entry:
            self.waiting = steps_of(self._stack_that_waits())
        self.all_threads = list(self.detecting)
        thread = threading.current_thread()
        while thread in self.starters:
            thread, steps = self.starters[thread]
            self.all_threads = steps + self.all_threads

    def _stack_that_waits(self) -> Sequence[traceback.FrameSummary]:
        deadline = time.monotonic() + 30
        while True:
            stack = traceback.extract_stack(sys._current_frames()[self.entry])
            if (Path(stack[-1].filename).name, stack[-1].name) == ("threading.py", "wait"):
                return stack
            assert time.monotonic() < deadline, "the entering thread does not wait"
            time.sleep(0.001)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    detect, start = CenterFace.detect, threading.Thread.start

    def traced(self: CenterFace, images: Any) -> Any:
        if not recorder.detecting and len(images):
            recorder.call_detector()
        return detect(self, images)

    def noted(self: threading.Thread) -> None:
        recorder.start_thread(self)
        start(self)

    monkeypatch.setattr(CenterFace, "detect", traced)
    monkeypatch.setattr(threading.Thread, "start", noted)
    return recorder


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
    task(lease, PartPaths({"csv": out / "part"}), lambda _values: None)


@pytest.fixture(scope="module")
def second(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first second of the sample."""
    clip = tmp_path_factory.mktemp("way") / "a.mp4"
    part = ("-t", "1", "-c:v", "libx264", "-preset", "ultrafast")
    ffmpeg("-i", sample / "sample.mp4", *part, clip)
    return clip


@pytest.mark.parametrize("entry", [by_command, by_api, by_worker])
def test_the_way_is_short_and_goes_down(
    entry: Callable[[Path, Path], None], recorder: Recorder, second: Path, tmp_path: Path
) -> None:
    entry(second, tmp_path / "out")
    way = recorder.waiting + recorder.detecting
    assert len(way) <= MAX_FRAMES, shown(way)
    assert len({file for file, _ in way}) <= MAX_FILES, shown(way)
    assert returns(way) == 0, shown(way)
    # The stricter count: through every thread between, with the code that hands over the work.
    threads = recorder.all_threads
    assert len(threads) <= MAX_FRAMES_OF_ALL_THREADS, shown(threads)
    assert len({file for file, _ in threads}) <= MAX_FILES_OF_ALL_THREADS, shown(threads)
