"""Galleries: folders of named portraits, described once and used for many media.

A gallery is a folder in one of two forms. In the plain form a picture's file name without suffix is
the name of who it shows, and so is the name of a folder of pictures. In the exchange form of film
archives `actors.csv` (columns `id`, `name`), `actor_images.csv` (`actor_id`,
`filename`) and `actor_embeddings.jsonl` (`image`, `n`, `faces[].vector`) stand in it;
pictures beside them, in `actor_images`, are described anew, for vectors are of use only if they
come from the describer that looks at the media.
"""

import contextlib
import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analyzer import registry
from analyzer.errors import InputError, ResourceError
from analyzer.files import cache, npz, source
from analyzer.files.atomic import atomic_write_bytes
from analyzer.files.hashing import sha256
from analyzer.imaging import boxes
from analyzer.pipeline.components import Components
from analyzer.pipeline.stills import Still, describe_still
from analyzer.types import F32, Progress, ProgressHook
from analyzer.types.arrays import require_finite
from analyzer.types.people import Gallery
from ina_input import documents, regular
from ina_input.tables import CsvTable
from joblist.names import spelled

VERSION = 4
"""To be raised when portraits are described in another way."""
_TABLES = ("actors.csv", "actor_images.csv", "actor_embeddings.jsonl")
_MAX_PICTURE_BYTES = 1 << 28
_Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class _Portrait:
    """A portrait of a person, or its description in a file."""

    name: str
    file: Path
    vector: tuple[float, ...] | None = None


class Galleries:
    """Reads galleries for one set of components; a gallery that has not changed is read once.

    Args:
        components: Components that analyse the media, and so the portraits.
    """

    def __init__(self, components: Components) -> None:
        self._models = components
        self._read: dict[str, tuple[_Stamp, Gallery]] = {}

    def get(self, folder: str, progress: ProgressHook | None = None) -> Gallery:
        """Read a gallery, or take it from memory, or from the user's cache.

        Args:
            folder: Folder of the portraits.
            progress: Hook that is called with each portrait that is described.

        Raises:
            InputError: No such folder, no portrait in it, or files of another form.
        """
        folder = spelled(folder)
        stamp = _stamp(Path(folder))
        cached = self._read.get(folder)
        if cached is None or cached[0] != stamp:
            self._read[folder] = (stamp, self._load(folder, progress))
        return self._read[folder][1]

    def _load(self, folder: str, progress: ProgressHook | None) -> Gallery:
        portraits = list(_portraits(Path(folder)))
        if not portraits:
            raise InputError(f"{folder}: no portrait in this folder; name pictures after people")
        with _damage(folder):
            target = cache.path("galleries", f"{_key(portraits, self._models)}.npz")
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return _thaw(target)
        gallery = _describe(portraits, self._models, progress)
        if not gallery.names:
            raise InputError(f"{folder}: no face in any portrait; {gallery.notes[0]}")
        # A cache that cannot be written costs the time of describing, nothing else.
        with contextlib.suppress(ResourceError):
            atomic_write_bytes(target, _freeze(gallery))
        return gallery


def files_of(folder: str) -> Iterator[Path]:
    """Yield the files that are read of a gallery: its tables and portraits.

    Nothing comes of a folder that cannot be read: that is told when the gallery is.
    """
    place = Path(folder)
    yield from (place / table for table in _TABLES)
    with contextlib.suppress(InputError):
        yield from (portrait.file for portrait in _portraits(place))


def portraits_of(name: str, folder: str) -> list[Path]:
    """Return the portraits of a person; none where the folder is gone."""
    if not Path(folder).is_dir():
        return []
    return [portrait.file for portrait in _portraits(Path(folder)) if portrait.name == name]


def cached_with(name: str) -> list[Path]:
    """Return the described galleries in the user's cache that have a person."""
    files = []
    for file in sorted(cache.path("galleries").glob("*.npz")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            if name in _thaw(file).names:
                files.append(file)
    return files


@contextlib.contextmanager
def _damage(folder: str) -> Iterator[None]:
    """Raise an `InputError` for damaged files of a gallery."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"gallery {error.filename or folder}: {error.strerror}; give a folder of portraits "
            "named after the persons in them"
        ) from error
    except (csv.Error, AttributeError, LookupError, TypeError, ValueError) as error:
        raise InputError(
            f"{folder}: not of the exchange form of docs/names.md ({type(error).__name__}: {error})"
        ) from error


def _stamp(folder: Path) -> _Stamp:
    """Return names, sizes and times of all that lies in a gallery."""
    with _damage(str(folder)):
        files = [folder, *sorted(folder.rglob("*"))]
        states = [(str(file), file.stat()) for file in files]
    return tuple((name, status.st_size, status.st_mtime_ns) for name, status in states)


def _portraits(folder: Path) -> Iterator[_Portrait]:
    """Yield the portraits in order of name; hidden files are left out.

    Raises:
        InputError: The folder cannot be read, or its tables are not of the form.
    """
    with _damage(str(folder)):
        if (folder / _TABLES[0]).is_file():
            yield from _exchanged(folder)
            return
        for entry in _entries(folder):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                try:
                    files = _entries(entry)
                except OSError:
                    # One that leads out of the folders which may be read: a note will say so.
                    yield _Portrait(entry.name, entry)
                else:
                    yield from (_Portrait(entry.name, file) for file in files if _shown(file))
            elif _shown(entry):
                yield _Portrait(entry.stem, entry)


def _entries(folder: Path) -> list[Path]:
    return [folder / name for name in source.names_in(str(folder))]


def _content(file: Path) -> bytes:
    """Return the bytes of a portrait; none where it cannot be read, which a note will say.

    Raises:
        ValueError: It is too large.
    """
    try:
        return regular.read_bytes(file, limit=_MAX_PICTURE_BYTES, opener=source.open_listed)
    except OSError:
        return b""
    except ValueError as error:
        raise ValueError(f"{file.name}: {error}") from error


def _shown(file: Path) -> bool:
    suffixes = registry.module("decode", "images").SUFFIXES
    return file.suffix.lower() in suffixes and not file.name.startswith(".")


def _exchanged(folder: Path) -> Iterator[_Portrait]:
    """Yield the portraits of the exchange form: pictures of one person, with one face."""
    names = {row["id"]: row["name"] for row in _table(folder / _TABLES[0])}
    rows = [(row["filename"], row["actor_id"]) for row in _table(folder / _TABLES[1])]
    shown = Counter(file for file, _ in set(rows))
    owner = {file: names[actor] for file, actor in rows if shown[file] == 1 and actor in names}
    vectors = _vectors(folder / _TABLES[2])
    for file, name in sorted(owner.items()):
        picture = Path(spelled(str(folder / "actor_images" / Path(file).name)))
        if picture.is_file():
            yield _Portrait(name, picture)
        elif file in vectors:
            line, vector = vectors[file]
            if not any(vector):
                raise ValueError(
                    f"{_TABLES[2]}, line {line}: a vector of length 0 has no direction"
                )
            yield _Portrait(name, picture, vector)


def _table(path: Path) -> list[dict[str, str]]:
    with CsvTable(path, opener=source.open_listed) as table:
        return [row for _, row in table.rows()]


def _vectors(path: Path) -> dict[str, tuple[int, tuple[float, ...]]]:
    """Return line and vector of each picture that shows one face."""
    if not path.is_file():
        return {}
    vectors = {}
    try:
        for number, line in documents.read_lines(path, opener=source.open_listed):
            if line["n"] == 1:
                vector = _vector(line["faces"][0]["vector"], f"line {number}")
                vectors[line["image"]] = number, vector
    except ValueError as error:
        raise ValueError(f"{path.name}, {error}") from error
    return vectors


def _vector(values: list[float], where: str) -> tuple[float, ...]:
    """Return an embedding; zeros stand for one that is to be made of the picture."""
    numbers = np.array(values, np.float64)
    if numbers.ndim != 1:
        raise ValueError(f"{where}: a vector is a list of numbers")
    with np.errstate(over="ignore"):
        row = numbers.astype(np.float32)
    require_finite(where, {"vector": row})
    return tuple(row.tolist())


def _key(portraits: list[_Portrait], components: Components) -> str:
    """Return a hash of names, contents, and all that describes them."""
    used: list[Any] = [VERSION, components.options.detector, components.options.describer]
    used += [components.describer.aligner, sorted(components.describer.provenance.items())]
    if components.options.bbox_expand != 1:
        used.append(components.options.bbox_expand)
    if components.options.detect_padding:
        used.append({"detect_padding": components.options.detect_padding})
    pieces = [json.dumps(used).encode()]
    for portrait in portraits:
        content = _content(portrait.file) if portrait.vector is None else portrait.vector
        data = content if isinstance(content, bytes) else np.array(content).tobytes()
        digest = sha256([data]).hexdigest()
        pieces.append(json.dumps([portrait.name, portrait.file.name, digest]).encode())
    return sha256(pieces).hexdigest()[:32]


def _describe(
    portraits: list[_Portrait], components: Components, progress: ProgressHook | None
) -> Gallery:
    names: list[str] = []
    rows: list[F32] = []
    notes: list[str] = []
    size = components.describer.dimensions
    for number, portrait in enumerate(portraits):
        if progress is not None:
            progress(Progress(stage="gallery", done=number, total=len(portraits)))
        row, note = _row(portrait, components)
        if row is not None and not (np.isfinite(row).all() and row.any()):
            note = f"gallery {portrait.file.name}: the describer gives no numbers: left out"
            row = None
        if row is not None and len(row) != size:
            note = f"gallery {portrait.file.name}: a vector of {len(row)} numbers, not {size}: "
            note += "made by another network; put the pictures into actor_images"
            row = None
        if row is not None:
            names.append(portrait.name)
            rows.append(row)
        if note:
            notes.append(note)
    return Gallery(
        names=tuple(names),
        embeddings=np.array(rows, np.float32).reshape(len(rows), size),
        notes=tuple(notes),
    )


def _row(portrait: _Portrait, components: Components) -> tuple[F32 | None, str]:
    """Return the embedding of the face that a portrait is of, and a note on it."""
    if portrait.vector is not None:
        return np.array(portrait.vector, np.float32), ""
    where = f"gallery {portrait.file}"
    try:
        still = describe_still(str(portrait.file), components)
    except InputError as error:
        return None, f"gallery: {error}: left out"
    if not len(still.detections):
        return None, f"{where}: no face found: left out"
    face, which = _portrayed(still)
    row = still.descriptions.embeddings[face]
    notes = [f"gallery {note}" for note in still.notes]
    if len(still.detections) > 1:
        several = f"{where}: {len(still.detections)} faces: the {which} is taken for"
        notes.append(f"{several} {portrait.name}")
    return row, "; ".join(notes)


def _portrayed(still: Still) -> tuple[int, str]:
    """Return the face that a portrait is of: which of them, and why that one.

    In a square picture, as crops of faces are, a neighbour at the edge may be larger than the face
    that covers the middle.
    """
    corners = still.detections.boxes
    height, width = still.image.shape[:2]
    middle = np.array([width, height]) / 2
    covers = ((corners[:, :2] <= middle) & (middle < corners[:, 2:])).all(axis=1)
    if width != height or not covers.any():
        return int(boxes.area(corners).argmax()), "largest"
    off = np.abs((corners[:, :2] + corners[:, 2:]) / 2 - middle).sum(axis=1)
    return int(np.where(covers, off, np.inf).argmin()), "one in the middle"


def _freeze(gallery: Gallery) -> bytes:
    stream = io.BytesIO()
    texts = json.dumps({"names": gallery.names, "notes": gallery.notes})
    np.savez(stream, embeddings=gallery.embeddings, texts=np.array(texts))
    return stream.getvalue()


def _thaw(file: Path) -> Gallery:
    stored = npz.read(file)
    texts = documents.parse(str(stored["texts"]))
    return Gallery(
        names=tuple(texts["names"]),
        embeddings=stored["embeddings"],
        notes=tuple(texts["notes"]),
    )
