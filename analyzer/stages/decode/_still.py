"""One still picture of a file in 8 bits of red, green and blue, whatever its depth and colours."""

import os
import warnings
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from analyzer.errors import InputError
from analyzer.files import source
from analyzer.files.containers import explained
from analyzer.types import U8

_NAMES = (
    *("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD"),
    *("QOI", "SGI", "TGA", "TIFF", "WEBP"),
)
"""Formats that are read, as Pillow names them; others run programs, or are no pictures."""
_SUFFIXES = Image.registered_extensions()
FORMATS = tuple(name for name in _NAMES if name in Image.OPEN)
"""Those of them that this Pillow was built with."""
SUFFIXES = frozenset(suffix for suffix, name in _SUFFIXES.items() if name in FORMATS)
"""Suffixes of the files in a folder that are taken for pictures."""
_WITH_PAGES = ("AVIF", "GIF", "PNG", "TIFF", "WEBP")
"""Formats of which a file may hold several pictures; those of others are previews or layers."""
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262
"""Tags of TIFF; a photometric of 0 says that 0 is white."""


@dataclass(frozen=True)
class StillPicture:
    """A picture, and what is to be said of its file."""

    image: U8
    """(H, W, 3) RGB, upright."""
    note: str = ""
    """What was left out, in words; empty where nothing was."""


def read(path: str) -> StillPicture:
    """Read one picture, upright as its camera says, with transparent parts over white.

    Args:
        path: Path of the file; of several pictures in it, the first is read.

    Raises:
        InputError: Missing, empty, not a picture, damaged, of a depth that says not how bright it
            is, or over the limits of `analyzer.files.source`.
    """
    with (
        os.fdopen(source.open_file(path), "rb") as file,
        warnings.catch_warnings(),
        explained(path, "not a picture that can be read", cure="save it as PNG in a viewer"),
    ):
        # What Pillow thinks of tags that it leaves out helps nobody who reads a terminal.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with _opened(path, file) as picture:
            source.require_size(path, *picture.size)
            depth = _depth(picture)
            upright = _rgb(ImageOps.exif_transpose(picture), depth, path)
            return StillPicture(np.asarray(upright, np.uint8), _note(path, picture))


def _opened(path: str, file: BinaryIO) -> Image.Image:
    """Open a picture of which the pixels are not read yet."""
    try:
        return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise InputError(
            f"{path}: not a picture that can be read (of no known format); convert it to PNG"
        ) from error


@dataclass(frozen=True)
class _Depth:
    """How the grey values of a picture are to be understood."""

    bits: int
    """Bits of a value; 0 where that is unknown."""
    is_negative: bool
    """Whether 0 is white."""


def _depth(picture: Image.Image) -> _Depth:
    """Return the depth of a picture with one channel of more than 8 bits."""
    if picture.format != "TIFF":
        # Pillow scales those of all other formats to 16 bits.
        return _Depth(16, is_negative=False)
    tags: Any = getattr(picture, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (1,))[0]
    return _Depth(bits if picture.mode != "I" else 0, tags.get(_PHOTOMETRIC) == 0)


def _rgb(picture: Image.Image, depth: _Depth, path: str) -> Image.Image:
    """Return a picture in 8 bits of red, green and blue."""
    if picture.mode == "F":
        return _of_floats(picture, depth, path)
    if picture.mode.startswith("I"):
        return _of_integers(picture, depth, path)
    if picture.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB") or picture
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return picture.convert("RGB")


def _of_integers(picture: Image.Image, depth: _Depth, path: str) -> Image.Image:
    """Return grey values of 9 to 16 bits in 8 bits."""
    if not 8 < depth.bits <= 16:
        raise InputError(
            f"{path}: grey values of 32 bits, or with a sign, do not say which of them is white; "
            "save it with 8 or 16 bits"
        )
    values = np.asarray(picture).astype(np.int64).clip(0, (1 << depth.bits) - 1)
    grey = (values >> (depth.bits - 8)).astype(np.uint8)
    return Image.fromarray(255 - grey if depth.is_negative else grey).convert("RGB")


def _of_floats(picture: Image.Image, depth: _Depth, path: str) -> Image.Image:
    """Return grey values between black and white, which are 0 and 1, in 8 bits."""
    values = np.nan_to_num(np.asarray(picture), posinf=1.0, neginf=0.0)
    if values.mean() > 1:
        raise InputError(
            f"{path}: its grey values go up to {values.max():g}, where 1 is white; scale them, or "
            "save it with 8 or 16 bits"
        )
    grey = (values.clip(0, 1) * 255).round().astype(np.uint8)
    return Image.fromarray(255 - grey if depth.is_negative else grey).convert("RGB")


def _note(path: str, picture: Image.Image) -> str:
    """Return a note on the other pictures in a file."""
    if picture.format not in _WITH_PAGES:
        return ""
    try:
        count = getattr(picture, "n_frames", 1)
    except Exception:  # of a page behind the first, which was read
        return ""
    if count < 2:
        return ""
    return (
        f"{path}: {count} pictures in one file: only the first was read; save each as a file of "
        "its own, or make a video of them"
    )
