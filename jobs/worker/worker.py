"""A worker: the supervisor that talks to the server while its child process does the work.

The supervisor uses neither models nor the shared storage, so that no job can delay its heartbeat.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from jobs.errors import ServerFault, ServerGone, ServerRefused
from jobs.retry import Timing, boottime, jittered
from jobs.system.process_identity import ProcessIdentity
from jobs.types import Lease, Outcome, Probe
from jobs.wire.transport import Access
from jobs.worker import examination
from jobs.worker.client import Client, Welcome
from jobs.worker.graceful_stop import POLL_S, GracefulStop
from jobs.worker.process import Child
from jobs.worker.storage_pause import StoragePause
from jobs.worker.watchdog import STALL_S, WALL_S, Watchdog

log = logging.getLogger(__name__)
LAST_CALL_S = 5.0
"""Time to reach the server for the result of a job, after all other time is over."""


@dataclass(frozen=True)
class WorkerSettings:
    """Settings of a worker; times in seconds."""

    uri: str
    """Address of the server."""
    factory: str
    """`module:function` that makes the task, called in the child."""
    local: Mapping[str, Any] = field(default_factory=dict)
    """Argument of the factory."""
    program: str = ""
    """Version of the program; the server must have the same."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Hashes of its models by name; the server must have the same."""
    code: Mapping[str, str] = field(default_factory=dict)
    """Digests of its packages and plug-ins by name; the server must have the same."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Analysis options that it sets for itself; the server must not have others."""
    unable: Mapping[str, str] = field(default_factory=dict)
    """Settings that it cannot do, `name value`, each with the reason."""
    device: str = "auto"
    access: Access = field(default_factory=Access)
    patience_s: float = 600.0
    """Time without an answer of the server after which the worker gives up."""
    stall_s: float = STALL_S
    """Time without progress after which a job is ended."""
    wall_s: float = WALL_S
    """Time that a job may take; longer for long media."""
    grace_s: float = 60.0
    """Time that a job has after the worker was asked to stop."""
    parent: int | None = None
    """Process without which the worker takes no further jobs."""


class Worker:
    """A worker that does one job at a time until none is left.

    Args:
        settings: Its settings.

    Example:
        uri = "PYRO:ina.jobs@localhost:9471"
        Worker(WorkerSettings(uri=uri, factory="ina_worker:make_task")).run()
    """

    def __init__(self, settings: WorkerSettings) -> None:
        identity = ProcessIdentity.own()
        self._settings = settings
        self._stop = GracefulStop(settings.grace_s)
        self._child = Child(settings.factory, settings.local)
        self._client = Client(
            settings.uri,
            name=f"{identity.host}:{identity.pid}:{secrets.token_hex(3)}",
            access=settings.access,
            patience_s=self._patience_s,
        )
        self._info = {
            **asdict(identity),
            "program": settings.program,
            "models": dict(settings.models),
            "code": dict(settings.code),
            "settings": dict(settings.settings),
            "unable": dict(settings.unable),
            "device": settings.device,
        }
        self._timing = Timing()
        self._pause = StoragePause()
        self._is_at_work = False
        """Whether it has a job, which it may still report."""

    def _patience_s(self) -> float:
        """Return how long to try to reach the server; a worker that stops does not outlive it."""
        if not self._is_stopping():
            return self._settings.patience_s
        left_s = max(LAST_CALL_S, self._stop.left_s) if self._is_at_work else 0.0
        return min(self._settings.patience_s, left_s)

    def stop_on_signals(self) -> None:
        """Let SIGTERM, SIGINT and SIGHUP end it after its job, a second signal at once."""
        self._stop.listen()

    def run(self) -> None:
        """Work until every job is done, or the worker is asked to stop.

        Raises:
            ServerGone: The server has not answered for too long.
            ServerRefused: The server refuses this worker, or the worker cannot do its jobs.
        """
        try:
            welcome = self._greet()
            if welcome.probe:
                self._require_storage(welcome.probe)
            self._work_until_done()
            self._client.bye()
        except ServerGone:
            # Without a job, nobody waits for word of one that was asked to stop.
            if self._is_at_work or not self._stop.requested:
                raise
        finally:
            self._child.kill()
            self._client.close()

    def _greet(self) -> Welcome:
        welcome = self._client.hello(self._info)
        self._timing = Timing(welcome.lease_s)
        return welcome

    def _require_storage(self, probe: Probe) -> None:
        """Refuse to work on another storage; the server handles one that only fails now."""
        self._child.send("probe", probe)
        deadline = time.monotonic() + self._settings.stall_s
        while not self._is_stopping() and time.monotonic() < deadline:
            answer = self._child.poll(POLL_S)
            if isinstance(answer, Outcome):
                if answer.error and not answer.kind:
                    raise ServerRefused(answer.error)
                return
        self._child.kill()

    def _work_until_done(self) -> None:
        while not self._is_stopping():
            claim = self._client.claim()
            if claim.finished or claim.drain:
                return
            if claim.hello:
                # The storage is looked for before each job: what is away just now may come back.
                self._greet()
                continue
            for lease in claim.leases:
                self._is_at_work = True
                try:
                    self._work(lease)
                except ServerFault as error:
                    # This job may be what the server stumbles over; others may be done.
                    self._child.kill()
                    self._client.fail(lease, "bug", str(error))
                self._is_at_work = False
                self._stop.wait(self._pause.left_s(self._timing))
            if not claim.leases:
                self._stop.wait(claim.wait_s)

    def _is_stopping(self) -> bool:
        parent = self._settings.parent
        if parent is not None and os.getppid() != parent:
            self._stop.request()
        return self._stop.requested

    def _work(self, lease: Lease) -> None:
        """Do the job of a lease: run, prepare, publish."""
        if lease.kind == "run":
            outcome = self._attend("run", lease)
            if outcome is None or outcome.manifest is None:
                self._report_failure(lease, outcome)
                return
            if not self._client.prepare(lease, outcome.manifest):
                log.warning("job %d was given to another worker meanwhile", lease.job)
                self._child.send("discard", lease)
                return
            lease = replace(lease, kind="publish", manifest=outcome.manifest)
        outcome = self._attend("publish", lease)
        if outcome is None or outcome.manifest is None:
            self._report_failure(lease, outcome)
        else:
            self._client.published(lease)
            self._pause.end()

    def _report_failure(self, lease: Lease, outcome: Outcome | None) -> None:
        """Report a failure to the server; outcome None: the job was given up, or taken away."""
        outcome = outcome and self._examined(lease, outcome)
        if outcome is None:
            self._client.release(lease)
        elif outcome.kind == "worker":
            # This gives the job back, too.
            self._client.bye()
            raise ServerRefused(outcome.error)
        else:
            log.warning("job %d failed (%s): %s", lease.job, outcome.kind, outcome.error)
            if outcome.kind == "crash":
                # The child that died could not remove them; the one for the next job does.
                self._child.send("discard", lease)
            if self._client.fail(lease, outcome.kind, outcome.error):
                self._pause.lengthen()
            else:
                self._pause.end()

    def _examined(self, lease: Lease, outcome: Outcome) -> Outcome | None:
        """Look for the fault of a job that ended with its process; None if its lease is gone."""
        if not examination.is_open(outcome):
            return outcome
        limit_s = min(examination.LIMIT_S, self._settings.stall_s)
        found = self._attend("examine", lease, stall_s=limit_s)
        return examination.concluded(outcome, found, limit_s)

    def _attend(
        self, command: str, lease: Lease, *, stall_s: float | None = None
    ) -> Outcome | None:
        """Let the child carry out a command; extend the lease meanwhile.

        Args:
            command: See `jobs.worker.child`.
            lease: Lease of the job.
            stall_s: Time without progress after which it is ended; by default that of the settings.

        Returns:
            Outcome of the command; None if the lease is gone or was given up.
        """
        stall_s = self._settings.stall_s if stall_s is None else stall_s
        self._child.send(command, lease)
        watch = LeaseWatch(self._client, self._child, lease, self._timing)
        while True:
            news = self._child.poll(min(POLL_S, watch.left_s()))
            if isinstance(news, Outcome):
                self._child.fence()
                # After its fence the child has ended itself: the job is not the cause.
                return None if news.kind == "crash" and watch.is_overdue() else news
            if news is not None:
                watch.note(news)
            watch.beat()
            if watch.stop_requested or self._is_stopping():
                self._stop.request()
            if watch.is_lost or self._stop.overdue:
                self._child.kill()
                return None
            exceeded = watch.watchdog.exceeded(stall_s, self._settings.wall_s)
            if exceeded:
                self._child.kill()
                return Outcome(kind="resource", error=exceeded, is_ended=True)


class LeaseWatch:
    """The heartbeats of one lease, and the fence of its child process; see `child`."""

    def __init__(self, client: Client, child: Child, lease: Lease, timing: Timing) -> None:
        self.is_lost = False
        """Whether the lease is gone, or may be gone, so that the job must be stopped."""
        self.stop_requested = False
        """Whether the server asks the worker to stop."""
        self._client = client
        self._child = child
        self._lease = lease
        self._timing = timing
        self._progress: Mapping[str, Any] = {}
        self._is_news = False
        self.watchdog = Watchdog()
        self._last_beat = boottime()
        self._next_beat = self._last_beat + jittered(timing.beat_s)
        self._move_fence(self._last_beat)

    def _move_fence(self, answered_at: float) -> None:
        self._fence = answered_at + self._timing.fence_s
        self._child.fence(self._fence)

    def left_s(self) -> float:
        """Return the time until the next regular heartbeat."""
        return self._next_beat - boottime()

    def note(self, progress: Mapping[str, Any]) -> None:
        """Record progress that the child reported."""
        self._progress, self._is_news = progress, True
        self.watchdog.note(progress)

    def beat(self) -> None:
        """Send a heartbeat if it is time; earlier if there is progress to show."""
        now = boottime()
        eager = self._is_news and now - self._last_beat >= self._timing.eager_s
        if now >= self._next_beat or eager:
            self._send(now)
        self.is_lost = self.is_lost or self.is_overdue()

    def is_overdue(self) -> bool:
        """Return whether the lease may belong to another worker now."""
        return boottime() >= self._fence

    def _send(self, now: float) -> None:
        self._last_beat, self._is_news = now, False
        answer = self._client.beat(
            self._lease, self._progress, timeout_s=self._timing.call_timeout_s
        )
        self._next_beat = boottime() + jittered(self._timing.beat_s)
        if answer is not None:
            # The time before the call: the server may have counted from there.
            self._move_fence(now)
            self.stop_requested = answer.drain
            self.is_lost = self._lease.job in answer.gone
