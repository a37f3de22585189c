"""The server's side of the conversation with workers."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

from jobs.errors import LedgerUnavailable
from jobs.ledger import queries, shards
from jobs.ledger.ledger import Ledger
from jobs.outputs.storage_probe import Storage
from jobs.retry import Timing
from jobs.server import cleanup
from jobs.server.leases import Held, LeaseBook
from jobs.server.quarantine import Quarantine
from jobs.system.process_identity import ProcessIdentity
from jobs.types import FINAL, MAX_CLAIM, PROTOCOL, Bounds, Job, Lease, State
from jobs.wire.transport import expose

log = logging.getLogger(__name__)
LATER_S = 5.0
F = TypeVar("F", bound=Callable[..., Any])


def remote_method(answer: Any) -> Callable[[F], F]:
    """Expose a method; its answer is this one while the ledger cannot be written."""

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def wrapped(self: Any, *args: Any) -> Any:
            try:
                return method(self, *args)
            except LedgerUnavailable as error:
                log.warning("%s", error)
                return answer

        return expose(wrapped)  # type: ignore[no-any-return]

    return decorate


class JobService:
    """The Pyro5 object `ina.jobs`. Every verb may be repeated.

    Args:
        ledger: The jobs.
        options: Analysis options, sent with each lease.
        options_digest: Digest of these options.
        bounds: What jobs may read and write, sent with each lease.
        program: Version that workers must have.
        models: Hashes of the models that workers must have, by name.
        timing: Timing of leases and heartbeats.
        private: What else jobs need, sent with each lease and written nowhere.
        keep_alive: Tell workers to wait, not to go, when every job is done.
        speculate: Lease jobs a second time to workers without other work.
        on_final: Called with each job that comes to an end.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        options: Mapping[str, Any],
        options_digest: str,
        bounds: Bounds | None = None,
        program: str = "",
        models: Mapping[str, str] | None = None,
        timing: Timing | None = None,
        private: Mapping[str, Any] | None = None,
        keep_alive: bool = False,
        speculate: bool = False,
        on_final: Callable[[Job], None] | None = None,
    ) -> None:
        self.timing = timing or Timing()
        self.draining = False
        """Whether workers are to leave after their job."""
        self.paused = False
        """Whether an operator withholds jobs."""
        self.storage = self._watch_storage(ledger)
        self.ledger = ledger
        self._options = dict(options)
        self._options_digest = options_digest
        self._bounds = bounds or Bounds()
        self._wanted = {"protocol": PROTOCOL, "program": program}
        self._models = dict(models or {})
        self._private = dict(private or {})
        self._keep_alive = keep_alive
        self._speculate = speculate
        self._on_final = on_final or (lambda _job: None)
        self._book = LeaseBook(self.timing.lease_s)
        self._quarantine = Quarantine()
        self._abandoned: set[int] = set()
        self._announced: set[int] = set()
        self._workers: dict[str, dict[str, Any]] = {}
        self._restore()

    def _watch_storage(self, ledger: Ledger) -> Storage:
        csv = ledger.store.read(queries.first_output)
        return Storage(
            Path(csv).parent if csv else None,
            ledger=ledger.store.path,
            every_s=self.timing.beat_s,
            patience_s=self.timing.beat_s / 2,
        )

    def _restore(self) -> None:
        """Give every lease of an earlier server its full time again; free those of the dead."""
        own = ProcessIdentity.own()
        for job in self.ledger.store.read(queries.outstanding):
            if job.second_worker:
                self._take_back(job.id, job.token, why="released")
                job = self._job(job.id)
            if self._is_dead(job.worker or "", seen_from=own):
                self._take_back(job.id, job.token, why="expired")
            else:
                self._book.add(Held.of(job, running=True))

    def _is_dead(self, worker: str, *, seen_from: ProcessIdentity) -> bool:
        record = self.ledger.store.read(lambda db: queries.worker(db, worker))
        return record is not None and ProcessIdentity(*record).is_dead(seen_from=seen_from)

    @remote_method({"later": True})
    def hello(self, info: Mapping[str, Any]) -> dict[str, Any]:
        """Welcome a worker, or say why it is refused."""
        refusal = self._refusal(info)
        if refusal:
            return {"refused": refusal}
        worker = str(info["name"])
        identity = ProcessIdentity(info["host"], info["pid"], info["boot_id"])
        self.ledger.register(worker, identity)
        self._workers[worker] = {"name": worker, "host": identity.host, "device": info["device"]}
        self._book.seen(worker)
        probe = self.storage.probe
        return {
            "epoch": self.ledger.store.epoch,
            "lease_s": self.timing.lease_s,
            "probe": asdict(probe) if probe else None,
        }

    def _refusal(self, info: Mapping[str, Any]) -> str:
        """Return why a worker cannot work for this server, or nothing."""
        for name, expected in self._wanted.items():
            if info.get(name) != expected:
                return (
                    f"this worker has {name} {info.get(name)!r}, the server has {expected!r}: "
                    "install the same version on both"
                )
        for name, digest in self._models.items():
            offered = info.get("models", {}).get(name)
            if offered != digest:
                return (
                    f"this worker has model {name} with hash {str(offered)[:12]}, the server has "
                    f"{digest[:12]}: install the same version on both"
                )
        return ""

    @remote_method({"wait": LATER_S})
    def claim(self, worker: str, request: str, n: int) -> dict[str, Any]:
        """Lease jobs: `jobs`, or `wait` seconds, or `finished`, or `drain`."""
        self._saw(worker)
        if self.draining:
            return {"drain": True}
        if self._quarantine.holds(worker):
            log.warning("%s gets no more jobs: it fails at what others complete", worker)
            return {"refused": "this worker fails at jobs that others complete: see its log"}
        if self.withheld():
            return {"wait": self._wait_s()}
        jobs = self._adopt(worker) or self.ledger.claim(worker, request, min(n, MAX_CLAIM))
        if not jobs and self._speculate:
            old = self._book.long_at_work(worker, age_s=self.timing.beat_s)
            jobs = self.ledger.claim_second(worker, request, old)
        for job in jobs:
            self._book.add(Held.of(job, running=n == 1))
        if jobs:
            return {"jobs": [self._lease(job).to_dict() for job in jobs]}
        if self.finished() and not self._keep_alive:
            return {"finished": True}
        return {"wait": self._wait_s()}

    def _saw(self, worker: str) -> None:
        """Note a call; one that greeted an earlier server is known from the ledger."""
        self._book.seen(worker)
        if worker not in self._workers:
            record = self.ledger.store.read(lambda db: queries.worker(db, worker))
            host = record[0] if record else ""
            self._workers[worker] = {"name": worker, "host": host, "device": ""}

    def withheld(self) -> str:
        """Return why no jobs are handed out just now, or nothing."""
        if self.paused:
            return "paused"
        if self.storage.error:
            return f"storage: {self.storage.error}"
        return "most workers are in trouble" if self._book.outage() else ""

    def _adopt(self, worker: str) -> list[Job]:
        """Return a job with unfinished renames of an earlier worker, if there is one."""
        while self._abandoned:
            job = self.ledger.adopt(self._abandoned.pop(), worker)
            if job:
                return [job]
        return []

    def _lease(self, job: Job) -> Lease:
        publishing = job.state is State.PUBLISHING
        return Lease(
            job=job.id,
            token=job.token,
            spec=job.spec,
            options=self._options,
            attempt=job.attempts,
            kind="publish" if publishing else "run",
            manifest=job.manifest if publishing else None,
            bounds=self._bounds,
            shard=job.shard,
            parts=() if publishing else shards.part_files(job),
            key=self._key(job),
            private=self._private,
        )

    def _key(self, job: Job) -> str:
        """Name a job with its medium and options; without a path, for others may see it."""
        work = f"{self._options_digest} {job.spec.source_path}".encode("utf-8", "surrogateescape")
        return f"{self.ledger.store.uid}:{job.id}:{blake2b(work, digest_size=8).hexdigest()}"

    def _wait_s(self) -> float:
        due = self.ledger.next_due_s()
        often = min(1.0, self.timing.beat_s / 4)
        return often if due is None else max(0.05, min(often, due))

    @remote_method({"lost": [], "cancel": [], "drain": False})
    def beat(self, worker: str, held: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """Extend leases, given as [job, token, progress], and say which are gone."""
        self._saw(worker)
        lost: list[int] = []
        cancelled: list[int] = []
        for job, token, progress in held:
            if progress and progress.get("device"):
                # Once networks run, it is known.
                self._workers[worker]["device"] = str(progress["device"])
            if not self._book.renew(worker, job, token, progress):
                state = self._job(job).state
                (cancelled if state is State.CANCELLED else lost).append(job)
        return {"lost": lost, "cancel": cancelled, "drain": self.draining}

    @remote_method("later")
    def prepare(self, worker: str, job: int, token: int, manifest: Mapping[str, Any]) -> str:
        """Ask whether these files win: `go`, `stale`, or `later`."""
        self._saw(worker)
        if not self.ledger.prepare(job, token, worker, manifest):
            return "stale"
        self._book.drop_others(job, token)
        return "go"

    @remote_method("later")
    def published(self, worker: str, job: int, token: int) -> str:
        """Report that every file stands under its final name."""
        self._saw(worker)
        if not self.ledger.published(job, token, worker, options_digest=self._options_digest):
            return "stale"
        self._quarantine.done(worker, job)
        self._ended(job, token)
        return "ok"

    @remote_method("later")
    def fail(self, worker: str, job: int, token: int, kind: str, text: str) -> str:
        """Report a failure; see Ledger.fail for the kinds."""
        self._saw(worker)
        if kind == "resource":
            self._book.trouble(worker)
            if self.storage.check() or self._book.outage():
                self._take_back(job, token, why="storage")
                self._book.drop(job, token)
                return "ok"
        state = self.ledger.fail(job, token, worker, kind=kind, text=text, hosts=self._hosts())
        if state is None:
            return "stale"
        if kind != "input":
            self._quarantine.failed(worker, job)
        self._ended(job, token)
        return "ok"

    def _hosts(self) -> int:
        """Return the number of machines that have workers now."""
        live = set(self._book.live())
        return len({w["host"] for name, w in list(self._workers.items()) if name in live})

    @remote_method("later")
    def release(self, worker: str, held: Sequence[Sequence[int]]) -> str:
        """Give jobs back, as [job, token], without blame."""
        self._saw(worker)
        for job, token in held:
            if self._book.drop(job, token, worker=worker):
                self._take_back(job, token, why="released")
        return "ok"

    @remote_method("later")
    def bye(self, worker: str) -> str:
        """Part with a worker that goes in peace."""
        for held in self._book.held(worker):
            self._take_back(held.job, held.token, why="released")
            self._book.drop(held.job, held.token)
        self._book.forget(worker)
        self._quarantine.forget(worker)
        self._workers.pop(worker, None)
        return "ok"

    @remote_method({})
    def status(self) -> dict[str, Any]:
        """Return the counts, and what each live worker does."""
        live = set(self._book.live())
        workers = [
            {**info, "silent_s": self._book.silent_s(name), "jobs": self._book.shown(name)}
            for name, info in list(self._workers.items())
            if name in live
        ]
        counts = self.ledger.store.read(queries.counts)
        done = self.ledger.store.read(queries.shards_done)
        return {
            "counts": counts,
            "shards_done": done,
            "workers": workers,
            "withheld": self.withheld(),
        }

    def forget(self, jobs: Sequence[int]) -> None:
        """End the leases of jobs that were cancelled."""
        self._drop_given_up()
        for job in jobs:
            self._announce(self._job(job))

    def _drop_given_up(self) -> None:
        """End the leases of jobs and shards that were given up."""
        for held in self._book.held():
            if self._job(held.job).state in FINAL:
                self._book.drop(held.job, held.token)

    def finished(self) -> bool:
        """Say whether no job can change any more."""
        counts = self.ledger.store.read(queries.counts)
        return not any(State(state) not in FINAL for state in counts)

    def idle(self) -> bool:
        """Say whether no worker holds a job."""
        return not self._book.held()

    def tick(self) -> None:
        """Take back the leases that are over, and wake the jobs that are due."""
        for held, blame in self._book.expire():
            try:
                blame = blame and not self.storage.error
                self._take_back(held.job, held.token, why="expired", blame=blame)
            except LedgerUnavailable as error:
                log.warning("%s", error)
                self._book.add(held)
        if self.ledger.next_due_s() == 0:
            self.ledger.promote()

    def collect(self, *, leases: float = 2.0) -> None:
        """Remove the part files of leases that ended so many leases ago."""
        try:
            cleanup.remove_part_files(self.ledger, age_s=leases * self.timing.lease_s)
        except (LedgerUnavailable, OSError) as error:
            log.warning("part files are not removed: %s", error)

    def _take_back(self, number: int, token: int, *, why: str, blame: bool = False) -> None:
        hosts = self._hosts()
        state = self.ledger.take_back(number, token, blame=blame, why=why, hosts=hosts)
        if state is State.POISON:
            self._conclude(number)
        if state is None and self._job(number).state is State.PUBLISHING:
            self._abandoned.add(number)

    def _ended(self, number: int, token: int) -> None:
        self._book.drop(number, token)
        self._conclude(number)

    def _conclude(self, number: int) -> None:
        """Tell of a job that has come to its end, perhaps with one of its shards."""
        job = self._job(number)
        if job.parent is not None:
            job = self._job(job.parent)
            if job.state in FINAL:
                self._drop_given_up()
        if job.state in FINAL:
            self._announce(job)

    def _announce(self, job: Job) -> None:
        """Tell of the end of a job, once, however often its worker does."""
        if job.id not in self._announced:
            self._announced.add(job.id)
            self._on_final(job)

    def _job(self, number: int) -> Job:
        return self.ledger.store.read(lambda db: queries.job(db, number))
