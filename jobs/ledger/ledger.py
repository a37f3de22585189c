"""The durable record of every job, and the only place where a job changes its state.

::

    ready -> leased (token + 1) -> publishing (the winning token is fixed) -> done
    leased -> ready    drained or released: no blame
            | wait     a failure worth another try, after a backoff
            | failed   bad input, or too many failures
            | poison   the lease was lost too often while the job ran
    publishing -> leased to the next worker for the renames, with the same token

    ready -> sharded -> ready -> leased ...   see jobs.ledger.shards
    leased twice -> publishing                see jobs.ledger.speculative_lease

A call carries the token of its lease; after the job was claimed again it is stale. Every
method may be repeated: the second time changes nothing and has the same answer.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any

from joblist.shard import Shard
from jobs.ledger import queries, shards
from jobs.ledger import speculative_lease as second
from jobs.ledger.schema import record_event
from jobs.ledger.store import Store
from jobs.retry import BACKOFF_CAP_S, SteadyClock, backoff, may_retry
from jobs.system.process_identity import ProcessIdentity
from jobs.types import MAX_ERROR_CHARS, Job, State

CLAIM = f"""
UPDATE job SET state = 'leased', token = token + 1, attempts = attempts + 1, worker = ?, req = ?,
  rival = NULL, helper = NULL, helper_req = NULL
WHERE id IN (SELECT id FROM job INDEXED BY job_ready WHERE state = 'ready'
             ORDER BY {queries.ORDER} LIMIT ?)
RETURNING id"""
KNOWN = """
SELECT id, COALESCE(rival, token), worker, state FROM job INDEXED BY job_req WHERE req = ?1
UNION ALL
SELECT id, token, helper, state FROM job INDEXED BY job_helper WHERE helper_req = ?1"""
PROMOTE = """
UPDATE job SET state = 'ready', due = NULL
WHERE id IN (SELECT id FROM job INDEXED BY job_wait WHERE state = 'wait' AND due <= ?)"""


class Ledger:
    """The jobs of one joblist.

    Args:
        store: Its file.
        max_attempts: Failures, or lost leases, after which a job is given up.
        shards: Parts into which each job is divided; none to leave jobs whole.
        clock: Seconds since the epoch; must not jump.
    """

    def __init__(
        self,
        store: Store,
        *,
        max_attempts: int = 3,
        shards: Sequence[Shard] = (),
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.store = store
        self.max_attempts = max_attempts
        self._shards = shards
        self._clock = clock or SteadyClock()
        self._shorten_waits()

    def _shorten_waits(self) -> None:
        """Bound the waits that a clock set to the future has made endless."""
        latest = self._clock() + BACKOFF_CAP_S
        with self.store.transaction() as db:
            db.execute(
                "UPDATE job INDEXED BY job_wait SET due = ?1 WHERE state = 'wait' AND due > ?1",
                (latest,),
            )

    def claim(self, worker: str, request: str, n: int) -> list[Job]:
        """Lease up to n ready jobs.

        Args:
            worker: Name of the worker.
            request: Identifies the request: its repetition gets the same jobs, as far as
                they are still leased to it, and no others.
            n: Most jobs wanted.
        """
        with self.store.transaction() as db:
            earlier = db.execute(KNOWN, (request,)).fetchall()
            if earlier:
                still = [row[:2] for row in earlier if row[2:] == (worker, State.LEASED.value)]
                return [
                    replace(queries.job(db, job), worker=worker, token=token)
                    for job, token in sorted(still)
                ]
            shards.divide(db, self._shards, n)
            ids = [row[0] for row in db.execute(CLAIM, (worker, request, n))]
            for job in ids:
                record_event(db, job, "claimed", worker=worker)
            return [queries.job(db, job) for job in sorted(ids)]

    def second(self, worker: str, request: str, jobs: Sequence[int]) -> list[Job]:
        """Lease the first of some jobs once more that may be: another worker has it already.

        Args:
            worker: Name of the worker.
            request: As in `claim`, which answers its repetition.
            jobs: Numbers, the one wanted most first.
        """
        with self.store.transaction() as db:
            for job in jobs:
                if second.grant(db, job, worker, request):
                    return [replace(queries.job(db, job), worker=worker)]
        return []

    def prepare(self, job: int, token: int, worker: str, manifest: Mapping[str, Any]) -> bool:
        """Fix the winner of a job: from now on only this token's files are published.

        Returns:
            Whether the caller is the winner.
        """
        text = json.dumps(manifest)
        with self.store.transaction() as db:
            if _is(db, job, token, State.LEASED):
                second.settle(db, job, token)
                _move(db, job, State.PUBLISHING, manifest=text)
                record_event(db, job, "publishing", token=token, worker=worker)
                return True
            if not _is(db, job, token, State.PUBLISHING, State.DONE):
                return False
            (stored,) = db.execute("SELECT manifest FROM job WHERE id = ?", (job,)).fetchone()
            return stored == text

    def published(self, job: int, token: int, worker: str, *, options_digest: str) -> bool:
        """Record that the files stand under their final names.

        A job done with other options than those wanted now goes back to the queue.

        Returns:
            Whether this token's files are the ones on record.
        """
        with self.store.transaction() as db:
            if not _is(db, job, token, State.PUBLISHING):
                return _is(db, job, token, State.DONE)
            (opts,) = db.execute("SELECT opts FROM job WHERE id = ?", (job,)).fetchone()
            state = State.DONE if opts == options_digest else State.READY
            _move(
                db, job, state, epoch=self.store.epoch, opts=options_digest, err_kind=None, err=None
            )
            what = "done" if state is State.DONE else "superseded"
            record_event(db, job, what, token=token, worker=worker)
            shards.gather(db, job)
            return True

    def fail(
        self, job: int, token: int, worker: str, *, kind: str, text: str, hosts: int = 1
    ) -> State | None:
        """Record a failure.

        Args:
            job: Its number.
            token: Token of the lease.
            worker: Who reports it.
            kind: `input`, `transient`, `resource`, `bug`, or `crash` when the process that
                ran it died: that counts as a lost lease.
            text: The reason.
            hosts: Machines that have workers now.

        Returns:
            The job's new state, or None when the token is stale. A job that another worker has
            a lease of, too, stays `leased`, and nothing is counted against it.
        """
        with self.store.transaction() as db:
            if not _is(db, job, token, State.LEASED, State.PUBLISHING):
                return None
            if second.end(db, job, token, "released", detail=f"{kind}: {text}"[:MAX_ERROR_CHARS]):
                return State.LEASED
            if kind == "crash":
                return self._blame(db, job, token, text, hosts=hosts)
            fails = queries.job(db, job).fails + 1
            again = may_retry(kind, fails, max_attempts=self.max_attempts)
            state = State.WAIT if again else State.FAILED
            due = self._clock() + backoff(fails) if again else None
            text = text[:MAX_ERROR_CHARS]
            _move(db, job, state, fails=fails, due=due, err_kind=kind, err=text)
            record_event(db, job, state.value, token=token, worker=worker, detail=f"{kind}: {text}")
            if kind == "transient":
                shards.undivide(db, job)
            if not again:
                shards.give_up(db, job)
            return state

    def take_back(
        self, job: int, token: int, *, blame: bool, why: str, hosts: int = 1
    ) -> State | None:
        """End a lease before its job is done.

        Args:
            job: Its number.
            token: Token of the lease.
            blame: Whether the job was running, and may have been the cause.
            why: Recorded in the events: `expired`, `released`, `storage`.
            hosts: Machines that have workers now.

        Returns:
            The job's new state, or None when the token is stale. A job with a winner that is
            fixed stays `publishing`.
        """
        with self.store.transaction() as db:
            if not _is(db, job, token, State.LEASED):
                return None
            if second.end(db, job, token, why):
                return State.LEASED
            if blame:
                text = "its worker was lost while it ran"
                return self._blame(db, job, token, text, hosts=hosts)
            _move(db, job, State.READY)
            record_event(db, job, why, token=token)
            return State.READY

    def _blame(
        self, db: sqlite3.Connection, job: int, token: int, text: str, *, hosts: int
    ) -> State:
        lost = queries.job(db, job).lost + 1
        record_event(db, job, "lost", token=token, detail=text[:MAX_ERROR_CHARS])
        state = State.POISON if self._is_poison(db, job, lost, hosts) else State.READY
        _move(db, job, state, lost=lost, err_kind="crash", err=text[:MAX_ERROR_CHARS])
        if state is State.POISON:
            record_event(db, job, state.value, token=token, detail=f"lost {lost} times")
            shards.give_up(db, job)
        return state

    def _is_poison(self, db: sqlite3.Connection, job: int, lost: int, hosts: int) -> bool:
        """Say whether a job is to blame, and not the only machine that has tried it."""
        if lost < self.max_attempts:
            return False
        tried_enough = lost >= 2 * self.max_attempts or hosts < 2
        return tried_enough or queries.hosts_of_losses(db, job, limit=lost) > 1

    def adopt(self, job: int, worker: str) -> Job | None:
        """Hand the renames of a job with a fixed winner to another worker."""
        with self.store.transaction() as db:
            stored = queries.job(db, job)
            if stored.state is not State.PUBLISHING:
                return None
            db.execute("UPDATE job SET worker = ? WHERE id = ?", (worker, job))
            record_event(db, job, "adopted", token=stored.token, worker=worker)
            return queries.job(db, job)

    def promote(self) -> int:
        """Make the waiting jobs ready that are due; return their number."""
        with self.store.transaction() as db:
            return db.execute(PROMOTE, (self._clock(),)).rowcount

    def next_due_s(self) -> float | None:
        """Return the time until the first waiting job is due, in seconds."""
        due = self.store.read(queries.next_due)
        return None if due is None else max(0.0, due - self._clock())

    def register(self, name: str, identity: ProcessIdentity) -> None:
        """Remember where a worker runs."""
        with self.store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO worker VALUES(?, ?, ?, ?)", (name, *astuple(identity))
            )


def _is(db: sqlite3.Connection, job: int, token: int, *states: State) -> bool:
    row = db.execute("SELECT state FROM job WHERE id = ?", (job,)).fetchone()
    return row is not None and State(row[0]) in states and token in second.tokens(db, job)


def _move(db: sqlite3.Connection, job: int, state: State, **values: Any) -> None:
    columns = "".join(f", {name} = :{name}" for name in values)
    db.execute(
        f"UPDATE job SET state = :state{columns} WHERE id = :id",
        {"state": state.value, "id": job, **values},
    )
