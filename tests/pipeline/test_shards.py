"""What is decoded of a medium does not depend on the number of shards, whatever the medium."""

import hashlib
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.inference.runtime import Runtime
from analyzer.pipeline.components import FrameWatcher
from analyzer.stages.decode import video as decode
from joblist.shard import Shard
from tests.support import media

SCENES = ("testsrc=s=160x90", "mandelbrot=s=160x90", "smptebars=s=160x90", "testsrc2=s=160x90",
          "gradients=s=160x90:seed=1:c0=white:c1=black", "rgbtestsrc=s=160x90")  # fmt: skip


def scenes(path: Path, *options: str, lengths: tuple[float, ...] = (1.2, 0.4, 2, 0.8, 1.5)) -> Path:
    """Shots of these lengths in seconds, at 25 pictures a second, with sound."""
    inputs = [f"{SCENES[i % len(SCENES)]}:r=25" for i in range(len(lengths))]
    cut = ";".join(
        f"[{i}]trim=duration={length},setsar=1,format=yuv420p[v{i}]"
        for i, length in enumerate(lengths)
    )
    joined = "".join(f"[v{i}]" for i in range(len(lengths)))
    media.ffmpeg(
        *(word for source in inputs for word in ("-f", "lavfi", "-i", source)),
        "-f", "lavfi", "-i", f"sine=duration={sum(lengths)}",
        "-filter_complex", f"{cut};{joined}concat=n={len(lengths)}[v]",
        "-map", "[v]", "-map", f"{len(lengths)}:a", "-g", "12", *options, path,
    )  # fmt: skip
    return path


def variable_rate(path: Path) -> Path:
    whole = scenes(path.with_name("whole.mp4"))
    media.ffmpeg("-i", whole, "-vf", "select='not(mod(n,3))+lt(n,30)'", "-fps_mode", "vfr",
                 "-g", "9", path)  # fmt: skip
    return path


def black_bars(path: Path) -> Path:
    """Bars that only the second half is without."""
    whole = scenes(path.with_name("whole.mp4"))
    bars = "drawbox=h=20:c=black:t=fill:enable='lt(t,3)'"
    media.ffmpeg("-i", whole, "-vf", bars, "-g", "12", path)
    return path


def sound_goes_on(path: Path) -> Path:
    whole = scenes(path.with_name("whole.mp4"))
    media.ffmpeg("-i", whole, "-f", "lavfi", "-i", "sine=duration=12", "-map", "0:v", "-map", "1:a",
                 "-c:v", "copy", path)  # fmt: skip
    return path


def noisy(path: Path, *, share: int = 400) -> Path:
    """A few of the bytes are others."""
    data, chance = bytearray(scenes(path).read_bytes()), random.Random(1)
    for _ in range(len(data) // share):
        data[chance.randrange(len(data) // 5, len(data) * 4 // 5)] = chance.randrange(256)
    path.write_bytes(data)
    return path


def broken_clock(path: Path) -> Path:
    """The second half begins at zero again."""
    halves = [scenes(path.with_suffix(f".{n}.ts")) for n in (1, 2)]
    path.write_bytes(b"".join(half.read_bytes() for half in halves))
    return path


def two_sizes(path: Path) -> Path:
    small = scenes(path.with_suffix(".1.ts"))
    large = path.with_suffix(".2.ts")
    media.ffmpeg("-i", small, "-vf", "scale=320:180", "-output_ts_offset", "5.9", large)
    path.write_bytes(small.read_bytes() + large.read_bytes())
    return path


def coded(*options: str) -> Callable[[Path], Path]:
    return lambda path: scenes(path, *options)


H264 = "-x264-params"
MAKERS: dict[str, Callable[[Path], Path]] = {
    "plain.mp4": scenes,
    "plain.mkv": scenes,
    "plain.ts": scenes,
    "open groups.mp4": coded(H264, "open-gop=1:bframes=3:keyint=12:scenecut=0:b-adapt=0"),
    "open groups.ts": coded(H264, "open-gop=1:bframes=3:keyint=12:scenecut=0:b-adapt=0"),
    "no key frames.mp4": coded(H264, "intra-refresh=1:keyint=12"),
    "mpeg2.mpg": coded("-c:v", "mpeg2video", "-bf", "2", "-q:v", "4"),
    "mpeg2.ts": coded("-c:v", "mpeg2video", "-bf", "2", "-q:v", "4"),
    "mpeg4.avi": coded("-c:v", "mpeg4", "-q:v", "4"),
    "vp9.webm": coded("-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"),
    "one key frame.mp4": coded("-g", "999", "-sc_threshold", "0"),
    "no cut.mp4": lambda path: media.video(path, size="160x90", seconds=4),
    "one picture.mp4": lambda path: media.video(path, rate="25", seconds=0.04),
    "variable rate.mp4": variable_rate,
    "black bars.mp4": black_bars,
    "sound goes on.mp4": sound_goes_on,
    "noisy.mp4": noisy,
    "a little noisy.mp4": lambda path: noisy(path, share=40_000),
    "a little noisy.ts": lambda path: noisy(path, share=40_000),
    "noisy.ts": noisy,
    "noisy.mkv": noisy,
    "broken clock.ts": broken_clock,
    "two sizes.ts": two_sizes,
}


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes each medium once."""
    made: dict[str, Path] = {}

    def get(name: str) -> Path:
        if name not in made:
            made[name] = MAKERS[name](tmp_path_factory.mktemp("medium") / name)
        return made[name]

    return get


def look(path: Path, shard: Shard | None, threads: int, **sampling: Any) -> tuple[Any, ...]:
    """The frames of one shard; its counters; its canvas; what it says of the medium."""
    runtime = Runtime(device="cpu", threads=threads)
    decoder = decode.create(**sampling, runtime=runtime)
    for careful in (False, True):
        watch = FrameWatcher(registry.load("shots", "adaptive", runtime=runtime))
        with decoder.open(str(path), shard=shard, careful=careful) as medium:
            frames = [
                (f.index, f.time_s, f.duration_s, f.cut, hashlib.sha256(f.image).hexdigest())
                for f in medium.frames(watch)
            ]
        if not medium.needs_care:
            break
    assert not medium.needs_care
    counts = medium.frames_decoded, medium.damaged, medium.missing_s
    return frames, counts, watch.canvas.box, medium.info if medium.reached_end else None


def join(looks: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """What several shards saw, as one."""
    frames, offset = [], 0
    for part, (decoded, *_), _, _ in looks:
        frames += [(index + offset, *rest) for index, *rest in part]
        offset += decoded
    counts = tuple(sum(column) for column in zip(*(c for _, c, _, _ in looks), strict=True))
    low = [min(box[i] for _, _, box, _ in looks) for i in (0, 1)]
    high = [max(box[i] for _, _, box, _ in looks) for i in (2, 3)]
    (info,) = [info for *_, info in looks if info is not None]
    return frames, counts, low + high, info


def shards(count: int, least_s: float = 0.0) -> list[Shard]:
    return [Shard(number=n, count=count, least_s=least_s) for n in range(count)]


SAMPLINGS: dict[str, dict[str, Any]] = {
    "all": {},
    "fps": {"fps": 4},
    "range": {"fps": 6, "start": 1.3, "stop": 4.1},
    "step": {"frame_step": 7},
}


CASES = [
    (name, sampling)
    for name in MAKERS
    for sampling in SAMPLINGS
    if sampling == "fps" or name in ("plain.mp4", "open groups.ts", "noisy.mp4")
]


@pytest.mark.parametrize(("name", "sampling"), CASES)
def test_shards_see_what_the_whole_sees(name, sampling, make):
    path, options = make(name), SAMPLINGS[sampling]
    frames, counts, box, info = look(path, None, 2, **options)
    assert frames
    for count in (2, 5, 40):
        looks = [look(path, s, 1 + s.number % 2, **options) for s in shards(count)]
        assert join(looks) == (frames, counts, box.tolist(), info), count


@pytest.mark.parametrize("name", ["plain.mp4", "open groups.ts", "mpeg2.mpg", "variable rate.mp4"])
def test_work_is_divided(name, make):
    """No shard of a medium with cuts owns everything, and none decodes from the start."""
    looks = [look(make(name), shard, 1) for shard in shards(3)]
    assert all(counts[0] > 0 for _, counts, _, _ in looks)


@pytest.mark.parametrize("name", ["no cut.mp4", "broken clock.ts"])
def test_what_cannot_be_divided_is_the_firsts(name, make):
    looks = [look(make(name), shard, 1) for shard in shards(3)]
    assert [bool(frames) for frames, *_ in looks] == [True, False, False]


def test_shards_are_no_shorter_than_wanted(make):
    path = make("plain.mp4")
    alone = [bool(look(path, s, 1)[0]) for s in shards(5, least_s=60)]
    assert alone == [True, False, False, False, False]
    halves = [bool(look(path, s, 1)[0]) for s in shards(5, least_s=2.5)]
    assert halves == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("length_s", "least_s", "shares"), [(100, 0, 8), (100, 30, 3), (10, 30, 1), (1000, 30, 8)]
)
def test_the_number_of_shares(length_s, least_s, shares):
    assert Shard(number=0, count=8, least_s=least_s).shares(Fraction(length_s)) == shares


@pytest.mark.parametrize("wrong", [(-1, 2, 0), (2, 2, 0), (0, 0, 0), (0, 1, -1)])
def test_shards_that_cannot_be(wrong):
    number, count, least_s = wrong
    with pytest.raises(UsageError, match="number shards from 0"):
        Shard(number=number, count=count, least_s=least_s)
