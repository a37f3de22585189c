"""Pictures come out upright, whatever states how they are stored: by their corners."""

import av
import numpy as np
import pytest
from PIL import Image

from analyzer import registry
from analyzer.inference.runtime import Runtime
from tests.support import media

WHITE, BLACK = 235, 16
READS_EXIF = (62, 28)
"""libavcodec of FFmpeg 8.1, of which decoders hand on the orientation in EXIF."""
STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright picture is stored under each orientation of EXIF."""


def corners():
    """Upright: top left white, top right grey, bottom left red, bottom right black."""
    picture = np.full((240, 320, 3), BLACK, np.uint8)
    picture[:120, :160] = WHITE
    picture[:120, 160:] = 128
    picture[120:, :160] = (WHITE, 0, 0)
    return picture


def first(path):
    with registry.load("decode", "video", runtime=Runtime()).open(str(path)) as medium:
        return next(medium.frames()).image.astype(int), medium.info


@pytest.mark.parametrize("carrier", media.CARRIERS)
@pytest.mark.parametrize(("turns", "mirrored"), media.ORIENTATIONS)
def test_all_orientations_are_undone(turns, mirrored, carrier, tmp_path):
    path = media.oriented_film(tmp_path, [corners()] * 3, turns, mirrored, carrier)
    shown, info = first(path)
    assert (info.width_px, info.height_px) == info.stored_px == (320, 240)
    assert info.notes == ()
    for y, x in ((60, 80), (60, 240), (180, 80), (180, 240)):
        assert np.abs(shown[y, x] - corners()[y, x]).max() < 20, (y, x)


@pytest.mark.parametrize("degrees", [30, -20, 100])
def test_odd_angles_are_taken_for_the_nearest_and_said(degrees, tmp_path):
    path = media.video(tmp_path / "s.mp4", seconds=0.2)
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    media.state_matrix(path, (cos, sin, -sin, cos))
    shown, info = first(path)
    turned = degrees == 100
    assert shown.shape[:2] == ((320, 240) if turned else (240, 320))
    (note,) = info.notes
    assert f"{270 if turned else 0} degrees counterclockwise" in note


def test_a_matrix_of_zeros_is_none(tmp_path):
    path = media.video(tmp_path / "s.mp4", seconds=0.2)
    media.state_matrix(path, (0, 0, 0, 0))
    shown, info = first(path)
    assert shown.shape[:2] == (240, 320)
    assert info.notes == ()


def test_wide_pixels_of_a_turned_film(tmp_path):
    """The width of the file's pixels becomes the height of the upright picture's."""
    path = tmp_path / "s.mp4"
    media.ffmpeg(
        "-f", "lavfi", "-i", "testsrc=size=320x240:duration=0.2", "-vf", "setsar=4/3", path
    )
    media.state_matrix(path, media.orientation_matrix(1, False))
    shown, info = first(path)
    assert shown.shape[:2] == (info.height_px, info.width_px) == (427, 240)
    assert info.stored_px == (240, 320)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_of_cameras_with_exif(orientation, tmp_path):
    """EXIF is side data that PyAV has no name for; a film in JPEG may have it in each picture."""
    upright = Image.fromarray(corners())
    undone = STORED_AS.get(orientation)
    stored = upright if undone is None else upright.transpose(undone)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "one.jpg", quality=95, exif=exif)
    (tmp_path / "s.mjpg").write_bytes((tmp_path / "one.jpg").read_bytes() * 5)
    path = tmp_path / "s.avi"
    media.ffmpeg("-f", "mjpeg", "-i", tmp_path / "s.mjpg", "-c", "copy", path)
    shown, info = first(path)
    assert info.notes == ()
    if av.library_versions["libavcodec"] < READS_EXIF:
        assert shown.shape == np.asarray(stored).shape
        return
    assert shown.shape == (240, 320, 3)
    for y, x in ((60, 80), (60, 240), (180, 80), (180, 240)):
        assert np.abs(shown[y, x] - corners()[y, x]).max() < 20, (y, x)
