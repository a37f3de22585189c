"""Of which medium the results in a folder are, so that none take the place of others'.

Tables and videos do not say what they were made of. So beside them, in a hidden folder, lies a
small file for each medium: `results/.ina/film.json` tells of which medium `results/film.*` are.
Where it is missing, a report tells.
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analyzer.errors import AnalyzerError, UsageError
from analyzer.files.atomic import atomic_write_bytes
from analyzer.files.hashing import sha256
from analyzer.reports import report_file
from analyzer.results.locate import RECORDS, load_exporter
from ina_input import documents, regular
from joblist.model import is_address

_END_BYTES = 1 << 20
"""Bytes at the start and at the end of a file by which a copy is recognised."""
_CURE = "give another folder (-o), or --overwrite to replace them"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The medium that results were made of."""

    media: tuple[str, ...]
    """Path without links, or address; of stills, all paths that were given."""
    content: str = ""
    """Hash of size, start and end of the file; empty where it is unknown."""
    size_bytes: int | None = None
    """Size of the file; `None` where there are several, or where it is unknown."""

    def includes(self, other: "Owner") -> bool:
        """Return whether results of `other` may be replaced by those of this medium."""
        if self.content and self.content == other.content:
            return True
        if not other.content and other.size_bytes and self.size_bytes == other.size_bytes:
            # A report's path may have been relative to a folder that nobody knows any more.
            return os.path.basename(self.media[0]) == os.path.basename(other.media[0])
        return all(any(_is_in(path, own) for own in self.media) for path in other.media)


def _is_in(path: str, own: str) -> bool:
    """Return whether a path is another, or lies in that folder."""
    return path == own or path.startswith(own.rstrip(os.sep) + os.sep)


def owner(medium: str | Sequence[str]) -> Owner:
    """Return what tells a medium from others.

    Args:
        medium: Path or address of a video; or paths of stills.
    """
    paths = [medium] if isinstance(medium, str) else list(medium)
    media = tuple(path if is_address(path) else os.path.realpath(path) for path in paths)
    if len(media) > 1 or not os.path.isfile(media[0]):
        return Owner(media=media)
    return Owner(media=media, content=_content(media[0]), size_bytes=os.path.getsize(media[0]))


def record(target: Path, medium: str | Sequence[str]) -> None:
    """Write down of which medium results are.

    Args:
        target: Common start of the results' paths.
        medium: See `owner`.

    Raises:
        ResourceError: The file cannot be written.
    """
    text = json.dumps(asdict(owner(medium)), indent=1)
    atomic_write_bytes(_record_path(target), text.encode())


def require_own(target: Path, files: Iterable[Path], medium: str | Sequence[str]) -> None:
    """Refuse to replace results of another medium.

    Args:
        target: Common start of the results' paths.
        files: Files that are to be written.
        medium: See `owner`.

    Raises:
        UsageError: One of the files exists, and is of another medium, or of nobody knows which.
    """
    existing = [file for file in files if os.path.lexists(file)]
    if not existing:
        return
    before = _recorded(target) or _reported(target)
    if before is None:
        raise UsageError(
            f"{existing[0]}: is there already, and nothing says of which medium it is: {_CURE}"
        )
    if not owner(medium).includes(before):
        more = f" and {len(before.media) - 1} more" if len(before.media) > 1 else ""
        raise UsageError(f"{existing[0]}: is a result of {before.media[0]}{more}: {_CURE}")


def _record_path(target: Path) -> Path:
    return target.parent / RECORDS / f"{target.name}.json"


def _recorded(target: Path) -> Owner | None:
    try:
        values = documents.read(_record_path(target))
        return Owner(
            media=tuple(values["media"]),
            content=values["content"],
            size_bytes=values["size_bytes"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _reported(target: Path) -> Owner | None:
    """Return the medium that a report beside the results names; also one of an old version."""
    path = target.with_name(target.name + load_exporter("report").suffix)
    try:
        info = report_file.summary(path).info
    except AnalyzerError:
        return _of_json(target.with_name(target.name + load_exporter("json").suffix))
    return _owner_of_names(info.stills or (info.uri,), info.size_bytes)


def _of_json(path: Path) -> Owner | None:
    try:
        values: Any = documents.read(path)
        return _owner_of_names([values["medium"]["uri"]], None)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _owner_of_names(names: Sequence[str], size_bytes: int | None) -> Owner:
    media = tuple(n if is_address(n) else os.path.realpath(n) for n in names)
    return Owner(media=media, size_bytes=size_bytes)


def _content(path: str) -> str:
    """Return a hash of size, start and end of a file; empty where it is none."""
    try:
        with regular.open_binary(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            start = stream.read(_END_BYTES)
            stream.seek(max(size - _END_BYTES, 0))
            return sha256([str(size).encode(), b"\n", start, stream.read(_END_BYTES)]).hexdigest()
    except OSError:
        return ""
