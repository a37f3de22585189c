"""Films with odd clocks: every reader gives the times of the stream that they were made of."""

import math
from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.errors import InputError
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import Medium
from analyzer.types import Frame
from analyzer.types.tally import Tally
from tests.support import media
from tools import film_clocks
from tools.film_clocks import Film

FILMS = {film.name: film for film in film_clocks.FILMS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(params=FILMS)
def film(request: pytest.FixtureRequest) -> Film:
    return FILMS[request.param]


@pytest.fixture
def path(film: Film, folder: Path) -> Path:
    """Path of the film; it is made once."""
    made = folder / film.name
    if not made.exists():
        film.make(made)
    return made


def read(path: Path, **sampling: float) -> tuple[Medium, list[Frame]]:
    decoder = registry.load("decode", "video", runtime=Runtime(threads=2), **sampling)
    for careful in (False, True):
        with decoder.open(str(path), careful=careful) as medium:
            frames = list(medium.frames())
        if not medium.needs_care:
            break
    return medium, frames


def test_times_are_those_of_the_stream(film, path):
    medium, frames = read(path)
    assert [f.index for f in frames] == list(range(film.count))
    assert [f.time_s for f in frames] == pytest.approx(film.times, abs=1e-3)
    assert not any(math.copysign(1, f.time_s) < 0 for f in frames)
    ends = [f.time_s + f.duration_s for f in frames]
    assert ends == pytest.approx([*film.times[1:], film.times[-1] + 1 / film.rate], abs=1e-3)
    assert medium.missing_s == 0
    assert medium.info.duration_s == pytest.approx(ends[-1], abs=0.11)
    assert float(medium.info.frame_rate) == pytest.approx(float(film.rate), rel=1e-5)


def test_a_mended_clock_is_noted_and_is_no_damage(film, path):
    medium, _ = read(path)
    tally = Tally(
        clock_back=medium.clock_back, clock_ahead=medium.clock_ahead, untimed=medium.untimed
    )
    notes = tally.clock_notes
    assert [note.startswith(film.notes) for note in notes] == ([True] if film.notes else [])
    assert medium.damaged == 0 or path.suffix == ".ts"  # packets are counted there


def test_every_picture_is_found_again(film, path):
    _, frames = read(path)
    chosen = [*frames[::9], frames[-1]]
    decoder = registry.load("decode", "video", runtime=Runtime())
    pictures = list(decoder.pictures(str(path), [f.time_s for f in chosen]))
    for picture, frame in zip(pictures, chosen, strict=True):
        assert picture is not None, frame.time_s
        np.testing.assert_array_equal(picture, frame.image)


def test_key_frames_have_the_numbers_and_times_of_all_frames(film, path):
    _, keys = read(path, key_frames=True)
    assert keys[0].index == 0
    assert [k.time_s for k in keys] == pytest.approx([film.times[k.index] for k in keys], abs=1e-3)
    assert sum(k.duration_s for k in keys) == pytest.approx(film.count / film.rate, abs=1e-3)


@pytest.mark.parametrize("start", [None, 0])
def test_the_start_is_no_moment_before_zero(start, film, path):
    sampling = {"fps": 5} if start is None else {"fps": 5, "start": start}
    _, frames = read(path, **sampling)
    assert frames[0].index == 0
    expected = [next(t for t in film.times if t > k / 5 - 1e-6) for k in range(len(frames))]
    assert [f.time_s for f in frames] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", ["h264.avi", "mpeg4.avi", "full.ts", "rounded.mkv"])
def test_stamps_that_need_no_mending_are_those_of_ffprobe(name, folder):
    path = folder / name
    if not path.exists():
        FILMS[name].make(path)
    media.probe(path)
    probed = film_clocks.of_ffprobe(path)
    stated = [t for t in probed if t is not None]
    assert [f.time_s for f in read(path)[1]][: len(stated)] == pytest.approx(stated, abs=1e-3)


def test_the_message_says_when_the_first_picture_comes(tmp_path):
    whole = media.video(tmp_path / "whole.mp4", rate="25", seconds=1)
    path = tmp_path / "late.mkv"
    late = ("-itsoffset", "1.7", "-i", whole, "-i", whole, "-map", "0:v", "-map", "1:a")
    media.ffmpeg(*late, "-c", "copy", path)
    with pytest.raises(InputError, match=r"its first picture comes at 1\.7.*--start and --stop"):
        read(path, stop=0.5)
    with pytest.raises(InputError, match=r"ends at 2\.[67]"):
        read(path, start=9)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("key_frames", [False, True])
def test_stop_cuts_the_last_picture_off(key_frames, suffix, tmp_path):
    """Two slides of 10 seconds."""
    path = tmp_path / f"slides{suffix}"
    slides = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=1/10", "-frames:v", "2")
    media.ffmpeg(*slides, "-g", "1", "-pix_fmt", "yuv420p", path)
    for sampling in ({}, {"fps": 1}):
        _, frames = read(path, stop=15, key_frames=key_frames, **sampling)
        assert [(f.time_s, f.duration_s) for f in frames] == [(0, 10), (10, 5)]
    assert sum(f.duration_s for f in read(path, stop=3, key_frames=key_frames)[1]) == 3


def test_key_frames_are_sampled_by_time(tmp_path):
    """An intra-only master: every picture is a key frame."""
    path = tmp_path / "master.mkv"
    film_clocks.encoded("-c:v", "mjpeg", "-pix_fmt", "yuvj420p")(path)
    medium, frames = read(path, key_frames=True, fps=5)
    assert [f.index for f in frames] == list(range(0, 50, 5))
    assert all(f.cut for f in frames)
    assert [f.duration_s for f in frames] == pytest.approx([0.2] * 10)
    assert medium.frames_decoded == 50
