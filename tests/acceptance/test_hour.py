"""An hour at 29.97 pictures a second: who counts 29 or 30 of them is seconds or minutes off."""

import csv
import re
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from analyzer.__main__ import main
from tests.support import media

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1800)]
RATE = Fraction(30000, 1001)
FRAME_S = float(1 / RATE)
LOOP, SHOWN = 300, range(200, 260)
"""Pictures of the clip that is looped, and those that show the face."""
HOUR_S = 3600
CLOCK = re.compile(r"^Dialogue: 0,(\d+):(\d+):(\d+\.\d+),(\d+):(\d+):(\d+\.\d+),", re.MULTILINE)


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds, two of them with a face, looped to an hour without encoding again."""
    data = pytest.importorskip("skimage.data")
    folder = tmp_path_factory.mktemp("hour")
    face = cv2.resize(data.astronaut()[:384], (320, 240), interpolation=cv2.INTER_AREA)
    nobody = cv2.resize(data.rocket(), (320, 240), interpolation=cv2.INTER_AREA)
    with av.open(str(folder / "clip.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"g": "30", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(LOOP):
            picture = face if number in SHOWN else nobody
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(stream.encode())
    path = folder / "hour.mp4"
    media.ffmpeg("-stream_loop", "-1", "-i", folder / "clip.mp4", "-t", HOUR_S, "-c", "copy", path)
    return path


@pytest.fixture(scope="module")
def times(hour: Path) -> list[float]:
    """Time of every picture, by its packet."""
    with av.open(str(hour)) as container:
        start = container.start_time / av.time_base
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return sorted(float(packet.pts * packet.time_base) - start for packet in packets)


def analyse(hour: Path, out: Path, *options: str) -> tuple[list[dict[str, str]], str]:
    """Rows of the CSV and the text of the subtitle."""
    arguments = ["analyze", str(hour), "-o", str(out), "--export", "csv,ass", *options]
    assert main([*arguments, "--device", "cpu"]) == 0
    with (out / "hour.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file)), (out / "hour.ass").read_text(encoding="utf-8")


def boxes_shown(subtitle: str) -> np.ndarray:
    """(n, 2) start and end of each box in seconds."""
    seconds = [
        [3600 * int(h) + 60 * int(m) + float(s) for h, m, s in (clocks[:3], clocks[3:])]
        for clocks in CLOCK.findall(subtitle)
    ]
    return np.array(seconds).reshape(-1, 2)


def test_the_last_box_is_on_its_face(hour: Path, times: list[float], tmp_path: Path) -> None:
    showing = [number for number in range(len(times)) if number % LOOP in SHOWN]
    assert times[showing[-1]] > HOUR_S - 10
    rows, subtitle = analyse(hour, tmp_path, "--start", str(HOUR_S - 10))
    assert [int(row["frame"]) for row in rows] == [n for n in showing if times[n] >= HOUR_S - 10]
    shown = boxes_shown(subtitle)
    starts = np.array([times[int(row["frame"])] for row in rows])
    np.testing.assert_allclose(shown[:, 0], starts, atol=FRAME_S / 2)
    np.testing.assert_allclose(shown[:, 1], starts + FRAME_S, atol=FRAME_S / 2)


def test_every_row_of_the_hour_shows_the_face(
    hour: Path, times: list[float], tmp_path: Path
) -> None:
    rows, _ = analyse(hour, tmp_path, "--fps", "0.6", "--shots", "none")
    frames = np.array([int(row["frame"]) for row in rows])
    assert set(frames % LOOP) <= set(SHOWN)
    assert times[frames[-1]] > HOUR_S - 20
    for row in rows:
        assert float(row["time_s"]) == pytest.approx(times[int(row["frame"])], abs=1e-3)
    # Samples are closer together than the face is long.
    assert len(set(frames // LOOP)) == len(times) // LOOP
