"""A server's claim on its destinations, which every other server sees, wherever it runs.

Two servers with the same destinations replace each other's results: by a copied joblist, another
ledger, or on two machines. So each leaves a file beside the destinations, in a folder
`.ina-claims`, that says who it is and which they are. A server that finds a claim on any of its
own does not start.

There may be a million folders. A claim lies in each of them up to `MAX_PLACES`, and beyond that in
folders above them, on the same file system: it is looked for in every folder above a destination.
Lists with other destinations in the same folder do not meet: a claim holds a digest of each path.

Which of several servers wins is settled as in a bakery: each first writes its claim, as `asking`,
and looks then. Of two, at least the later one sees the other. A server that meets a claim that is
held gives way. Of those that ask, the one with the least number waits until the others have given
way. So it does not matter who removes the claim of a dead server, or how many try it at once.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from joblist.beneath import opened_folder
from joblist.clashes import resolver
from joblist.errors import UsageError
from jobs.outputs import claim_file
from jobs.outputs.claim_file import (
    ASKING,
    FOLDER,
    HELD,
    SUFFIX,
    ClaimOwner,
    FoundClaim,
    digest,
    opened,
)
from jobs.outputs.places import Places, device_of

log = logging.getLogger(__name__)
MAX_PLACES = 64
KNOWN_FOLDERS = 1 << 14
WAIT_S, POLL_S = 10.0, 0.2
"""How long a server that asks waits for others that ask, and how often it looks."""
Destinations = Callable[[], Iterable[str]]
"""Function that returns the destinations of a server, absolute paths; called several times."""


class DestinationClaim:
    """A claim on destinations, renewed by a thread until it is released.

    Args:
        owner: This server.
        destinations: Its destinations.
        every_s: Time between two renewals.
        root: Folder that all destinations lie in; None for no such limit.
        on_lost: Called with the reason when another server has taken the destinations over.

    Raises:
        UsageError: Another server has a claim on some of the destinations.
    """

    def __init__(
        self,
        owner: ClaimOwner,
        destinations: Destinations,
        *,
        every_s: float,
        root: str | None = None,
        on_lost: Callable[[str], None] = log.error,
    ) -> None:
        self.on_lost = on_lost
        self.taken_over: list[str] = []
        """What became of the claims of dead servers, in words."""
        self._owner = owner
        self._name = f"{owner.number}{SUFFIX}"
        self._root = root and os.path.realpath(root)
        self._every_s = every_s
        places = list(Places(map(os.path.dirname, destinations()), limit=MAX_PLACES))
        self._devices = {place.folder: place.device for place in places}
        self._digests = {place.folder: array("Q") for place in places}
        """Folder of each claim -> digests of the destinations below it, relative to it."""
        for place, below in _by_place(destinations(), self._digests):
            self._digests[place].append(digest(below))
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="claim", daemon=True)
        try:
            self._settle(destinations)
        except BaseException:
            self._withdraw()
            raise
        self._thread.start()

    def close(self) -> None:
        """Release the destinations."""
        self._stopped.set()
        # It may hang with the storage.
        self._thread.join(timeout=2.0)
        if not self._thread.is_alive():
            self._withdraw()

    def _settle(self, destinations: Destinations) -> None:
        """Ask for the destinations, and hold them.

        Raises:
            UsageError: Another server has them, or asks for them and was first.
        """
        if not all(map(os.path.isdir, self._digests)):
            # A folder that is made may be a file of another server, which is not there yet.
            for other in self._others(sorted(_claimed_folders(destinations())), destinations):
                if other.is_held:
                    raise UsageError(self._refusal(other, destinations))
        for folder in self._digests:
            if isinstance(self._write(folder, ASKING), NotADirectoryError):
                path = os.path.join(folder, FOLDER)
                raise UsageError(
                    f"{path} is in the place of servers' claims, and no folder: remove it"
                )
        folders = sorted(_claimed_folders(destinations()))
        deadline = time.monotonic() + WAIT_S
        while others := self._others(folders, destinations):
            for other in others:
                least = other.name > self._name and time.monotonic() < deadline
                if other.is_held or not least:
                    raise UsageError(self._refusal(other, destinations))
            time.sleep(POLL_S)
        for folder in self._digests:
            self._write(folder, HELD)

    def _others(self, folders: Iterable[str], destinations: Destinations) -> list[FoundClaim]:
        """Return the claims of living servers on the same destinations; remove those of others."""
        living = []
        for folder in folders:
            own: set[int] | None = None
            for other in self._claims_in(folder):
                if other.name == self._name:
                    continue
                own = self._own(folder, destinations) if own is None else own
                if not other.meets(own):
                    continue
                if other.is_dead(seen_from=self._owner):
                    self._remove(other.folder, other.name)
                    # A server that goes on after a crash is no news.
                    if not (other.owner and other.owner.has_ledger_of(self._owner)):
                        self.taken_over.append(f"took over from {other}: it has ended")
                else:
                    living.append(other)
        return living

    def _claims_in(self, folder: str) -> list[FoundClaim]:
        try:
            return list(claim_file.claims_in(folder, self._bound(folder), self._now(folder)))
        except OSError as error:
            log.warning("the claims in %s cannot be read: %s", folder, error)
            return []

    def _own(self, folder: str, destinations: Destinations) -> set[int]:
        """Return the digests of the destinations below a folder, and of their own folders there.

        All are relative to it. What is a file of another server cannot be a folder.
        """
        own = set(self._digests.get(folder, ()))
        return own.union(map(digest, _ways(destinations(), folder)))

    def _refusal(self, other: FoundClaim, destinations: Destinations) -> str:
        ways = _ways(destinations(), other.folder)
        first = next((way for way in ways if other.meets({digest(way)})), "")
        stale_s = (other.owner or self._owner).stale_s
        return (
            f"{os.path.join(other.folder, first)} is a destination of {other}: wait for that "
            "server to end, or give other destinations. If it was killed on another machine, its "
            f"claim ends {stale_s:.0f} s after its last renewal: {other.path}"
        )

    def _now(self, folder: str) -> float:
        """Return the time of the file system of a folder: clocks of machines differ."""
        for place in (folder, *self._digests):
            with contextlib.suppress(OSError), self._opened(place) as claims:
                os.utime(self._name, dir_fd=claims, follow_symlinks=False)
                return os.stat(self._name, dir_fd=claims, follow_symlinks=False).st_mtime
        return time.time()

    def _write(self, folder: str, state: bytes) -> OSError | None:
        """Write a claim, or its state if it is there; return why it cannot be written.

        Where it cannot be written, the keeper tries again: a disk may be full, and workers may have
        rights that the server has not.
        """
        try:
            with self._opened(folder, make=True) as claims:
                claim_file.write(self._name, claims, self._owner, self._digests[folder], state)
        except OSError as error:
            log.warning("the destinations in %s are not claimed: %s", folder, error)
            return error
        return None

    @contextlib.contextmanager
    def _opened(self, folder: str, *, make: bool = False) -> Iterator[int]:
        with opened(folder, self._bound(folder), make=make) as claims:
            yield claims

    def _bound(self, folder: str) -> str | None:
        """Return the root that a folder, by its real path, must lie in: none for one above it."""
        root = self._root
        return root if root and os.path.commonpath([folder, root]) == root else None

    def _remove(self, folder: str, name: str) -> None:
        with contextlib.suppress(OSError), self._opened(folder) as claims:
            os.unlink(name, dir_fd=claims)

    def _withdraw(self) -> None:
        for folder in self._digests:
            self._remove(folder, self._name)
            with contextlib.suppress(OSError), opened_folder(folder, self._bound(folder)) as parent:
                # It stays while others have claims in it.
                os.rmdir(FOLDER, dir_fd=parent)

    def _keep(self) -> None:
        while not self._stopped.wait(self._every_s):
            for folder in self._digests:
                lost = self._renew(folder)
                if lost and not self._stopped.is_set():
                    self.on_lost(lost)
                    return

    def _renew(self, folder: str) -> str:
        """Renew a claim; return who has taken it over, or nothing."""
        try:
            with self._opened(folder) as claims:
                os.utime(self._name, dir_fd=claims, follow_symlinks=False)
                return ""
        except FileNotFoundError:
            pass
        except OSError as error:
            log.warning("the claim in %s is not renewed: %s", folder, error)
            return ""
        # Moved away with its folder, which was made again perhaps; or taken over. Where the disk of
        # the folder is away, its place is no place for a claim.
        if self._stopped.is_set() or device_of(folder) != self._devices[folder]:
            return ""
        if not os.path.isdir(folder):
            return ""
        self._write(folder, ASKING)
        others = self._others([folder], lambda: ())
        if others:
            self._remove(folder, self._name)
            return f"the destinations in {folder} were taken over by {others[0]}"
        self._write(folder, HELD)
        return ""


def _by_place(destinations: Iterable[str], places: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the place of each destination below one, and its path relative to it."""
    wanted = set(places)
    resolve = resolver()

    @lru_cache(maxsize=KNOWN_FOLDERS)
    def place_of(folder: str) -> str | None:
        while folder not in wanted:
            if folder == "/":
                return None
            folder = os.path.dirname(folder)
        return folder

    for path in destinations:
        folder, name = os.path.split(path)
        real = resolve(folder)
        place = place_of(real)
        if place is not None:
            yield place, f"{real}/{name}"[len(place) + 1 :]


def _ways(destinations: Iterable[str], place: str) -> Iterator[str]:
    """Yield the destinations below a folder and the folders on the way, relative to it."""
    known = ""
    for _, below in _by_place(destinations, [place]):
        yield below
        way = os.path.dirname(below)
        # Most have the folder of the one before.
        if way != known:
            known = way
            while way:
                yield way
                way = os.path.dirname(way)


def _claimed_folders(destinations: Iterable[str]) -> set[str]:
    """Return the folders of the destinations, and those above them, that have claims."""
    resolve = resolver()
    seen: set[str] = set()
    found: set[str] = set()
    for path in destinations:
        folder = resolve(os.path.dirname(path))
        while folder not in seen:
            if len(seen) >= KNOWN_FOLDERS:
                seen.clear()
            seen.add(folder)
            if os.path.isdir(os.path.join(folder, FOLDER)):
                found.add(folder)
            folder = os.path.dirname(folder)
    return found
