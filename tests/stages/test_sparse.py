"""Sampled pictures are the same, to the bit, whether the others are decoded or not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import _sparse
from tests.support import media

ENCODERS = {
    "as it comes.mp4": (),
    "closed groups.mp4": ("-g", "20", "-bf", "3"),
    "open groups.mp4": ("-g", "20", "-x264-params", "open-gop=1:b-pyramid=2:bframes=5:scenecut=0"),
    "open groups.mkv": ("-g", "20", "-x264-params", "open-gop=1:bframes=3"),
    "no key but the first.mkv": ("-g", "9999", "-sc_threshold", "0"),
    "refresh.mp4": ("-g", "20", "-x264-params", "intra-refresh=1:bframes=0"),
    "no reference at all.mp4": ("-g", "1"),
    "fields.mp4": ("-flags", "+ilme+ildct", "-g", "20"),
    "baseline.mp4": ("-profile:v", "baseline", "-g", "25"),
}
UNTOLD = ("refresh.mp4",)
"""Their packets say less than the decoder finds."""
SAMPLINGS: tuple[dict[str, Any], ...] = (
    {"fps": 1},
    {"fps": 0.3},
    {"fps": 7},
    {"frame_step": 13},
    {"fps": 2, "start": 2.5, "stop": 6.1},
    {"start": 7},
)


@pytest.fixture(scope="module", params=ENCODERS)
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of noise that moves, so that every picture is its own."""
    path = tmp_path_factory.mktemp("video") / request.param
    source = "testsrc2=size=160x120:rate=25,noise=alls=40:allf=t"
    arguments = ("-f", "lavfi", "-i", source, "-t", "8", "-c:v", "libx264", "-preset", "medium")
    media.ffmpeg(*arguments, "-pix_fmt", "yuv420p", *ENCODERS[request.param], path)
    return path


def look(path: Path, *, threads: int = 3, **sampling: Any) -> tuple[Any, ...]:
    decoder = registry.load("decode", "video", runtime=Runtime(threads=threads), **sampling)
    for careful in (False, True):
        with decoder.open(str(path), careful=careful) as medium:
            frames = list(medium.frames())
        if not medium.needs_care:
            break
    rows = [(f.index, f.time_s, f.duration_s, f.cut, f.image.tobytes()) for f in frames]
    counts = medium.frames_decoded, medium.damaged, medium.missing_s, medium.reached_end
    return rows, counts, medium.info


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
def test_a_plan_is_carried_out(video, sampling):
    decoder = registry.load("decode", "video", runtime=Runtime(threads=2), **sampling)
    if video.name in UNTOLD:
        pytest.skip("everything is decoded")
    with decoder.open(str(video)) as medium:
        assert len(list(medium.frames())) > 1
        assert not medium.needs_care


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
def test_pictures_are_those_of_a_full_decode(video, sampling, monkeypatch):
    chosen = look(video, **sampling)
    assert chosen == look(video, threads=1, **sampling)
    monkeypatch.setattr(_sparse, "plan", lambda *_: None)
    whole = look(video, **sampling)
    assert len(whole[0]) > 1
    assert chosen == whole


def test_what_nobody_needs_is_not_decoded(tmp_path, monkeypatch):
    path = tmp_path / "film.mp4"
    source = ("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25", "-t", "10", "-c:v", "libx264")
    media.ffmpeg(*source, "-g", "25", "-pix_fmt", "yuv420p", path)
    plans = []
    make = _sparse.plan
    monkeypatch.setattr(_sparse, "plan", lambda *a: plans.append(make(*a)) or plans[-1])
    frames, counts, _ = look(path, fps=0.5)
    assert [frame[0] for frame in frames] == [0, 50, 100, 150, 200]
    assert counts == (250, 0, 0.0, True)
    (plan,) = plans
    # The last picture is decoded with its group, for the length of the film.
    assert plan.skips.count(None) > 200
    assert plan.skips.count("DEFAULT") == 6


@pytest.mark.parametrize("at", [0.45, 0.6])
def test_damage_is_met_as_in_a_full_decode(tmp_path, monkeypatch, at):
    path = tmp_path / "film.ts"
    source = ("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25", "-t", "8", "-c:v", "libx264")
    media.ffmpeg(*source, "-g", "25", "-pix_fmt", "yuv420p", path)
    data = bytearray(path.read_bytes())
    begin = int(len(data) * at) // 188 * 188
    data[begin : begin + 188 * 20] = b""
    path.write_bytes(bytes(data))
    chosen = look(path, fps=1)
    monkeypatch.setattr(_sparse, "plan", lambda *_: None)
    whole = look(path, fps=1)
    assert chosen[1][1] > 0
    assert [frame[:4] for frame in chosen[0]] == [frame[:4] for frame in whole[0]]
    assert np.array_equal(chosen[1], whole[1])
