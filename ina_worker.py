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
from jobs.model import Lease

if TYPE_CHECKING:
    from analyzer.pipeline import Models
    from analyzer.types import MediaReport, Progress
    from jobs.child import Report, Task

OVERRIDES = ("batch_size", "device")
"""Analysis options that a worker may set for itself: they change speed, not results."""


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
        epilog="exit code: 0 done or asked to stop, 1 the server is gone, 2 not usable",
    )

    def add(name: str, **options: Any) -> None:
        parser.add_argument(*spellings(name), **options)

    parser.add_argument("uri", metavar="URI", help="what the server prints, PYRO:ina.jobs@...")
    add("batch_size", type=int, metavar="N", help="faces or frames a batch")
    add("device", metavar="D", help="auto, cpu, cuda:0, ...")
    add("threads", type=int, default=0, metavar="N", help="CPU threads (default: every core)")
    add("server_timeout", type=float, default=600.0, metavar="S",
        help="seconds that the server may be gone (default: 600)")  # fmt: skip
    add("token_file", metavar="FILE", help="file with the server's token")
    add("certs", metavar="DIR", help="folder with ca.pem, worker.pem, worker.key")
    add("parent", type=int, help=argparse.SUPPRESS)
    return parser


def _work(args: argparse.Namespace) -> None:
    from analyzer import weights
    from jobs.transport import Access
    from jobs.worker import Worker, WorkerSettings

    worker = Worker(
        WorkerSettings(
            uri=args.uri,
            factory="ina_worker:make_task",
            local={name: getattr(args, name) for name in (*OVERRIDES, "threads")},
            program=analyzer.__version__,
            models=weights.hashes(),
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
        local: `threads`, and the worker's own `batch_size` and `device`, or None.
    """
    from analyzer import registry
    from analyzer.errors import AnalyzerError
    from analyzer.gallery import Galleries
    from analyzer.identify import WITHOUT_MEDIUM, analyze
    from analyzer.options import AnalysisOptions
    from analyzer.pipeline import load_models

    overrides = {name: local[name] for name in OVERRIDES if local.get(name) is not None}
    loaded: dict[str, tuple[Models, Galleries]] = {}
    told: set[str] = set()

    def models_for(options: AnalysisOptions) -> tuple[Models, Galleries]:
        if options.digest() not in loaded:
            loaded.clear()
            models = load_models(options, threads=local["threads"])
            loaded[options.digest()] = models, Galleries(models)
        return loaded[options.digest()]

    def task(lease: Lease, parts: dict[str, Path], report: Report) -> Mapping[str, float]:
        options = AnalysisOptions.from_dict({**lease.options, **overrides})
        hook = progress_hook(report)
        try:
            models, galleries = models_for(options)
            gallery = galleries.get(lease.spec.gallery, hook) if lease.spec.gallery else None
            found = analyze(
                lease.source_path,
                models=models,
                gallery=gallery,
                poster=lease.spec.poster_path,
                progress=hook,
            )
            said = [*(gallery.notes if gallery else ()), *found.notes]
            for note in (text for text in said if text not in told):
                logging.warning("%s: %s", lease.source_path, note)
            told.update(said)
            if found.info.kind == "none":
                for name in parts.keys() - set(WITHOUT_MEDIUM):
                    del parts[name]
            for name, part in parts.items():
                exporter = registry.load("export", name, runtime=models.runtime)
                exporter.write(found, part, hook)
        except AnalyzerError as error:
            # Wrong options stay wrong, as bad input does.
            raise JobFailed("input" if error.kind == "usage" else error.kind, str(error)) from error
        poster_skipped = lease.spec.poster_path is not None and found.poster is None
        return statistics(found, poster_skipped=poster_skipped)

    return task


def progress_hook(report: Report) -> Callable[[Progress], None]:
    """Return a function that passes the pipeline's progress on to the server."""
    started = time.monotonic()

    def hook(progress: Progress) -> None:
        # Plain numbers: those of an array cannot be sent.
        done, total = float(progress.done), float(progress.total or 0)
        told: dict[str, Any] = {"stage": progress.stage}
        if total:
            told["fraction"] = min(1.0, done / total)
        if progress.stage == "observe":
            told["media_s"] = done
            # A container may state too little: the time that a job may take follows from it.
            told["duration_s"] = max(total, done)
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
