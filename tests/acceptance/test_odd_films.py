"""Films with odd clocks, orientations and sounds: boxes of the mp4 are at the faces, sound is kept.

A face crosses the picture at a known pace. The mp4 is decoded by the ffmpeg on the `PATH`, the
bundled one, and those that `INA_TEST_FFMPEGS` names.
"""

import os
import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from analyzer import registry
from analyzer.errors import InputError
from analyzer.export import mp4
from analyzer.export._shown import PALETTE, colours
from analyzer.imaging.boxes import iou
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from analyzer.types import F32, U8, MediaReport
from tests.support import media
from tests.support.analysis import analyze
from tools.film_clocks import FILMS, Film, Maker, Source, encoded, pattern

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
OTHERS = [*filter(None, os.environ.get("INA_TEST_FFMPEGS", "").split(os.pathsep))]
RUNTIME = Runtime(device="cpu")
SAME_S = 1e-3
HEAD = slice(20, 200), slice(130, 320)
"""Rows and columns of the portrait that are shown: no collar, which detectors take for a face."""
FACE = media.ASTRONAUT_FACE - np.array([HEAD[1].start, HEAD[0].start] * 2, np.float32)
LEFT, TOP, PACE = 4, 20, 2.5
"""Where the portrait begins, and its steps to the right from picture to picture, in pixels."""
SILENT = (".gif", ".dv", ".h264", ".hevc", ".m2v")
PLAIN = ("-c:v", "libx264", "-bf", "0", "-g", "12")
SURROUND = "pan=7.1|" + "|".join(f"c{number}=c0" for number in range(8))
TITLE = b"Caf@ X", b"Caf\xe9 X"


def oriented(turns: int, mirrored: bool, *, by_codec: bool = False) -> Maker:
    """Make a film that is stored turned or mirrored, and says so."""

    def make(path: Path, source: Source = pattern) -> None:
        filters = [*["transpose=clock"] * turns, *["hflip"] * mirrored]
        stored = path.with_name("stored.mp4")
        encoded(*PLAIN, "-vf", ",".join(filters))(stored, source)
        if by_codec:
            said = f"display_orientation=insert:rotate={90 * turns}" + ":flip=horizontal" * mirrored
            media.ffmpeg("-i", stored, "-c", "copy", "-bsf:v", f"h264_metadata={said}", path)
        else:
            media.state_matrix(stored, media.orientation_matrix(turns, mirrored))
            media.copy_streams(stored, path)

    return make


def titled(*options: str) -> Maker:
    """Make a film with a title that is not UTF-8."""

    def make(path: Path, source: Source = pattern) -> None:
        encoded(*options, "-metadata", f"title={TITLE[0].decode()}")(path, source)
        path.write_bytes(path.read_bytes().replace(*TITLE))

    return make


def odd(name: str, make: Maker, rate: int = 25) -> Film:
    return Film(name, "", make, Fraction(0), "", rate=Fraction(rate))


MP3 = ("-c:a", "libmp3lame", "-b:a", "16k")
ODD_FILMS = (
    *FILMS,
    odd("mirrored.mp4", oriented(0, True)),
    odd("turned.mkv", oriented(1, False)),
    odd("mirrored and turned.mp4", oriented(3, True, by_codec=True)),
    odd("sound of 8 kHz.mkv", encoded(*PLAIN, "-ar", "8000", *MP3)),
    odd("telephone.avi", encoded("-c:v", "mpeg4", "-q:v", "2", "-ar", "8000", "-c:a", "pcm_mulaw")),
    odd("sound of 11 kHz.flv", encoded(*PLAIN, "-ar", "11025", *MP3)),
    odd("eight channels.mkv", encoded(*PLAIN, "-af", SURROUND, "-c:a", "flac")),
    odd("title.mkv", titled(*PLAIN)),
    odd("title.avi", titled("-c:v", "mpeg4", "-q:v", "2", "-c:a", "pcm_s16le")),
    odd("priming.mkv", encoded(*PLAIN, "-c:a", "libopus", rate="60"), rate=60),
    odd("priming of aac.mkv", encoded(*PLAIN, "-c:a", "aac", rate="60"), rate=60),
)


def faces(film: Film) -> F32:
    """(n, 4) the box of the face in each picture as it was made."""
    begins_anew = any(word in film.name for word in ("joined", "wrapped", "earlier"))
    steps = np.arange(film.count) % (film.count // 2 if begins_anew else film.count)
    moves = np.zeros((film.count, 4), np.float32)
    moves[:, [0, 2]] = LEFT + PACE * steps[:, None]
    moves[:, [1, 3]] = TOP
    return (FACE + moves).astype(np.float32)


@pytest.fixture(scope="module")
def models() -> components.Components:
    return components.load_components(AnalysisOptions(device="cpu", attributes=()))


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("portrait") / "head.png"
    cv2.imwrite(str(path), media.astronaut()[HEAD][..., ::-1])
    return path


@pytest.fixture(scope="module", params=ODD_FILMS, ids=lambda film: film.name)
def film(request: pytest.FixtureRequest) -> Film:
    return request.param


@pytest.fixture(scope="module")
def path(film: Film, portrait: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("film") / film.name

    def source(size: str | None, rate: str) -> tuple[str, ...]:
        graph = f"color=gray:size={size or '360x240'}:rate={rate}[back];movie={portrait}[head];"
        graph += f"[back][head]overlay=x='{LEFT}+{PACE}*n':y={TOP}"
        if made.name.endswith(SILENT):
            return ("-f", "lavfi", "-i", graph)
        sampling = 48_000 if made.suffix == ".mxf" else 44_100
        return ("-f", "lavfi", "-i", graph, "-f", "lavfi", "-i", f"sine=sample_rate={sampling}")

    film.make(made, source)
    return made


@pytest.fixture(scope="module")
def report(path: Path, models: components.Components) -> MediaReport:
    return analyze(str(path), components=models)


def export(report: MediaReport, choice: str | None, folder: Path) -> Path:
    options = {**report.provenance["options"], "anonymise": choice}
    chosen = replace(report, provenance={**report.provenance, "options": options})
    target = folder / f"{choice}.mp4"
    mp4.create(crf=10, runtime=RUNTIME).write(chosen, target)
    return target


def programs() -> list[str]:
    """The ffmpegs that decode."""
    names = [imageio_ffmpeg.get_ffmpeg_exe(), shutil.which("ffmpeg"), *OTHERS]
    return [name for name in dict.fromkeys(names) if name]


def decoded(program: str, path: Path) -> tuple[list[float], list[U8]]:
    """Times in seconds and pictures (h, w, 3) of a video, by an ffmpeg."""
    command = [program, "-v", "error", "-nostdin", "-copyts", "-i", str(path), "-map", "0:v"]
    command += ["-fps_mode", "passthrough"]

    def run(*options: str) -> bytes:
        done = subprocess.run([*command, *options, "-"], capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    lines = run("-f", "framecrc", "-enc_time_base", "1/90000").decode().splitlines()
    (base,) = (Fraction(line.split()[-1]) for line in lines if line.startswith("#tb 0"))
    stamps = [int(line.split(",")[2]) for line in lines if not line.startswith("#")]
    width, height = media.streams(path)[0].size or (0, 0)
    raw = np.frombuffer(run("-f", "rawvideo", "-pix_fmt", "rgb24"), np.uint8)
    return [float(stamp * base) for stamp in stamps], [*raw.reshape(-1, height, width, 3)]


def burnt_in(picture: U8, box: F32, colour: str) -> F32:
    """(1, 4) around the lines of a person's colour in a picture, without the label above them."""
    wanted = np.frombuffer(bytes.fromhex(colour), np.uint8).astype(int)
    lines = np.abs(picture.astype(int) - wanted).max(axis=2) < 60
    lines[: max(0, int(box[0, 1]) - 2)] = False
    lines[int(box[0, 3]) + 3 :] = False
    y, x = np.nonzero(lines)
    return np.array([[x.min(), y.min(), x.max() + 1, y.max() + 1]], np.float32)


def test_the_table_has_the_times_of_the_stream(film: Film, report: MediaReport) -> None:
    """From the first picture on; sound may begin before it."""
    times = report.observations.time_s
    assert len(times) == film.count, "a face in every picture"
    np.testing.assert_allclose(times - times[0], np.array(film.times) - film.times[0], atol=SAME_S)
    assert times[0] == pytest.approx(film.times[0], abs=0.15)


def test_boxes_of_the_mp4_are_at_the_face(
    film: Film, path: Path, report: MediaReport, tmp_path: Path
) -> None:
    written, table = export(report, None, tmp_path), report.observations
    persons, shades = report.row_persons(), colours(report)
    for program in programs():
        times, pictures = decoded(program, written)
        np.testing.assert_allclose(times, table.time_s, atol=SAME_S, err_msg=program)
        widened = np.array([pictures[0].shape[1] / report_width(report), 1.0] * 2)
        for number, (picture, face) in enumerate(zip(pictures, faces(film), strict=True)):
            box = table.boxes[number : number + 1]
            shown = burnt_in(picture, box, PALETTE[shades[int(persons[number])]])
            assert iou(shown, (face * widened)[None])[0, 0] > 0.6, (program, number)
    assert len(media.sounds(written)) == (0 if path.name.endswith(SILENT) else 1)
    if media.sounds(written):
        _, _, seconds, loudness = media.heard(written)
        assert seconds == pytest.approx(film.count / film.rate, abs=0.25)
        assert loudness > 0.05


def report_width(report: MediaReport) -> int:
    """Width of the picture as it was made, before its pixels became square."""
    return {768: 720, 640: 720}.get(report.info.width_px, report.info.width_px)


@cache
def low() -> Any:
    return registry.load("detect", "centerface:confidence=0.3", runtime=RUNTIME)


def test_no_face_is_bare_in_the_anonymised_mp4(
    film: Film, report: MediaReport, tmp_path: Path
) -> None:
    """A medium that is damaged, by what its packets say, is refused."""
    if report.tally.damaged:
        assert film.name.endswith(".ts")
        with pytest.raises(InputError, match="damaged, so that some faces may be missed"):
            export(report, "all", tmp_path)
        assert not list(tmp_path.iterdir())
        return
    _, pictures = decoded(programs()[0], export(report, "all", tmp_path))
    assert len(pictures) == film.count
    for found, face in zip(low().detect(pictures), faces(film), strict=True):
        assert iou(found.boxes, face[None]).max(initial=0) < 0.2
