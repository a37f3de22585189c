"""One stream in seven containers: the same samples, and those that arithmetic says."""

import random
from collections.abc import Callable
from fractions import Fraction
from math import ceil
from pathlib import Path

import pytest

from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import video
from tests.support import media

RATES = {
    "23.976": Fraction(24000, 1001),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
    "50": Fraction(50),
    "59.94": Fraction(60000, 1001),
}
SUFFIXES = ("mp4", "mkv", "webm", "flv", "ts", "avi", "mov")
COUNT = 160
"""Pictures in each film."""


def sampled(rate: Fraction, fps: Fraction) -> list[int]:
    """Numbers of the first pictures at or after each moment; each picture once.

    What is taken is decided by the moments `k / fps` and the times `i / rate` alone.
    """
    moments = ceil(Fraction(COUNT - 1) / rate * fps) + 1
    numbers = {ceil(k / fps * rate) for k in range(moments)}
    return sorted(number for number in numbers if number < COUNT)


def in_range(rate: Fraction, start: Fraction, stop: Fraction) -> list[int]:
    return [i for i in range(COUNT) if start <= i / rate < stop]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Makes each film once: VP8 for WebM, else H.264, without B-frames for AVI's sake."""
    folder = tmp_path_factory.mktemp("films")

    def get(rate: str, suffix: str) -> Path:
        path = folder / f"{rate}.{suffix}"
        if path.exists():
            return path
        if suffix in ("mp4", "webm"):
            source = ("-f", "lavfi", "-i", f"testsrc2=size=64x48:rate={RATES[rate]}")
            vp8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8")
            coder = vp8 if suffix == "webm" else ("-c:v", "libx264", "-bf", "0")
            frames = ("-frames:v", str(COUNT), "-g", "12", "-pix_fmt", "yuv420p")
            media.ffmpeg(*source, *frames, *coder, path)
        else:
            media.ffmpeg("-i", get(rate, "mp4"), "-c", "copy", path)
        return path

    return get


def numbers(path: Path, **sampling: float) -> list[int]:
    with video.create(**sampling, runtime=Runtime(threads=1)).open(str(path)) as medium:
        return [frame.index for frame in medium.frames()]


def wishes(rate: str) -> list[tuple[float, Fraction]]:
    """Values of --fps, and what they mean for a film of this rate: a part of it, or themselves."""
    written, exact = Fraction(rate), RATES[rate]
    parts = [(round(float(written / n), 5), exact / n) for n in (1, 2, 3)]
    return [*parts, (5, Fraction(5)), (1, Fraction(1)), (0.3, Fraction(3, 10))]


@pytest.mark.parametrize("rate", RATES)
def test_samples_do_not_depend_on_the_container(rate, film):
    for fps, meant in wishes(rate):
        expected = sampled(RATES[rate], meant)
        got = {suffix: numbers(film(rate, suffix), fps=fps) for suffix in SUFFIXES}
        assert got == dict.fromkeys(SUFFIXES, expected), fps


@pytest.mark.parametrize("rate", RATES)
def test_start_and_stop_do_not_depend_on_the_container(rate, film):
    chance = random.Random(rate)
    length = COUNT / float(RATES[rate])
    for _ in range(3):
        start, stop = sorted(round(chance.uniform(0, length), 4) for _ in range(2))
        stop += 0.1
        expected = in_range(RATES[rate], Fraction(str(start)), Fraction(str(stop)))
        got = {s: numbers(film(rate, s), start=start, stop=stop) for s in SUFFIXES}
        assert got == dict.fromkeys(SUFFIXES, expected), (start, stop)


@pytest.mark.parametrize("suffix", ["mkv", "flv"])
def test_a_time_of_the_table_is_a_start(suffix, film):
    """As it is written there, to the microsecond."""
    path = film("59.94", suffix)
    with video.create(runtime=Runtime(threads=1)).open(str(path)) as medium:
        frames = list(medium.frames())
    for frame in frames[7::50]:
        assert numbers(path, start=round(frame.time_s, 6))[0] == frame.index
