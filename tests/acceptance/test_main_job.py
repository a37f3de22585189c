"""The main job, run as a user runs it: a joblist in, files to review out."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from analyzer.imaging import boxes
from tests.support import media
from tests.support.processes import ROOT
from tests.support.servers import serve, serve_file, table

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
COLUMNS = (
    "frame,bbox,face_id,detect_conf,track_conf,sex_decfunc,age_decfunc,sex_label,age_label,"
    "sex_decfunc_avg,age_decfunc_avg,sex_label_avg,age_label_avg,"
    "time_s,person_id,name,sharpness,frontality"
)


SUFFIXES = {"csv": "csv", "ass": "ass", "mp4": "mp4", "characters": "characters.csv"}


def job(source: Path, out: Path) -> dict[str, object]:
    files = {f"dest_{name}": out / f"{source.stem}.{end}" for name, end in SUFFIXES.items()}
    return {"source_path": source, **files}


def box(row: dict[str, str]) -> np.ndarray:
    return np.array([[int(n) for n in re.findall(r"-?\d+", row["bbox"])]], np.float32)


@pytest.fixture(scope="module")
def sample_run(sample, tmp_path_factory):
    out = tmp_path_factory.mktemp("sample")
    code, text = serve(out, [job(sample / "sample.mp4", out)], "--fps", "5", "--workers", "2")
    assert code == 0, text
    return out, text, json.loads((sample / "sample.truth.json").read_text())


def test_characters_are_the_truths(sample_run):
    out, _, truth = sample_run
    rows = table(out / "sample.characters.csv")
    true_times = sorted((p["screen_time_s"] for p in truth["people"].values()), reverse=True)
    assert [float(r["screen_time_s"]) for r in rows] == pytest.approx(true_times, abs=0.3)


def test_boxes_are_on_the_faces(sample_run):
    out, _, truth = sample_run
    for row in table(out / "sample.csv"):
        places = [p["boxes"].get(row["frame"]) for p in truth["people"].values()]
        overlaps = [
            boxes.iou(box(row), np.array([p], np.float32))[0, 0] for p in places if p is not None
        ]
        assert max(overlaps) > 0.45


def test_the_summary_says_what_was_done(sample_run):
    _, text, truth = sample_run
    assert re.search(r"^PYRO:ina\.jobs@localhost:\d+$", text, re.MULTILINE)
    for word in ("decoded", "detected", "described", "saved", "persons", "real time"):
        assert word in text
    assert str(truth["frames"]) in text


@pytest.fixture(scope="module")
def clip_run(shared, tmp_path_factory):
    out = tmp_path_factory.mktemp("clip")
    source = shared / "media" / "video" / "short_hamilton_clip.mp4"
    code, text = serve(out, [job(source, out)], "--fps", "5")
    assert code == 0, text
    return out, source


class TestClip:
    """A film clip with its first picture at 0.844 s."""

    def test_enough_faces_under_the_reference_columns(self, clip_run):
        out, source = clip_run
        lines = (out / f"{source.stem}.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == COLUMNS
        assert len(lines) - 1 >= 95

    def test_times_are_the_players(self, clip_run):
        out, source = clip_run
        times = media.player_times(source)
        assert times[0] == pytest.approx(0.844, abs=1e-3)
        for row in table(out / f"{source.stem}.csv"):
            assert float(row["time_s"]) == pytest.approx(times[int(row["frame"])], abs=1e-3)

    def test_mp4_has_the_sound_and_ends_with_the_source(self, clip_run):
        out, source = clip_run
        result = out / f"{source.stem}.mp4"
        assert {stream.kind for stream in media.streams(result)} == {"video", "audio"}
        frame = 100 / 2997
        assert media.picture_end(result) == pytest.approx(media.picture_end(source), abs=2 * frame)

    def test_ffmpeg_reads_the_subtitle_without_a_word(self, clip_run):
        out, source = clip_run
        # The null format has no codec of its own for subtitles: without one named, ffmpeg would
        # complain of that, whatever the file.
        command = [media.FFMPEG, "-v", "warning", "-i", out / f"{source.stem}.ass", "-c:s", "ass"]
        done = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


class TestBadJoblist:
    """Nothing runs; every bad row is named with its line and the cure; exit code 2."""

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("source_path\na.mp4\n", ["dest_csv"]),
            ("source_path,dest_csv\na.mp4,a.csv\nb.mp4,b.csv,extra\n", ["jobs.csv:3"]),
            (
                "source_path,dest_csv\na.mp4,x.csv\nb.mp4,x.csv\n",
                ["jobs.csv:3", "line 2", "change"],
            ),
            ("source_path,dest_csv,dest_dvd\na.mp4,a.csv,a.dvd\n", ["dest_dvd", "mp4"]),
            ("", ["empty"]),
        ],
        ids=["missing column", "row too long", "same destination", "unknown exporter", "empty"],
    )
    def test_is_refused(self, text, words, tmp_path):
        joblist = tmp_path / "jobs.csv"
        joblist.write_text(text)
        code, output = serve_file(joblist)
        assert code == 2, output
        for word in words:
            assert word in output
        assert "Traceback" not in output
        assert not list(tmp_path.glob("*.mp4*"))

    def test_that_does_not_exist(self, tmp_path):
        code, output = serve_file(tmp_path / "none.csv")
        assert code == 2
        assert "none.csv" in output
        assert "Traceback" not in output


def test_bad_media_fail_alone(tmp_path):
    good = media.video(tmp_path / "good.mp4", seconds=1)
    missing, text, empty = (tmp_path / f"{n}.mp4" for n in ("missing", "text", "empty"))
    text.write_text("this is not a video\n" * 20)
    empty.touch()
    half = tmp_path / "half.mp4"
    half.write_bytes(good.read_bytes()[:2000])
    out = tmp_path / "out"
    code, output = serve(tmp_path, [job(p, out) for p in (missing, text, good, empty, half)])
    assert code == 1, output
    assert "Traceback" not in output
    for path, reason in ((missing, "no such file"), (text, "not a video"), (empty, "empty")):
        assert re.search(rf"{re.escape(str(path))}.*{reason}", output), output
    assert sorted(p.name for p in out.iterdir()) == [
        "good.ass", "good.characters.csv", "good.csv", "good.mp4",
    ]  # fmt: skip
    assert len((out / "good.csv").read_text().splitlines()) == 1


def test_the_same_command_again_has_nothing_to_do(sample, tmp_path):
    rows = [{"source_path": sample / "sample.mp4", "dest_csv": tmp_path / "s.csv"}]
    assert serve(tmp_path, rows, "--fps", "1")[0] == 0
    before = (tmp_path / "s.csv").stat()
    code, text = serve(tmp_path, rows, "--fps", "1")
    assert code == 0, text
    assert (tmp_path / "s.csv").stat().st_mtime_ns == before.st_mtime_ns
    (tmp_path / "s.csv").unlink()
    assert serve(tmp_path, rows, "--fps", "1")[0] == 0
    assert (tmp_path / "s.csv").exists()


def peak_memory(video: Path, out: Path) -> int:
    """Peak resident memory of one analysis in KiB."""
    code = "import sys; from analyzer.__main__ import main; assert main(sys.argv[1:]) == 0\n"
    arguments = ["analyze", video, "-o", out, "--fps", "5", "--export", "csv,ass,characters"]
    done = subprocess.run(
        [sys.executable, "-c", code + media.PRINT_PEAK, *map(str, arguments), "--device", "cpu"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    return int(done.stdout.split()[-1])


@pytest.mark.timeout(900)
def test_memory_does_not_grow_with_the_video(sample, tmp_path):
    peaks = []
    for minutes in (1, 10):
        path = tmp_path / f"{minutes}.mp4"
        media.ffmpeg("-stream_loop", "-1", "-i", sample / "sample.mp4", "-t", minutes * 60,
                     "-c", "copy", path)  # fmt: skip
        peaks.append(peak_memory(path, tmp_path))
    print(f"peak memory: {peaks[0]} KiB for 1 minute, {peaks[1]} KiB for 10")
    assert peaks[1] <= 1.1 * peaks[0]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.timeout(600)
def test_demo_in_a_fresh_clone(tmp_path):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment["XDG_STATE_HOME"] = str(tmp_path / "state")
    done = subprocess.run(["make", "demo"], cwd=clone, env=environment, capture_output=True,
                          text=True, timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    truth = json.loads((clone / "media" / "sample.truth.json").read_text())
    true_times = sorted((p["screen_time_s"] for p in truth["people"].values()), reverse=True)
    rows = table(clone / "results" / "sample.characters.csv")
    assert [float(r["screen_time_s"]) for r in rows] == pytest.approx(true_times, abs=0.3)
