"""Pictures that change their size or shape midway are fitted into the size of the first one."""

import numpy as np
import pytest

from analyzer import registry
from analyzer.export import mp4
from analyzer.inference.runtime import Runtime
from tests.support import media
from tests.support.reports import make_report

SQUARE = "drawbox=x=(iw-100)/2:y=(ih-100)/2:w=100:h=100:color=white:t=fill"


def joined(folder, second, *, filters=SQUARE, aspect="1"):
    """A second of 320x240 with a white square of 100 pixels, then one of another size."""
    streams = []
    for size, drawn, pixels in (("320x240", SQUARE, "1"), (second, filters, aspect)):
        path = folder / "part.h264"
        media.ffmpeg(
            "-f", "lavfi", "-i", f"color=gray:rate=25:size={size}:duration=1",
            "-vf", f"{drawn},setsar={pixels}", "-pix_fmt", "yuv420p", "-c:v", "libx264",
            "-bf", "0", path,
        )  # fmt: skip
        streams.append(path.read_bytes())
    raw, path = folder / "s.h264", folder / "s.ts"
    raw.write_bytes(b"".join(streams))
    media.ffmpeg("-r", "25", "-i", raw, "-c", "copy", path)
    return path


def extents(picture):
    """Width and height of what is white, and of what is not black."""
    grey = picture.astype(int).mean(axis=2)
    sides = [np.ptp(np.nonzero(grey > level)[axis]) + 1 for level in (200, 60) for axis in (1, 0)]
    return tuple(int(side) for side in sides)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("240x320", (75, 75, 180, 240)),  # a phone that was turned
        ("640x480", (50, 50, 320, 240)),
        ("320x180", (100, 100, 320, 180)),
        ("640x240", (50, 50, 320, 120)),
    ],
)
def test_what_is_square_stays_square(second, expected, tmp_path):
    path = joined(tmp_path, second)
    decoder = registry.load("decode", "video", runtime=Runtime())
    with decoder.open(str(path)) as medium:
        frames = list(medium.frames())
    assert len(frames) == 50
    assert {frame.image.shape for frame in frames} == {(240, 320, 3)}
    assert extents(frames[0].image) == pytest.approx((100, 100, 320, 240), abs=3)
    assert extents(frames[-1].image) == pytest.approx(expected, abs=4)
    (found,) = decoder.pictures(str(path), [frames[40].time_s])
    assert extents(found) == pytest.approx(expected, abs=4)


def test_wide_pixels_of_the_same_shape_fill_the_picture(tmp_path):
    narrow = "drawbox=x=(iw-50)/2:y=(ih-100)/2:w=50:h=100:color=white:t=fill"
    path = joined(tmp_path, "160x240", filters=narrow, aspect="2")
    with registry.load("decode", "video", runtime=Runtime()).open(str(path)) as medium:
        *_, last = medium.frames()
    assert extents(last.image) == pytest.approx((100, 100, 320, 240), abs=4)


def test_the_mp4_shows_what_was_analysed(tmp_path):
    path = joined(tmp_path, "240x320")
    report = make_report(uri=str(path), size=(320, 240), duration_s=2)
    mp4.create(runtime=Runtime()).write(report, tmp_path / "x.mp4")
    with registry.load("decode", "video", runtime=Runtime()).open(
        str(tmp_path / "x.mp4")
    ) as medium:
        *_, last = medium.frames()
    assert extents(last.image) == pytest.approx((75, 75, 180, 240), abs=4)
