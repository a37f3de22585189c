"""Do one job without a server: a command that any engine can run, and repeat."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joblist import reader
from joblist.clashes import Reserved, real_folder
from joblist.errors import JoblistError, UsageError
from joblist.model import JobSpec, Rows
from jobs.analysis import load_analysis
from jobs.commands._arguments import (
    add_bounds,
    add_command,
    count,
    positive,
    read_bounds,
    spellings,
)
from jobs.errors import JobFailed
from jobs.inputs import joblist
from jobs.inputs.bounds import faults
from jobs.standalone.preconditions import require_apart, require_one_machine
from jobs.standalone.work import Work
from jobs.types import Bounds

DONE, BAD_INPUT, TRY_AGAIN = 0, 65, 75
"""Exit codes: those of sysexits.h, EX_DATAERR and EX_TEMPFAIL."""
CODES = {"input": BAD_INPUT, "worker": 2}
"""Kind of a failure -> exit code; after any other kind, the job may be tried again."""
JOURNAL = ".journal"
"""Ending of the default name of a journal."""
DESCRIPTION = """\
Do one job without a server. Again with the same options it has nothing to do, unless the results
are gone; killed at any point, it is simply run again."""
EPILOG = """\
examples:
  python -m jobs run-job --source_path film.mp4 --dest_csv results/film.csv --fps 5
  python -m jobs run-job --joblist jobs.csv --row 17 --fps 5

exit code: 0 done, 65 bad input (trying again is useless), 75 try again, 2 bad usage"""


_JOB_HELP = {
    "source_path": "the medium: a video, or a picture with --engine image",
    "dest_csv": "table; and so --dest_ass, --dest_mp4 and one for every other exporter",
}
_ROW_OPTIONS: dict[str, dict[str, Any]] = {
    "joblist": {"type": Path, "metavar": "FILE.csv", "help": "take the job from this file"},
    "row": {"type": positive, "metavar": "N", "help": "with --joblist: which row, from 1"},
}
_RUN_OPTIONS: dict[str, dict[str, Any]] = {
    "threads": {
        "type": count,
        "default": 0,
        "metavar": "N",
        "help": "CPU threads (default: 0, every core)",
    },
    "journal": {
        "type": Path,
        "metavar": "FILE",
        "help": "file that remembers what was done, of this job alone (default: the "
        f"csv's name with {JOURNAL} at its end)",
    },
}


def add(commands: Any) -> None:
    """Add the command."""
    text = "do one job without a server, for engines such as Slurm, Kubernetes, Dask and Ray"
    parser = add_command(commands, "run-job", text, epilog=EPILOG, description=DESCRIPTION)
    analysis = load_analysis()
    job_group = parser.add_argument_group("job: its paths, or a row of a joblist")
    exporters = sorted(analysis.exporters(), key=lambda name: name != "csv")
    for name in ("source_path", *(f"dest_{exporter}" for exporter in exporters)):
        text = _JOB_HELP.get(name, argparse.SUPPRESS)
        job_group.add_argument(*spellings(name), metavar="FILE", help=text)
    for name in reader.EXTRAS:
        job_group.add_argument(*spellings(name), metavar="X", help="as the column of a joblist")
    for name, keywords in _ROW_OPTIONS.items():
        job_group.add_argument(*spellings(name), **keywords)
    group = parser.add_argument_group("how")
    for name, keywords in _RUN_OPTIONS.items():
        group.add_argument(*spellings(name), **keywords)
    analysis.add_identities(group)
    add_bounds(group)
    analysis.add_arguments(parser.add_argument_group("analysis"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do the job; return the exit code for the engine."""
    analysis = load_analysis()
    settled = analysis.settle(args)
    bounds = read_bounds(args)
    try:
        reserved = analysis.reserved(args, settled.options)
        spec = analysis.check(_spec(args, bounds, reserved), settled.options)
    except JoblistError as error:
        print(f"jobs: {error}", file=sys.stderr)
        return BAD_INPUT
    require_apart(_journal(args, spec), spec, reserved.files)
    try:
        identities = analysis.identities(args, settled.options, written=False)
    except JobFailed as error:
        print(f"jobs: {error}", file=sys.stderr)
        return TRY_AGAIN
    require_one_machine(identities, spec.dests["csv"])
    work = Work(
        spec=spec,
        options=settled.options,
        digest=settled.digest,
        bounds=bounds,
        private=analysis.private(identities),
    )
    return _do(work, args)


def _journal(args: argparse.Namespace, spec: JobSpec) -> Path:
    return args.journal or Path(spec.dests["csv"] + JOURNAL)


def _do(work: Work, args: argparse.Namespace) -> int:
    from jobs.standalone.runner import run_alone

    journal = _journal(args, work.spec)
    try:
        outcome = run_alone(work, journal, load_analysis().FACTORY, {"threads": args.threads})
    except OSError as error:
        print(f"jobs: {error}", file=sys.stderr)
        return TRY_AGAIN
    if outcome is None:
        print("jobs: asked to stop; run the same command again", file=sys.stderr)
        return TRY_AGAIN
    if outcome.manifest:
        if outcome.manifest.lacks:
            print(f"jobs: {work.spec.source_path}: {outcome.manifest.lacks}", file=sys.stderr)
        return DONE
    print(f"jobs: {work.spec.source_path}: {outcome.kind}: {outcome.error}", file=sys.stderr)
    return CODES.get(outcome.kind, TRY_AGAIN)


def _spec(args: argparse.Namespace, bounds: Bounds, reserved: Reserved) -> JobSpec:
    """Return the requested job; its destinations are none of the reserved files.

    Raises:
        UsageError: The options do not name exactly one job.
        JoblistError: A value of the job is wrong.
    """
    values = _values(args)
    if args.joblist is not None and args.row is not None and not values:
        rows = Rows(args.row, args.row)
        (spec,) = joblist.read(
            args.joblist,
            exporters=load_analysis().exporters(),
            bounds=bounds,
            rows=rows,
            reserved=reserved,
        )
        return spec
    if args.joblist is not None or args.row is not None or {"source_path", "dest_csv"} - {*values}:
        raise UsageError(
            "which job? Give --source_path and --dest_csv, or --joblist FILE.csv and --row N"
        )
    return reader.read_one(
        values,
        faults=lambda spec: faults(spec, bounds, real_folder=real_folder),
        reserved=reserved,
    )


def _values(args: argparse.Namespace) -> dict[str, str]:
    """Return the columns of a joblist that were given as options."""
    options: Mapping[str, str | None] = vars(args)
    names = ("source_path", *reader.EXTRAS, *(name for name in options if name.startswith("dest_")))
    return {name: options[name] or "" for name in names if options[name] is not None}
