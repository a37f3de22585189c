"""The mounts on which results lie: a mount that is gone is not a million results that are lost.

Without it, every result seems to be missing, and the next import or `verify` would do all of them
again, into the empty folder at which it was mounted.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from functools import lru_cache

from joblist.clashes import resolver
from joblist.model import JobSpec
from jobs.ledger import queries
from jobs.system.mounts import holds, mount_points

KNOWN_FOLDERS = 1 << 14


class ResultMounts:
    """The mounts of the results of a ledger.

    Args:
        db: Connection to the ledger.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._there = mount_points()
        self._gone = sorted(set(queries.texts_setting(db, "mounts")) - self._there)
        self._listed: set[str] = set()

    def gone_from(self, path: str) -> str:
        """Return the mount that is gone and held a path; empty where there is none."""
        if not self._gone:
            return ""
        real = os.path.realpath(path)
        return next((point for point in self._gone if holds(point, real)), "")

    def noted(self, specs: Iterable[JobSpec]) -> Iterator[JobSpec]:
        """Yield jobs, and note on which mounts their results lie."""
        resolve = resolver()

        @lru_cache(maxsize=KNOWN_FOLDERS)
        def note(folder: str) -> None:
            real = resolve(folder)
            self._listed |= {point for point in self._there if holds(point, real)}

        for spec in specs:
            for path in spec.dests.values():
                # Not dirname, which takes three times as long: there may be a million.
                note(path.rpartition("/")[0] or "/")
            yield spec

    def record(self) -> None:
        """Record the mounts that were noted, in a transaction of the caller."""
        text = json.dumps(sorted(self._listed))
        self._db.execute("INSERT OR REPLACE INTO meta VALUES('mounts', ?)", (text,))
