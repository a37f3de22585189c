"""New files in the places of old ones: all of a medium's, or none."""

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


@dataclass(frozen=True)
class Replaced:
    """A file that has changed."""

    path: Path
    before: str
    """SHA-256 in hexadecimal; empty where there was none."""
    after: str


class FileTransaction:
    """Files that are written beside those that they replace; a context manager.

    What was not put in its place when the context ends is removed.

    Args:
        dry_run: Nothing is to be replaced: files are written to the system's folder for such.
    """

    def __init__(self, *, dry_run: bool = False) -> None:
        self._parts: dict[Path, Path] = {}
        self._aside = tempfile.mkdtemp(prefix="ina-dry-run-") if dry_run else None

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
        if self._aside:
            os.rmdir(self._aside)

    def add(self, path: Path, write: Callable[[Path], object]) -> bool:
        """Write a new file for a place; returns whether it differs from what is there.

        Raises:
            ResourceError: The folder cannot be written to.
        """
        name = f"{path.name}.part.{os.getpid()}"
        part = Path(self._aside, name) if self._aside else path.with_name(name)
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
        """Put all new files in their places, in the order in which they were added.

        Raises:
            ResourceError: One cannot be replaced.
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
    """Return the SHA-256 of a file in hexadecimal; empty where there is none."""
    return file_sha256(path) if path.exists() else ""
