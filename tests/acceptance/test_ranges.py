"""--start and --stop at 200 values: the same pictures in all containers and ways of reading."""

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import Decoder
from analyzer.types import U8
from joblist.shard import Shard
from tests.support import media

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
RATES = {
    "23.976": Fraction(24000, 1001),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
    "50": Fraction(50),
    "59.94": Fraction(60000, 1001),
}
SUFFIXES = ("mp4", "mkv", "webm", "flv", "ts", "avi", "mov")
COUNT, GROUP, SHOT = 96, 12, 24
"""Pictures in a film, from one key frame to the next, and in a shot."""
VALUES = 200


class Watcher:
    """Finds a cut before every 24th picture, as it counts the pictures by their brightness."""

    lookahead, lookback = 0, 1

    def __init__(self) -> None:
        self.last: int | None = None

    def update(self, picture: U8, time_s: float) -> list[float]:
        shot = round(float(picture.mean()) / 50)
        is_cut = self.last is not None and shot != self.last
        self.last = shot
        return [time_s] if is_cut else []

    def take(self, picture: U8) -> None:
        """Look at nothing."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], str]:
    """Makes each film once: shots that differ in brightness."""
    folder = tmp_path_factory.mktemp("films")

    def get(rate: str, suffix: str) -> str:
        path: Path = folder / f"{rate}.{suffix}"
        if path.exists():
            return str(path)
        if suffix in ("mp4", "webm"):
            grey = f"nullsrc=size=64x48:rate={RATES[rate]},geq=lum='10+50*floor(N/{SHOT})':cb=128"
            vp8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8")
            x264 = ("-c:v", "libx264", "-bf", "0", "-sc_threshold", "0")
            coder = vp8 if suffix == "webm" else x264
            frames = ("-frames:v", str(COUNT), "-g", str(GROUP), "-pix_fmt", "yuv420p")
            media.ffmpeg("-f", "lavfi", "-i", grey, *frames, *coder, path)
        else:
            media.ffmpeg("-i", get(rate, "mp4"), "-c", "copy", path)
        return str(path)

    return get


def decoder(**options: Any) -> Decoder:
    loaded: Decoder = registry.load("decode", "video", runtime=Runtime(threads=1), **options)
    return loaded


def whole(path: str, *, watched: bool, **options: Any) -> list[int]:
    with decoder(**options).open(path) as medium:
        return [frame.index for frame in medium.frames(Watcher() if watched else None)]


def in_shards(path: str, **options: Any) -> Iterator[int]:
    """Numbers of the frames of four shards, as they are joined."""
    offset = 0
    for number in range(4):
        shard = Shard(number=number, count=4, least_s=0.0)
        with decoder(**options).open(path, shard=shard) as medium:
            yield from (offset + frame.index for frame in medium.frames(Watcher()))
            offset += medium.frames_decoded


def ranges(rate: str) -> list[tuple[float, float]]:
    chance, length = random.Random(rate), COUNT / float(RATES[rate])
    pairs = [sorted(chance.uniform(0, length) for _ in range(2)) for _ in range(VALUES)]
    return [(round(a, 4), round(b + 0.09, 4)) for a, b in pairs]


def expected(rate: str, start: float, stop: float, step: int = 1) -> list[int]:
    first, last = Fraction(str(start)), Fraction(str(stop))
    return [i for i in range(0, COUNT, step) if first <= i / RATES[rate] < last]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rate", RATES)
def test_ranges_are_the_same(rate, suffix, film):
    """Each value with one way of reading: picture after picture, sparse, shards, key frames."""
    path = film(rate, suffix)
    for number, (start, stop) in enumerate(ranges(rate)):
        options: dict[str, Any] = {"start": start, "stop": stop}
        way = number % 4
        if way == 0:
            got = whole(path, watched=True, **options)
        elif way == 1:
            got = whole(path, watched=False, **options)
        elif way == 2:
            got = list(in_shards(path, **options))
        else:
            keys = expected(rate, start, stop, GROUP)
            if not keys:
                continue
            assert whole(path, watched=False, key_frames=True, **options) == keys, (start, stop)
            continue
        assert got == expected(rate, start, stop), (way, start, stop)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rate", RATES)
def test_samples_of_a_range_are_the_same(rate, suffix, film):
    """With --fps as well, in all ways of reading, as in the mp4."""
    path, plain = film(rate, suffix), film(rate, "mp4")
    for start, stop in ranges(rate)[:10]:
        options: dict[str, Any] = {"fps": 7, "start": start, "stop": stop}
        samples = whole(plain, watched=False, **options)
        assert whole(path, watched=False, **options) == samples, (start, stop)
        with_cuts = whole(plain, watched=True, **options)
        assert whole(path, watched=True, **options) == with_cuts, (start, stop)
        assert list(in_shards(path, **options)) == with_cuts, (start, stop)
