"""Still pictures: one, a folder, or a list of pictures; each is a shot of its own."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from analyzer.errors import InputError
from analyzer.files import source
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import Watcher
from analyzer.stages.decode._medium import OpenMedium
from analyzer.stages.decode._still import SUFFIXES, read
from analyzer.types import U8, Frame, MediaInfo
from joblist.shard import Shard

__all__ = ["SUFFIXES", "ImagesDecoder", "ImagesMedium", "create"]


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
        notes: list[str] = []
        stills = [still for item in paths for still in _stills(item, notes)]
        chosen = tuple(stills[:: self._step])
        return ImagesMedium(paths[0], chosen, several=len(stills) > 1, notes=tuple(notes))

    def pictures(self, path: str | Sequence[str], times_s: Sequence[float]) -> Iterator[U8 | None]:
        """Read some pictures again; see `analyzer.stages.decode.Decoder`."""
        with self.open(path) as medium:
            stills = medium.info.stills
        for time_s in times_s:
            try:
                yield read(stills[int(time_s)]).image
            except InputError:
                yield None


def _stills(path: str, notes: list[str]) -> list[str]:
    """Return the path of a picture, or those of the pictures in a folder in order of name.

    Hidden files are passed over: some systems keep what they know of a file in `._file.jpg`.

    Args:
        path: Path of the picture or of the folder.
        notes: Notes, to which one on what is left out of the folder is added.

    Raises:
        InputError: The folder holds no picture.
    """
    if not os.path.isdir(path):
        return [path]
    try:
        names = source.names_in(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; check the path and its rights") from error
    files = [Path(path, name) for name in names if not name.startswith(".")]
    stills = [str(file) for file in files if file.suffix.lower() in SUFFIXES]
    if not stills:
        raise InputError(f"{path}: no picture in this folder")
    others = [p.name for p in files if p.suffix.lower() not in SUFFIXES and not p.is_dir()]
    notes += [source.left_out(path, others, "pictures")] if others else []
    return stills


class ImagesMedium(OpenMedium):
    """Some pictures; see `analyzer.stages.decode.Medium`.

    One broken picture among several is counted as damaged and left out.

    Args:
        uri: Path of the first picture or of the folder.
        stills: Paths of the pictures.
        several: Whether more than one picture was given.
        notes: Notes on what was left out.
    """

    def __init__(
        self, uri: str, stills: tuple[str, ...], *, several: bool, notes: tuple[str, ...] = ()
    ) -> None:
        info = MediaInfo(
            uri=uri,
            kind="image",
            width_px=0,
            height_px=0,
            frame_rate=None,
            duration_s=0.0,
            stills=stills,
            notes=notes,
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
                still = read(path)
            except InputError:
                if not self._several:
                    raise
                self.damaged += 1
                continue
            self.frames_decoded += 1
            if still.note:
                self.info = replace(self.info, notes=(*self.info.notes, still.note))
            yield Frame(
                index=index, time_s=float(index), duration_s=0.0, image=still.image, cut=True
            )
        self.reached_end = True
