"""Still pictures: one, a folder, or a list of pictures; each is a shot of its own."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from analyzer.errors import InputError
from analyzer.files import source
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import Watcher
from analyzer.stages.decode._medium import OpenMedium
from analyzer.types import U8, Frame, MediaInfo
from joblist.shard import Shard

SUFFIXES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"))
"""Suffixes of the files in a folder that are taken for pictures."""


def create(*, frame_step: int | None = None, runtime: Runtime) -> "ImagesDecoder":
    """Return a decoder of still pictures, upright as their cameras say.

    Args:
        frame_step: Every how many pictures one is taken.
        runtime: Not used.
    """
    return ImagesDecoder(frame_step or 1)


class ImagesDecoder:
    """Opens pictures; see `analyzer.stages.decode.Decoder`."""

    def __init__(self, step: int) -> None:
        self._step = step

    def open(
        self,
        path: str | Sequence[str],
        *,
        shard: Shard | None = None,
        careful: bool = False,
        alive: Callable[[], None] = lambda: None,
    ) -> "ImagesMedium":
        """Open a picture, a folder or a list of both; see `analyzer.stages.decode.Decoder`."""
        paths = [path] if isinstance(path, str) else list(path)
        stills = [still for item in paths for still in _stills(item)]
        return ImagesMedium(paths[0], tuple(stills[:: self._step]), several=len(stills) > 1)

    def pictures(self, path: str | Sequence[str], times_s: Sequence[float]) -> Iterator[U8 | None]:
        """Read some pictures again; see `analyzer.stages.decode.Decoder`."""
        with self.open(path) as medium:
            stills = medium.info.stills
        for time_s in times_s:
            try:
                yield read(stills[int(time_s)])
            except InputError:
                yield None


def _stills(path: str) -> list[str]:
    """Return the path of a picture, or those of the pictures in a folder in order of name.

    Raises:
        InputError: The folder holds no picture.
    """
    if not os.path.isdir(path):
        return [path]
    try:
        paths = [Path(path, name) for name in source.names_in(path)]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; check the path and its rights") from error
    stills = [str(p) for p in paths if p.suffix.lower() in SUFFIXES]
    if not stills:
        raise InputError(f"{path}: no picture in this folder")
    return stills


class ImagesMedium(OpenMedium):
    """Some pictures; see `analyzer.stages.decode.Medium`.

    One broken picture among several is counted as damaged and left out.

    Args:
        uri: Path of the first picture or of the folder.
        stills: Paths of the pictures.
        several: Whether more than one picture was given.
    """

    def __init__(self, uri: str, stills: tuple[str, ...], *, several: bool) -> None:
        info = MediaInfo(
            uri=uri,
            kind="image",
            width_px=0,
            height_px=0,
            frame_rate=None,
            duration_s=0.0,
            stills=stills,
        )
        super().__init__(info)
        self._several = several

    @property
    def range_s(self) -> tuple[float, float]:
        """Zero and zero: pictures have no times."""
        return 0.0, 0.0

    def frames(self, watcher: Watcher | None = None) -> Iterator[Frame]:
        """Yield the pictures, timed by their numbers; see `analyzer.stages.decode.Medium`."""
        for index, path in enumerate(self.info.stills):
            try:
                image = read(path)
            except InputError:
                if not self._several:
                    raise
                self.damaged += 1
                continue
            self.frames_decoded += 1
            yield Frame(index=index, time_s=float(index), duration_s=0.0, image=image, cut=True)
        self.reached_end = True


def read(path: str) -> U8:
    """Read one picture: (H, W, 3) RGB, upright.

    Raises:
        InputError: Missing, empty, not a picture, damaged, or over the limits of
            `analyzer.files.source`.
    """
    with os.fdopen(source.open_file(path), "rb") as file, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(file) as picture:
                source.require_size(path, *picture.size)
                upright = ImageOps.exif_transpose(picture).convert("RGB")
                return np.asarray(upright, np.uint8)
        except InputError:
            raise
        except Exception as error:  # Pillow's plugins raise what they like on damaged files
            raise InputError(f"{path}: not a picture that can be read ({error})") from error
