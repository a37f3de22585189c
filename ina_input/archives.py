"""Zips of bounded size: neither their list of files nor what is in them fills the memory."""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from ina_input import regular
from ina_input.regular import BoundExceeded, Location, Opener

MAX_ENTRIES = 500_000
MAX_DIRECTORY_BYTES = 1 << 26
"""Size of the list of files."""
MAX_EXPANDED_BYTES = 1 << 35
"""Size of all files together."""
MAX_RATIO = 100
"""Expanded size over the zip's own; from `FREE_BYTES` on."""
FREE_BYTES = 1 << 26
_CHUNK_BYTES = 1 << 20
_ENCRYPTED = 1
"""Flag of a file."""
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Those that expand in portions."""
_DAMAGE = (
    *(EOFError, NotImplementedError, OverflowError, RuntimeError),
    *(struct.error, zipfile.BadZipFile, zlib.error),
)
"""Errors that `zipfile` raises for damage."""


class DamagedZip(ValueError):
    """A file is no zip, or one that is damaged, encrypted, or packed in an unusual way."""


class ZipContents:
    """The files in a zip; see `open_zip`.

    Attributes:
        names: Names of the files, each once, in the order of the zip.
        comment: Comment of the zip as a whole.
    """

    def __init__(self, archive: zipfile.ZipFile, packed_bytes: int) -> None:
        self._archive = archive
        self.comment = archive.comment
        self._left = min(MAX_EXPANDED_BYTES, max(FREE_BYTES, MAX_RATIO * packed_bytes))
        entries = archive.infolist()
        self.names = [entry.filename for entry in entries]
        if len(entries) > MAX_ENTRIES:
            raise BoundExceeded(f"a zip of more than {MAX_ENTRIES} files")
        if len(set(self.names)) != len(entries):
            raise DamagedZip("two files of one name")
        if sum(entry.file_size for entry in entries) > self._left:
            raise BoundExceeded(f"a zip that expands to more than {self._left} bytes")

    def read(self, name: str, *, limit: int = MAX_EXPANDED_BYTES) -> bytes:
        """Read a file.

        Args:
            name: Name of the file.
            limit: Largest size, in bytes.

        Raises:
            KeyError: There is no such file.
            BoundExceeded: The file is larger, or larger than the zip says.
            DamagedZip: The file is damaged, encrypted, or packed in another way.
        """
        entry = self._archive.getinfo(name)
        if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _PACKINGS:
            raise DamagedZip(f"{name}: encrypted, or packed by another method")
        if entry.file_size > limit:
            raise BoundExceeded(f"{name}: larger than {limit} bytes")
        pieces: list[bytes] = []
        with _damage(), self._archive.open(entry) as stream:
            # In portions: read at once, a file expands to what is in it, whatever the zip says.
            while piece := stream.read(_CHUNK_BYTES):
                pieces.append(piece)
                self._left -= len(piece)
                if self._left < 0:
                    raise BoundExceeded("a zip that expands to more than it says")
        return b"".join(pieces)


@contextmanager
def open_zip(path: Location, *, opener: Opener = regular.open_descriptor) -> Iterator[ZipContents]:
    """Open a zip.

    Args:
        path: Path of the zip.
        opener: Function that opens the file.

    Raises:
        OSError: The file is missing, unreadable, or not a regular file.
        DamagedZip: The file is no zip, or damaged.
        BoundExceeded: More than `MAX_ENTRIES` files, or larger ones than a real zip has.
    """
    with _DirectoryReader(opener(path)) as stream:
        size = os.fstat(stream.fileno()).st_size
        with _damage():
            archive = zipfile.ZipFile(stream)
        stream.is_free = True
        with archive:
            yield ZipContents(archive, size)


@contextmanager
def _damage() -> Iterator[None]:
    """Raise what `zipfile` raises for damage as `DamagedZip`."""
    try:
        yield
    except _DAMAGE as error:
        raise DamagedZip(str(error) or type(error).__name__) from error


class _DirectoryReader(io.BufferedReader):
    """File that refuses to read a large list of files at once, as `zipfile` does."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(io.FileIO(descriptor, "rb"))  # type: ignore[arg-type]
        self.is_free = False

    def read(self, size: int | None = -1, /) -> bytes:
        """Read bytes."""
        if not self.is_free and (size or 0) > MAX_DIRECTORY_BYTES:
            raise BoundExceeded(f"a list of files of more than {MAX_DIRECTORY_BYTES} bytes")
        return super().read(size)
