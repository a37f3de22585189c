"""Analyse videos on this machine, without a server."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import registry
from analyzer.commands import _identity_store
from analyzer.commands._progress import bar
from analyzer.commands._report import print_report
from analyzer.errors import AnalyzerError
from analyzer.options import AnalysisOptions, add_arguments, print_notes, spellings
from analyzer.options.defaults import EXPORTS, EXPORTS_OF_STILLS
from analyzer.options.shards import plan
from ina_cli.numbers import RealNumber, WholeNumber
from joblist.model import ROWS_HELP, is_address

if TYPE_CHECKING:
    from analyzer.workflows.analyze import Request
    from analyzer.workflows.items import Item

SHARDS_HELP = (
    "divide each video among N processes, at cuts; the results are the same (default: off)"
)
SHARD_MINUTES_HELP = "with --shards: no part is shorter than this, in minutes"
MEDIA_HELP = (
    "a video, its https address, or a folder of videos; or one joblist (.csv): its columns say "
    "where results go"
)
OUTPUT_HELP = "folder for results; of stills, also the csv itself; not with a joblist"
OVERWRITE_HELP = "replace results of another medium that has the same name"
URLS_HELP = "let media of a joblist be fetched from public https addresses"
DOWNLOAD_HELP = "largest size of a medium behind an address, in GB (default: 20)"
ITEM_HELP = (
    "titles, trailer and poster in one call: after a joblist, what its column item_id says; "
    "without MEDIA, folders with one video and pictures, the posters"
)
CORRECTIONS_HELP = (
    "leave out the corrections that are kept beside the results, or that a joblist names"
)
THREADS_HELP = "CPU threads (default: 0, every core)"
EPILOG = """\
examples:
  python -m analyzer analyze film.mp4 -o results --fps 5
  python -m analyzer analyze films/ -o results --export csv,characters,html --gallery portraits/
  python -m analyzer analyze 'stills/**/*.jpg' -o results --engine image
  python -m analyzer analyze jobs.csv --rows 1:100

Options of older tools, such as -i or --mp4_export, are understood: docs/coming-from.md.

exit code: 0 all media are done, 1 some failed, or a file of theirs, 2 bad usage, 130 stopped by
Ctrl-C"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser(
        "analyze",
        help=__doc__,
        description=__doc__,
        epilog=EPILOG,
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("media", nargs="*", metavar="MEDIA", help=MEDIA_HELP)
    add("-i", dest="inputs", nargs="+", action="extend", default=[], help=argparse.SUPPRESS)
    add("-o", "--output", metavar="DIR", help=OUTPUT_HELP)
    add("--overwrite", action="store_true", help=OVERWRITE_HELP)
    add("--item", nargs="+", default=[], metavar="ITEM", help=ITEM_HELP)
    add("--rows", metavar="A:B", help=ROWS_HELP)
    add(
        "--export",
        metavar="LIST",
        help=f"what to write: {', '.join(registry.names('export'))} "
        f"(default: {','.join(EXPORTS)}; of stills: {','.join(EXPORTS_OF_STILLS)})",
    )
    for name in ("ass", "mp4"):
        # inaFaceAnalyzer writes only the csv without them.
        flags = spellings(f"{name}_export" if name == "mp4" else "ass_subtitle_export")
        add(*flags, dest="with_csv", action="append_const", const=name, help=argparse.SUPPRESS)
    add(*spellings("threads"), type=WholeNumber(), default=0, metavar="N", help=THREADS_HELP)
    add("--poster", metavar="FILE", help="the medium's poster; its faces are matched to persons")
    add("--gallery", metavar="DIR", help="folder of portraits, named after the persons in them")
    add(*spellings("no_corrections"), action="store_true", help=CORRECTIONS_HELP)
    _identity_store.add_matching(parser)
    add("--shards", type=WholeNumber(), metavar="N", help=SHARDS_HELP)
    add(*spellings("shard_minutes"), type=RealNumber(), metavar="M", help=SHARD_MINUTES_HELP)
    add(*spellings("allow_urls"), action="store_true", help=URLS_HELP)
    add(
        *spellings("max_download_gb"),
        type=RealNumber(),
        default=20.0,
        metavar="N",
        help=DOWNLOAD_HELP,
    )
    add_arguments(parser.add_argument_group("analysis"))


def run(args: argparse.Namespace) -> int:
    """Analyse every item; 1 if one of them failed, or one of its files."""
    options = AnalysisOptions.from_mapping(vars(args))
    args.media += args.inputs
    shards = plan(
        args.shards,
        args.shard_minutes,
        engine=options.engine,
        shots=options.shots,
        detector=options.detector,
    )
    from analyzer.workflows import session as sessions

    items = _items(args, stills=options.engine == "image")
    max_bytes = int(args.max_download_gb * 10**9)
    failed = 0
    with sessions.AnalysisSession(
        options,
        threads=args.threads,
        shards=shards,
        identities=args.identities,
        identity_threshold=args.identity_threshold,
        identity_key=args.identity_key,
        refine_limit=args.refine_limit,
        folder=items[0].target.parent if args.output else Path(args.media[0]).parent,
        ahead=not is_address(str(items[0].medium)),  # not while one is fetched for hours
    ) as session:
        for item in items:
            started = time.monotonic()
            try:
                with (
                    bar(item.target.name) as progress,
                    sessions.on_disk(item, max_bytes=max_bytes, progress=progress) as local,
                ):
                    request = session.request(local, corrected=not args.no_corrections)
                    _print_before(local, request, session.new_notes(request))
                    components, observer = session.machinery(local)
                    report = sessions.analyze(
                        request, components=components, observer=observer, progress=progress
                    )
                    written = sessions.write_exports(
                        local, report, components=components, progress=progress
                    )
                print_report(written.report, item.results, time.monotonic() - started)
                for fault in written.faults:
                    print(f"error: {fault}", file=sys.stderr)
                failed += report.info.kind == "none" or bool(written.faults)
            except AnalyzerError as error:
                session.require_loaded()  # or it is the same for every item, and all ends here
                failed += 1
                print(f"error: {error}", file=sys.stderr)
        if session.identities:
            print(f"identities: {session.identities.summary()}")
    return 1 if failed else 0


def _items(args: argparse.Namespace, *, stills: bool) -> "list[Item]":
    """Return the items that the arguments name."""
    from analyzer.workflows import session

    media, notes = session.with_https(args.media)
    exports = args.export
    if args.with_csv:
        exports = ",".join(dict.fromkeys([*(exports or "csv").split(","), *args.with_csv]))
        notes.append(f"--export {exports} says what to write (docs/coming-from.md)")
    print_notes(notes)
    return session.select_items(
        media,
        titles=args.item,
        rows=args.rows,
        output=args.output,
        exports=exports,
        poster=args.poster,
        gallery=args.gallery,
        stills=stills,
        addresses=args.allow_urls,
        overwrite=args.overwrite,
    )


def _print_before(item: "Item", request: "Request", notes: Sequence[str]) -> None:
    """Print what a user must know before hours of work."""
    for note in notes:
        print(f"warning: {note}", file=sys.stderr)
    if request.corrections:
        print(f"corrections of {item.corrections} are made again; --no_corrections leaves them out")
