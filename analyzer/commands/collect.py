"""Who appears in many media: how often, for how long, and with which mean metrics."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import registry
from analyzer.commands import _identity_store
from analyzer.commands._progress import bars
from analyzer.errors import UsageError
from analyzer.options import spellings
from ina_cli.console import console
from ina_cli.numbers import RealNumber

if TYPE_CHECKING:
    from analyzer.collection.identities import Collection

_TOP = 20
_NAMED = 20
"""Skipped media that are named one by one."""
NAMES_HELP = (
    "identity store that the media were matched with: people have the numbers and names that it "
    "has by now; without it, those of the reports"
)
EPILOG = """\
examples:
  python -m analyzer collect jobs.csv -o people
  python -m analyzer collect jobs.csv -o people --names people.identities
  python -m analyzer collect results/a.report.zip results/b.report.zip -o people

exit code: 0 collected, 1 no report could be read, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser(
        "collect",
        help=__doc__,
        description=__doc__,
        epilog=EPILOG,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "source",
        nargs="+",
        metavar="JOBLIST.csv",
        help="a joblist with the column dest_report that was run; or reports (*.zip) themselves",
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for results")
    clusterers = ", ".join(registry.names("cluster"))
    parser.add_argument(
        "--clusterer",
        default="chinese_whispers",
        metavar="NAME",
        help=f"how persons become identities: {clusterers} (default: chinese_whispers)",
    )
    parser.add_argument(
        *spellings("cluster_threshold"),
        type=RealNumber(),
        metavar="D",
        help="distance below which two persons may be one (default: as the media were analysed)",
    )
    parser.add_argument("--names", metavar="STORE", help=NAMES_HELP)
    _identity_store.add_key(parser)


def run(args: argparse.Namespace) -> int:
    """Collect, and write the folder; 1 if no report could be read."""
    threshold = args.cluster_threshold
    if threshold is not None and threshold <= 0:
        raise UsageError(f"cluster_threshold {threshold}: must be above 0")
    registry.check("cluster", args.clusterer)

    from analyzer.workflows.archive import collected

    rows = collected.rows_of(args.source)
    with bars() as progress:
        collection = collected.collect(
            rows,
            Path(args.output),
            args.names,
            key_file=args.identity_key,
            clusterer=args.clusterer,
            threshold=threshold,
            progress=progress,
        )
    _print(collection, len(rows), args.output)
    return 0 if collection.seen else 1


def _print(collection: "Collection", rows: int, output: str) -> None:
    """Print what was counted, what was not, and the identities with most screen time."""
    for skipped in collection.skipped[:_NAMED]:
        lines = ", ".join(str(row.line) for row in skipped.medium.rows)
        print(f"warning: line {lines}: {skipped.medium.item_id}: {skipped.reason}", file=sys.stderr)
    if len(collection.skipped) > _NAMED:
        print(f"warning: and {len(collection.skipped) - _NAMED} more media", file=sys.stderr)
    for medium in collection.seen:
        if medium.medium.copies:
            copies = ", ".join(medium.medium.copies)
            print(
                f"note: {medium.medium.source_path}: counted once with its copies {copies}",
                file=sys.stderr,
            )
    unmatched = collection.unmatched()
    if unmatched:
        print(
            f"note: {unmatched} media were not matched with an identity store as the others were: "
            "who is only there has a number that the store may give to somebody else",
            file=sys.stderr,
        )
    media = len(collection.seen) + len(collection.skipped)
    persons = sum(len(medium.summary.persons) for medium in collection.seen)
    faces = sum(identity.face_count for identity in collection.identities)
    stdout = console()
    stdout.print(
        f"{rows} rows, {media} media: {len(collection.seen)} read, "
        f"{len(collection.skipped)} skipped; "
        f"{persons} persons with {faces} faces are {len(collection.identities)} identities "
        f"-> {output}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    if collection.identities:
        stdout.print(_table(collection))


def _table(collection: "Collection") -> Any:
    """Return the identities with most screen time."""
    from rich import table

    metrics = [name.removeprefix("metric_") for name in collection.metrics]
    rows = table.Table("identity", "sex", "age", "media", "appearances", "faces", "screen time")
    for name in metrics:
        rows.add_column(name)
    for identity in collection.identities[:_TOP]:
        means = (identity.metrics[name].mean for name in collection.metrics)
        rows.add_row(
            identity.name or str(identity.identity_id),
            identity.sex,
            identity.age,
            str(len(identity.appearances)),
            str(identity.stretches),
            str(identity.face_count),
            f"{identity.screen_time_s:.1f} s",
            *("" if mean is None else f"{mean:g}" for mean in means),
        )
    left = len(collection.identities) - _TOP
    if left > 0:
        rows.add_row(f"{left} more")
    return rows
