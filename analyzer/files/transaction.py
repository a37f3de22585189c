"""Transaction of files: all files of a medium are replaced, or none."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from analyzer.errors import ResourceError
from analyzer.files.atomic import writing
from analyzer.files.hashing import file_sha256
from joblist.names import beside


@dataclass(frozen=True)
class Replaced:
    """File that was replaced."""

    path: Path
    before: str
    """SHA-256 of the old file in hexadecimal; empty if there was none."""
    after: str
    """SHA-256 of the new file in hexadecimal."""


class FileTransaction:
    """Set of files that are written beside the files that they replace; a context manager.

    At the end of the context, files that `finish` did not put in place are removed.

    Args:
        dry_run: True if no file will be replaced: new files are written to a temporary folder.

    Example:
        `with FileTransaction() as files: files.add(path, write); files.finish()`
    """

    def __init__(self, *, dry_run: bool = False) -> None:
        self._parts: dict[Path, Path] = {}
        self._temporary_folder = tempfile.mkdtemp(prefix="ina-dry-run-") if dry_run else None

    def __enter__(self) -> "FileTransaction":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for part in self._parts.values():
            part.unlink(missing_ok=True)
        if self._temporary_folder:
            os.rmdir(self._temporary_folder)

    def add(self, path: Path, write: Callable[[Path], object]) -> bool:
        """Write a new version of a file, which `finish` puts in place.

        Args:
            path: Path of the file to replace.
            write: Function that writes the new version to the path that it is called with.

        Returns:
            Whether the new version differs from the file; equal ones are dropped.

        Raises:
            ResourceError: The folder cannot be written to.
        """
        part = Path(beside(str(path), f".part.{os.getpid()}"))
        if self._temporary_folder:
            part = Path(self._temporary_folder, part.name)
        self._parts[path] = part
        try:
            with writing(path):
                write(part)
                if _digest(part) != _digest(path):
                    return True
        except BaseException:
            self._drop(path)
            raise
        self._drop(path)
        return False

    def _drop(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            self._parts.pop(path).unlink(missing_ok=True)

    def finish(self) -> list[Replaced]:
        """Replace all files, in the order in which they were added.

        Returns:
            Replaced files, in order.

        Raises:
            ResourceError: A file cannot be replaced.
        """
        replaced = []
        for path, part in list(self._parts.items()):
            change = Replaced(path, _digest(path), _digest(part))
            try:
                with part.open("rb") as stream:
                    os.fsync(stream.fileno())
                os.replace(part, path)
            except OSError as error:
                raise ResourceError(f"{path}: {error.strerror}; run it again") from error
            del self._parts[path]
            replaced.append(change)
        return replaced


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; empty text if there is no file."""
    return file_sha256(path) if path.exists() else ""
