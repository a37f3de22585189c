"""Make the files of results again from their reports, with the names of an identity store."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from analyzer.commands import _changes, _identity_store
from analyzer.errors import UsageError
from analyzer.options import spellings

if TYPE_CHECKING:
    from analyzer.files.transaction import Replaced
    from analyzer.results.locate import Found

RESULTS_HELP = (
    "results: folders, with all that is below; joblists, with all that is in their columns"
)
NAMES_HELP = (
    "identity store with the names and numbers that the files get: a path, redis://..., or @FILE; "
    "without it, they get those of their reports"
)
EPILOG = """\
examples:
  python -m analyzer reexport results --names people.identities
  python -m analyzer reexport jobs.csv --names @redis.address --dry_run

exit code: 0 done, 1 some file could not be made again, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser("reexport", help=__doc__, description=__doc__, epilog=EPILOG)
    parser.set_defaults(run=run)
    parser.add_argument("results", nargs="+", metavar="RESULTS", help=RESULTS_HELP)
    parser.add_argument("--names", metavar="STORE", help=NAMES_HELP)
    _identity_store.add_key(parser)
    parser.add_argument(*spellings("dry_run"), action="store_true", help="say what would be done")
    _changes.add(parser)


def run(args: argparse.Namespace) -> int:
    """Make files again, and print which have changed; 1 where one could not be made."""
    from analyzer.workflows.archive.names import reexport_names

    results = _located(args.results)
    faults, changed = 0, 0
    replaced: list[Replaced] = []
    for medium in reexport_names(
        results.results, args.names, key_file=args.identity_key, dry_run=args.dry_run
    ):
        if medium.fault:
            print(f"left: {medium.medium}: {medium.fault}", file=sys.stderr)
        for file in medium.files:
            if file.fault:
                why = f"could not be made again: {file.fault}"
                print(f"left: {file.path}: {why}", file=sys.stderr)
            else:
                print(file.path)
        changed += sum(not file.fault for file in medium.files)
        faults += bool(medium.fault) + sum(bool(file.fault) for file in medium.files)
        replaced += medium.replaced
    if not args.dry_run:
        _changes.write(args.changes, results, replaced)
    if not changed and not faults:
        print("nothing is new: all files say what the store says")
    return 1 if faults else 0


def _located(paths: list[str]) -> "Found":
    from analyzer.results import locate

    results = locate.find(paths)
    if not any("report" in medium.files for medium in results.results):
        raise UsageError(
            "no report there: give the joblist a column dest_report, or analyze --export report, "
            "and run it"
        )
    return results
