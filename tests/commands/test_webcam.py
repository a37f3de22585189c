"""Watching a video as one watches a camera: in a table, in a window, until somebody stops it."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from analyzer.__main__ import main
from analyzer.imaging.boxes import iou
from analyzer.live.screens import window
from tests.support.processes import ROOT


def watch(*arguments) -> int:
    return main(["webcam", *map(str, arguments), "--device", "cpu", "--frame_step", "15"])


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_headless_finds_who_is_there(sample, tmp_path, capsys):
    table = tmp_path / "seen.csv"
    assert watch(sample / "sample.mp4", "--headless", "--frames", "20", "--csv", table) == 0
    output = capsys.readouterr().out
    assert re.search(r"sample.mp4: 20 frames, (\d+) faces, \d tracks; .* frames a second", output)
    table_rows = rows(table)
    truth = json.loads((sample / "sample.truth.json").read_text())["people"]
    expected = {
        (frame, name): box
        for name, person in truth.items()
        for frame, box in person["boxes"].items()
        if int(frame) % 15 == 0 and int(frame) < 300
    }
    assert len(table_rows) == len(expected)
    for (frame, _), box in expected.items():
        boxes = [
            json.loads(f"[{r['bbox'].strip('()')}]") for r in table_rows if r["frame"] == frame
        ]
        overlaps = iou(np.array(boxes, np.float32), np.array([box], np.float32))
        assert overlaps.max() > 0.45
    assert {row["sex_label"] for row in table_rows} <= {"f", "m", ""}
    assert all(float(row["age_label"]) for row in table_rows)


class Camera:
    """OpenCV's camera, which films a video, and is unplugged after some pictures."""

    def __init__(self, video: Path, pictures: int) -> None:
        self.film, self.left = cv2.VideoCapture(str(video)), pictures
        self.isOpened, self.release = self.film.isOpened, self.film.release
        self.get, self.set = self.film.get, self.film.set

    def read(self):
        self.left -= 1
        return self.film.read() if self.left >= 0 else (False, None)


@pytest.mark.parametrize("frames", [3, 100])
def test_a_camera_is_watched_to_its_end_and_given_back(frames, sample, capsys, monkeypatch):
    cameras = {1: Camera(sample / "sample.mp4", 61)}
    monkeypatch.setattr(cv2, "VideoCapture", cameras.get)
    assert watch("1", "--headless", "--frames", frames) == 0
    count = min(frames, 5)
    assert f"camera 1: {count} frames, {count} faces, 1 tracks" in capsys.readouterr().out
    assert not cameras[1].isOpened()


@pytest.mark.parametrize(
    ("arguments", "code", "cure"),
    [
        (["77", "--headless"], 1, "camera 77: cannot be opened; is it plugged in"),
        (["a.mp4", "--headless"], 1, "No such file"),
        (["a.mp4", "--engine", "image"], 2, "--engine image follows nobody"),
        (["0", "--start", "3"], 2, "--start is for videos; of a camera take every --frame_step"),
    ],
)
def test_what_cannot_be_watched_is_said(arguments, code, cure, capsys):
    assert main(["webcam", *arguments, "--device", "cpu"]) == code
    error = capsys.readouterr().err
    assert cure in error.splitlines()[-1]


def test_a_number_of_frames_has_bounds(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["webcam", "a.mp4", "--frames", "0"])
    assert "--frames: '0': give a whole number from 1 to" in capsys.readouterr().err


def test_without_a_display_there_is_a_cure(sample, capsys, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert watch(sample / "sample.mp4") == 2
    assert "no display to open a window on; take --headless" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "visible", "goes_on"),
    [(-1, 1, True), (ord("q"), 1, False), (27, 1, False), (-1, 0, False)],
)
def test_keys_and_the_close_button_end_it(key, visible, goes_on, monkeypatch):
    for name in ("resizeWindow", "imshow"):
        monkeypatch.setattr(cv2, name, lambda *arguments: None)
    monkeypatch.setattr(cv2, "waitKey", lambda delay: key)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda title, what: float(visible))
    none = np.empty((0, 4), np.float32)
    shown = window.Window("test").show(np.zeros((20, 30, 3), np.uint8), none, [])
    assert shown == goes_on


def test_boxes_and_labels_are_drawn():
    image = np.full((200, 300, 3), 90, np.uint8)
    boxes = np.array([[100, 50, 180, 150], [0, 0, 40, 40]], np.float32)
    drawn = window.draw(image, boxes, ["0 f 40", "1 m"])
    changed = (drawn != 90).any(2)
    assert changed[50, 110:180].all()
    assert changed[150, 100:180].all()
    assert not changed[60:140, 110:170].any()
    assert changed[:10, :20].all()  # a label that had no room above
    assert (image == 90).all()


@pytest.fixture(scope="module")
def display():
    """An X server of our own, by its name."""
    if not (shutil.which("Xvfb") and shutil.which("xdotool")):
        pytest.skip("no Xvfb and xdotool; Debian: apt-get install xvfb xdotool")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(60)


class Watching:
    """A process with a window."""

    def __init__(self, display: str, video: Path, table: Path) -> None:
        self.environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        command = [sys.executable, "-m", "analyzer", "webcam", video, "--csv", table]
        self.process = subprocess.Popen(
            command,
            env=self.environment,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.window = self._wait(lambda: self.do("search", "--name", "^ina: ")).splitlines()[-1]
        self._wait(lambda: table.exists() and table.read_text().count("\n") > 1)

    def do(self, *arguments: str) -> str:
        done = subprocess.run(
            ["xdotool", *arguments], env=self.environment, capture_output=True, text=True
        )
        return done.stdout.strip()

    def _wait(self, until):
        for _ in range(600):
            result = until()
            if result:
                return result
            assert self.process.poll() is None, self.process.stderr.read()
            time.sleep(0.1)
        raise AssertionError("nothing came")

    def end(self) -> tuple[int, str]:
        out, _ = self.process.communicate(timeout=60)
        return self.process.returncode, out


@pytest.mark.parametrize("how", ["q", "Escape", "interrupt"])
def test_a_window_is_shown_until_it_is_closed(how, display, sample, tmp_path):
    watching = Watching(display, sample / "sample.mp4", tmp_path / "seen.csv")
    if how == "interrupt":
        watching.process.send_signal(signal.SIGINT)
    else:
        watching.do("windowfocus", watching.window, "key", "--window", watching.window, how)
    code, out = watching.end()
    assert code == 0
    assert re.search(r"sample.mp4: \d+ frames, \d+ faces", out)
    assert int(re.search(r"(\d+) frames", out)[1]) < 500
