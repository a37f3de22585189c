"""Measurement of the lengths of media beside the work, so that long ones are handed out first.

Jobs run without it, too: those with media of unknown length are handed out after the others, in the
order of the list. The ledger keeps the lengths.
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
from jobs.system.steady import SteadyThread

log = logging.getLogger(__name__)
DurationReader = Callable[[str], float | None]
"""Path of a medium -> its duration in seconds, or None; must be importable by name."""
BATCH = 100
TIMEOUT_S = 20.0
"""Time for one medium; after that, its length counts as unknown."""
FLUSH_S = 2.0
"""Time after which the lengths measured so far are written to the ledger."""
IDLE_S = 5.0
MAX_ANSWER_BYTES = 100
SEGMENT_LENGTH_S = 1.0
"""Of a segment of a medium: all have the same, and come in the order of the joblist. A sample of an
archive may then be looked at before its end: the longest first would be no random ones."""
UNMEASURED = """
SELECT id, json_extract(spec, '$.source_path'),
  coalesce(json_extract(spec, '$.start_s'), json_extract(spec, '$.stop_s')) IS NOT NULL
FROM job INDEXED BY job_ready
WHERE state = 'ready' AND length IS NULL LIMIT ?"""


class LengthMeasurer:
    """A thread that measures the media of the jobs that are ready, one after the other.

    A process of its own opens the media, because a medium may kill or hang the process that opens
    it.

    Args:
        ledger: Ledger of the jobs.
        read_duration: Function that returns the duration of a medium.
        timeout_s: Time for one medium, in seconds.
    """

    def __init__(
        self, ledger: Ledger, read_duration: DurationReader, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._ledger = ledger
        self._read_duration = read_duration
        self._timeout_s = timeout_s
        self._stop = threading.Event()
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self.thread = SteadyThread(self._run, name="lengths")

    def start(self) -> None:
        """Start to measure."""
        self.thread.start()

    def stop(self) -> None:
        """Stop, also in the middle of a medium."""
        self.thread.end()
        self._stop.set()
        self.thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    any_unmeasured = self._measure_batch()
                except LedgerUnavailable as error:
                    log.warning("%s", error)
                    any_unmeasured = False
                if not any_unmeasured:
                    # Jobs that wait may be ready later.
                    self._end_process()
                    self._stop.wait(IDLE_S)
        finally:
            self._end_process()

    def _measure_batch(self) -> bool:
        """Measure some media; return whether there were any."""
        jobs = self._ledger.store.read(_unmeasured_jobs)
        began, lengths = time.monotonic(), []
        for job, source, is_segment in jobs:
            if self._stop.is_set() or time.monotonic() - began > FLUSH_S:
                break
            lengths.append((self._length_s(source, bool(is_segment)), job))
        if lengths:
            with self._ledger.store.transaction() as db:
                db.executemany("UPDATE job SET length = ? WHERE id = ?", lengths)
        return bool(jobs)

    def _length_s(self, source: str, is_segment: bool) -> float:
        """Return the length of a medium, in seconds.

        Args:
            source: Its path.
            is_segment: Whether a segment of it is analysed: then it is not opened.

        Returns:
            Infinity where it cannot be measured, so that the job comes first: it may take long, or
            it fails at once, and then its owner learns of that early.
        """
        if is_address(source) or not os.path.exists(source):
            return math.inf
        if is_segment:
            return SEGMENT_LENGTH_S
        pipe = self._open_pipe()
        try:
            pipe.send(source)
            deadline = time.monotonic() + self._timeout_s
            while not pipe.poll(0.1):
                if self._stop.is_set() or time.monotonic() > deadline:
                    self._end_process()
                    return math.inf
            return _length_from(pipe.recv_bytes(MAX_ANSWER_BYTES))
        except (EOFError, OSError):
            self._end_process()
            return math.inf

    def _open_pipe(self) -> Connection:
        """Return the pipe to the process, which is started if there is none."""
        if self._pipe is None:
            # Spawn: a fork of a process with threads may hang.
            context = multiprocessing.get_context("spawn")
            self._pipe, other = context.Pipe()
            self._process = context.Process(
                target=_answer_requests, args=(other, self._read_duration), daemon=True
            )
            self._process.start()
            other.close()
        return self._pipe

    def _end_process(self) -> None:
        if self._process is not None and self._pipe is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = self._pipe = None


def _length_from(answer: bytes) -> float:
    """Return the length that the process tells, in seconds; infinity for anything else."""
    try:
        length_s = float(answer)
    except ValueError:
        return math.inf
    # SQLite keeps no NaN: the job would be measured for ever.
    return length_s if length_s >= 0 else math.inf


def _unmeasured_jobs(db: sqlite3.Connection) -> list[tuple[int, str, int]]:
    return db.execute(UNMEASURED, (BATCH,)).fetchall()


def _answer_requests(pipe: Connection, read_duration: DurationReader) -> None:
    """Read the duration of each medium that comes through the pipe, until the server is gone."""
    # Those of the terminal are for the server.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Workers on this machine come first.
    os.nice(10)
    while True:
        try:
            source = pipe.recv()
        except EOFError:
            return
        try:
            length_s = read_duration(source)
        except Exception:
            # The job itself will fail, and report the reason.
            length_s = None
        pipe.send_bytes(b"" if length_s is None else repr(float(length_s)).encode())
