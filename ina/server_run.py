"""One run of the server: import the joblist, serve it to the end, and report."""

from __future__ import annotations

import argparse
import os
import queue
import signal
import sqlite3
import sys
import time
import warnings
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING, Any

from analyzer import __version__
from analyzer.options import AnalysisOptions
from analyzer.sampling.draws import has_draws
from ina import fingerprint, reserved
from ina.analysis import FilmAnalysis
from ina.lengths import length_s
from ina.sample import SampleThread
from ina.server_log import Conclusion, LogDisplay
from joblist.errors import UsageError
from jobs.commands import _arguments as arguments
from jobs.dashboard.page import Dashboard
from jobs.errors import LedgerUnavailable
from jobs.inputs import joblist
from jobs.ledger import queries, schema
from jobs.ledger.imports import Imported, import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store, default_path
from jobs.outputs.claim import DestinationClaim
from jobs.outputs.claim_file import ClaimOwner
from jobs.retry import Timing
from jobs.server.display import LiveDisplay, PlainDisplay, import_notes, results
from jobs.server.estimate import Estimate
from jobs.server.lengths import LengthMeasurer
from jobs.server.local_workers import LocalWorkers
from jobs.server.progress import describe
from jobs.server.roster import Demands
from jobs.server.server import JobServer
from jobs.server.service import JobService
from jobs.system.steady import FaultLog, SteadyThread, revive_dead
from jobs.types import FINAL, Bounds, Job, State
from jobs.wire.transport import Access, is_loopback

if TYPE_CHECKING:
    from ina.shared_store import SharedStore

TICK_S = 0.25
GRACE_S = 75.0
"""Seconds that running jobs have after a signal."""
STALE_LEASES, LEAST_STALE_S = 3.0, 10.0
"""Age, in leases and at least, after which the claim of a server elsewhere counts as dead."""
FAREWELL_S = 5.0
"""Seconds that workers have to hear of the end."""


def serve(args: argparse.Namespace, options: AnalysisOptions) -> int:
    """Import the joblist, serve it to the end, and report; return the exit code.

    Args:
        args: Arguments of `ina.server_options.server_parser`.
        options: Options of the analysis.

    Raises:
        UsageError: The joblist or an option is wrong, or the port is taken.
        LedgerRefused: The ledger must not be used.
    """
    bounds = arguments.read_bounds(args)
    shards = FilmAnalysis().shards(args.shards, args.shard_minutes, options.to_dict())
    path = args.ledger or default_path(args.joblist)
    with ExitStack() as stack:
        store = stack.enter_context(closing(Store(path)))
        identities = None
        if args.identities is not None:
            from ina.shared_store import SharedStore  # it needs numpy, and most runs no store

            identities = SharedStore(
                args.identities,
                options.describer,
                args.identity_threshold,
                args.refine_limit,
                default=path.with_suffix(".identities"),
                key_file=args.identity_key,
            )
            stack.enter_context(closing(identities.store))
        ledger = Ledger(store, max_attempts=args.max_attempts, shards=shards)
        imported = _import(ledger, args, options, bounds)
        claim = stack.enter_context(closing(_claim(store, args, bounds)))
        return ServerRun(args, options, bounds, ledger, identities, claim).go(imported)


def _import(
    ledger: Ledger, args: argparse.Namespace, options: AnalysisOptions, bounds: Bounds
) -> Imported:
    """Import the jobs of the joblist into the ledger; print what is wrong with some."""
    analysis = FilmAnalysis()
    values = options.to_dict()
    rows = joblist.read(
        args.joblist,
        exporters=analysis.exporters(),
        bounds=bounds,
        rows=args.rows,
        reserved=reserved.of_server(args, values, ledger.store.path),
    )
    specs = (analysis.check(spec, values) for spec in rows)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        imported = import_jobs(ledger, specs, options_digest=options.digest())
    for warning in caught:
        print(f"ina_server: {warning.message}", file=sys.stderr)
    return imported


def _claim(store: Store, args: argparse.Namespace, bounds: Bounds) -> DestinationClaim:
    """DestinationClaim the destinations of all jobs; print what became of dead servers' claims."""
    timing = Timing(args.lease)
    stale_s = max(LEAST_STALE_S, STALE_LEASES * timing.lease_s)
    with closing(schema.connect(store.path, readonly=True)) as db:
        claim = DestinationClaim(
            ClaimOwner.own(store.path, store.uid, stale_s=stale_s),
            lambda: queries.all_destinations(db),
            every_s=timing.beat_s,
            root=bounds.output_root,
        )
    for line in claim.taken_over:
        print(f"ina_server: {line}", file=sys.stderr)
    return claim


class ServerRun:
    """One run of the server, from the first line printed to the last."""

    def __init__(
        self,
        args: argparse.Namespace,
        options: AnalysisOptions,
        bounds: Bounds,
        ledger: Ledger,
        identities: SharedStore | None,
        claim: DestinationClaim,
    ) -> None:

        self._args = args
        claim.on_lost = self._on_lost
        self._options = options
        self._input_root = bounds.input_root
        self._ledger = ledger
        self._identities = identities
        self._started = time.monotonic()
        self._ended: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._signals = 0
        self._service = JobService(
            ledger,
            options=options.to_dict(),
            options_digest=options.digest(),
            bounds=bounds,
            demands=Demands(
                program=__version__,
                models=fingerprint.required_models(options),
                code=fingerprint.required_code(options),
                settings=fingerprint.required_settings(options),
                allow_mixed=args.allow_mixed,
            ),
            timing=Timing(args.lease),
            private={"identities": identities.private} if identities else None,
            keep_alive=args.keep_alive,
            speculate=args.speculate,
            on_final=self._ended.put,
        )
        # From here on there is a server, which ends in order.
        self._listen()
        if args.token_file and args.no_token:
            raise UsageError("--token_file and --no_token: give one of them")
        access = Access.load(token_file=args.token_file, certs=args.certs)
        self._server = JobServer(
            self._service,
            host=args.host,
            port=args.port,
            access=access,
            makes_token=not (args.no_token or access.token) and is_loopback(args.host),
        )
        self._threads: list[SteadyThread] = [*self._server.threads]
        self._faults = FaultLog()
        self._beside = ExitStack()
        self._sample = self._follow_sample()
        self._dashboard = self._open_dashboard(access)

    def _follow_sample(self) -> SampleThread | None:
        """Look at the share so far beside the work, where the joblist is a sample's."""
        if not has_draws(self._args.joblist):
            return None
        sample = SampleThread(self._args.joblist, self._args.until and self._args.until / 100)
        self._threads.append(sample.thread)
        self._beside.callback(sample.stop)
        return sample

    def _open_dashboard(self, access: Access) -> Dashboard | None:
        if self._args.dashboard is None:
            return None

        host, port = self._args.dashboard
        title = self._args.joblist.name
        dashboard = Dashboard(
            self._service,
            self._ledger,
            host=host,
            port=port,
            access=access,
            title=title,
            sample=self._sample.state if self._sample else None,
            sites=self._identities.sites(self._beside) if self._identities else None,
        )
        self._threads.append(dashboard.thread)
        return self._beside.enter_context(closing(dashboard))

    def go(self, imported: Imported) -> int:
        """Serve until the end; return the exit code."""
        self._server.start()
        print(self._server.uri, flush=True)
        if self._dashboard:
            print(self._dashboard, flush=True)
        self._measure_lengths()
        for line in import_notes(imported):
            print(line, flush=True)
        if self._identities:
            print(f"identities are kept in {self._identities.store.name}", flush=True)
        workers = self._local_workers()
        display = self._display()
        try:
            self._watch(display, workers)
            self._dismiss(workers)
        finally:
            display.close()
            workers.stop()
            self._beside.close()
            self._server.stop()
        return self._conclude()

    def _display(self) -> PlainDisplay:
        """Return what shows how it goes: the log if it is asked for, else the terminal."""
        if self._args.log_level or self._args.log_json:
            return LogDisplay()
        if sys.stdout.isatty():
            return LiveDisplay(Estimate(self._ledger.store.path))
        return PlainDisplay()

    def _measure_lengths(self) -> None:
        """Measure beside the work which jobs are long, to hand them out first."""
        if self._options.engine != "image":
            measure = partial(
                length_s,
                root=self._input_root,
                start=self._options.start,
                stop=self._options.stop,
            )
            lengths = LengthMeasurer(self._ledger, measure)
            lengths.start()
            self._threads.append(lengths.thread)
            self._beside.callback(lengths.stop)

    def _listen(self) -> None:
        """Let SIGTERM, SIGINT and SIGHUP end the run."""
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        # Under nohup it is ignored, and stays so.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._on_signal)

    def _on_signal(self, number: int, *_: Any) -> None:
        # Of a terminal that is gone, several may come: from the kernel, from the shell.
        self._signals = max(1, self._signals) if number == signal.SIGHUP else self._signals + 1
        self._service.draining = True

    def _on_lost(self, why: str) -> None:
        """End at once: another server has the destinations."""
        print(f"ina_server: {why}: this one ends", file=sys.stderr, flush=True)
        self._signals = 2
        self._service.draining = True

    def _local_workers(self) -> LocalWorkers:

        args = self._args
        counts = self._service.status()["counts"]
        jobs = sum(n for state, n in counts.items() if State(state) not in FINAL)
        # A server that is kept alive may get more work than it has.
        count = args.workers if args.keep_alive else min(args.workers, jobs * (args.shards or 1))
        threads = max(1, len(os.sched_getaffinity(0)) // max(1, count))
        arguments = [self._server.uri, "--threads", str(threads), "--server_timeout", "60"]
        # They run as this user, who has named the plug-ins.
        arguments.append("--allow_plugins")
        for name in ("token_file", "certs"):
            if getattr(args, name):
                arguments += [f"--{name}", getattr(args, name)]
        return LocalWorkers(
            count,
            module="ina_worker",
            arguments=arguments,
            log_prefix=self._ledger.store.path,
        )

    def _watch(self, display: PlainDisplay, workers: LocalWorkers) -> None:
        """Show what happens until all jobs have an end, or a signal comes."""
        while not self._service.draining:
            time.sleep(TICK_S)
            self._ledger.store.require_there()
            finished = self._is_finished()
            if not finished:
                workers.start()
            for line in (*workers.restart_dead(), *revive_dead(self._threads)):
                display.note(line)
            status = self._status()
            if status and self._sample:
                status["sample"] = self._sample.line()
            self._show(display, status)
            if not self._args.keep_alive and finished:
                return
            if workers.exhausted and not status.get("workers"):
                display.note("no worker is left: see the logs named above")
                return

    def _status(self) -> dict[str, Any]:
        """Return the status of the service; empty where it cannot be read."""
        try:
            return self._service.status()
        except RuntimeError:
            # The entry of the verb has told it.
            return {}

    def _show(self, display: PlainDisplay, status: dict[str, Any]) -> None:
        try:
            while not self._ended.empty():
                display.report_end(self._ended.get())
            if status:
                display.show(status)
        except Exception as error:
            # What cannot be shown must not end the run.
            self._faults.note("the display", error)

    def _is_finished(self) -> bool:
        try:
            return self._service.finished()
        except LedgerUnavailable:
            return False

    def _dismiss(self, workers: LocalWorkers) -> None:
        """Let workers hear that the run is over, and let running jobs finish."""
        if self._service.draining:
            print("stopping: running jobs may finish; once more to stop at once", flush=True)
        limit = GRACE_S if self._service.draining else FAREWELL_S
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline and self._signals < 2:
            self._ledger.store.require_there()
            status = self._status()
            if self._service.idle() and not status.get("workers"):
                return
            workers.restart_dead()
            time.sleep(TICK_S)

    def _conclude(self) -> int:
        """Tell the summary and what failed; return the exit code."""
        store, conclusion = self._ledger.store, Conclusion(as_json=self._args.log_json)
        counts = store.read(queries.counts)
        sums = store.read(lambda db: queries.statistics(db, epoch=store.epoch))
        done = store.read(lambda db: queries.done_in(db, epoch=store.epoch))
        elapsed_s = time.monotonic() - self._started
        conclusion.summarize(
            results(counts, sums, done=done, elapsed_s=elapsed_s),
            {"counts": counts, "statistics": sums, "done": done, "elapsed_s": round(elapsed_s, 3)},
        )
        if self._identities:
            conclusion.say(f"{'archive':<8} {self._identities.summary()}")
        bad = store.read(lambda db: _tell_bad(db, conclusion))
        for job in store.read(lambda db: queries.partial(db, epoch=store.epoch)):
            conclusion.warn(f"warning: {describe(job)}")
        cancelled = store.read(queries.cancelled_by_operator)
        if cancelled:
            conclusion.warn(
                f"{cancelled} jobs were cancelled by the operator, and are not done: "
                "python -m jobs retry does them"
            )
        finished = self._is_finished()
        store.set_meta(ended="1" if finished else "0")
        if finished:
            self._service.remove_part_files(leases=0.0)
        else:
            conclusion.say("not finished: run the same command again to resume")
        return 0 if finished and not bad and not cancelled else 1


def _tell_bad(db: sqlite3.Connection, conclusion: Conclusion) -> int:
    """Tell the jobs that failed for good; return their number."""
    bad = 0
    for job in queries.each_bad(db):
        conclusion.warn(f"{job.state.value}: {describe(job)}")
        bad += 1
    return bad
