"""Stills of every depth and colour: as bright as the picture in 8 bits, or refused in words."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from analyzer.errors import InputError
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import _still, images
from tests.support.media import ffmpeg

Save = Callable[[Image.Image, Path], object]


def truth() -> Image.Image:
    """Ramps of four colours, and black and white corners."""
    y, x = np.mgrid[0:96, 0:128]
    rows = np.stack([x * 2, y * 2.6, 255 - x * 2], axis=2)
    rows[:16, :16], rows[-16:, -16:] = 0, 255
    return Image.fromarray(rows.astype(np.uint8))


def grey(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L"))


def words(picture: Image.Image, path: Path) -> None:
    """16 bits, also where a value is not just the byte twice."""
    Image.fromarray(grey(picture).astype(np.uint16) * 256 + 77).save(path)


def floats(picture: Image.Image, path: Path) -> None:
    Image.fromarray(grey(picture).astype(np.float32) / 255).save(path)


def pgm(bits: int) -> Save:
    def save(picture: Image.Image, path: Path) -> None:
        most = (1 << bits) - 1
        values = np.round(grey(picture) / 255 * most).astype(">u2")
        header = f"P5 {picture.width} {picture.height} {most}\n".encode()
        path.write_bytes(header + values.tobytes())

    return save


def lab(picture: Image.Image, path: Path) -> None:
    srgb, other = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(picture, srgb, other, outputMode="LAB")
    assert converted is not None
    converted.save(path)


def by_ffmpeg(pixels: str, *codec: str) -> Save:
    def save(picture: Image.Image, path: Path) -> None:
        plain = path.with_name("plain.png")
        picture.save(plain)
        ffmpeg("-i", plain, "-pix_fmt", pixels, *codec, path)

    return save


def mode(name: str) -> Save:
    return lambda picture, path: picture.convert(name).save(path)


IN_GREY: dict[str, tuple[str, Save]] = {
    "16-bit PNG": ("a.png", words),
    "16-bit TIFF": ("a.tif", words),
    "16-bit JPEG 2000": ("a.jp2", words),
    "16-bit PGM": ("a.pgm", pgm(16)),
    "12-bit PGM": ("a.pgm", pgm(12)),
    "float TIFF": ("a.tiff", floats),
    "grey with alpha": ("a.png", mode("LA")),
    "16-bit grey with alpha": ("a.png", by_ffmpeg("ya16be")),
    "PFM": ("a.pfm", floats),
}
IN_COLOUR: dict[str, tuple[str, Save]] = {
    "16-bit PNG": ("a.png", by_ffmpeg("rgb48be")),
    "16-bit PNG with alpha": ("a.png", by_ffmpeg("rgba64be")),
    "16-bit TIFF": ("a.tiff", by_ffmpeg("rgb48le")),
    "16-bit TIFF with alpha": ("a.tiff", by_ffmpeg("rgba64le")),
    "16-bit JPEG 2000": (
        "a.jp2",
        by_ffmpeg("rgb48le", "-c:v", "jpeg2000"),
    ),
    "CMYK JPEG": ("a.jpg", lambda p, path: p.convert("CMYK").save(path, quality=98)),
    "CMYK TIFF": ("a.tif", mode("CMYK")),
    "YCbCr TIFF": ("a.tif", mode("YCbCr")),
    "Lab TIFF": ("a.tif", lab),
    "AVIF": ("a.avif", lambda p, path: p.save(path, quality=95)),
    "TGA": ("a.tga", mode("RGB")),
    "JFIF": ("a.jfif", lambda p, path: p.save(path, quality=98, subsampling=0)),
}


@pytest.mark.parametrize("kind", IN_GREY)
def test_grey_of_any_depth_is_as_bright_as_in_8_bits(kind: str, tmp_path: Path) -> None:
    name, save = IN_GREY[kind]
    save(truth(), tmp_path / name)
    image = _still.read(str(tmp_path / name)).image
    assert (image[..., 0] == image[..., 2]).all()
    assert np.abs(image[..., 0].astype(int) - grey(truth())).max() <= 2
    assert (image.min() <= 1, image.max() >= 254) == (True, True)


@pytest.mark.parametrize("kind", IN_COLOUR)
def test_colour_of_any_kind_is_that_of_8_bits(kind: str, tmp_path: Path) -> None:
    name, save = IN_COLOUR[kind]
    if name.endswith(".avif") and "AVIF" not in _still.FORMATS:
        pytest.skip("this Pillow reads no AVIF")
    save(truth(), tmp_path / name)
    image = _still.read(str(tmp_path / name)).image
    # ffmpeg's JPEG 2000 is coarse; a picture in wrong depth is 100 off.
    tolerance = 12 if name.endswith(".jp2") else 3
    assert np.abs(image.astype(int) - np.asarray(truth())).mean() < tolerance


WHITE_IS_ZERO = {
    "16 bits": 65535 - grey(truth()).astype(np.uint16) * 257,
    "floats": 1 - grey(truth()).astype(np.float32) / 255,
}


@pytest.mark.parametrize("depth", WHITE_IS_ZERO)
def test_white_is_zero(depth: str, tmp_path: Path) -> None:
    """Scans of negatives and faxes: the tag says which end is white."""
    values = WHITE_IS_ZERO[depth]
    Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo={262: 0})
    image = _still.read(str(tmp_path / "a.tif")).image
    with Image.open(tmp_path / "a.tif") as picture:
        assert picture.tag_v2[262] == 0
    assert np.abs(image[..., 0].astype(int) - grey(truth())).max() <= 2


def test_palette_and_black_and_white(tmp_path: Path) -> None:
    truth().quantize(256).save(tmp_path / "p.png")
    image = _still.read(str(tmp_path / "p.png")).image
    assert np.abs(image.astype(int) - np.asarray(truth())).mean() < 6
    for name in ("one.png", "one.tif"):
        truth().convert("1").save(tmp_path / name)
        image = _still.read(str(tmp_path / name)).image
        assert set(np.unique(image)) == {0, 255}
        assert abs(image.mean() - grey(truth()).mean()) < 6


@pytest.mark.parametrize("form", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_not_shown(form: str, tmp_path: Path) -> None:
    """A face that somebody has erased stays in the colours, which no program shows."""
    layer = truth().convert("RGBA")
    layer.paste((10, 20, 30, 0), (32, 32, 64, 64))
    layer.convert("RGBA" if form == "P" else form).save(tmp_path / "a.png")
    if form == "P":
        layer.quantize(64).save(tmp_path / "a.png")
    image = _still.read(str(tmp_path / "a.png")).image
    assert (image[33:63, 33:63] == 255).all()


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation(orientation: int, depth: int, tmp_path: Path) -> None:
    """By the tag's definition: where row 0 and column 0 of what is stored are shown."""
    upright = grey(truth())
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    values = np.ascontiguousarray(stored).astype(np.uint16) * 257 if depth == 16 else stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(values)).save(tmp_path / "a.png", exif=exif)
    assert (_still.read(str(tmp_path / "a.png")).image[..., 0] == upright).all()


def test_tags_that_cannot_be_read_are_passed_over_in_silence(tmp_path: Path) -> None:
    """Warnings of libraries are errors in tests; on a terminal they are lines without a cure."""
    truth().save(tmp_path / "whole.jpg", quality=98, subsampling=0)
    whole = (tmp_path / "whole.jpg").read_bytes()
    torn = b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0\x01\0\0\0\x06"
    segment = b"\xff\xe1" + (len(torn) + 2).to_bytes(2, "big") + torn
    (tmp_path / "a.jpg").write_bytes(whole[:2] + segment + whole[2:])
    image = _still.read(str(tmp_path / "a.jpg")).image
    assert (image == _still.read(str(tmp_path / "whole.jpg")).image).all()


REFUSED: dict[str, tuple[np.ndarray, str]] = {
    "32 bits": (np.full((8, 8), 1 << 30, np.int32), "grey values of 32 bits, or with a sign"),
    "floats up to 4095": (np.full((8, 8), 4095, np.float32), "go up to 4095, where 1 is white"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_says_not_what_is_white_is_refused_in_words(kind: str, tmp_path: Path) -> None:
    values, says = REFUSED[kind]
    Image.fromarray(values).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match=f"a.tif: .*{says}.*save it with 8 or 16 bits"):
        _still.read(str(tmp_path / "a.tif"))


def test_formats_that_are_not_read_are_told(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=d=0.1", "-frames:v", "1", tmp_path / "a.exr")
    truth().save(tmp_path / "a.eps")
    for name in ("a.exr", "a.eps"):
        with pytest.raises(InputError, match=f"{name}: .*of no known format.; convert it to PNG"):
            _still.read(str(tmp_path / name))


SEVERAL = ["a.tif", "a.gif", "a.png", "a.webp"]


@pytest.mark.parametrize("name", SEVERAL)
def test_of_several_pictures_the_first_is_read_and_a_note_says_so(name: str, tmp_path) -> None:
    pages = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue", "lime")]
    pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
    with images.create(runtime=Runtime()).open(str(tmp_path)) as medium:
        (frame,) = medium.frames()
    assert frame.image[16, 16, 0] > 200
    (note,) = medium.info.notes
    assert f"{name}: 3 pictures in one file: only the first was read; save each" in note


def test_one_picture_has_no_note(tmp_path: Path) -> None:
    for name in (*SEVERAL, "a.jpg"):
        truth().save(tmp_path / name)
        assert _still.read(str(tmp_path / name)).note == ""


def test_folders_take_every_format_and_tell_what_is_left_out(tmp_path: Path) -> None:
    for name in ("a.jp2", "b.jfif", "c.TIF", "d.pgm", "e.apng"):
        truth().convert("L").save(tmp_path / name, format="PNG" if "apng" in name else None)
    for name in ("._a.jp2", ".hidden.png", "f.heic", "notes.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "sub").mkdir()
    with images.create(runtime=Runtime()).open(str(tmp_path)) as medium:
        assert [Path(still).name for still in medium.info.stills] == [
            "a.jp2", "b.jfif", "c.TIF", "d.pgm", "e.apng",
        ]  # fmt: skip
        assert len(list(medium.frames())) == 5
    assert medium.damaged == 0
    assert medium.info.notes == (
        f"{tmp_path}: 2 files are left out, by their names no pictures: f.heic, notes.txt",
    )
