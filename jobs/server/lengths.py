"""Measure the lengths of media beside the work: long ones are handed out first.

It is a wish, not a need: jobs with media of unknown length are handed out after the others,
in the order of the list. What was found is kept in the ledger.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from joblist.model import is_address
from jobs.errors import LedgerUnavailable
from jobs.ledger.ledger import Ledger

log = logging.getLogger(__name__)
Look = Callable[[str], float | None]
"""Tells the duration of a medium in seconds, or None; must be importable by name."""
BATCH = 100
PATIENCE_S = 20.0
"""For one medium; more than that, and its length cannot be told."""
FLUSH_S = 2.0
IDLE_S = 5.0
NEXT = """
SELECT id, json_extract(spec, '$.source_path') FROM job INDEXED BY job_ready
WHERE state = 'ready' AND length IS NULL LIMIT ?"""


class Lengths:
    """Looks at the media of the jobs that are ready, one after the other.

    A process of its own does it, for a medium may kill or hang whatever opens it.

    Args:
        ledger: Ledger of the jobs.
        look: Tells how long a medium is.
        patience_s: How long one look may take.
    """

    def __init__(self, ledger: Ledger, look: Look, *, patience_s: float = PATIENCE_S) -> None:
        self._ledger = ledger
        self._look = look
        self._patience_s = patience_s
        self._stop = threading.Event()
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="lengths", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, in the middle of a medium where need be."""
        self._stop.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    any_measured = self._batch()
                except LedgerUnavailable as error:
                    log.warning("%s", error)
                    any_measured = False
                if not any_measured:
                    # Those that wait may be ready later.
                    self._bury()
                    self._stop.wait(IDLE_S)
        finally:
            self._bury()

    def _batch(self) -> bool:
        """Look at some media; say whether there were any."""
        jobs = self._ledger.store.read(_unknown)
        began, lengths = time.monotonic(), []
        for job, source in jobs:
            if self._stop.is_set() or time.monotonic() - began > FLUSH_S:
                break
            lengths.append((self._length(source), job))
        if lengths:
            with self._ledger.store.transaction() as db:
                db.executemany("UPDATE job SET length = ? WHERE id = ?", lengths)
        return bool(jobs)

    def _length(self, source: str) -> float:
        """Return seconds; infinite where it cannot be told: such a job may take long.

        Or it fails at once, and then its owner hears of it early.
        """
        if is_address(source) or not os.path.exists(source):
            return math.inf
        pipe = self._started()
        try:
            pipe.send(source)
            deadline = time.monotonic() + self._patience_s
            while not pipe.poll(0.1):
                if self._stop.is_set() or time.monotonic() > deadline:
                    self._bury()
                    return math.inf
            length_s: float | None = pipe.recv()
        except (EOFError, OSError):
            self._bury()
            return math.inf
        return math.inf if length_s is None else length_s

    def _started(self) -> Connection:
        if self._pipe is None:
            # Spawn: a fork of a process with threads may hang.
            context = multiprocessing.get_context("spawn")
            self._pipe, other = context.Pipe()
            self._process = context.Process(target=_answer, args=(other, self._look), daemon=True)
            self._process.start()
            other.close()
        return self._pipe

    def _bury(self) -> None:
        if self._process is not None and self._pipe is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = self._pipe = None


def _unknown(db: sqlite3.Connection) -> list[tuple[int, str]]:
    return db.execute(NEXT, (BATCH,)).fetchall()


def _answer(pipe: Connection, look: Look) -> None:
    """Be the process that looks, until the server is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Workers on this machine come first.
    os.nice(10)
    while True:
        try:
            source = pipe.recv()
        except EOFError:
            return
        try:
            length_s = look(source)
        except Exception:
            # Whatever it is, the job itself will tell it, with the reason.
            length_s = None
        pipe.send(length_s)
