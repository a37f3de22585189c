"""Reproducible zip files: equal content gives equal bytes."""

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from analyzer.files.atomic import writing

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""Time of every file in a zip: the earliest that the format can express."""
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]|^\.+|[. ]+$|[\ud800-\udfff]')
"""Characters that some file systems do not allow, dots that hide a file, dots and spaces at the
end."""
_MAX_NAME_LENGTH = 80


class Archive:
    """Zip that is being written; see `create`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add(self, name: str, pieces: Iterable[bytes], *, packed: bool = True) -> None:
        """Add a file.

        Args:
            name: Path of the file in the zip, with `/` between folders.
            pieces: Pieces of its content, in order.
            packed: Compress it; of no use for JPEG.

        Raises:
            OSError: The zip cannot be written; `create` explains it.
        """
        info = zipfile.ZipInfo(name, _FIXED_TIME)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        with self._archive.open(info, "w", force_zip64=True) as stream:
            for piece in pieces:
                stream.write(piece)


@contextmanager
def create(path: Path, *, comment: str = "") -> Iterator[Archive]:
    """Write a zip.

    Args:
        path: Path of the zip.
        comment: Comment of the zip as a whole, in ASCII.

    Yields:
        Archive to add files to.

    Raises:
        ResourceError: The file cannot be written.
    """
    with writing(path), zipfile.ZipFile(path, "w") as archive:
        archive.comment = comment.encode("ascii")
        yield Archive(archive)


def folders(names: Mapping[int, str | None]) -> dict[int, str]:
    """Return a folder name for each person: from the name, or the number without one.

    Folder names differ by more than upper and lower case.

    Args:
        names: Number of the person -> name, if there is one.
    """
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
    """Return a name that is a valid file name on every system.

    Args:
        name: Any text.
    """
    return _UNSAFE.sub("_", name)[:_MAX_NAME_LENGTH].strip()
