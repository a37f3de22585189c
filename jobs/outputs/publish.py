"""Outputs appear under their final names complete, or not at all; the csv comes last.

A file is written beside its destination, forced to the disk, and renamed only after the
server has fixed which files win. A rename may be repeated: it is finished when the final
file has the digest of the manifest.

Folders are opened once, and files in them by name (`joblist.beneath`): a link that is planted at
the name of a part file or in place of a folder leads nowhere.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from joblist.beneath import StagedPath, opened_folder
from jobs.errors import JobFailed
from jobs.outputs.digests import CHUNK_BYTES, sha256_of
from jobs.outputs.durable import Progress, force_to_disk, no_progress
from jobs.outputs.part_names import part_name
from jobs.types import Lease, Manifest, PartFile, PartPaths

COMMIT_MARK = "csv"
OLDER_TOKENS = 16
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
UNWRITTEN = b"no exporter has written this file\n"
"""Content of a part file that no exporter has opened yet: an empty file may be a result."""


def part_path(dest: str, lease: Lease) -> Path:
    """Return where a job's output is written before it is published."""
    return Path(part_name(dest, lease.job, lease.token, lease.ledger))


def part_paths(lease: Lease) -> dict[str, Path]:
    """Return the part file of each exporter, the csv last."""
    return {name: part_path(lease.dests[name], lease) for name in _in_order(lease.dests)}


def _in_order(names: Mapping[str, object]) -> list[str]:
    return sorted(names, key=lambda name: (name == COMMIT_MARK, name))


def new_token(lease: Lease) -> int:
    """Return a token that no other process has for this job; it holds as long as the csv's part.

    Of two processes that do the same job, the later one may clear files of the earlier one, which
    then fails, for another to try again: it will find the job done.
    """
    csv = lease.dests[COMMIT_MARK]

    def name(token: int) -> str:
        return os.path.basename(part_name(csv, lease.job, token, lease.ledger))

    with _folder_of(csv, lease, make=True) as folder:
        used = (token for token in range(1, OLDER_TOKENS + 1) if _state(name(token), folder))
        for token in itertools.count(1 + max(used, default=0)):
            with contextlib.suppress(FileExistsError):
                os.close(os.open(name(token), NEW, 0o666, dir_fd=folder))
                return token
    raise AssertionError("unreachable")


@contextlib.contextmanager
def _folder_of(path: str, lease: Lease, *, make: bool = False) -> Iterator[int]:
    """Open the folder of a destination, beneath the output root if there is one."""
    with opened_folder(os.path.dirname(path), lease.bounds.output_root, make=make) as descriptor:
        yield descriptor


def _state(name: str, folder: int) -> os.stat_result | None:
    """Return what stands under a name in an open folder, a link itself; None if nothing does."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _remove(name: str, folder: int) -> None:
    """Remove a file.

    Raises:
        JobFailed: It is a folder, and so no part file.
    """
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass
    except IsADirectoryError as error:
        text = f"{name} is a folder in the place of a part file: remove it"
        raise JobFailed("resource", text) from error


def open_folders(lease: Lease) -> None:
    """Make the folders of the destinations, and clear what earlier leases left in them.

    Raises:
        JobFailed: A folder is a file, or a destination is no regular file.
    """
    for dest in lease.dests.values():
        try:
            with _folder_of(dest, lease, make=True) as folder:
                _require_replaceable(dest, folder)
                # By name, for listing a folder of a million files would cost more than the job.
                for token in range(max(1, lease.token - OLDER_TOKENS), lease.token):
                    name = part_name(dest, lease.job, token, lease.ledger)
                    with contextlib.suppress(JobFailed):
                        _remove(os.path.basename(name), folder)
        except (FileExistsError, NotADirectoryError) as error:
            if not (file := _file_among(os.path.dirname(dest))):
                raise
            text = f"{file} is a file, and {dest} is to lie in it: change the joblist"
            raise JobFailed("input", text) from error


def _require_replaceable(dest: str, folder: int) -> None:
    """Make sure that a destination may be renamed over.

    Raises:
        JobFailed: It is a folder, a device, a pipe or a socket, or a link to one of these.
    """
    found = _state(os.path.basename(dest), folder)
    if found and stat.S_ISDIR(found.st_mode):
        raise JobFailed("input", f"{dest} is a folder, not a file: change the joblist")
    if found and stat.S_ISLNK(found.st_mode):
        with contextlib.suppress(OSError):
            found = os.stat(os.path.basename(dest), dir_fd=folder)
    kept = stat.S_ISCHR, stat.S_ISBLK, stat.S_ISFIFO, stat.S_ISSOCK
    if found and any(is_kept(found.st_mode) for is_kept in kept):
        raise JobFailed("input", f"{dest} is not a regular file: change the joblist")


def _file_among(folder: str) -> str:
    """Return the first part of a path that is no folder; empty if there is none."""
    steps = (str(path) for path in reversed([Path(folder), *Path(folder).parents]))
    return next((path for path in steps if os.path.exists(path) and not os.path.isdir(path)), "")


def discard(lease: Lease) -> None:
    """Remove the part files of this lease."""
    for part in part_paths(lease).values():
        with contextlib.suppress(FileNotFoundError), _folder_of(str(part), lease) as folder:
            _remove(part.name, folder)


class OpenParts:
    """The part files of a lease while they are written: made here, and open until they are sealed.

    Exporters write by path, and a path may lead elsewhere a moment later. So they get links in a
    folder that only this process can change, each to a file that is open already.

    Args:
        lease: Lease of the job; its folders are made.
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._resources = contextlib.ExitStack()
        self._files: dict[str, int] = {}
        """Exporter -> descriptor of its part file."""
        with contextlib.ExitStack() as opened:
            home = tempfile.TemporaryDirectory(prefix="ina-parts-", ignore_cleanup_errors=True)
            self._home = Path(opened.enter_context(home))
            for name, part in part_paths(lease).items():
                with _folder_of(str(part), lease) as folder:
                    self._files[name] = _create(part.name, folder)
                opened.callback(os.close, self._files[name])
            self._resources = opened.pop_all()

    def __enter__(self) -> OpenParts:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files; those that were not sealed stay, for `discard`."""
        self._resources.close()

    def paths(self) -> PartPaths:
        """Return where each exporter writes, the csv last."""
        paths: dict[str, Path] = {}
        for number, (name, part) in enumerate(part_paths(self._lease).items()):
            # Long names may be equal in shape; a folder each keeps them apart.
            (self._home / f"{number}").mkdir()
            staged = self._home / f"{number}" / part.name
            staged.symlink_to(f"/proc/{os.getpid()}/fd/{self._files[name]}")
            paths[name] = StagedPath.of(staged, part)
        return PartPaths(paths)

    def in_place(self, text: str) -> str:
        """Return a message with the paths of the part files in place of their links."""
        folders = enumerate(part_paths(self._lease).values())
        for number, part in folders:
            text = text.replace(str(self._home / f"{number}"), str(part.parent))
        return text

    def seal(
        self,
        statistics: Mapping[str, float],
        parts: Mapping[str, Path],
        progress: Progress = no_progress,
    ) -> Manifest:
        """Force the part files to the disk and describe them.

        Args:
            statistics: Counts for the manifest.
            parts: Those of `paths` that were written, the csv last; the others are removed.
            progress: Hook that is called while files are forced to the disk and read.

        Raises:
            JobFailed: An exporter has not written its file, or it was replaced meanwhile.
        """
        files: dict[str, PartFile] = {}
        try:
            for name, part in part_paths(self._lease).items():
                with _folder_of(str(part), self._lease) as folder:
                    if name in parts:
                        self._collect(name, parts[name])
                        files[name] = self._described(name, part, folder, progress)
                    else:
                        _remove(part.name, folder)
        except FileNotFoundError as error:
            raise JobFailed("transient", f"{part}: its folder was removed meanwhile") from error
        return Manifest(files=files, statistics=statistics)

    def _described(self, name: str, part: Path, folder: int, progress: Progress) -> PartFile:
        """Force a file to the disk and describe it.

        Raises:
            JobFailed: What stands under its name is not what was written.
        """
        descriptor = self._files[name]
        force_to_disk(descriptor, progress)
        sha256, own = sha256_of(descriptor, progress), os.fstat(descriptor)
        found = _state(part.name, folder)
        if found is None or not os.path.samestat(found, own):
            raise JobFailed("transient", f"{part} was replaced or removed while it was written")
        os.fsync(folder)
        return PartFile(
            part=str(part), path=self._lease.dests[name], sha256=sha256, size=own.st_size
        )

    def _collect(self, name: str, staged: Path) -> None:
        """Copy what an exporter has put in place of its link, as one does that writes and renames.

        Raises:
            JobFailed: It has written no file.
        """
        descriptor = self._files[name]
        if staged.is_file() and not staged.is_symlink():
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            with staged.open("rb") as source, os.fdopen(os.dup(descriptor), "wb") as target:
                shutil.copyfileobj(source, target, CHUNK_BYTES)
        if not staged.exists() or os.pread(descriptor, len(UNWRITTEN), 0) == UNWRITTEN:
            raise JobFailed("bug", f"exporter {name} wrote no file for {self._lease.dests[name]}")


def _create(name: str, folder: int) -> int:
    """Make a part file, never through a link; return its descriptor."""
    while True:
        try:
            descriptor = os.open(name, NEW, 0o666, dir_fd=folder)
            break
        except FileExistsError:
            if (reserved := _reserved(name, folder)) is not None:
                descriptor = reserved
                break
            # A link, or what a process left that was killed: gone, and tried once more.
            _remove(name, folder)
    os.write(descriptor, UNWRITTEN)
    return descriptor


def _reserved(name: str, folder: int) -> int | None:
    """Open the empty file of `new_token`; None if another one stands there."""
    try:
        flags = os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError:
        return None
    found = os.fstat(descriptor)
    # A second name of an empty file may lie anywhere.
    if stat.S_ISREG(found.st_mode) and found.st_size == 0 and found.st_nlink == 1:
        return descriptor
    os.close(descriptor)
    return None


def fault(
    manifest: Manifest, dests: Mapping[str, str], *, job: int, token: int, ledger: str
) -> str:
    """Return what a manifest names that is not its job's; empty if all is.

    A peer may say anything, and each other worker carries it out.

    Args:
        manifest: Manifest of a job.
        dests: Destinations of the job.
        job: Number of the job.
        token: Token of the lease.
        ledger: Id of the ledger; empty for work without one, where tokens are not recorded.
    """
    if COMMIT_MARK not in manifest.files:
        return f"no {COMMIT_MARK} is among its files"
    for name, file in manifest.files.items():
        if file.path != dests.get(name):
            return f"{file.path!r} is not the job's {name}"
        if not _is_own_part(file, job, token, ledger):
            return f"{file.part!r} is no part file of the job"
    return ""


def _is_own_part(file: PartFile, job: int, token: int, ledger: str) -> bool:
    # The second is how versions before named it: a ledger may hold manifests of theirs.
    if file.part in (part_name(file.path, job, token, ledger), f"{file.path}.part.{job}.{token}"):
        return True
    prefix = part_name(file.path, job, 0, ledger)[:-1]
    return not ledger and re.fullmatch(rf"{re.escape(prefix)}\d+", file.part) is not None


def commit(lease: Lease, progress: Progress = no_progress) -> None:
    """Rename every part file to its final name; may be repeated, also by another worker.

    Args:
        lease: Lease with the manifest.
        progress: Hook that is called while files are read.

    Raises:
        JobFailed: The manifest names files that are not the job's; or a part file is gone and the
            final file is not the one of the manifest: the job must run again.
    """
    manifest = lease.manifest
    assert manifest is not None
    token, ledger = lease.token, lease.ledger
    if wrong := fault(manifest, lease.dests, job=lease.job, token=token, ledger=ledger):
        raise JobFailed("input", f"{wrong}: nothing is published")
    for name in _in_order(manifest.files):
        file = manifest.files[name]
        try:
            with _folder_of(file.path, lease) as folder:
                _rename(file, folder, progress)
                os.fsync(folder)
        except FileNotFoundError as error:
            raise JobFailed("transient", f"{file.part} disappeared: its folder is gone") from error


def _rename(file: PartFile, folder: int, progress: Progress) -> None:
    part, name = os.path.basename(file.part), os.path.basename(file.path)
    found = _state(part, folder)
    if found and stat.S_ISREG(found.st_mode) and found.st_size == file.size:
        with contextlib.suppress(FileNotFoundError):
            replace(part, name, folder)
            return
    if not _is_published(name, file, folder, progress):
        why = "was replaced" if found else "disappeared"
        raise JobFailed("transient", f"{file.part} {why} before it was published")


def replace(old: str, new: str, folder: int) -> None:
    """Rename a file in an open folder, in place of what has the name."""
    os.replace(old, new, src_dir_fd=folder, dst_dir_fd=folder)


def _is_published(name: str, file: PartFile, folder: int, progress: Progress) -> bool:
    found = _state(name, folder)
    if found is None or not stat.S_ISREG(found.st_mode) or found.st_size != file.size:
        return False
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(descriptor, "rb"):
        return sha256_of(descriptor, progress) == file.sha256
