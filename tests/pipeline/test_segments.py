"""What segments of a medium see adds up to what the whole sees, whatever the medium."""

import hashlib
import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.pipeline.components import FrameWatcher
from analyzer.pipeline.segment import segment_of
from analyzer.stages.decode import _sampling, _segment, video
from tests.support import media, shard_media
from tests.support.reports import Face, make_report

Frames = list[tuple[Any, ...]]
COUNT = 5


@pytest.fixture(autouse=True)
def small_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that decoding begins and ends within these short media."""
    monkeypatch.setattr(_sampling, "_MARGIN_S", Fraction(1, 5))


def look(path: Path, **sampling: Any) -> tuple[Frames, int]:
    """Return the frames, and how many were decoded."""
    runtime = Runtime(device="cpu", threads=1)
    decoder = video.create(**sampling, runtime=runtime)
    for careful in (False, True):
        watch = FrameWatcher(registry.load("shots", "adaptive", runtime=runtime))
        with decoder.open(str(path), careful=careful) as medium:
            frames = [
                (f.index, f.time_s, f.duration_s, f.cut, hashlib.sha256(f.image).hexdigest())
                for f in medium.frames(watch)
            ]
        if not medium.needs_care:
            break
    assert medium.reached_end
    return frames, medium.frames_decoded


def inside(frames: Frames, start: float, stop: float) -> Frames:
    return [frame for frame in frames if start <= frame[1] < stop]


@pytest.mark.parametrize("sampling", [{"fps": 4.0}, {"fps": 0.7}, {"frame_step": 7}, {}])
@pytest.mark.parametrize("name", ["plain.mp4", "open groups.ts"])
def test_segments_have_the_samples_of_the_whole(
    name: str, sampling: dict[str, Any], tmp_path: Path
) -> None:
    path = shard_media.MAKERS[name](tmp_path / name)
    whole, _ = look(path, **sampling)
    edges = np.linspace(0, 6, COUNT + 1).round(3).tolist()
    looks = [
        (look(path, **sampling, start=start, stop=stop, segment=True)[0], start, stop)
        for start, stop in itertools.pairwise(edges)
    ]
    assert [frame for look in looks for frame in inside(*look)] == whole


@pytest.mark.parametrize("name", sorted(shard_media.MAKERS))
def test_in_the_middle_of_all_kinds_of_media(name: str, tmp_path: Path) -> None:
    path = shard_media.MAKERS[name](tmp_path / name)
    whole, _ = look(path, fps=5.0)
    part, _ = look(path, fps=5.0, start=2.13, stop=3.71, segment=True)
    assert inside(part, 2.13, 3.71) == inside(whole, 2.13, 3.71)


def test_little_is_decoded_before_a_segment_and_behind_it(tmp_path: Path) -> None:
    path = media.video(tmp_path / "long.mp4", size="160x90", seconds=20)
    media.ffmpeg("-i", path, "-g", "25", tmp_path / "short groups.mp4")
    whole, decoded = look(tmp_path / "short groups.mp4", fps=5.0)
    part, few = look(tmp_path / "short groups.mp4", fps=5.0, start=15, stop=16, segment=True)
    assert inside(part, 15, 16) == inside(whole, 15, 16)
    assert few < decoded / 4


def test_samples_behind_a_cut_tell_nothing() -> None:
    """Nor do those before the last cut in front of the segment."""
    picked = _segment.SegmentSamples(
        _sampling.Sampling.of(fps=1, step=None, start=10, stop=12, segment=True)
    )

    class Shown:
        def __init__(self, time: int) -> None:
            self.time, self.cut = Fraction(time), time in (8, 14)

    given = [Shown(time) for time in range(5, 18)]
    got = [shown for each in given for shown in picked.add(each)]  # type: ignore[arg-type]
    assert [int(shown.time) for shown in got] == [8, 9, 10, 11, 12, 13]
    assert picked.is_over
    assert picked.end == 14


def test_rows_around_a_segment_count_for_nothing_but_the_labels() -> None:
    faces = [Face(i, float(i), (0, 0, 50, 50), track=i // 4) for i in range(12)]
    report = make_report(faces)
    table = report.observations
    object.__setattr__(table, "span_s", np.array([3.0, 8.0]))
    part = segment_of(report)
    assert part.observations.time_s.tolist() == [3, 4, 5, 6, 7]
    assert part.row_tracks().tolist() == [0, 1, 1, 1, 1]
    assert [person.face_count for person in part.persons] == [4, 1]
    assert part.tally.faces_saved == 5
    before = {p.person_id: p.attributes for p in report.persons}
    assert part.persons[0].attributes == before[1]
    for head, decoded in part.track_attributes.items():
        assert decoded.label == report.track_attributes[head].label[:2]
