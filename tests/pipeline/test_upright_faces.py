"""Every kind of video there is: rows at its times, boxes on the face as viewers see it."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from analyzer.imaging import boxes
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from tests.support import media
from tests.support.analysis import analyze

SIZE = (426, 240)
"""Width and height of the picture that the viewer sees."""
PICTURES = 24
TURNS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


@pytest.fixture(scope="module")
def models():
    return components.load_components(AnalysisOptions(device="cpu", attributes=(), frame_step=3))


def scene(number: int) -> np.ndarray:
    """The astronaut on the left, moving to the right: nothing in it is symmetric."""
    data = pytest.importorskip("skimage.data")
    face = cv2.resize(data.astronaut()[:384], (320, 240), interpolation=cv2.INTER_AREA)
    picture = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    picture[:, number : number + 320] = face
    return picture


def face(number: int) -> np.ndarray:
    """Where the face is in the scene: (1, 4)."""
    box = np.array([[172, 62, 276, 192]], np.float32) * 0.625
    return (box + np.float32([number, 0, number, 0])).astype(np.float32)


def encode(
    path: Path,
    stored: Callable[[np.ndarray], np.ndarray] = lambda picture: picture,
    *,
    rotation: int = 0,
    aspect: Fraction | None = None,
    pixels: str = "yuv420p",
    pictures: int = PICTURES,
) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=Fraction(30000, 1001), options={"g": "6"})
        stream.height, stream.width = stored(scene(0)).shape[:2]
        stream.pix_fmt = pixels
        if rotation:
            stream.set_display_rotation(rotation)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for number in range(pictures):
            picture = np.ascontiguousarray(stored(scene(number)))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(stream.encode())


def rotated(degrees: int) -> Callable[[Path], range]:
    def make(path: Path) -> range:
        encode(path, lambda picture: cv2.rotate(picture, TURNS[degrees]), rotation=degrees)
        return range(PICTURES)

    return make


def squeezed(across: int, down: int) -> Callable[[Path], range]:
    """Stored with pixels that are not square."""

    def make(path: Path) -> range:
        width = round(SIZE[0] * down / across / 2) * 2
        aspect = Fraction(across, down)
        encode(path, lambda picture: cv2.resize(picture, (width, SIZE[1])), aspect=aspect)
        return range(PICTURES)

    return make


def plain(path: Path) -> range:
    encode(path)
    return range(PICTURES)


def ten_bit(path: Path) -> range:
    encode(path, pixels="yuv420p10le")
    return range(PICTURES)


def one_picture(path: Path) -> range:
    encode(path, pictures=1)
    return range(1)


def late(path: Path) -> range:
    """Sound from the start, pictures only after 0.7 s."""
    whole = path.with_name("whole.mp4")
    encode(whole)
    media.ffmpeg("-itsoffset", "0.7", "-i", whole, "-f", "lavfi", "-i", "sine=duration=1.5",
                 "-map", "0:v", "-map", "1:a", "-c:v", "copy", path)  # fmt: skip
    return range(PICTURES)


def variable_rate(path: Path) -> list[int]:
    whole = path.with_name("whole.mp4")
    encode(whole)
    media.ffmpeg("-i", whole, "-vf", "select='not(mod(n,3))+lt(n,10)'", "-fps_mode", "vfr", path)
    return [n for n in range(PICTURES) if n % 3 == 0 or n < 10]


def edit_list(path: Path) -> range:
    """Cut in the middle of a group of pictures without encoding again: the end is left."""
    whole = path.with_name("whole.mp4")
    encode(whole)
    media.ffmpeg("-ss", "0.25", "-i", whole, "-c", "copy", path)
    return range(PICTURES)[-len(media.player_times(path)) :]


def makers() -> Iterator[object]:
    for make in (plain, ten_bit, one_picture, late, variable_rate, edit_list):
        yield pytest.param(make, id=make.__name__)
    for degrees in TURNS:
        yield pytest.param(rotated(degrees), id=f"rotated {degrees}")
    for aspect in ((8, 9), (16, 11)):
        yield pytest.param(squeezed(*aspect), id="pixels {}:{}".format(*aspect))


@pytest.mark.parametrize("make", list(makers()))
def test_rows_have_the_times_of_their_pictures_and_boxes_are_on_the_face(make, tmp_path, models):
    path = tmp_path / "a.mp4"
    numbers = make(path)
    times = media.player_times(path)
    assert len(times) == len(numbers)
    report = analyze(str(path), components=models)
    table = report.observations
    assert abs(report.info.width_px - SIZE[0]) <= 1
    assert report.info.height_px == SIZE[1]
    assert table.frame.tolist() == list(range(0, len(numbers), 3))
    np.testing.assert_allclose(table.time_s, [times[i] for i in table.frame], atol=1e-3)
    for number, box in zip((numbers[i] for i in table.frame), table.boxes, strict=True):
        assert boxes.iou(box[None], face(number))[0, 0] > 0.6
