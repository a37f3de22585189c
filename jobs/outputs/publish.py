"""Outputs appear under their final names complete, or not at all; the csv comes last.

A file is written beside its destination, forced to the disk, and renamed only after the
server has fixed which files win. A rename may be repeated: it is finished when the final
file has the digest of the manifest.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from jobs.errors import JobFailed
from jobs.outputs.durable import Progress, force_to_disk, no_progress
from jobs.types import Lease, Manifest, PartFile

COMMIT_MARK = "csv"
CHUNK_BYTES = 1 << 20
OLDER_TOKENS = 16


def part_path(dest: str, job: int, token: int) -> Path:
    """Return where a job's output is written before it is published."""
    return Path(f"{dest}.part.{job}.{token}")


def part_paths(lease: Lease) -> dict[str, Path]:
    """Return the part file of each exporter, the csv last."""
    names = sorted(lease.dests, key=lambda name: (name == COMMIT_MARK, name))
    return {name: part_path(lease.dests[name], lease.job, lease.token) for name in names}


def new_token(lease: Lease) -> int:
    """Return a token that no other process has for this job; it holds as long as the csv's part.

    Of two processes that do the same job, the later one may clear files of the earlier one, which
    then fails, for another to try again: it will find the job done.
    """
    csv = lease.dests[COMMIT_MARK]
    Path(csv).parent.mkdir(parents=True, exist_ok=True)
    used = (t for t in range(1, OLDER_TOKENS + 1) if part_path(csv, lease.job, t).exists())
    for token in itertools.count(1 + max(used, default=0)):
        with contextlib.suppress(FileExistsError):
            part_path(csv, lease.job, token).touch(exist_ok=False)
            return token
    raise AssertionError("unreachable")


def open_folders(lease: Lease) -> None:
    """Make the folders of the destinations, and clear what earlier leases left in them."""
    for dest in lease.dests.values():
        Path(dest).parent.mkdir(parents=True, exist_ok=True)
        if Path(dest).is_dir():
            raise JobFailed("input", f"{dest} is a folder, not a file: change the joblist")
        # By name, for listing a folder of a million files would cost more than the job.
        for token in range(max(1, lease.token - OLDER_TOKENS), lease.token):
            part_path(dest, lease.job, token).unlink(missing_ok=True)


def discard(lease: Lease) -> None:
    """Remove the part files of this lease."""
    for part in part_paths(lease).values():
        part.unlink(missing_ok=True)


def seal(
    lease: Lease,
    statistics: Mapping[str, float],
    parts: Mapping[str, Path] | None = None,
    progress: Progress = no_progress,
) -> Manifest:
    """Force the part files to the disk and describe them.

    Args:
        lease: Lease of the job.
        statistics: Counts for the manifest.
        parts: Those that were written, the csv last; by default all.
        progress: Hook that is called while files are forced to the disk and read.

    Raises:
        JobFailed: An exporter has not written its file.
    """
    files: dict[str, PartFile] = {}
    for name, part in (part_paths(lease) if parts is None else parts).items():
        if not part.is_file():
            raise JobFailed("bug", f"exporter {name} wrote no file for {lease.dests[name]}")
        files[name] = PartFile(
            part=str(part),
            path=lease.dests[name],
            sha256=file_sha256(part, sync=True, progress=progress),
            size=part.stat().st_size,
        )
    _sync_folders(file.path for file in files.values())
    return Manifest(files=files, statistics=statistics)


def commit(manifest: Manifest, progress: Progress = no_progress) -> None:
    """Rename every part file to its final name; may be repeated, also by another worker.

    Args:
        manifest: Files of the job.
        progress: Hook that is called while a file is read that may have its name already.

    Raises:
        JobFailed: A part file is gone and the final file is not the one of the manifest:
            the job must run again.
    """
    for file in manifest.files.values():
        try:
            os.replace(file.part, file.path)
        except FileNotFoundError:
            if not _is_published(file, progress):
                raise JobFailed(
                    "transient", f"{file.part} disappeared before it was published"
                ) from None
    _sync_folders(file.path for file in manifest.files.values())


def _is_published(file: PartFile, progress: Progress) -> bool:
    path = Path(file.path)
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    return file_sha256(path, progress=progress) == file.sha256


def file_sha256(path: Path, *, sync: bool = False, progress: Progress = no_progress) -> str:
    """Return the SHA-256 of a file in hexadecimal, and force it to the disk if asked."""
    state = hashlib.sha256()
    with path.open("r+b" if sync else "rb") as stream:
        if sync:
            force_to_disk(stream.fileno(), progress)
        while chunk := stream.read(CHUNK_BYTES):
            state.update(chunk)
            progress()
    return state.hexdigest()


def _sync_folders(paths: Iterable[str]) -> None:
    for folder in {os.path.dirname(path) for path in paths}:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
