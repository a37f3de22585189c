"""The jobs as a person looks for them: by what became of them, by name, by reason."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence

from jobs.ledger import queries
from jobs.server.progress import GROUPS, reason
from jobs.types import Job, State

PORTION = 2000
MOST = 1000
"""Jobs in one answer."""
MAX_WORDS = 8
READY_S = 10.0
"""How long a search waits for the names to be read; later ones do not wait."""
# In the words of the indexes: SQLite compares them literally.
INDEXES = (
    ("job_out", ("leased", "publishing")),
    ("job_sharded", ("sharded",)),
    ("job_bad", ("failed", "poison")),
)
BAD = {State.FAILED.value, State.POISON.value}
SELECT = "SELECT " + ", ".join(f"job.{name.strip()}" for name in queries.COLUMNS.split(","))


class Catalogue:
    """Finds jobs by parts of the names of their media and results.

    Names are kept folded in a table of this connection alone, so that a search reads only them.

    Args:
        db: A connection to the ledger, for this object alone.
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
        """Read the names of all jobs, in portions."""
        last = 0
        while True:
            with self._mutex:
                rows = self._db.execute(
                    "SELECT id, spec FROM main.job WHERE id > ? AND parent IS NULL"
                    " ORDER BY id LIMIT ?",
                    (last, PORTION),
                ).fetchall()
                names = [(number, _names(spec)) for number, spec in rows]
                self._db.executemany("INSERT INTO name VALUES(?, ?)", names)
            if not rows:
                break
            last = rows[-1][0]
        self._ready.set()

    def find(self, *, group: str, text: str, after: int, limit: int) -> list[Job]:
        """Return jobs by number.

        Args:
            group: One of `jobs.server.progress.GROUPS`, or nothing for all.
            text: Words that must all be in the names, or all in the reason.
            after: Only jobs with a higher number.
            limit: Most jobs wanted.
        """
        words = [fold(word) for word in text.split()][:MAX_WORDS]
        limit = max(1, min(limit, MOST))
        states = GROUPS.get(group, ())
        if not words:
            return self._listed(states, after, limit)
        self._ready.wait(READY_S)
        matches = {job.id: job for job in self._named(states, words, after, limit)}
        if not states or BAD & set(states):
            matches |= {job.id: job for job in self._with_reason(words, after, limit)}
        return [matches[number] for number in sorted(matches)][:limit]

    def _listed(self, states: Sequence[str], after: int, limit: int) -> list[Job]:
        listed: list[Job] = []
        for index, states_kept in _sources(states):
            query = (
                f"{SELECT} FROM job {index} WHERE {states_kept} AND job.id > ?"
                " AND job.parent IS NULL"
            )
            listed += self._rows(f"{query} ORDER BY job.id LIMIT ?", (after, limit))
        return sorted(listed, key=lambda job: job.id)[:limit]

    def _named(self, states: Sequence[str], words: list[str], after: int, limit: int) -> list[Job]:
        has = " AND instr(name.text, ?)" * len(words)
        query = (
            f"{SELECT} FROM temp.name AS name CROSS JOIN job ON job.id = name.id"
            f" WHERE name.id > ?{has} AND {_in(states)} ORDER BY name.id LIMIT ?"
        )
        return self._rows(query, (after, *words, limit))

    def _with_reason(self, words: list[str], after: int, limit: int) -> list[Job]:
        has = " AND instr(folded(job.err), ?)" * len(words)
        query = (
            f"{SELECT} FROM job INDEXED BY job_bad WHERE job.state IN ('failed', 'poison')"
            f" AND job.parent IS NULL AND job.id > ?{has} ORDER BY job.id LIMIT ?"
        )
        return self._rows(query, (after, *words, limit))

    def _rows(self, query: str, values: Sequence[object]) -> list[Job]:
        with self._mutex:
            return [queries.as_job(row) for row in self._db.execute(query, values)]

    def job(self, number: int) -> Job | None:
        """Return one job; None where there is none."""
        rows = self._rows(f"{SELECT} FROM job WHERE job.id = ?", (number,))
        return rows[0] if rows else None


def _sources(states: Sequence[str]) -> list[tuple[str, str]]:
    """Return where jobs in these states stand, and how to say which they are."""
    few = {"sharded": "job.state = 'sharded'"}
    sources = []
    for name, indexed in INDEXES:
        if set(indexed) <= set(states):
            sources.append((f"INDEXED BY {name}", few.get(indexed[0]) or _in(indexed)))
            states = [state for state in states if state not in indexed]
    return [*sources, ("", _in(states))] if states or not sources else sources


def _in(states: Sequence[str]) -> str:
    return f"job.state IN ({', '.join(map(repr, states))})" if states else "TRUE"


def shown(job: Job) -> dict[str, object]:
    """Return what the page shows of a job; names as their file system has them."""
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
    """Return a text as it is compared: without case, and with what is no Unicode replaced."""
    return (text or "").casefold().encode("utf-8", "replace").decode("utf-8")


def _names(spec: str) -> str:
    plain = json.loads(spec)
    return fold(f"{plain['source_path']}\n{plain['dests']['csv']}")
