"""What is burnt in by ffmpeg 5 to 9 is the same: times, pictures and sound, and those of the csv.

The bundled ffmpeg and that on the `PATH` are tried; `INA_TEST_FFMPEGS` names more of them:
paths of programs with colons between. Each picture of the ten films carries its number in squares
of black and white, beside a face; the sound is a rising tone that begins at a known time.
"""

import csv
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from scipy.signal import correlate

from analyzer.export import csv as csv_format
from analyzer.export import mp4
from analyzer.files import ffmpeg
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from analyzer.types import MediaReport
from tests.support import media
from tests.support.analysis import analyze

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
EXTRA = "INA_TEST_FFMPEGS"
OTHERS = ["on the PATH", *filter(None, os.environ.get(EXTRA, "").split(os.pathsep))]
SAME_S = 1e-3
Export = Callable[[str, str | None], Path]


WIDTH, HEIGHT = 320, 240
SQUARE = 16
BITS = 8
CHIRP_S = 0.3, 0.8
"""When the tone begins and ends."""
_CHIRP = "if(between(t,{0},{1}),0.5*sin(2*PI*(300*(t-{0})+5000*(t-{0})*(t-{0}))),0)".format(
    *CHIRP_S
)
_RATE = 48_000


@dataclass(frozen=True)
class Film:
    """A kind of film, and how ffmpeg makes it."""

    name: str
    """Name of the file."""
    options: tuple[str, ...]
    """Options of ffmpeg for the output."""
    rate: int = 25
    pictures: int = 40
    sound: str = "stereo"
    late_s: float = 0.0
    """How much later the pictures begin than the sound, in seconds."""
    uneven: bool = False
    """Whether the pictures follow each other more and more slowly."""
    quarter_turns: int = 0
    """Quarter turns, counterclockwise, by which pictures are stored turned."""

    @property
    def times_s(self) -> list[float]:
        """Time of each picture, in seconds."""
        if self.uneven:
            return [(n * n + 3 * n) / 500 for n in range(self.pictures)]
        return [self.late_s + n / self.rate for n in range(self.pictures)]

    def make(self, folder: Path) -> Path:
        """Write the film with the ffmpeg of the tests."""
        path = folder / self.name
        stored = path.with_name(f"stored {self.name}") if self.quarter_turns else path
        shape = (WIDTH, HEIGHT) if self.quarter_turns % 2 == 0 else (HEIGHT, WIDTH)
        command = [
            *(media.FFMPEG, "-v", "error", "-y"),
            *("-f", "lavfi", "-i", f"aevalsrc='{_CHIRP}':s={_RATE}:c={self.sound}:d=1.6"),
            *("-itsoffset", str(self.late_s), "-f", "rawvideo", "-pix_fmt", "rgb24"),
            *("-s", "{}x{}".format(*shape), "-framerate", str(self.rate), "-i", "pipe:"),
            *("-map", "1:v", "-map", "0:a", "-c:v", "libx264", "-crf", "12", "-g", "10"),
            *("-pix_fmt", "yuv420p", *(_UNEVEN if self.uneven else ()), *self.options, str(stored)),
        ]
        raw = b"".join(
            np.ascontiguousarray(np.rot90(scene(n), -self.quarter_turns)).tobytes()
            for n in range(self.pictures)
        )
        subprocess.run(command, input=raw, check=True, capture_output=True, timeout=120)
        if self.quarter_turns:
            _turn(stored, path, 90 * self.quarter_turns)
        return path


def _turn(stored: Path, path: Path, degrees: int) -> None:
    """Copy a film and say how it is to be turned."""
    with av.open(str(stored)) as given, av.open(str(path), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in given.streams}
        out.streams.video[0].set_display_rotation(degrees)
        for packet in given.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)


_AAC = ("-c:a", "aac")
_UNEVEN = ("-vf", "settb=1/500,setpts=N*N+3*N", "-fps_mode", "vfr", "-enc_time_base:v", "1/500")
FILMS = (
    Film("stereo aac.mp4", _AAC),
    Film("opus.mkv", ("-c:a", "libopus"), rate=60, pictures=90),
    Film("uneven aac.mkv", _AAC, pictures=32, uneven=True),
    Film("late.mp4", ("-fps_mode", "passthrough", *_AAC), pictures=25, late_s=0.72),
    Film("full range.mp4", ("-vf", "scale=out_range=pc", "-pix_fmt", "yuvj420p", *_AAC)),
    Film(
        "odd.mkv", ("-vf", "format=yuv444p,crop=319:239:0:1", "-pix_fmt", "yuv444p", "-c:a", "flac")
    ),
    Film("turned.mp4", _AAC, quarter_turns=1),
    Film("b-frames.ts", ("-bf", "3", *_AAC)),
    Film(
        "mono mp3.mp4",
        ("-c:v", "mpeg4", "-q:v", "2", "-c:a", "libmp3lame", "-ar", "44100"),
        sound="mono",
    ),
    Film("wide pixels.mov", ("-vf", "setsar=4/3", "-c:a", "pcm_s16le")),
)


def scene(number: int) -> Any:
    """(HEIGHT, WIDTH, 3) uint8: a face, and the picture's number in squares at the bottom."""
    picture = cv2.resize(media.astronaut()[:384], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    picture = np.roll(picture, number % 8, axis=1)
    picture[-SQUARE:] = 128
    for bit in range(BITS):
        value = 235 if number >> bit & 1 else 16
        picture[-SQUARE:, 2 * SQUARE * bit : 2 * SQUARE * bit + SQUARE] = value
    return picture


def numbers(pictures: list[Any]) -> list[int]:
    """Number of each picture, by its squares."""
    found = []
    for picture in pictures:
        scale = picture.shape[1] // 32 * 32 / WIDTH
        row = picture[HEIGHT - SQUARE // 2].mean(axis=1)
        columns = [int((2 * SQUARE * bit + SQUARE // 2) * scale) for bit in range(BITS)]
        found.append(sum((row[x] > 128) << bit for bit, x in enumerate(columns)))
    return found


def pictures(path: Path) -> list[Any]:
    """Every picture as (h, w, 3) uint8 RGB, as it is stored."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def sound_start(path: Path) -> float:
    """When the tone begins on the player's clock, in seconds, to a sample."""
    with av.open(str(path)) as container:
        origin = (container.start_time or 0) / av.time_base
        rate, end = container.streams.audio[0].rate, 0
        heard = np.zeros(4 * rate)
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray()
            if not frame.format.is_planar:
                samples = samples.reshape(-1, frame.layout.nb_channels).T
            first = round((float(frame.pts * frame.time_base) - origin) * rate)
            # As players do: times that are rounded to milliseconds move no sample.
            first = end if end > 0 and abs(first - end) < rate / 500 else first
            end = first + samples.shape[1]
            heard[max(0, first) : end] = samples.mean(axis=0)[max(0, -first) :]
    seconds = np.arange(round((CHIRP_S[1] - CHIRP_S[0]) * rate)) / rate
    tone = np.sin(2 * np.pi * (300 * seconds + 5000 * seconds**2))
    return float(np.argmax(correlate(heard, tone, "valid", "fft")) / rate)


def program(name: str) -> str:
    """Path of an ffmpeg; skips the test where it is missing."""
    if name == "bundled":
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    found = shutil.which("ffmpeg" if name == "on the PATH" else name)
    if found is None:
        pytest.skip(f"no ffmpeg {name}; {EXTRA} may name others")
    if not ffmpeg._is_capable(found):
        pytest.skip(f"{found}: older than 5.1, or without libass or libx264")
    return found


@pytest.fixture(scope="module", params=FILMS, ids=lambda film: film.name)
def film(request: pytest.FixtureRequest) -> Film:
    return request.param


@pytest.fixture(scope="module")
def path(film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film.make(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="module")
def models() -> components.Components:
    return components.load_components(AnalysisOptions(device="cpu", attributes=()))


@pytest.fixture(scope="module")
def report(path: Path, models: components.Components) -> MediaReport:
    return analyze(str(path), components=models)


@pytest.fixture(scope="module")
def export(report: MediaReport, tmp_path_factory: pytest.TempPathFactory) -> Export:
    """Burns in, by one ffmpeg; each file is made once."""
    folder, made = tmp_path_factory.mktemp("exports"), {}

    def write(name: str, anonymise: str | None) -> Path:
        if (name, anonymise) not in made:
            target = made[name, anonymise] = folder / f"{len(made)}.mp4"
            options = {**report.provenance["options"], "anonymise": anonymise}
            chosen = replace(report, provenance={**report.provenance, "options": options})
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(mp4, "find_ffmpeg", lambda: program(name))
                mp4.create(crf=12, runtime=Runtime()).write(chosen, target)
        return made[name, anonymise]

    return write


def test_the_csv_has_the_times_that_the_film_was_made_with(
    film: Film, path: Path, report: MediaReport, tmp_path: Path
) -> None:
    csv_format.create(runtime=Runtime()).write(report, tmp_path / "film.csv")
    with (tmp_path / "film.csv").open(newline="", encoding="utf-8") as file:
        times = {int(row["frame"]): float(row["time_s"]) for row in csv.DictReader(file)}
    assert list(times) == list(range(film.pictures)), "a face in every picture"
    # Matroska and MPEG-TS begin with the priming of the sound: with the first packet.
    first = media.player_times(path)[0]
    made = np.array(film.times_s) - film.times_s[0] + first
    np.testing.assert_allclose(list(times.values()), made, atol=SAME_S)
    assert first == pytest.approx(film.times_s[0], abs=0.022)


@pytest.mark.parametrize("anonymise", [None, "all"], ids=["boxes", "anonymised"])
@pytest.mark.parametrize("name", ["bundled", *OTHERS])
def test_the_mp4_has_the_times_pictures_and_sound_of_the_film(
    name: str, anonymise: str | None, film: Film, path: Path, report: MediaReport, export: Export
) -> None:
    program(name)
    written = export(name, anonymise)
    np.testing.assert_allclose(media.player_times(written), report_times(report), atol=SAME_S)
    assert sound_start(written) == pytest.approx(sound_start(path), abs=SAME_S)
    shown = pictures(written)
    (size,) = {picture.shape[:2] for picture in shown}
    assert size == tuple(n + n % 2 for n in (report.info.height_px, report.info.width_px))
    assert numbers(shown) == list(range(film.pictures))
    assert media.streams(written)[0].pixels == "yuv420p"


@pytest.mark.parametrize("anonymise", [None, "all"], ids=["boxes", "anonymised"])
@pytest.mark.parametrize("name", OTHERS)
def test_versions_write_the_same(
    name: str, anonymise: str | None, film: Film, export: Export
) -> None:
    program(name)
    here, there = export("bundled", anonymise), export(name, anonymise)
    np.testing.assert_allclose(media.player_times(here), media.player_times(there), atol=SAME_S)
    assert sound_start(here) == pytest.approx(sound_start(there), abs=SAME_S)
    assert media.sounds(here) == media.sounds(there)
    for ours, theirs in zip(pictures(here), pictures(there), strict=True):
        differences = np.abs(ours.astype(int) - theirs.astype(int)).mean(axis=2)
        assert differences.mean() < 2
        assert max(differences[-2:].mean(), differences[:, -2:].mean()) < 4, "the padded edges"


def report_times(report: MediaReport) -> list[float]:
    """Time of each picture: each has a row."""
    return [float(time) for time in np.unique(report.observations.time_s)]
