"""The calls of workers: the Pyro5 object of the server, and what it does between calls."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

from jobs.errors import LedgerUnavailable
from jobs.ledger import queries, shards
from jobs.ledger.ledger import Ledger
from jobs.retry import Timing
from jobs.server import cleanup
from jobs.server.entry import FAULTS, remote_method
from jobs.server.leases import HeldLease, LeaseBook
from jobs.server.outputs import manifest_fault, open_storage
from jobs.server.quarantine import Quarantine
from jobs.server.roster import Demands, WorkerRoster
from jobs.server.sources import SourceWitness
from jobs.system.process_identity import ProcessIdentity
from jobs.types import AWAY_KINDS, FINAL, HOST_KINDS, MAX_ERROR_CHARS, Bounds, Job, Lease, State
from jobs.wire.plain_text import plain_text

log = logging.getLogger(__name__)
KEPT_REPORTS = 10_000
ANNOUNCED_AT_ONCE = 100
"""Jobs of one call that are announced one by one."""
RETRY_S = 5.0
"""Time after which a worker asks again, while the ledger cannot be written."""


class JobService:
    """The Pyro5 object `ina.jobs`. A worker may repeat every call.

    Arguments of verbs are as `jobs.wire.calls` has them; others never come here. A name that has
    not said `hello` to a server of this ledger holds nothing, and changes nothing.

    Args:
        ledger: Ledger of the jobs.
        options: Analysis options, sent with each lease.
        options_digest: Digest of these options.
        bounds: Limits on what jobs may read and write, sent with each lease.
        demands: What workers must be like.
        timing: Timing of leases and heartbeats.
        private: Other values that jobs need, sent with each lease and never written to a disk.
        keep_alive: Whether workers wait, and do not leave, when every job is done.
        speculate: Whether workers without other work get second leases of running jobs.
        on_final: Function that is called with each job that ends.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        options: Mapping[str, Any],
        options_digest: str,
        bounds: Bounds | None = None,
        demands: Demands | None = None,
        timing: Timing | None = None,
        private: Mapping[str, Any] | None = None,
        keep_alive: bool = False,
        speculate: bool = False,
        on_final: Callable[[Job], None] | None = None,
    ) -> None:
        self.timing = timing or Timing()
        self.draining = False
        """Whether workers leave after their job."""
        self.paused = False
        """Whether an operator has stopped the handing out of jobs."""
        self.ledger = ledger
        self._options = dict(options)
        self._options_digest = options_digest
        self.bounds = bounds or Bounds()
        self.storage = open_storage(ledger, self.timing, self.bounds.output_root)
        self._private = dict(private or {})
        self._keep_alive = keep_alive
        self._speculate = speculate
        self._on_final = on_final or (lambda _job: None)
        self._sources = SourceWitness(self.timing.beat_s / 2, root=self.bounds.input_root)
        self._book = LeaseBook(self.timing.lease_s, late_s=self.timing.late_s)
        self._roster = WorkerRoster(ledger, self._book, demands or Demands())
        self._quarantine = Quarantine()
        self._unpublished: set[int] = set()
        """Jobs that were lost while their files were renamed."""
        self._reported: dict[int, None] = {}
        """Jobs that `on_final` was called with, the newest last: an end may come again."""
        self._restore_leases()

    def _restore_leases(self) -> None:
        """Give each lease of an earlier server its full time again; end those of dead workers."""
        own = ProcessIdentity.own()
        for job in self.ledger.store.read(queries.outstanding):
            if job.is_unreadable:
                self.ledger.put_aside(job.id)
                continue
            if job.second_worker:
                self._take_back(job.id, job.token, why="released")
                job = self._job(job.id)
            if self._roster.is_dead(job.worker or "", seen_from=own):
                self._take_back(job.id, job.token, why="expired")
            else:
                self._book.add(HeldLease.of(job, running=True))

    @remote_method({"later": True})
    def hello(self, info: Mapping[str, Any]) -> dict[str, Any]:
        """Admit a worker, or answer why it is refused."""
        refusal = self._roster.refusal(info)
        if refusal:
            return {"refused": refusal}
        self._roster.add(info)
        probe = self.storage.probe
        return {
            "epoch": self.ledger.store.epoch,
            "lease_s": self.timing.lease_s,
            "probe": asdict(probe) if probe else None,
        }

    @remote_method({"wait": RETRY_S})
    def claim(self, worker: str, request: str, n: int) -> dict[str, Any]:
        """Lease up to n jobs: answer `jobs`, or `wait` in seconds, or `finished`, or `drain`.

        A worker that has not greeted this run of the server is answered `hello`.
        """
        self._roster.note_call(worker)
        if self.draining:
            return {"drain": True}
        if not self._roster.has_greeted(worker):
            return {"hello": True}
        if self._quarantine.holds(worker):
            log.warning("%s gets no more jobs: it fails at what others complete", worker)
            return {"refused": "this worker fails at jobs that others complete: see its log"}
        if self.withheld():
            return {"wait": self._wait_s()}
        jobs = self._adopt_unpublished(worker)
        jobs = jobs or self.ledger.claim(worker, request, n)
        if not jobs and self._speculate:
            old = self._book.long_at_work(worker, age_s=self.timing.beat_s)
            jobs = self.ledger.claim_second(worker, request, old)
        for job in jobs:
            self._book.add(HeldLease.of(job, running=n == 1))
            self._sources.glance(job.spec)
        if jobs:
            return {"jobs": [self._lease_of(job).to_dict() for job in jobs]}
        if self.finished() and not self._keep_alive:
            return {"finished": True}
        return {"wait": self._wait_s()}

    def withheld(self) -> str:
        """Return why no jobs are handed out now; empty if they are."""
        if self.paused:
            return "paused"
        if self.storage.error:
            return f"storage: {self.storage.error}"
        return "most workers are in trouble" if self._book.is_outage() else ""

    def _adopt_unpublished(self, worker: str) -> list[Job]:
        """Lease a job with renames that an earlier worker did not finish, if there is one."""
        while self._unpublished:
            job = self.ledger.adopt(self._unpublished.pop(), worker)
            if job:
                return [job]
        return []

    def _lease_of(self, job: Job) -> Lease:
        publishing = job.state is State.PUBLISHING
        return Lease(
            job=job.id,
            token=job.token,
            spec=job.spec,
            options=self._options,
            attempt=job.attempts,
            kind="publish" if publishing else "run",
            manifest=job.manifest if publishing else None,
            bounds=self.bounds,
            shard=job.shard,
            parts=() if publishing else shards.part_files(job, self.ledger.store.uid),
            ledger=self.ledger.store.uid,
            key=self._work_key(job),
            private=self._private,
            probe=self.storage.probe,
        )

    def _work_key(self, job: Job) -> str:
        """Return a name for the job with its medium and options, without a path in clear text."""
        work = f"{self._options_digest} {job.spec.source_path}".encode("utf-8", "surrogateescape")
        return f"{self.ledger.store.uid}:{job.id}:{blake2b(work, digest_size=8).hexdigest()}"

    def _wait_s(self) -> float:
        due = self.ledger.next_due_s()
        interval_s = min(1.0, self.timing.beat_s / 4)
        return interval_s if due is None else max(0.05, min(interval_s, due))

    @remote_method({"lost": [], "cancel": [], "drain": False})
    def beat(self, worker: str, held: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """Extend leases, given as [job, token, progress]; answer which of them have ended."""
        lost: list[int] = []
        cancelled: list[int] = []
        if not self._roster.note_call(worker):
            return {"lost": [job for job, *_ in held], "cancel": [], "drain": self.draining}
        for job, token, progress in held:
            if progress and progress.get("device"):
                self._roster.note_device(worker, str(progress["device"]))
            if not self._book.renew(worker, job, token, progress):
                state = self._state(job)
                (cancelled if state is State.CANCELLED else lost).append(job)
        return {"lost": lost, "cancel": cancelled, "drain": self.draining}

    @remote_method("later")
    def prepare(self, worker: str, job: int, token: int, manifest: Mapping[str, Any]) -> str:
        """Answer whether a worker may publish its files: `go`, `stale`, or `later`."""
        if not self._roster.note_call(worker):
            return "stale"
        if wrong := manifest_fault(self.ledger, job, token, manifest):
            log.warning("%s may not publish job %d: %s", worker, job, wrong)
            return "stale"
        if not self.ledger.prepare(job, token, worker, manifest):
            return "stale"
        self._book.drop_others(job, token)
        return "go"

    @remote_method("later")
    def published(self, worker: str, job: int, token: int) -> str:
        """Record that every file has its final name: `ok`, `stale`, or `later`."""
        digest = self._options_digest
        is_known = self._roster.note_call(worker)
        if not is_known or not self.ledger.published(job, token, worker, options_digest=digest):
            return "stale"
        self._quarantine.done(worker, job)
        self._end(job, token)
        return "ok"

    @remote_method("later")
    def fail(self, worker: str, job: int, token: int, kind: str, text: str) -> str:
        """Record a failure: `ok`, `stale`, `later`, or `storage` where the worker's is at fault.

        The kinds are those of `jobs.errors.JobFailed`.
        """
        if not self._roster.note_call(worker):
            return "stale"
        text = plain_text(text, MAX_ERROR_CHARS)
        if kind in AWAY_KINDS:
            if not self._book.is_held(worker, job, token):
                return "stale"
            live = self._book.live_workers()
            if self._sources.excuses(self._job(job), worker, kind, live=live):
                log.warning("job %d goes back, for %s does not reach it: %s", job, worker, text)
                self._book.note_trouble(worker)
                self._take_back(job, token, why="storage")
                self._book.drop(job, token)
                return "storage"
            kind = HOST_KINDS.get(kind, "input")
        if kind == "resource":
            self._book.note_trouble(worker)
            if self.storage.check() or self._book.is_outage():
                self._take_back(job, token, why="storage")
                self._book.drop(job, token)
                return "ok"
        hosts = self._roster.live_hosts()
        state = self.ledger.fail(job, token, worker, kind=kind, text=text, hosts=hosts)
        if state is None:
            return "stale"
        if kind != "input":
            self._quarantine.failed(worker, job)
        self._end(job, token)
        return "ok"

    @remote_method("later")
    def release(self, worker: str, held: Sequence[Sequence[int]]) -> str:
        """Take jobs back, given as [job, token]; it does not count as a failure."""
        self._roster.note_call(worker)
        for job, token in held:
            if self._book.drop(job, token, worker=worker):
                self._take_back(job, token, why="released")
        return "ok"

    @remote_method("later")
    def bye(self, worker: str) -> str:
        """Remove a worker that leaves; its jobs are free again."""
        for held in self._book.held(worker):
            self._take_back(held.job, held.token, why="released")
            self._book.drop(held.job, held.token)
        self._roster.remove(worker)
        self._quarantine.forget(worker)
        return "ok"

    @remote_method({})
    def status(self) -> dict[str, Any]:
        """Return the counts by state, what each live worker does, and why jobs are withheld."""
        workers = self._roster.status()
        return {
            "counts": self.ledger.store.read(queries.counts),
            "shards_done": self.ledger.store.read(queries.shards_done),
            "workers": workers,
            "withheld": self.withheld(),
        }

    def end_cancelled(self, jobs: Sequence[int]) -> None:
        """End the leases of jobs that were cancelled, and report their end."""
        self._drop_final()
        if len(jobs) > ANNOUNCED_AT_ONCE:
            log.warning("%d jobs were cancelled by the operator", len(jobs))
            return
        for job in jobs:
            self._report_end(self._job(job))

    def expect_again(self, jobs: Sequence[int]) -> None:
        """Report the next end of jobs that have ended and run again."""
        for job in jobs:
            self._reported.pop(job, None)

    def _drop_final(self) -> None:
        """End the leases of jobs and shards in a final state."""
        for held in self._book.held():
            if self._state(held.job) in FINAL:
                self._book.drop(held.job, held.token)

    def finished(self) -> bool:
        """Return whether every job is in a final state."""
        counts = self.ledger.store.read(queries.counts)
        return not any(State(state) not in FINAL for state in counts)

    def idle(self) -> bool:
        """Return whether no worker holds a job."""
        return not self._book.held()

    def tick(self) -> None:
        """Take back the jobs of expired leases; make jobs ready that have waited long enough."""
        for held, blame in self._book.expire():
            try:
                blame = blame and not self.storage.error
                self._take_back(held.job, held.token, why="expired", blame=blame)
            except LedgerUnavailable as error:
                log.warning("%s", error)
                self._book.add(held)
            except Exception as error:
                FAULTS.note("taking a job back", error)
                self._book.add(held)
        if self.ledger.next_due_s() == 0:
            self.ledger.promote()

    def remove_part_files(self, *, leases: float = 2.0) -> None:
        """Remove the part files of ended leases.

        Args:
            leases: Least time since their end, in lengths of a lease.
        """
        try:
            age_s, root = leases * self.timing.lease_s, self.bounds.output_root
            cleanup.remove_part_files(self.ledger, age_s=age_s, root=root)
        except (LedgerUnavailable, OSError) as error:
            log.warning("part files are not removed: %s", error)

    def _take_back(self, number: int, token: int, *, why: str, blame: bool = False) -> None:
        """Take a job back from its worker.

        Args:
            number: Number of the job.
            token: Token of the lease.
            why: Event for the ledger.
            blame: Whether the job may be the cause.
        """
        hosts = self._roster.live_hosts()
        state = self.ledger.take_back(number, token, blame=blame, why=why, hosts=hosts)
        if state is State.POISON:
            self._report_if_final(number)
        if state is None and self._state(number) is State.PUBLISHING:
            self._unpublished.add(number)

    def _end(self, number: int, token: int) -> None:
        """End a lease, and report the job if it has ended, too."""
        self._book.drop(number, token)
        self._report_if_final(number)

    def _report_if_final(self, number: int) -> None:
        """Report a job that has ended; a job may end with one of its shards."""
        job = self._job(number)
        if job.parent is not None:
            job = self._job(job.parent)
            if job.state in FINAL:
                self._drop_final()
        if job.state is State.DONE:
            self._sources.note_done(job.spec)
        if job.state in FINAL:
            self._report_end(job)

    def _report_end(self, job: Job) -> None:
        """Report the end of a job once, however often its worker reports it."""
        if job.id not in self._reported:
            self._reported[job.id] = None
            if len(self._reported) > KEPT_REPORTS:
                self._reported.pop(next(iter(self._reported)), None)
            self._on_final(job)

    def _state(self, number: int) -> State | None:
        return self.ledger.store.read(lambda db: queries.state(db, number))

    def _job(self, number: int) -> Job:
        return self.ledger.store.read(lambda db: queries.job(db, number))
