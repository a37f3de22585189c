"""The durable record of each job, and the only place where a job changes its state.

::

    ready -> leased (token + 1) -> publishing (the winning token is fixed) -> done
    leased -> ready        the worker stopped or released it: nothing is counted against the job
            | wait         a failure that is tried again, after a backoff
            | failed       bad input, or too many failures
            | poison       the lease was lost too often while the job ran
    publishing -> publishing   its worker was lost: the next one does the renames, same token
                | ready        published, but with options that have changed meanwhile
                | wait | failed | poison | ready   after a failure, as above
    wait -> ready          when the backoff is over

    ready -> sharded -> ready -> leased ...   see jobs.ledger.shards
    leased twice -> publishing                see jobs.ledger.speculative_lease
    skipped, cancelled, and back to ready     see jobs.ledger.imports and jobs.ledger.operations

Each call carries the token of its lease; the token is stale after the job was claimed again. Every
method may be repeated: the second call changes nothing and returns the same answer.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any

from joblist.shard import Shard
from jobs.ledger import queries, shards, speculative_lease, unreadable
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
LEASES_OF_REQUEST = """
SELECT id, COALESCE(rival, token), worker, state FROM job INDEXED BY job_req WHERE req = ?
UNION ALL
SELECT id, token, helper, state FROM job INDEXED BY job_helper WHERE helper_req = ?"""
UNLISTED = "no longer in the joblist"
OPTIONS = f"SELECT opts, parent IS NOT NULL OR {queries.LISTED} FROM job WHERE id = ?"
PROMOTE = """
UPDATE job SET state = 'ready', due = NULL
WHERE id IN (SELECT id FROM job INDEXED BY job_wait WHERE state = 'wait' AND due <= ?)"""


class Ledger:
    """The jobs of one joblist.

    Args:
        store: Open file of the ledger.
        max_attempts: Failures, or lost leases, after which a job is given up.
        shards: Parts into which each job is divided; none to leave jobs whole.
        clock: Clock in seconds since the epoch; must not jump.
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
        """Limit each wait to the longest backoff: an earlier clock may have been wrong."""
        latest = self._clock() + BACKOFF_CAP_S
        with self.store.transaction() as db:
            db.execute(
                "UPDATE job INDEXED BY job_wait SET due = :due WHERE state = 'wait' AND due > :due",
                {"due": latest},
            )

    def claim(self, worker: str, request: str, n: int) -> list[Job]:
        """Lease up to n ready jobs.

        Args:
            worker: Name of the worker.
            request: Name of the request. The same request again gets the same jobs, as far as
                they are still leased to it, and no further ones.
            n: Largest number of jobs.

        Returns:
            Jobs with the token of the new lease.
        """
        with self.store.transaction() as db:
            earlier = db.execute(LEASES_OF_REQUEST, (request, request)).fetchall()
            if earlier:
                leases = [row[:2] for row in earlier if row[2:] == (worker, State.LEASED.value)]
                return [
                    replace(queries.job(db, job), worker=worker, token=token)
                    for job, token in sorted(leases)
                ]
            while True:
                if self._shards:
                    unreadable.put_aside_next(db, n)
                    shards.divide(db, self._shards, n, self.store.uid)
                ids = [row[0] for row in db.execute(CLAIM, (worker, request, n))]
                for job in ids:
                    record_event(db, job, "claimed", worker=worker)
                jobs = unreadable.readable(db, [queries.job(db, job) for job in sorted(ids)])
                if jobs or not ids:
                    return jobs

    def claim_second(self, worker: str, request: str, jobs: Sequence[int]) -> list[Job]:
        """Give a second lease of one job that another worker works on.

        Args:
            worker: Name of the worker.
            request: Name of the request, as in `claim`; `claim` answers it when it comes again.
            jobs: Numbers of the jobs to choose from, in order of preference.

        Returns:
            The first job that allows a second lease; empty if none does.
        """
        with self.store.transaction() as db:
            for job in jobs:
                if speculative_lease.grant(db, job, worker, request):
                    return [replace(queries.job(db, job), worker=worker)]
        return []

    def prepare(self, job: int, token: int, worker: str, manifest: Mapping[str, Any]) -> bool:
        """Fix the winner of a job: from now on, only the files of this token are published.

        Returns:
            Whether this token is the winner.
        """
        text = json.dumps(manifest)
        with self.store.transaction() as db:
            if _is_valid(db, job, token, State.LEASED):
                speculative_lease.settle(db, job, token)
                _set_state(db, job, State.PUBLISHING, manifest=text)
                record_event(db, job, "publishing", token=token, worker=worker)
                return True
            if not _is_valid(db, job, token, State.PUBLISHING, State.DONE):
                return False
            (stored,) = db.execute("SELECT manifest FROM job WHERE id = ?", (job,)).fetchone()
            return stored == text

    def published(self, job: int, token: int, worker: str, *, options_digest: str) -> bool:
        """Record that the files have their final names.

        A job goes back to the queue if its row or its options have changed since it was leased;
        one that is no longer in the joblist keeps the options that it was done with.

        Returns:
            Whether the files of this token are the ones on record.
        """
        with self.store.transaction() as db:
            if not _is_valid(db, job, token, State.PUBLISHING):
                return _is_valid(db, job, token, State.DONE)
            opts, is_wanted = db.execute(OPTIONS, (job,)).fetchone()
            state = State.READY if is_wanted and opts != options_digest else State.DONE
            if is_wanted:
                opts = options_digest
            _set_state(db, job, state, epoch=self.store.epoch, opts=opts, err_kind=None, err=None)
            what = "done" if state is State.DONE else "superseded"
            record_event(db, job, what, token=token, worker=worker)
            shards.gather(db, job)
            return True

    def fail(
        self, job: int, token: int, worker: str, *, kind: str, text: str, hosts: int = 1
    ) -> State | None:
        """Record a failure.

        Args:
            job: Number of the job.
            token: Token of the lease.
            worker: Name of the worker that reports it.
            kind: `input`, `transient`, `resource`, `bug`, or `crash` when the process that
                ran it died: that counts as a lost lease.
            text: Reason of the failure.
            hosts: Number of machines that have workers now.

        Returns:
            The new state of the job, or None when the token is stale. A job with a second lease
            stays `leased`, and nothing is counted against it.
        """
        with self.store.transaction() as db:
            if not _is_valid(db, job, token, State.LEASED, State.PUBLISHING):
                return None
            detail = f"{kind}: {text}"[:MAX_ERROR_CHARS]
            if speculative_lease.end(db, job, token, "released", detail=detail):
                return State.LEASED
            if not db.execute(OPTIONS, (job,)).fetchone()[1]:
                # It was being published when its row was taken out of the joblist.
                _set_state(db, job, State.CANCELLED, err_kind="unlisted", err=UNLISTED)
                record_event(db, job, "cancelled", token=token, worker=worker, detail=detail)
                return State.CANCELLED
            if kind == "crash":
                return self._blame(db, job, token, text, hosts=hosts)
            fails = queries.job(db, job).fails + 1
            again = may_retry(kind, fails, max_attempts=self.max_attempts)
            state = State.WAIT if again else State.FAILED
            due = self._clock() + backoff(fails) if again else None
            text = text[:MAX_ERROR_CHARS]
            _set_state(db, job, state, fails=fails, due=due, err_kind=kind, err=text)
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
            job: Number of the job.
            token: Token of the lease.
            blame: Whether the job was running, and may have been the cause.
            why: Reason for the event log: `expired`, `released`, `storage`.
            hosts: Number of machines that have workers now.

        Returns:
            The new state of the job, or None when the token is stale or the winner is fixed; then
            nothing is changed.
        """
        with self.store.transaction() as db:
            if not _is_valid(db, job, token, State.LEASED):
                return None
            if speculative_lease.end(db, job, token, why):
                return State.LEASED
            if blame:
                text = "its worker was lost while it ran"
                return self._blame(db, job, token, text, hosts=hosts)
            _set_state(db, job, State.READY)
            record_event(db, job, why, token=token)
            return State.READY

    def _blame(
        self, db: sqlite3.Connection, job: int, token: int, text: str, *, hosts: int
    ) -> State:
        lost = queries.job(db, job).lost + 1
        record_event(db, job, "lost", token=token, detail=text[:MAX_ERROR_CHARS])
        state = State.POISON if self._is_poison(db, job, lost, hosts) else State.READY
        _set_state(db, job, state, lost=lost, err_kind="crash", err=text[:MAX_ERROR_CHARS])
        if state is State.POISON:
            record_event(db, job, state.value, token=token, detail=f"lost {lost} times")
            shards.give_up(db, job)
        return state

    def _is_poison(self, db: sqlite3.Connection, job: int, lost: int, hosts: int) -> bool:
        """Say whether the job is to blame for its lost leases, and not one bad machine."""
        if lost < self.max_attempts:
            return False
        tried_enough = lost >= 2 * self.max_attempts or hosts < 2
        return tried_enough or queries.hosts_of_losses(db, job, limit=lost) > 1

    def adopt(self, job: int, worker: str) -> Job | None:
        """Hand the renames of a job with a fixed winner to another worker.

        Returns:
            The job; None if it is no longer being published.
        """
        with self.store.transaction() as db:
            stored = queries.job(db, job)
            if stored.state is not State.PUBLISHING or not unreadable.readable(db, [stored]):
                return None
            db.execute("UPDATE job SET worker = ? WHERE id = ?", (worker, job))
            record_event(db, job, "adopted", token=stored.token, worker=worker)
            return queries.job(db, job)

    def put_aside(self, job: int) -> None:
        """Put a job aside that was found to be unreadable."""
        with self.store.transaction() as db:
            unreadable.put_aside(db, job)

    def promote(self) -> int:
        """Make waiting jobs ready when their backoff is over; return their number."""
        with self.store.transaction() as db:
            return db.execute(PROMOTE, (self._clock(),)).rowcount

    def next_due_s(self) -> float | None:
        """Return the time until the first waiting job is due, in seconds; None if no job waits."""
        due = self.store.read(queries.next_due)
        return None if due is None else max(0.0, due - self._clock())

    def register(self, name: str, identity: ProcessIdentity) -> None:
        """Record the machine and the process of a worker."""
        with self.store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO worker VALUES(?, ?, ?, ?)", (name, *astuple(identity))
            )


def _is_valid(db: sqlite3.Connection, job: int, token: int, *states: State) -> bool:
    """Say whether a token is good, and its job is in one of the states."""
    row = db.execute("SELECT state FROM job WHERE id = ?", (job,)).fetchone()
    if row is None or State(row[0]) not in states:
        return False
    return token in speculative_lease.tokens(db, job)


def _set_state(db: sqlite3.Connection, job: int, state: State, **values: Any) -> None:
    columns = "".join(f", {name} = :{name}" for name in values)
    db.execute(
        f"UPDATE job SET state = :state{columns} WHERE id = :id",
        {"state": state.value, "id": job, **values},
    )
