"""Serve a joblist to workers, show how it goes, and end when every job has an end."""

from __future__ import annotations

import argparse
import logging
import os
import queue
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import analyzer
from analyzer.errors import AnalyzerError
from analyzer.options import AnalysisOptions, add_arguments, spellings
from ina import analysis
from joblist.model import ROWS_HELP
from jobs.commands import _arguments as arguments
from jobs.errors import LedgerRefused, LedgerUnavailable
from jobs.types import DEFAULT_PORT, FINAL, Bounds, Job, State

if TYPE_CHECKING:
    from jobs.dashboard.page import Dashboard
    from jobs.ledger.imports import Imported
    from jobs.ledger.ledger import Ledger
    from jobs.server.display import PlainDisplay
    from jobs.server.local_workers import LocalWorkers
    from jobs.wire.transport import Access

EPILOG = """\
examples:
  ina_server localhost jobs.csv --fps 5 --workers auto
  ina_server 0.0.0.0 jobs.csv --fps 5 --certs secrets --token_file secrets/token --dashboard 8080

The same command again goes on where it was. docs/reliability.md, docs/security.md say more.

exit code: 0 every job is done, 1 some failed or were not run, 2 bad usage"""
TICK_S = 0.25
GRACE_S = 75.0
FAREWELL_S = 5.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    args = _parser().parse_args(argv)
    logging.basicConfig(format="ina_server: %(message)s", level=logging.WARNING)
    try:
        options = AnalysisOptions.from_mapping(vars(args))
        return _serve(args, options)
    except (AnalyzerError, LedgerRefused) as error:
        print(f"ina_server: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ina_server",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "host",
        metavar="HOST",
        help="name or address of this machine to serve on; localhost: for itself alone",
    )
    parser.add_argument("joblist", metavar="JOBLIST.csv", type=Path,
                        help="table with the columns source_path, dest_csv, and more: README.md"
                        )  # fmt: skip
    group = parser.add_argument_group("server")

    def add(name: str, text: str, **options: Any) -> None:
        group.add_argument(*spellings(name), help=text, **options)

    add("workers", "workers to start on this machine; auto: one for every 4 cores (default: 0)",
        type=arguments.workers, default=0, metavar="N|auto")  # fmt: skip
    add("port", f"TCP port; 0: any that is free (default: {DEFAULT_PORT})", type=arguments.count,
        default=DEFAULT_PORT, metavar="N")  # fmt: skip
    add("lease", "seconds of silence after which a worker is lost (default: 120)",
        type=arguments.seconds, default=120.0, metavar="S")  # fmt: skip
    add("max_attempts", "failures after which a job is given up (default: 3)",
        type=arguments.positive, default=3, metavar="N")  # fmt: skip
    add("shards", "divide each video among N workers, at cuts; the results are the same (default: "
        "off)", type=int, metavar="N")  # fmt: skip
    add("shard_minutes", "with --shards: no part is shorter than this, in minutes", type=float,
        metavar="M")  # fmt: skip
    add("rows", f"serve {ROWS_HELP}", metavar="A:B", type=arguments.rows)
    add("speculate", "lease the last jobs a second time to workers without one; the first that is "
        "ready wins", action="store_true")  # fmt: skip
    add("dashboard", "show a page on this port, of this machine alone; or on HOST:PORT, with "
        "--certs", type=arguments.place, metavar="PORT")  # fmt: skip
    add("keep_alive", "go on serving when every job is done", action="store_true")
    add("ledger", "file that remembers the jobs (default: in the state folder)", type=Path,
        metavar="FILE")  # fmt: skip
    add("identities", "know people again across media: a file, sqlite:///..., redis://... or @FILE "
        "with the address (default: a file beside the ledger)", nargs="?", const="",
        metavar="URL")  # fmt: skip
    add("identity_threshold", "distance below which two are one person (default: the describer's)",
        type=float, metavar="D")  # fmt: skip
    add("token_file", "file with the token that workers must know", metavar="FILE")
    add("certs", "folder with ca.pem, server.pem, server.key, from python -m jobs certs",
        metavar="DIR")  # fmt: skip
    arguments.add_bounds(parser.add_argument_group("what joblists may read and write"))
    add_arguments(parser.add_argument_group("analysis"))
    return parser


def _serve(args: argparse.Namespace, options: AnalysisOptions) -> int:
    """Import the joblist, serve it to the end, and report."""
    from jobs.ledger.ledger import Ledger
    from jobs.ledger.store import Store, default_path

    bounds = arguments.bounds(args)
    shards = analysis.shards(args.shards, args.shard_minutes, options.to_dict())
    path = args.ledger or default_path(args.joblist)
    with ExitStack() as stack:
        store = stack.enter_context(closing(Store(path)))
        identities = None
        if args.identities is not None:
            identities = analysis.SharedStore(
                args.identities,
                options.describer,
                args.identity_threshold,
                default=path.with_suffix(".identities"),
            )
            stack.enter_context(closing(identities.store))
        ledger = Ledger(store, max_attempts=args.max_attempts, shards=shards)
        imported = _import(ledger, args, options, bounds)
        return _Run(args, options, bounds, ledger, identities).go(imported)


def _import(
    ledger: Ledger, args: argparse.Namespace, options: AnalysisOptions, bounds: Bounds
) -> Imported:
    from jobs.inputs import joblist
    from jobs.ledger.imports import import_jobs

    listed = joblist.read(
        args.joblist, exporters=analysis.exporters(), bounds=bounds, rows=args.rows
    )
    told = options.to_dict()
    specs = (analysis.check(spec, told) for spec in listed)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        imported = import_jobs(ledger, specs, options_digest=options.digest())
    for warning in found:
        print(f"ina_server: {warning.message}", file=sys.stderr)
    return imported


class _Run:
    """One run of the server, from the first line printed to the last."""

    def __init__(
        self,
        args: argparse.Namespace,
        options: AnalysisOptions,
        bounds: Bounds,
        ledger: Ledger,
        identities: analysis.SharedStore | None,
    ) -> None:
        from analyzer.weights import locate
        from jobs.retry import Timing
        from jobs.server.server import JobServer
        from jobs.server.service import JobService
        from jobs.wire.transport import Access

        self._args = args
        self._options = options
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
            program=analyzer.__version__,
            models=locate.hashes(),
            timing=Timing(args.lease),
            private={"identities": identities.private} if identities else None,
            keep_alive=args.keep_alive,
            speculate=args.speculate,
            on_final=self._ended.put,
        )
        access = Access.load(token_file=args.token_file, certs=args.certs)
        self._server = JobServer(self._service, host=args.host, port=args.port, access=access)
        self._beside = ExitStack()
        self._dashboard = self._open_dashboard(access)

    def _open_dashboard(self, access: Access) -> Dashboard | None:
        if self._args.dashboard is None:
            return None
        from jobs.dashboard.page import Dashboard

        host, port = self._args.dashboard
        title = self._args.joblist.name
        opened = Dashboard(
            self._service, self._ledger, host=host, port=port, access=access, title=title
        )
        return self._beside.enter_context(closing(opened))

    def go(self, imported: Imported) -> int:
        """Serve until the end; return the exit code."""
        from jobs.server.display import LiveDisplay, PlainDisplay, import_notes
        from jobs.server.estimate import Estimate

        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        self._server.start()
        print(self._server.uri, flush=True)
        if self._dashboard:
            print(self._dashboard, flush=True)
        self._look_for_long_media()
        for line in import_notes(imported):
            print(line, flush=True)
        if self._identities:
            print(f"identities are kept in {self._identities.store.name}", flush=True)
        workers = self._local_workers()
        path = self._ledger.store.path
        display = LiveDisplay(Estimate(path)) if sys.stdout.isatty() else PlainDisplay()
        try:
            if not self._service.finished():
                workers.start()
            self._watch(display, workers)
            self._let_go(workers)
        finally:
            display.close()
            workers.stop()
            self._beside.close()
            self._server.stop()
        return self._conclude()

    def _look_for_long_media(self) -> None:
        """Find out beside the work which jobs are long, to hand them out first."""
        from analyzer.pipeline.duration import duration_s
        from jobs.server.lengths import Lengths

        if self._options.engine != "image":
            look = partial(duration_s, start=self._options.start, stop=self._options.stop)
            lengths = Lengths(self._ledger, look)
            lengths.start()
            self._beside.callback(lengths.stop)

    def _on_signal(self, *_: Any) -> None:
        self._signals += 1
        self._service.draining = True

    def _local_workers(self) -> LocalWorkers:
        from jobs.server.local_workers import LocalWorkers

        args = self._args
        counts = self._service.status()["counts"]
        jobs = sum(n for state, n in counts.items() if State(state) not in FINAL)
        count = min(args.workers, jobs * (args.shards or 1))
        threads = max(1, len(os.sched_getaffinity(0)) // max(1, count))
        arguments = [self._server.uri, "--threads", str(threads), "--server_timeout", "60"]
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
        """Show what happens until there is nothing left to do, or somebody wants it to end."""
        while not self._service.draining:
            time.sleep(TICK_S)
            for line in workers.tend():
                display.note(line)
            status = self._service.status()
            self._show(display, status)
            if not self._args.keep_alive and self._is_finished():
                return
            if workers.exhausted and not status.get("workers"):
                display.note("no worker is left: see the logs named above")
                return

    def _show(self, display: PlainDisplay, status: dict[str, Any]) -> None:
        while not self._ended.empty():
            display.ended(self._ended.get())
        if status:
            display.show(status)

    def _is_finished(self) -> bool:
        try:
            return self._service.finished()
        except LedgerUnavailable:
            return False

    def _let_go(self, workers: LocalWorkers) -> None:
        """Let workers hear that it is over, and those that still work finish their job."""
        if self._service.draining:
            print("stopping: running jobs may finish; once more to stop at once", flush=True)
        limit = GRACE_S if self._service.draining else FAREWELL_S
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline and self._signals < 2:
            status = self._service.status()
            if self._service.idle() and not status.get("workers"):
                return
            workers.tend()
            time.sleep(TICK_S)

    def _conclude(self) -> int:
        """Print the summary and what failed; return the exit code."""
        from jobs.ledger import queries
        from jobs.server.display import results
        from jobs.server.progress import describe

        store = self._ledger.store
        counts = store.read(queries.counts)
        bad = store.read(queries.bad)
        found = store.read(lambda db: queries.statistics(db, epoch=store.epoch))
        for line in results(counts, found, elapsed_s=time.monotonic() - self._started):
            print(line, flush=True)
        if self._identities:
            print(f"{'archive':<8} {analysis.summary(self._identities.store)}", flush=True)
        for job in bad:
            print(f"{job.state.value}: {describe(job)}", file=sys.stderr)
        for job in store.read(lambda db: queries.partial(db, epoch=store.epoch)):
            print(f"warning: {describe(job)}", file=sys.stderr)
        finished = self._is_finished()
        store.set_meta(ended="1" if finished else "0")
        if finished:
            self._service.collect(leases=0.0)
        else:
            print("not finished: run the same command again to resume", flush=True)
        return 0 if finished and not bad else 1


if __name__ == "__main__":
    sys.exit(main())
