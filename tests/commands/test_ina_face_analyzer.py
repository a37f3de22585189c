"""The commands of inaFaceAnalyzer's README, as they stand there but for the program's name."""

import csv
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from analyzer.__main__ import main
from analyzer.workflows import fetching
from tests.support import hosts
from tests.support.media import ffmpeg
from tests.support.networks import ssd
from tests.support.processes import ROOT, command, free_port, run

VIDEO_COLUMNS = [
    *("frame", "bbox", "detect_conf", "sex_decfunc", "age_decfunc", "sex_label", "age_label"),
]
TRACKING_COLUMNS = [
    *("frame", "bbox", "face_id", "detect_conf", "track_conf", "sex_decfunc", "age_decfunc"),
    *("sex_label", "age_label", "sex_decfunc_avg", "age_decfunc_avg"),
    *("sex_label_avg", "age_label_avg"),
]
VIDEO = "sample.mp4"
ROW = [0.3, 1, 0.9, 0.2, 0.2, 0.7, 0.8]
"""A face that the network of a test finds in every picture."""


@pytest.fixture
def folder(tmp_path: Path, sample: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    ffmpeg("-i", sample / VIDEO, "-t", "2", "-c:v", "libx264", "-preset", "ultrafast", VIDEO)
    return tmp_path


def typed(text: str) -> int:
    """Type a command's words after the program's name; a shell expands what it does."""
    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {text}"], capture_output=True, text=True, check=True
    )
    return main(["analyze", *words.stdout.splitlines()])


def header(path: str | Path) -> list[str]:
    with open(path, newline="", encoding="utf-8") as stream:
        return next(csv.reader(stream))


def frames(path: str) -> set[int]:
    with open(path, newline="", encoding="utf-8") as stream:
        return {int(row["frame"]) for row in csv.DictReader(stream)}


def test_a_video(folder: Path) -> None:
    assert typed(f"--engine video -i {VIDEO} -o out") == 0
    assert header("out/sample.csv")[:7] == VIDEO_COLUMNS


def test_a_video_behind_an_address(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hosts.hosting(folder / "host", film=Path(VIDEO).read_bytes()) as (address, certs):
        monkeypatch.setattr(
            fetching, "Fetcher", lambda max_bytes: hosts.fetcher(certs, max_bytes=10**9)
        )
        assert typed(f"--engine video -i '{address}/film' -o out --fps 1") == 0
    assert header("out/film.csv")[:7] == VIDEO_COLUMNS


def test_a_picture_a_second_in_large_batches(folder: Path) -> None:
    assert typed(f"--engine video --fps 1 --batch_size 128 -i {VIDEO} -o out") == 0
    assert header("out/sample.csv")[:7] == VIDEO_COLUMNS
    assert len(frames("out/sample.csv")) == 2


def test_tracking(folder: Path) -> None:
    assert typed(f"--engine videotracking --fps 5 --detect_period 3 -i {VIDEO} -o out") == 0
    assert header("out/sample.csv")[:13] == TRACKING_COLUMNS


def test_tracking_with_exports(folder: Path, capsys) -> None:
    text = "--engine videotracking --fps 10 --detect_period 2 --mp4_export --ass_subtitle_export"
    assert typed(f"{text} -i {VIDEO} -o out") == 0
    assert header("out/sample.csv")[:13] == TRACKING_COLUMNS
    written = {path.name for path in Path("out").iterdir() if path.is_file()}
    assert written == {"sample.csv", "sample.ass", "sample.mp4"}
    assert "note: --export csv,mp4,ass says what to write" in capsys.readouterr().err


def test_pictures_into_one_csv(folder: Path) -> None:
    data = pytest.importorskip("skimage.data")
    from PIL import Image

    Path("media").mkdir()
    Image.fromarray(data.astronaut()).save("media/astronaut.png")
    Image.new("RGB", (64, 64)).save("media/nobody.png")
    shutil.copy(VIDEO, "media")  # as in its own folder: no picture, and left out
    assert typed("--engine image -i media/* -o ./myresults.csv") == 0
    assert Path("myresults.csv").is_file()
    assert header("myresults.csv")[:7] == VIDEO_COLUMNS
    with open("myresults.csv", newline="") as stream:
        assert [row["frame"] for row in csv.DictReader(stream)] == ["media/astronaut.png"]


def test_faces_that_are_cut_out(folder: Path) -> None:
    data = pytest.importorskip("skimage.data")
    from PIL import Image

    face = Image.fromarray(data.astronaut()).crop((150, 40, 300, 190)).resize((224, 224))
    face.save("face.png")
    assert typed("--engine preprocessed_image -i face.png -o ./faces.csv") == 0
    with open("faces.csv", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["bbox"] == "(0, 0, 224, 224)"
    assert row["sex_label"] == "f"


def test_detectors_by_their_names(folder: Path, capsys) -> None:
    """Their weights are not ours to give: a small network, and what to fetch."""
    ssd(folder / "ssd.onnx", [ROW])
    one = f"--engine video --fps 1 -i {VIDEO}"
    detector = "--face_detector OcvCnnFacedetector"
    assert typed(f"{one} -o out {detector}:weights=ssd.onnx --min_face_size_px 30") == 0
    assert header("out/sample.csv")[:7] == VIDEO_COLUMNS
    assert typed(f"{one} -o none {detector}") == 2
    assert "res10_300x300_ssd" in capsys.readouterr().err
    assert typed(f"{one} -o none --face_detector LibFaceDetection") == 2
    assert "--detector yunet:weights=FILE.onnx" in capsys.readouterr().err


def test_classifiers_by_their_names(folder: Path) -> None:
    limits = "--face_detection_confidence 0.6 --face_detection_padding 0 --min_face_size_percent 0"
    classifier = "--classifier Vggface_LSVM_YTF"
    assert typed(f"--engine video --fps 1 -i {VIDEO} -o out {limits} {classifier}") == 0
    assert "sex_label" in header("out/sample.csv")


def test_help(folder: Path, capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        typed("-h")
    assert stopped.value.code == 0
    assert "docs/coming-from.md" in capsys.readouterr().out


@pytest.mark.acceptance
def test_the_distributed_server_and_its_worker(folder: Path) -> None:
    rows = [
        "source_path,dest_csv,dest_ass,dest_mp4",
        f"{VIDEO},out/a.csv,,",
        f"{VIDEO},out/b.csv,out/b.ass,out/b.mp4",
    ]
    Path("test.csv").write_text("\n".join(rows) + "\n")
    port = free_port()
    server = command(
        str(ROOT / "ina_server.py"),
        *shlex.split("localhost test.csv --engine video --fps 1"),
        *("--port", str(port)),
        cwd=folder,
    )
    uri = server.stdout.readline().strip()
    assert uri.startswith("PYRO:")
    with command(str(ROOT / "ina_worker.py"), uri, cwd=folder) as worker:
        try:
            code, out, errors = run(server)
        finally:
            worker.send_signal(signal.SIGTERM)
    assert (code, errors) == (0, errors), out + errors
    assert {path.name for path in Path("out").iterdir()} == {"a.csv", "b.csv", "b.ass", "b.mp4"}
    assert header("out/b.csv")[:7] == VIDEO_COLUMNS
