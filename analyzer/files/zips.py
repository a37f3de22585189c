"""Reproducible zip files: equal content gives equal bytes."""

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from analyzer.files.atomic import writing

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""Time of every file in a zip."""
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]|^\.+|[. ]+$|[\ud800-\udfff]')
"""What file systems or their users stumble over."""
_LONGEST = 80


class Archive:
    """A zip that is being written; see `create`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add(self, name: str, pieces: Iterable[bytes], *, packed: bool = True) -> None:
        """Add a file.

        Args:
            name: With its folders, separated by `/`.
            pieces: Pieces of its content.
            packed: Compress it; of no use to JPEG.
        """
        info = zipfile.ZipInfo(name, _LONG_AGO)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        with self._archive.open(info, "w", force_zip64=True) as stream:
            for piece in pieces:
                stream.write(piece)


@contextmanager
def create(path: Path) -> Iterator[Archive]:
    """Write a zip.

    Raises:
        ResourceError: The file cannot be written.
    """
    with writing(path), zipfile.ZipFile(path, "w") as archive:
        yield Archive(archive)


def folders(names: Mapping[int, str | None]) -> dict[int, str]:
    """Return a folder name for each number, from its name or itself, distinct without case."""
    taken: set[str] = set()
    folder_of = {}
    for number, name in names.items():
        folder = safe(name or "") or str(number)
        while folder.casefold() in taken:
            folder = f"{folder}_{number}"
        taken.add(folder.casefold())
        folder_of[number] = folder
    return folder_of


def safe(name: str) -> str:
    """Return a name that can be a file's on every system."""
    return _UNSAFE.sub("_", name)[:_LONGEST].strip()
