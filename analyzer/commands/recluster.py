"""Group the faces of results into persons anew, without analysing the medium again."""

import argparse
import sys
from typing import Any

from analyzer import registry
from analyzer.commands import _changes
from analyzer.errors import UsageError
from analyzer.options import spellings
from ina_cli.numbers import RealNumber

RESULTS_HELP = "a report (.report.zip), with what lies beside it; or a folder or joblist of them"
THRESHOLD_HELP = "distance below which two faces are one person (default: that of the results)"
EPILOG = """\
examples:
  python -m analyzer recluster results/film.report.zip --cluster_threshold 0.5
  python -m analyzer recluster results --clusterer agglomerative --dry_run

exit code: 0 done, 1 some file could not be made again, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser(
        "recluster",
        help=__doc__,
        description=__doc__,
        epilog=EPILOG,
    )
    parser.set_defaults(run=run)
    parser.add_argument("results", metavar="RESULTS", help=RESULTS_HELP)
    parser.add_argument(
        *spellings("cluster_threshold"), type=RealNumber(), metavar="D", help=THRESHOLD_HELP
    )
    clusterers = ", ".join(registry.names("cluster"))
    parser.add_argument(
        "--clusterer",
        metavar="SPEC",
        help=f"how tracks become persons: {clusterers} (default: that of the results)",
    )
    parser.add_argument(*spellings("dry_run"), action="store_true", help="say what would be done")
    _changes.add(parser)


def run(args: argparse.Namespace) -> int:
    """Group anew, and make all files again; 1 where one could not be made."""
    if args.cluster_threshold is not None and args.cluster_threshold <= 0:
        raise UsageError(f"cluster_threshold {args.cluster_threshold}: must be above 0")
    if args.clusterer:
        registry.check("cluster", args.clusterer)
    from analyzer.review import regrouping

    faults = 0
    located = regrouping.reports(args.results)
    for results in located.results:
        done = regrouping.recluster(
            results,
            threshold=args.cluster_threshold,
            clusterer=args.clusterer,
            dry_run=args.dry_run,
        )
        counts = f"{len(done.before.persons)} -> {len(done.report.persons)}"
        print(f"{done.report.info.uri}: persons {counts}")
        for note in done.report.notes:
            print(f"warning: {note}", file=sys.stderr)
        for file in done.files:
            if file.fault:
                faults += 1
                print(f"left: {file.path}: could not be made again: {file.fault}", file=sys.stderr)
            else:
                print(file.path)
        if not args.dry_run:
            _changes.write(args.changes, located, done.replaced)
    return 1 if faults else 0
