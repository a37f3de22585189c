"""One job, without a server: what any engine can run, and try again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblist import reader
from joblist.clashes import real_folder
from joblist.errors import JoblistError, UsageError
from joblist.model import JobSpec, Rows
from jobs.analysis import load_analysis
from jobs.commands import _arguments as arguments
from jobs.errors import JobFailed
from jobs.inputs import bounds as limits
from jobs.types import Bounds

if TYPE_CHECKING:
    from jobs.standalone.work import Work

DONE, BAD_INPUT, TRY_AGAIN = 0, 65, 75
"""Exit codes: those of sysexits.h, EX_DATAERR and EX_TEMPFAIL."""
CODES = {"input": BAD_INPUT, "worker": 2}
"""By kinds of failure; all others may pass."""
JOURNAL = ".journal"
DESCRIPTION = """\
Do one job without a server. Again with the same options it has nothing to do, unless the results
are gone; killed at any point, it is simply run again."""
EPILOG = """\
examples:
  python -m jobs run-job --source_path film.mp4 --dest_csv results/film.csv --fps 5
  python -m jobs run-job --joblist jobs.csv --row 17 --fps 5

exit code: 0 done, 65 bad input (trying again is useless), 75 try again, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "run-job",
        help="do one job without a server, for engines such as Slurm, Kubernetes, Dask and Ray",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    analysis = load_analysis()
    which = parser.add_argument_group("job: its paths, or a row of a joblist")

    def say(name: str, text: str, **options: Any) -> None:
        which.add_argument(*arguments.spellings(name), help=text, **options)

    say("source_path", "the medium: a video, or a picture with --engine image", metavar="FILE")
    for name in sorted(analysis.exporters(), key=lambda name: name != "csv"):
        say(
            f"dest_{name}",
            argparse.SUPPRESS
            if name != "csv"
            else "table; and so --dest_ass, --dest_mp4 and one for every other exporter",
            metavar="FILE",
        )
    for name in reader.EXTRAS:
        say(name, "as the column of a joblist", metavar="X")
    say("joblist", "take the job from this file", type=Path, metavar="FILE.csv")
    say("row", "with --joblist: which row, from 1", type=arguments.positive, metavar="N")
    group = parser.add_argument_group("how")
    group.add_argument(
        "--threads",
        type=arguments.count,
        default=0,
        metavar="N",
        help="CPU threads (default: 0, every core)",
    )
    group.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="file that remembers what was done, of this job alone (default: the "
        f"csv's name with {JOURNAL} at its end)",
    )
    analysis.add_identities(group)
    arguments.add_bounds(group)
    analysis.add_arguments(parser.add_argument_group("analysis"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do the job; return what the engine must know."""
    from jobs.standalone.work import Work

    analysis = load_analysis()
    settled = analysis.settle(args)
    bounds = arguments.bounds(args)
    try:
        spec = analysis.check(_spec(args, bounds), settled.options)
    except JoblistError as error:
        print(f"jobs: {error}", file=sys.stderr)
        return BAD_INPUT
    try:
        identities = analysis.identities(args, settled.options, written=False)
    except JobFailed as error:
        print(f"jobs: {error}", file=sys.stderr)
        return TRY_AGAIN
    _require_one_machine(identities, spec.dests["csv"])
    work = Work(
        spec=spec,
        options=settled.options,
        digest=settled.digest,
        bounds=bounds,
        private=analysis.private(identities),
    )
    return _do(work, args)


def _do(work: Work, args: argparse.Namespace) -> int:
    from jobs.standalone.runner import run_alone

    journal = args.journal or Path(work.csv + JOURNAL)
    try:
        outcome = run_alone(work, journal, load_analysis().FACTORY, {"threads": args.threads})
    except OSError as error:
        print(f"jobs: {error}", file=sys.stderr)
        return TRY_AGAIN
    if outcome is None:
        print("jobs: asked to stop; run the same command again", file=sys.stderr)
        return TRY_AGAIN
    if outcome.manifest:
        return DONE
    print(f"jobs: {work.spec.source_path}: {outcome.kind}: {outcome.error}", file=sys.stderr)
    return CODES.get(outcome.kind, TRY_AGAIN)


def _require_one_machine(identities: Mapping[str, Any], csv: str) -> None:
    """Refuse a store of this machine where others may have jobs of the same list.

    Nobody tells on how many machines an engine runs its jobs; but results on a network disk are
    there for others to see, and each would keep people of its own.

    Raises:
        UsageError: They may.
    """
    from jobs.system.mounts import network_type

    kind = network_type(Path(csv))
    if kind and identities.get("machine"):
        raise UsageError(
            f"{csv} is on a file system of type {kind}, for several machines, and this identity "
            "store is for one: give --identities redis://HOST:6379"
        )


def _spec(args: argparse.Namespace, bounds: Bounds) -> JobSpec:
    """Return the job that is asked for.

    Raises:
        UsageError: It is not clear which.
        JoblistError: Something is wrong with it.
    """
    from jobs.inputs import joblist

    values = _values(args)
    if args.joblist is not None and args.row is not None and not values:
        rows = Rows(args.row, args.row)
        (spec,) = joblist.read(
            args.joblist, exporters=load_analysis().exporters(), bounds=bounds, rows=rows
        )
        return spec
    if args.joblist is not None or args.row is not None or not _is_whole(values):
        raise UsageError(
            "which job? Give --source_path and --dest_csv, or --joblist FILE.csv and --row N"
        )
    return reader.read_one(
        values, faults=lambda spec: limits.faults(spec, bounds, real_folder=real_folder)
    )


def _values(args: argparse.Namespace) -> dict[str, str]:
    """Return the columns that were given."""
    given: Mapping[str, str | None] = vars(args)
    names = ("source_path", *reader.EXTRAS, *(name for name in given if name.startswith("dest_")))
    return {name: given[name] or "" for name in names if given[name] is not None}


def _is_whole(values: Mapping[str, str]) -> bool:
    return {"source_path", "dest_csv"} <= values.keys()
