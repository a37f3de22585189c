"""Join a server and work until its joblist is done."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import analyzer
from analyzer.options import spellings
from jobs.errors import JobFailed, ServerGone, ServerRefused, UsageError
from jobs.types import Lease

if TYPE_CHECKING:
    from analyzer.gallery.folder import Galleries
    from analyzer.identities import IdentityStore
    from analyzer.options import AnalysisOptions
    from analyzer.pipeline.components import Components
    from analyzer.reports.part_file import Part
    from analyzer.types import MediaReport, Progress, ProgressHook
    from jobs.worker.child import Report, Task

EPILOG = """\
examples:
  ina_worker PYRO:ina.jobs@localhost:9471
  ina_worker PYRO:ina.jobs@server:9471 --device cuda:1 --certs secrets --token_file secrets/token

SIGTERM or Ctrl-C lets it finish its job and leave; a second one ends it at once.

exit code: 0 done or asked to stop, 1 the server is gone, 2 bad usage, or refused by the server"""
OVERRIDES = ("batch_size", "device", "backend")
"""Analysis options that a worker may set for itself: they change speed, not results."""
LONG = ("observe", "mp4")
"""Stages that take about as long as the medium is looked at; all others are over soon."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    args = _parser().parse_args(argv)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    try:
        _work(args)
    except (ServerRefused, UsageError) as error:
        print(f"ina_worker: {error}", file=sys.stderr)
        return 2
    except ServerGone as error:
        print(f"ina_worker: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ina_worker",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    def add(name: str, **options: Any) -> None:
        parser.add_argument(*spellings(name), **options)

    parser.add_argument("uri", metavar="URI", help="what the server prints, PYRO:ina.jobs@...")
    add("batch_size", type=int, metavar="N",
        help="faces or frames a batch; changes speed and memory (default: the server's)"
        )  # fmt: skip
    add("device", metavar="D",
        help="where the networks run: auto, cpu, cuda, cuda:N (default: the server's)"
        )  # fmt: skip
    add("backend", metavar="B",
        help="library that executes them: auto, onnxruntime, torch (default: the server's)"
        )  # fmt: skip
    add("threads", type=int, default=0, metavar="N", help="CPU threads (default: 0, every core)")
    add("server_timeout", type=float, default=600.0, metavar="S",
        help="seconds that the server may be gone (default: 600)")  # fmt: skip
    add("token_file", metavar="FILE", help="file with the server's token")
    add("certs", metavar="DIR", help="folder with ca.pem, worker.pem, worker.key")
    add("parent", type=int, help=argparse.SUPPRESS)
    return parser


def _work(args: argparse.Namespace) -> None:
    from analyzer.weights import locate
    from jobs.wire.transport import Access
    from jobs.worker.worker import Worker, WorkerSettings

    worker = Worker(
        WorkerSettings(
            uri=args.uri,
            factory="ina_worker:make_task",
            local={name: getattr(args, name) for name in (*OVERRIDES, "threads")},
            program=analyzer.__version__,
            models=locate.hashes(),
            device=args.device or "auto",
            access=Access.load(token_file=args.token_file, certs=args.certs),
            patience_s=args.server_timeout,
            parent=args.parent,
        )
    )
    worker.drain_on_signals()
    worker.run()


def make_task(local: dict[str, Any]) -> Task:
    """Return what turns one medium into files; models are loaded at the first one.

    Args:
        local: `threads`, and the worker's own `batch_size`, `device` and `backend`, or None.
    """
    from analyzer.errors import AnalyzerError

    analysis = _Analysis(local)

    def task(lease: Lease, parts: dict[str, Path], report: Report) -> Mapping[str, float]:
        try:
            return analysis.run(lease, parts, report)
        except AnalyzerError as error:
            # Wrong options stay wrong, as bad input does.
            raise JobFailed("input" if error.kind == "usage" else error.kind, str(error)) from error

    return task


class _Analysis:
    """Analyses one medium, or one shard of one, after the other."""

    def __init__(self, local: dict[str, Any]) -> None:
        self._threads = local["threads"]
        self._overrides = {n: local[n] for n in OVERRIDES if local.get(n) is not None}
        self._loaded: dict[str, tuple[Components, Galleries]] = {}
        self._told: set[str] = set()
        self._store: IdentityStore | None = None
        self._report: Report = lambda _progress: None

    def run(self, lease: Lease, parts: dict[str, Path], report: Report) -> Mapping[str, float]:
        """Write what the lease asks for; see `jobs.worker.child.Task`."""
        from analyzer import registry
        from analyzer.identities.remember import remember
        from analyzer.options import AnalysisOptions
        from analyzer.reports import corrections_file
        from analyzer.reports import part_file as kept
        from analyzer.review import apply
        from analyzer.workflows.analyze import WITHOUT_MEDIUM, analyze

        options = AnalysisOptions.from_dict({**lease.options, **self._overrides})
        self._report = report
        store = self._identities(lease)
        components, galleries = self._components(options)
        device = components.runtime.in_use()
        stages = [stage for stage in LONG if stage == LONG[0] or stage in parts]
        hook = progress_hook(report, stages=stages, device=device)
        if lease.shard:
            kept.save(_look(lease, components, hook), parts["csv"], key=options.digest())
            return {}

        def look() -> list[Part]:
            nonlocal hook
            seen = _look(lease, components, hook)
            length_s = seen.info.duration_s
            hook = progress_hook(report, stages=stages, duration_s=length_s, device=device)
            return [seen]

        corrected = corrections_file.read_if_there(lease.spec.corrections)
        gallery = galleries.get(lease.spec.gallery, hook) if lease.spec.gallery else None
        found = analyze(
            lease.source_path,
            components=components,
            gallery=gallery,
            poster=lease.spec.poster_path,
            progress=lambda step: hook(step),
            look=look,
        )
        if store:
            self._wait()
            found = remember(found, store, key=lease.key)
        found = apply.reapply(found, corrected, labeller=lambda: components.labeller)
        self._warn(lease, [*(gallery.notes if gallery else ()), *found.notes])
        if found.info.kind == "none":
            for name in parts.keys() - set(WITHOUT_MEDIUM):
                del parts[name]
        for name, part in parts.items():
            exporter = registry.load("export", name, runtime=components.runtime)
            exporter.write(found, part, hook)
        poster_skipped = lease.spec.poster_path is not None and found.poster is None
        return statistics(found, poster_skipped=poster_skipped)

    def _identities(self, lease: Lease) -> IdentityStore | None:
        """The store in which people are known across media, where there is one.

        Raises:
            JobFailed: This worker cannot use it, and so do no job.
        """
        from analyzer.errors import MissingDependency, UsageError
        from analyzer.identities.address import open_store

        wanted = lease.private.get("identities")
        if wanted and self._store is None:
            _require_machine(wanted["machine"])
            try:
                self._store = open_store(wanted["url"], settings=None, on_wait=self._wait)
            except (MissingDependency, UsageError) as error:
                raise JobFailed("worker", str(error)) from error
        return self._store

    def _wait(self) -> None:
        self._report({"stage": "identities"})

    def _components(self, options: AnalysisOptions) -> tuple[Components, Galleries]:
        """What these options name; loaded where the job before had others."""
        from analyzer.gallery.folder import Galleries
        from analyzer.pipeline.components import load_components

        if options.digest() not in self._loaded:
            self._loaded.clear()
            components = load_components(options, threads=self._threads)
            self._loaded[options.digest()] = components, Galleries(components)
        return self._loaded[options.digest()]

    def _warn(self, lease: Lease, notes: Sequence[str]) -> None:
        """Log what was not said before."""
        for note in notes:
            if note not in self._told:
                self._told.add(note)
                logging.warning("%s: %s", lease.source_path, note)


def _require_machine(wanted: Mapping[str, str] | None) -> None:
    """Raise JobFailed unless this is the machine of the store; None: it is for all machines."""
    from jobs.system.process_identity import ProcessIdentity

    own = ProcessIdentity.own()
    if wanted and (wanted["host"], wanted["boot_id"]) != (own.host, own.boot_id):
        raise JobFailed(
            "worker",
            f"the identity store is of {wanted['host']} only, and this is {own.host}: give "
            f"--identities redis://HOST:6379, or work on {wanted['host']} only",
        )


def _look(lease: Lease, components: Components, hook: ProgressHook) -> Part:
    """Look at a medium or a shard of it, or put together what was seen of all shards."""
    from analyzer.errors import AnalyzerError
    from analyzer.pipeline.observe import observe_part
    from analyzer.pipeline.run import join
    from analyzer.reports import part_file

    if lease.parts:
        try:
            return join(
                [part_file.load(Path(p), key=components.options.digest()) for p in lease.parts]
            )
        except AnalyzerError as error:
            raise JobFailed("transient", f"{error}: its shards are done again") from error
    return observe_part(lease.source_path, components=components, shard=lease.shard, progress=hook)


def progress_hook(
    report: Report,
    *,
    stages: Sequence[str],
    duration_s: float = 0.0,
    device: str = "",
) -> Callable[[Progress], None]:
    """Return a function that passes the pipeline's progress on to the server.

    Args:
        report: Takes it.
        stages: Of the job, those that take long, in order: each counts for as much of it.
        duration_s: Of the medium, as far as it is known.
        device: What networks run on, for the display.
    """
    started = time.monotonic()
    # The time that a job may take follows from it: a container may state too little, and a shard
    # knows of its own part only.
    longest_s = duration_s

    def hook(progress: Progress) -> None:
        nonlocal longest_s
        # Plain numbers: those of an array cannot be sent.
        done, total = float(progress.done), float(progress.total or 0)
        if progress.stage in ("seek", "observe"):
            longest_s = max(longest_s, total, done)
        told: dict[str, Any] = {"stage": progress.stage, "duration_s": longest_s, "device": device}
        if total:
            told["fraction"] = min(1.0, done / total)
            if progress.stage in stages:
                at = stages.index(progress.stage)
                told["done"] = (at + told["fraction"]) / len(stages)
        if progress.stage == "observe":
            told["media_s"] = done
            told["speed"] = done / max(1e-3, time.monotonic() - started)
        report(told)

    return hook


def statistics(report: MediaReport, *, poster_skipped: bool) -> dict[str, float]:
    """Return the counts of a medium that the server adds up."""
    medium_skipped = report.info.kind == "none"
    return {
        "media_s": report.info.duration_s or 0.0,
        "frames_decoded": report.tally.frames_decoded,
        "frames_analysed": report.tally.frames_analysed,
        "frames_gated": report.tally.frames_gated,
        "faces_detected": report.tally.faces_detected,
        "faces_tracked": report.tally.faces_tracked,
        "faces_filtered": report.tally.faces_filtered,
        "faces_described": report.tally.faces_described,
        "faces_saved": report.tally.faces_saved,
        "faces_kept": report.tally.faces_kept,
        "persons": len(report.persons),
        "persons_named": sum(person.name is not None for person in report.persons),
        "partial": int(bool(report.partial) or medium_skipped or poster_skipped),
        "medium_skipped": int(medium_skipped),
        "poster_skipped": int(poster_skipped),
        "damaged": report.tally.damaged,
        "missing_s": report.tally.missing_s,
    }


if __name__ == "__main__":
    sys.exit(main())
