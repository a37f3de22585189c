"""Media that a command line names: folders, patterns, and one name for the results of each."""

import glob
import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from analyzer import registry
from analyzer.errors import InputError
from analyzer.files import source
from joblist.model import is_address
from joblist.names import shortened

VIDEO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("264", "265", "3g2", "3gp", "asf", "avi", "dif", "divx", "dv", "f4v", "flv", "gxf"),
        *("h264", "h265", "hevc", "ivf", "lxf", "m1v", "m2t", "m2ts", "m2v", "m4v", "mj2", "mk3d"),
        *("mkv", "mod", "mov", "mp4", "mpe", "mpeg", "mpg", "mpv", "mts", "mxf", "nut", "ogm"),
        *("ogv", "qt", "rm", "rmvb", "swf", "tod", "trp", "ts", "vc1", "vob", "vro", "webm"),
        *("wmv", "wtv", "y4m"),
    )
)


MAX_STEM_BYTES = 255 - 32
"""Bytes of the names of results without their suffixes."""


def media_in(paths: Iterable[str], notes: list[str] | None = None) -> list[str]:
    """Replace each folder by the videos in it (not below it), in order of name; none twice.

    Args:
        paths: Paths and addresses.
        notes: Notes, to which one on what is left out of a folder is added.

    Raises:
        InputError: A folder holds no video.
    """
    media: dict[str, str] = {}
    for path in paths:
        inside = [path] if not os.path.isdir(path) else _videos(path, notes)
        media.update({p if is_address(p) else os.path.realpath(p): p for p in inside})
    return list(media.values())


def stills_in(paths: Iterable[str]) -> list[str]:
    """Replace each pattern that a shell left as it is, such as `'a/*.jpg'`, by what it matches.

    `**` stands for folders in folders. A file of that very name is no pattern.

    Raises:
        InputError: A pattern matches nothing.
    """
    stills: list[str] = []
    for path in paths:
        if not glob.has_magic(path) or os.path.exists(path):
            stills.append(path)
            continue
        matching = sorted(p for p in glob.glob(path, recursive=True) if os.path.isfile(p))
        if not matching:
            raise InputError(f"{path}: no file matches; check the folder and the pattern")
        stills += matching
    return stills


def _videos(folder: str, notes: list[str] | None) -> list[str]:
    inside = files_in(Path(folder), VIDEO_SUFFIXES)
    if not inside:
        has_stills = files_in(Path(folder), registry.module("decode", "images").SUFFIXES)
        cure = "; pictures are analysed with --engine image" if has_stills else ""
        raise InputError(f"{folder}: no video in this folder{cure}")
    others = [p for p in sorted(Path(folder).iterdir()) if str(p) not in inside]
    names = [p.name for p in others if not p.name.startswith(".") and not p.is_dir()]
    if names and notes is not None:
        notes.append(source.left_out(folder, names, "videos"))
    return inside


def files_in(folder: Path, suffixes: Collection[str]) -> list[str]:
    """Return the files of a folder with certain suffixes, not those below it, in order of name.

    Hidden ones are passed over: some systems keep what they know of a file in `._file.mp4`.
    """
    inside = sorted(p for p in folder.iterdir() if p.suffix.lower() in suffixes)
    return [str(p) for p in inside if not p.name.startswith(".")]


def result_stems(paths: Sequence[str]) -> list[str]:
    """Return one distinct stem for each medium.

    A medium is named by its file name without suffix; where several share it, the names of the
    folders above go in front until they differ (`a/film.mp4`, `b/film.mp4` ->
    `a_film`, `b_film`), and the suffix behind if even that does not tell them apart. Of a name
    that leaves no room for the suffixes of results, a digest stands for the end.
    """
    return [shortened(name, MAX_STEM_BYTES) for name in _distinct(paths)]


def _distinct(paths: Sequence[str]) -> list[str]:
    """Return one distinct name for each medium, of any length."""
    places = [place(p) for p in paths]
    names = [p.stem for p in places]
    for depth in range(1, max((len(p.parts) for p in places), default=0)):
        clashing = _clashing(names)
        if not clashing:
            return names
        for i in clashing:
            above = places[i].parts[1:-1][-depth:]
            names[i] = "_".join([*above, places[i].stem])
    for i in _clashing(names):
        names[i] += places[i].suffix.replace(".", "_")
    for i in _clashing(names):
        names[i] += f"_{i}"
    return names


def place(path: str) -> Path:
    """Return a path without links; of an address, one of its host and the parts of its path."""
    if not is_address(path):
        return Path(os.path.realpath(path))
    parts = urlsplit(path)
    names = [parts.hostname or "", *(unquote(name) for name in parts.path.split("/"))]
    plain = ("".join(c if c.isprintable() and c != "/" else "_" for c in name) for name in names)
    return Path("/", *filter(None, (name.lstrip(".") for name in plain)))


def _clashing(names: Sequence[str]) -> list[int]:
    """Return indices of names that are not alone, on a file system that may ignore case."""
    folded = [name.casefold() for name in names]
    return [i for i, name in enumerate(folded) if folded.count(name) > 1]
