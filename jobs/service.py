"""The server's side of the conversation with workers."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from jobs import queries
from jobs.errors import LedgerUnavailable
from jobs.host import Identity
from jobs.leases import Held, LeaseBook
from jobs.ledger import Ledger
from jobs.model import FINAL, MAX_CLAIM, OBJECT_ID, PROTOCOL, Bounds, Job, Lease, State
from jobs.retry import Timing
from jobs.transport import (
    COMM_TIMEOUT_S,
    Access,
    Daemon,
    configure,
    expose,
    require_descriptors,
    require_safe,
)

log = logging.getLogger(__name__)
LATER_S = 5.0
F = TypeVar("F", bound=Callable[..., Any])


def verb(answer: Any) -> Callable[[F], F]:
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
        options_digest: Of these options.
        bounds: What jobs may read and write, sent with each lease.
        program: Version that workers must have.
        timing: Of leases and heartbeats.
        keep_alive: Tell workers to wait, not to go, when every job is done.
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
        timing: Timing | None = None,
        keep_alive: bool = False,
        on_final: Callable[[Job], None] | None = None,
    ) -> None:
        self.timing = timing or Timing()
        self.draining = False
        self._ledger = ledger
        self._options = dict(options)
        self._options_digest = options_digest
        self._bounds = bounds or Bounds()
        self._program = program
        self._keep_alive = keep_alive
        self._on_final = on_final or (lambda _job: None)
        self._book = LeaseBook(self.timing.lease_s)
        self._abandoned: set[int] = set()
        self._announced: set[int] = set()
        self._workers: dict[str, dict[str, Any]] = {}
        self._restore()

    def _restore(self) -> None:
        """Give every lease of an earlier server its full time again; free those of the dead."""
        own = Identity.own()
        for job in self._ledger.store.read(queries.outstanding):
            if self._is_dead(job.worker or "", seen_from=own):
                self._take_back(job.id, job.token, why="expired")
            else:
                self._book.add(_held(job, running=True))

    def _is_dead(self, worker: str, *, seen_from: Identity) -> bool:
        found = self._ledger.store.read(lambda db: queries.worker(db, worker))
        return found is not None and Identity(*found).is_dead(seen_from=seen_from)

    @verb({"later": True})
    def hello(self, info: Mapping[str, Any]) -> dict[str, Any]:
        """Welcome a worker, or say why it is refused."""
        for name, wanted in (("protocol", PROTOCOL), ("program", self._program)):
            if info.get(name) != wanted:
                return {
                    "refused": f"this worker has {name} {info.get(name)!r}, the server has "
                    f"{wanted!r}: install the same version on both"
                }
        worker = str(info["name"])
        identity = Identity(info["host"], info["pid"], info["boot_id"])
        self._ledger.register(worker, identity)
        self._workers[worker] = {"name": worker, "host": identity.host, "device": info["device"]}
        self._book.seen(worker)
        return {"epoch": self._ledger.store.epoch, "lease_s": self.timing.lease_s}

    @verb({"wait": LATER_S})
    def claim(self, worker: str, request: str, n: int) -> dict[str, Any]:
        """Lease jobs: `jobs`, or `wait` seconds, or `finished`, or `drain`."""
        self._book.seen(worker)
        if self.draining:
            return {"drain": True}
        jobs = self._adopt(worker) or self._ledger.claim(worker, request, min(n, MAX_CLAIM))
        for job in jobs:
            self._book.add(_held(job, running=n == 1))
        if jobs:
            return {"jobs": [self._lease(job).to_dict() for job in jobs]}
        if self.finished() and not self._keep_alive:
            return {"finished": True}
        return {"wait": self._wait_s()}

    def _adopt(self, worker: str) -> list[Job]:
        """Return a job whose renames an earlier worker did not finish, if there is one."""
        while self._abandoned:
            job = self._ledger.adopt(self._abandoned.pop(), worker)
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
        )

    def _wait_s(self) -> float:
        due = self._ledger.next_due_s()
        often = min(1.0, self.timing.beat_s / 4)
        return often if due is None else max(0.05, min(often, due))

    @verb({"lost": [], "cancel": [], "drain": False})
    def beat(self, worker: str, held: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """Extend leases, given as [job, token, progress], and say which are gone."""
        self._book.seen(worker)
        lost: list[int] = []
        cancelled: list[int] = []
        for job, token, progress in held:
            if not self._book.renew(worker, job, token, progress):
                state = self._job(job).state
                (cancelled if state is State.CANCELLED else lost).append(job)
        return {"lost": lost, "cancel": cancelled, "drain": self.draining}

    @verb("later")
    def prepare(self, worker: str, job: int, token: int, manifest: Mapping[str, Any]) -> str:
        """Ask whether these files win: `go`, `stale`, or `later`."""
        self._book.seen(worker)
        return "go" if self._ledger.prepare(job, token, worker, manifest) else "stale"

    @verb("later")
    def published(self, worker: str, job: int, token: int) -> str:
        """Report that every file stands under its final name."""
        self._book.seen(worker)
        if not self._ledger.published(job, token, worker, options_digest=self._options_digest):
            return "stale"
        self._ended(job, token)
        return "ok"

    @verb("later")
    def fail(self, worker: str, job: int, token: int, kind: str, text: str) -> str:
        """Report a failure; see Ledger.fail for the kinds."""
        self._book.seen(worker)
        if self._ledger.fail(job, token, worker, kind=kind, text=text) is None:
            return "stale"
        self._ended(job, token)
        return "ok"

    @verb("later")
    def release(self, worker: str, held: Sequence[Sequence[int]]) -> str:
        """Give jobs back, as [job, token], without blame."""
        self._book.seen(worker)
        for job, token in held:
            if self._book.drop(job, token, worker=worker):
                self._take_back(job, token, why="released")
        return "ok"

    @verb("later")
    def bye(self, worker: str) -> str:
        """Part with a worker that goes in peace."""
        for held in self._book.held(worker):
            self._take_back(held.job, held.token, why="released")
            self._book.drop(held.job, held.token)
        self._book.forget(worker)
        self._workers.pop(worker, None)
        return "ok"

    @verb({})
    def status(self) -> dict[str, Any]:
        """Return the counts, and what each live worker does."""
        live = set(self._book.live())
        workers = [
            {**info, "jobs": [_shown(held) for held in self._book.held(name)]}
            for name, info in list(self._workers.items())
            if name in live
        ]
        return {"counts": self._ledger.store.read(queries.counts), "workers": workers}

    def finished(self) -> bool:
        """Say whether no job can change any more."""
        counts = self._ledger.store.read(queries.counts)
        return not any(State(state) not in FINAL for state in counts)

    def idle(self) -> bool:
        """Say whether no worker holds a job."""
        return not self._book.held()

    def tick(self) -> None:
        """Take back the leases that are over, and wake the jobs that are due."""
        for held, blame in self._book.expire():
            try:
                self._take_back(held.job, held.token, why="expired", blame=blame)
            except LedgerUnavailable as error:
                log.warning("%s", error)
                self._book.add(held)
        if self._ledger.next_due_s() == 0:
            self._ledger.promote()

    def _take_back(self, number: int, token: int, *, why: str, blame: bool = False) -> None:
        state = self._ledger.take_back(number, token, blame=blame, why=why)
        if state is State.POISON:
            self._announce(self._job(number))
        if state is None and self._job(number).state is State.PUBLISHING:
            self._abandoned.add(number)

    def _ended(self, number: int, token: int) -> None:
        self._book.drop(number, token)
        job = self._job(number)
        if job.state in FINAL:
            self._announce(job)

    def _announce(self, job: Job) -> None:
        """Tell of the end of a job, once, however often its worker does."""
        if job.id not in self._announced:
            self._announced.add(job.id)
            self._on_final(job)

    def _job(self, number: int) -> Job:
        return self._ledger.store.read(lambda db: queries.job(db, number))


def _held(job: Job, *, running: bool) -> Held:
    return Held(
        job=job.id,
        token=job.token,
        worker=job.worker or "",
        source=job.spec.source_path,
        running=running,
    )


def _shown(held: Held) -> dict[str, Any]:
    return {"job": held.job, "source": held.source, "progress": dict(held.progress)}


class JobServer:
    """The service on its port, and the thread that takes leases back.

    Args:
        service: What to serve.
        host: Name or address; others than this machine's own demand token and certificates.
        port: TCP port; 0 for any.
        access: Token and certificates.

    Raises:
        UsageError: The port is taken, or the address is open to strangers.
    """

    def __init__(
        self, service: JobService, *, host: str, port: int, access: Access | None = None
    ) -> None:
        access = access or Access()
        require_safe(host, access)
        require_descriptors()
        silence_s = max(COMM_TIMEOUT_S, 3 * service.timing.beat_s)
        configure(access, role="server", comm_timeout_s=silence_s)
        self._service = service
        self._stop = threading.Event()
        self._daemon = Daemon(host, port, access=access)
        self.uri = str(self._daemon.register(service, objectId=OBJECT_ID))
        self._threads = [
            threading.Thread(target=self._daemon.requestLoop, name="requests", daemon=True),
            threading.Thread(target=self._reap, name="reaper", daemon=True),
        ]

    def start(self) -> None:
        """Begin to answer."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._stop.set()
        self._daemon.shutdown()
        for thread in self._threads:
            thread.join(timeout=5.0)

    def _reap(self) -> None:
        while not self._stop.wait(min(1.0, self._service.timing.beat_s / 2)):
            try:
                self._service.tick()
            except LedgerUnavailable as error:
                log.warning("%s", error)
