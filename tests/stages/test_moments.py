"""Pictures found again by their times are those that were decoded in order, to the pixel."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.inference.runtime import Runtime
from tests.support import media

DECODER = registry.load("decode", "video", runtime=Runtime())


def coded(path: Path, source: Path, *arguments: str) -> Path:
    media.ffmpeg("-i", source, "-an", *arguments, path)
    return path


def joined(path: Path, source: Path) -> Path:
    """A broadcast with a clock that starts anew in the middle."""
    part = coded(path.with_name("part.ts"), source, "-c", "copy")
    path.write_bytes(part.read_bytes() * 2)
    return path


@pytest.fixture(scope="module")
def media_of_all_sorts(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sorts")
    plain = media.video(folder / "plain.mp4", seconds=4, rate="25")
    gop = ("-g", "60", "-bf", "3")
    return {
        "mp4": plain,
        "open groups": coded(
            folder / "open.mp4", plain, *gop, "-x264-params", "open-gop=1:keyint=20"
        ),
        "late start": coded(folder / "late.mkv", plain, "-output_ts_offset", "3.7"),
        "wide pixels": coded(folder / "wide.mp4", plain, "-vf", "setsar=4/3"),
        "transport stream": coded(folder / "a.ts", plain, *gop),
        "program stream": coded(folder / "a.mpg", plain, "-c:v", "mpeg2video", "-bf", "2"),
        "broken clock": joined(folder / "joined.ts", plain),
        "no timestamps": coded(folder / "raw.h264", plain, "-c", "copy"),
    }


SORTS = (
    *("mp4", "open groups", "late start", "wide pixels"),
    *("transport stream", "program stream", "broken clock", "no timestamps"),
)


@pytest.mark.parametrize("sort", SORTS)
def test_a_picture_is_found_by_its_time(sort, media_of_all_sorts):
    path = str(media_of_all_sorts[sort])
    with DECODER.open(path) as medium:
        frames = list(medium.frames())
    samples = [*frames[::17], frames[-1]]
    pictures = list(DECODER.pictures(path, [frame.time_s for frame in samples]))
    assert len(pictures) == len(samples)
    for picture, frame in zip(pictures, samples, strict=True):
        assert picture is not None, frame.time_s
        np.testing.assert_array_equal(picture, frame.image)


@pytest.mark.parametrize("sort", ["mp4", "no timestamps"])
def test_a_time_at_which_no_picture_is_shown(sort, media_of_all_sorts):
    path = str(media_of_all_sorts[sort])
    pictures: Iterator[np.ndarray | None] = DECODER.pictures(path, [0.017, 0.04, 99.0])
    assert [picture is None for picture in pictures] == [True, False, True]
