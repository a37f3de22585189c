"""Still pictures: one, a folder of them, or a list; each stands for itself."""

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
from analyzer.types import U8, Frame, MediaInfo
from joblist.shard import Shard

SUFFIXES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"))


def create(*, frame_step: int | None = None, runtime: Runtime) -> "ImagesDecoder":
    """Still pictures, upright as their cameras say; frame_step: take every Nth."""
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
        """Open a picture, a folder or a list of them; see `analyzer.stages.decode.Decoder`."""
        named = [path] if isinstance(path, str) else list(path)
        stills = [still for name in named for still in _stills(name)]
        return ImagesMedium(named[0], tuple(stills[:: self._step]), several=len(stills) > 1)

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
    """A picture itself, or the pictures in a folder in order of name.

    Raises:
        InputError: a folder holds no picture.
    """
    if not os.path.isdir(path):
        return [path]
    inside = sorted(str(p) for p in Path(path).iterdir() if p.suffix.lower() in SUFFIXES)
    if not inside:
        raise InputError(f"{path}: no picture in this folder")
    return inside


class ImagesMedium:
    """Some pictures; see `analyzer.stages.decode.Medium`.

    One broken picture among several is counted as damaged and left out.
    """

    def __init__(self, uri: str, stills: tuple[str, ...], *, several: bool) -> None:
        self._several = several
        self.frames_decoded = 0
        self.damaged = 0
        self.missing_s = 0.0
        self.reached_end = False
        self.needs_care = False
        self.info = MediaInfo(
            uri=uri,
            kind="image",
            width_px=0,
            height_px=0,
            frame_rate=None,
            duration_s=0.0,
            stills=stills,
        )

    def __enter__(self) -> "ImagesMedium":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open."""

    @property
    def range_s(self) -> tuple[float, float]:
        """Pictures have no times; see `analyzer.stages.decode.Medium`."""
        return 0.0, 0.0

    def frames(self, watcher: Watcher | None = None) -> Iterator[Frame]:
        """Yield the pictures; see `Medium`. Their number stands for a time."""
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
        InputError: missing, empty, not a picture, damaged, or larger than is sane.
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
