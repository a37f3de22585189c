"""The server's own view of what jobs read: whether a path is wrong, or a worker's storage away.

A worker that does not find a file may have lost a mount. The file is not there for good where the
server does not find it either, in a folder that has others. Where the folder itself is away for
both, it is an outage if anybody has ever seen the folder, and a mistake in the joblist if every
worker has looked for it in vain. So it is with the host of an address: it is at fault once every
worker has asked for it in vain since somebody has last fetched from it.
"""

from __future__ import annotations

import math
import os
import queue
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from joblist.model import JobSpec, is_address
from jobs.system.reach import Reach, gone_at, worst_reach
from jobs.types import HOST_KINDS, Job

MAX_FOLDERS = 100_000
"""Folders, and hosts, that are remembered."""
MAX_QUEUED = 1000
"""Looks that may wait for the storage; more are left out."""


class _Look:
    """A look at some paths that a thread takes, for it may hang with the storage."""

    def __init__(self, paths: Iterable[str], root: str | None) -> None:
        self.paths = list(paths)
        self._root = root
        self.reach: Reach | None = None
        """How the worst of the paths is found; None as long as that is not known."""
        self.gone = ""
        """Folder that is not there, or is empty; empty if that is not known."""
        self.folders: list[str] = []
        """Those of the paths that are folders themselves."""
        self.done = threading.Event()

    def take(self) -> None:
        """Look."""
        state, path = worst_reach(self.paths, self._root)
        self.gone = gone_at(path) if state is Reach.UNREACHABLE else ""
        self.folders = [path for path in self.paths if os.path.isdir(path)]
        self.reach = state
        self.done.set()


class SourceWitness:
    """What the server knows of the files and folders that jobs read.

    Args:
        patience_s: Time after which a storage without an answer counts as away, in seconds.
        root: Folder that all of them must lie in; None for no such limit.
    """

    def __init__(self, patience_s: float, *, root: str | None = None) -> None:
        self._patience_s = patience_s
        self._root = root
        self._mutex = threading.Lock()
        self._folders: OrderedDict[str, set[str] | None] = OrderedDict()
        """Folder -> None where somebody has seen it, else the workers that did not find it."""
        self._hosts: OrderedDict[str, set[str]] = OrderedDict()
        """Host -> the workers that did not reach it since a medium was fetched from it."""
        self._looks: queue.Queue[_Look] = queue.Queue(MAX_QUEUED)
        self._thread: threading.Thread | None = None

    def glance(self, spec: JobSpec) -> None:
        """Look for what a job reads beside the work, unless its folders are known."""
        folders = [os.path.dirname(path) for path in spec.read_paths()]
        with self._mutex:
            is_known = all(self._folders.get(folder, ()) is None for folder in folders)
        if not is_known:
            self._enqueue(_Look(spec.read_paths(), self._root))

    def note_done(self, spec: JobSpec) -> None:
        """Record that a worker has read what a job reads."""
        if is_address(spec.source_path):
            with self._mutex:
                self._hosts.pop(_host(spec.source_path), None)
        if spec.poster_path is None:
            # Links are not followed: this must not wait for the storage.
            self._remember(spec.read_paths(), [spec.gallery] if spec.gallery else [])

    def excuses(self, job: Job, worker: str, kind: str, *, live: Collection[str]) -> bool:
        """Return whether a job may be as good as others, and only its storage or host is away.

        Args:
            job: The job.
            worker: Name of the worker that failed at it.
            kind: Kind of the failure, one of `AWAY_KINDS`.
            live: Names of the workers that are alive.
        """
        if kind == "storage":
            return True
        if kind in HOST_KINDS:
            return self._may_be_reached(_host(job.spec.source_path), worker, live)
        look = _Look(job.spec.read_paths(), self._root)
        self._enqueue(look)
        look.done.wait(self._patience_s)
        if look.reach in (Reach.THERE, Reach.DENIED):
            return True
        if look.reach is Reach.MISSING or kind == "missing":
            return False
        was_measured = job.length is not None and math.isfinite(job.length)
        return was_measured or not look.gone or self._is_away(look.gone, worker, live)

    def _is_away(self, folder: str, worker: str, live: Collection[str]) -> bool:
        """Return whether a folder was seen before, or may be seen by a worker yet."""
        with self._mutex:
            seekers = self._folders.setdefault(folder, set())
            if seekers is None:
                return True
            seekers.add(worker)
            return not set(live) <= seekers

    def _may_be_reached(self, host: str, worker: str, live: Collection[str]) -> bool:
        """Return whether a living worker has not yet asked for a host in vain."""
        with self._mutex:
            seekers = self._hosts.setdefault(host, set())
            self._hosts.move_to_end(host)
            seekers.add(worker)
            if len(self._hosts) > MAX_FOLDERS:
                self._hosts.popitem(last=False)
            return not set(live) <= seekers

    def _enqueue(self, look: _Look) -> None:
        with self._mutex:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sources", daemon=True)
                self._thread.start()
        try:
            self._looks.put_nowait(look)
        except queue.Full:
            look.done.set()

    def _run(self) -> None:
        while True:
            look = self._looks.get()
            look.take()
            if look.reach in (Reach.THERE, Reach.DENIED, Reach.MISSING):
                paths, folders = look.paths, look.folders
                self._remember(
                    [*paths, *map(os.path.realpath, paths)],
                    [*folders, *map(os.path.realpath, folders)],
                )

    def _remember(self, paths: Iterable[str], folders: Iterable[str] = ()) -> None:
        """Remember folders, and those above paths, as seen."""
        above = (str(folder) for path in paths for folder in Path(path).parents)
        with self._mutex:
            for folder in (*above, *folders):
                self._folders[folder] = None
                self._folders.move_to_end(folder)
            while len(self._folders) > MAX_FOLDERS:
                self._folders.popitem(last=False)


def _host(address: str) -> str:
    return urlsplit(address).netloc.lower()
