"""Search of jobs: by group, by name, by reason of a failure."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence

from jobs.ledger import queries
from jobs.server.progress import GROUPS, reason
from jobs.types import Job, State

ROWS_PER_READ = 2000
MAX_JOBS = 1000
"""Jobs in one answer."""
MAX_WORDS = 8
READY_S = 10.0
"""Time that a search waits until the names are read; later searches do not wait."""
# Written as in the indexes of the schema: SQLite compares them literally.
INDEXED_STATES = (
    ("job_out", ("leased", "publishing")),
    ("job_sharded", ("sharded",)),
    ("job_bad", ("failed", "poison")),
)
FAILED_STATES = {State.FAILED.value, State.POISON.value}
SELECT = "SELECT " + ", ".join(f"job.{name.strip()}" for name in queries.COLUMNS.split(","))


class Catalogue:
    """Search by parts of the names of media and results.

    The names are kept, folded, in a temporary table of this connection, so that a search reads only
    this table.

    Args:
        db: Connection to the ledger, used by this object only.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._mutex = threading.Lock()
        self._ready = threading.Event()
        db.create_function("folded", 1, fold, deterministic=True)
        db.execute("CREATE TEMP TABLE name(id INTEGER PRIMARY KEY, text TEXT NOT NULL)")

    def close(self) -> None:
        """Close the connection."""
        with self._mutex:
            self._db.close()

    def read_names(self) -> None:
        """Read the names of all jobs, some thousand at a time."""
        try:
            self._read_names()
        finally:
            # Otherwise every search would wait.
            self._ready.set()

    def _read_names(self) -> None:
        last = 0
        while True:
            with self._mutex:
                rows = self._db.execute(
                    "SELECT id, spec FROM main.job WHERE id > ? AND parent IS NULL"
                    " ORDER BY id LIMIT ?",
                    (last, ROWS_PER_READ),
                ).fetchall()
                names = [(number, _names(spec)) for number, spec in rows]
                self._db.executemany("INSERT INTO name VALUES(?, ?)", names)
            if not rows:
                break
            last = rows[-1][0]

    def find(self, *, group: str, text: str, after: int, limit: int) -> list[Job]:
        """Return the jobs that fit, in the order of their numbers.

        Args:
            group: One of `jobs.server.progress.GROUPS`; empty for all jobs.
            text: Words that must all be in the names, or all in the reason.
            after: Number; only jobs with a higher one are returned.
            limit: Greatest number of jobs.
        """
        words = [fold(word) for word in text.split()][:MAX_WORDS]
        limit = max(1, min(limit, MAX_JOBS))
        states = GROUPS.get(group, ())
        if not words:
            return self._in_states(states, after, limit)
        self._ready.wait(READY_S)
        matches = {job.id: job for job in self._by_name(states, words, after, limit)}
        if not states or FAILED_STATES & set(states):
            matches |= {job.id: job for job in self._by_reason(words, after, limit)}
        return [matches[number] for number in sorted(matches)][:limit]

    def _in_states(self, states: Sequence[str], after: int, limit: int) -> list[Job]:
        jobs: list[Job] = []
        for index, condition in _state_conditions(states):
            query = (
                f"{SELECT} FROM job {index} WHERE {condition} AND job.id > ? AND job.parent IS NULL"
            )
            jobs += self._read_jobs(f"{query} ORDER BY job.id LIMIT ?", (after, limit))
        return sorted(jobs, key=lambda job: job.id)[:limit]

    def _by_name(
        self, states: Sequence[str], words: list[str], after: int, limit: int
    ) -> list[Job]:
        has = " AND instr(name.text, ?)" * len(words)
        query = (
            f"{SELECT} FROM temp.name AS name CROSS JOIN job ON job.id = name.id"
            f" WHERE name.id > ?{has} AND {_state_in(states)} ORDER BY name.id LIMIT ?"
        )
        return self._read_jobs(query, (after, *words, limit))

    def _by_reason(self, words: list[str], after: int, limit: int) -> list[Job]:
        has = " AND instr(folded(job.err), ?)" * len(words)
        query = (
            f"{SELECT} FROM job INDEXED BY job_bad WHERE job.state IN ('failed', 'poison')"
            f" AND job.parent IS NULL AND job.id > ?{has} ORDER BY job.id LIMIT ?"
        )
        return self._read_jobs(query, (after, *words, limit))

    def _read_jobs(self, query: str, values: Sequence[object]) -> list[Job]:
        with self._mutex:
            return [queries.as_job(row) for row in self._db.execute(query, values)]

    def job(self, number: int) -> Job | None:
        """Return a job; None if there is none with this number."""
        jobs = self._read_jobs(f"{SELECT} FROM job WHERE job.id = ?", (number,))
        return jobs[0] if jobs else None


def _state_conditions(states: Sequence[str]) -> list[tuple[str, str]]:
    """Return the indexes that hold jobs in these states, each with its SQL condition."""
    single_state = {"sharded": "job.state = 'sharded'"}
    conditions = []
    for name, indexed in INDEXED_STATES:
        if set(indexed) <= set(states):
            condition = single_state.get(indexed[0]) or _state_in(indexed)
            conditions.append((f"INDEXED BY {name}", condition))
            states = [state for state in states if state not in indexed]
    if states or not conditions:
        conditions.append(("", _state_in(states)))
    return conditions


def _state_in(states: Sequence[str]) -> str:
    return f"job.state IN ({', '.join(map(repr, states))})" if states else "TRUE"


def job_to_json(job: Job) -> dict[str, object]:
    """Return the fields of a job for the page; names as the file system has them."""
    length = job.length if job.length is not None and job.length < float("inf") else None
    return {
        "id": job.id,
        "source": job.spec.source_path,
        "csv": job.spec.dests["csv"],
        "state": job.state.value,
        "reason": reason(job),
        "worker": job.worker,
        "length_s": length,
        "attempts": job.attempts,
    }


def fold(text: str | None) -> str:
    """Return a text for comparison: case folded, and with bytes replaced that are not Unicode."""
    return (text or "").casefold().encode("utf-8", "replace").decode("utf-8")


def _names(spec: str) -> str:
    """Return the names in a row of the ledger; empty where it cannot be read."""
    try:
        plain = json.loads(spec)
        return fold(f"{plain['source_path']}\n{plain['dests']['csv']}")
    except (ValueError, TypeError, KeyError):
        return ""
