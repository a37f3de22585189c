"""What is decoded of a medium does not depend on the number of shards, whatever the medium."""

import hashlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.inference.runtime import Runtime
from analyzer.pipeline.components import FrameWatcher
from analyzer.stages.decode import video
from joblist.shard import Shard
from tests.support import shard_media


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes each medium once."""
    paths: dict[str, Path] = {}

    def get(name: str) -> Path:
        if name not in paths:
            paths[name] = shard_media.MAKERS[name](tmp_path_factory.mktemp("medium") / name)
        return paths[name]

    return get


def look(path: Path, shard: Shard | None, threads: int, **sampling: Any) -> tuple[Any, ...]:
    """The frames of one shard; its counters; its canvas; what it says of the medium."""
    runtime = Runtime(device="cpu", threads=threads)
    decoder = video.create(**sampling, runtime=runtime)
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
    for name in shard_media.MAKERS
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
