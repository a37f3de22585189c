"""Analyse videos on this machine, without a server."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import registry
from analyzer.errors import AnalyzerError, UsageError
from analyzer.options import AnalysisOptions, add_arguments, spellings
from analyzer.options.shards import plan
from joblist.model import ROWS_HELP, Rows

if TYPE_CHECKING:
    from analyzer.commands._known import LocalIdentities
    from analyzer.commands._look import Look
    from analyzer.pipeline.components import Components
    from analyzer.reports.part_file import Part
    from analyzer.types import MediaReport, ProgressHook
    from analyzer.types.corrections import CorrectionsDocument
    from analyzer.types.people import Gallery
    from analyzer.workflows.items import Item

SHARDS_HELP = (
    "divide each video among N processes, at cuts; the results are the same (default: off)"
)
SHARD_MINUTES_HELP = "with --shards: no part is shorter than this, in minutes"
IDENTITIES_HELP = (
    "know people again across media: a file, sqlite:///..., redis://... or @FILE with the address "
    "(default: people.identities in DIR, or beside the joblist)"
)
IDENTITY_THRESHOLD_HELP = "distance below which two are one person (default: the describer's)"
MEDIA_HELP = (
    "a video, or a folder of videos; or one joblist (.csv), whose columns say where its results go"
)
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

exit code: 0 all media are done, 1 some failed, 2 bad usage, 130 stopped by Ctrl-C"""
DEFAULT_EXPORTS = "csv,ass,mp4,characters"
DEFAULT_EXPORTS_OF_STILLS = "csv,characters"


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser(
        "analyze",
        help=__doc__,
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("media", nargs="*", metavar="MEDIA", help=MEDIA_HELP)
    add("-o", "--output", metavar="DIR", help="folder for results; not with a joblist")
    add("--item", nargs="+", default=[], metavar="ITEM", help=ITEM_HELP)
    add("--rows", metavar="A:B", help=ROWS_HELP)
    add(
        "--export",
        metavar="LIST",
        help=f"what to write: {', '.join(registry.names('export'))} "
        f"(default: {DEFAULT_EXPORTS}; of stills: {DEFAULT_EXPORTS_OF_STILLS})",
    )
    add(*spellings("threads"), type=int, default=0, metavar="N", help=THREADS_HELP)
    add("--poster", metavar="FILE", help="the medium's poster, whose faces are matched to persons")
    add("--gallery", metavar="DIR", help="folder of portraits, named after whom they show")
    add(*spellings("no_corrections"), action="store_true", help=CORRECTIONS_HELP)
    add("--identities", nargs="?", const="", metavar="URL", help=IDENTITIES_HELP)
    add(*spellings("identity_threshold"), type=float, metavar="D", help=IDENTITY_THRESHOLD_HELP)
    add("--shards", type=int, metavar="N", help=SHARDS_HELP)
    add(*spellings("shard_minutes"), type=float, metavar="M", help=SHARD_MINUTES_HELP)
    add_arguments(parser.add_argument_group("analysis"))


def run(args: argparse.Namespace) -> int:
    """Analyse every medium; 1 if one of them failed."""
    options = AnalysisOptions.from_mapping(vars(args))
    shards = plan(
        args.shards,
        args.shard_minutes,
        engine=options.engine,
        shots=options.shots,
        detector=options.detector,
    )
    work = _work(args, stills=options.engine == "image")

    from analyzer.commands._look import Look
    from analyzer.gallery.folder import Galleries
    from analyzer.pipeline.components import load_components

    components = load_components(options, threads=args.threads)
    galleries, told = Galleries(components), set[str]()
    failed = 0
    with Look(components, shards) as look, _known(args, options) as known:
        for item in work:
            try:
                gallery = galleries.get(item.gallery) if item.gallery else None
                for note in gallery.notes if gallery else ():
                    if note not in told:
                        print(f"warning: {note}", file=sys.stderr)
                        told.add(note)
                failed += _one(item, look, gallery, known, _corrections(args, item))
            except AnalyzerError as error:
                failed += 1
                print(f"error: {error}", file=sys.stderr)
        if known:
            print(f"identities: {known.summary()}")
    return 1 if failed else 0


def _work(args: argparse.Namespace, *, stills: bool) -> "list[Item]":
    """What there is to analyse.

    Raises:
        UsageError: arguments that are missing, or of no use together.
    """
    from analyzer.workflows import items

    joblists = [path for path in args.media if path.lower().endswith(".csv")]
    if joblists:
        _refuse_with_joblist(args)
        rows = _rows(args.rows) if args.rows else None
        return items.of_joblist(joblists[0], items=args.item, rows=rows)
    if args.rows:
        raise UsageError("--rows are those of a joblist: give one, JOBLIST.csv --rows A:B")
    if not args.output:
        raise UsageError("give a folder for the results: -o DIR")
    output = Path(args.output)
    if not args.item:
        if not args.media:
            raise UsageError("nothing to analyse: give media, a joblist, or titles with --item")
        exports = _exports(args, stills=stills, poster=args.poster is not None)
        return items.of_media(
            args.media,
            output=output,
            exports=exports,
            stills=stills,
            poster=args.poster,
            gallery=args.gallery,
        )
    if args.media:
        raise UsageError("--item takes folders, or item_ids after a joblist: leave out the media")
    if stills or args.poster:
        raise UsageError(
            "--item finds trailer and posters in a title's folder: leave out --poster and "
            "--engine image"
        )
    return items.of_folders(
        args.item,
        output=output,
        exports=lambda poster: _exports(args, stills=False, poster=poster),
        gallery=args.gallery,
    )


def _refuse_with_joblist(args: argparse.Namespace) -> None:
    """Refuse what a joblist says itself.

    Raises:
        UsageError: it is said twice.
    """
    if len(args.media) > 1:
        raise UsageError(f"{args.media[0]}, {args.media[1]}: a joblist goes alone: one at a time")
    for name in ("output", "export", "poster", "gallery"):
        if getattr(args, name) is not None:
            raise UsageError(f"the columns of a joblist say that themselves: leave out --{name}")


def _rows(text: str) -> Rows:
    try:
        return Rows.parse(text)
    except ValueError as error:
        raise UsageError(f"--rows {error}") from None


def _exports(args: argparse.Namespace, *, stills: bool, poster: bool) -> list[str]:
    """What to write, by name: what is asked for, or what suits the medium."""
    from analyzer.workflows.items import EXPORTS_OF_POSTERS

    suits = DEFAULT_EXPORTS_OF_STILLS if stills else DEFAULT_EXPORTS
    wanted = args.export.split(",") if args.export else suits.split(",")
    if not args.export:
        wanted += [*(EXPORTS_OF_POSTERS if poster else ()), *(["names"] if args.gallery else [])]
    specs = [registry.check("export", name.strip()) for name in wanted]
    for spec in specs:
        if spec.options:
            raise UsageError(
                f"--export {spec.name}: write the name alone; only Python sets options"
            )
    return [spec.name for spec in specs]


def _corrections(args: argparse.Namespace, item: "Item") -> "CorrectionsDocument | None":
    """What a reviewer has corrected in earlier results of a medium."""
    from analyzer.reports import corrections_file

    if args.no_corrections:
        return None
    document = corrections_file.read_if_there(item.corrections)
    if document:
        print(f"corrections of {item.corrections} are made again; --no_corrections leaves them out")
    return document


def _one(
    item: "Item",
    look: "Look",
    gallery: "Gallery | None",
    known: "LocalIdentities | None",
    corrected: "CorrectionsDocument | None",
) -> bool:
    """Analyse one medium and write its files, then say what was found; true if it was skipped."""
    from analyzer.commands._progress import bar
    from analyzer.review import apply
    from analyzer.workflows.analyze import WITHOUT_MEDIUM, analyze
    from analyzer.workflows.items import EXPORTS_OF_POSTERS, require_medium

    started, components = time.monotonic(), look.components
    with bar(item.target.name) as progress:

        def seen() -> "list[Part]":
            require_medium(item)
            return look.at(item.medium, progress)

        report = analyze(
            item.medium,
            components=components,
            gallery=gallery,
            poster=item.posters[0] if item.posters else None,
            progress=progress,
            look=seen,
        )
        if known:
            report = known.remember(report, item.medium)
        report = apply.reapply(report, corrected, labeller=lambda: components.labeller)
        report = replace(report, notes=(*report.notes, *item.notes))
        skipped = report.info.kind == "none"
        exports = [n for n in item.exports if not skipped or n in WITHOUT_MEDIUM]
        report = _write_posters(item, report, exports, components, progress)
        shared = [n for n in exports if len(item.posters) < 2 or n not in EXPORTS_OF_POSTERS]
        _write(item, report, shared, item.target, components, progress)
    _tell(report, item.results, time.monotonic() - started)
    return skipped


def _write_posters(
    item: "Item",
    report: "MediaReport",
    exports: Sequence[str],
    components: "Components",
    progress: "ProgressHook",
) -> "MediaReport":
    """Where a title has several posters, write each one's files; the report has all notes then.

    Args:
        item: the title.
        report: its report with the first poster.
        exports: of the title.
        components: that made the report.
        progress: told of each step.
    """
    from analyzer.gallery.poster import identify
    from analyzer.workflows.items import EXPORTS_OF_POSTERS

    wanted = [name for name in exports if name in EXPORTS_OF_POSTERS]
    posters = item.posters if len(item.posters) > 1 else ()
    notes = report.notes
    for number, poster in enumerate(posters):
        bare = replace(report, poster=None, notes=())
        found = identify(bare, components=components, poster=poster) if number else report
        _write(item, found, wanted, item.target_of(poster), components, progress)
        notes += found.notes if number else ()
    return replace(report, notes=notes)


def _write(
    item: "Item",
    report: "MediaReport",
    exports: Sequence[str],
    target: Path,
    components: "Components",
    progress: "ProgressHook",
) -> None:
    """Write some files of one medium."""
    from analyzer.results import write

    for name in exports:
        exporter = registry.load("export", name, runtime=components.runtime)
        file = item.dests.get(name, target.with_name(target.name + exporter.suffix))
        write.write(exporter, report, file, progress)


@contextmanager
def _known(
    args: argparse.Namespace, options: AnalysisOptions
) -> "Iterator[LocalIdentities | None]":
    """The identity store that is asked for, open."""
    if args.identities is None:
        yield None
        return
    from analyzer.commands._known import LocalIdentities

    folder = Path(args.output) if args.output else Path(args.media[0]).parent
    default = folder / "people.identities"
    with LocalIdentities(
        args.identities, options, args.identity_threshold, default=default
    ) as known:
        yield known


def _tell(report: "MediaReport", results: str, elapsed: float) -> None:
    """Print the counts and the persons of one medium."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(
        f"{report.info.uri}: {_counted(report)}, {len(report.persons)} persons; "
        f"{elapsed:.1f} s, {report.info.duration_s / elapsed:.1f} times real time -> {results}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    if report.partial:
        print(f"warning: {report.info.uri}: done in part: {report.partial}", file=sys.stderr)
    for note in report.notes:
        print(f"warning: {report.info.uri}: {note}", file=sys.stderr)
    table = Table("person", "sex", "age", "faces", "first", "last", "screen time", "share")
    for person in report.persons:
        sex, age = (person.attributes.get(head) for head in ("sex", "age"))
        table.add_row(
            str(person.person_id) if person.name is None else person.name,
            sex.label if sex else "",
            age.label if age else "",
            str(person.face_count),
            f"{person.first_s:.1f} s",
            f"{person.last_s:.1f} s",
            f"{person.screen_time_s:.1f} s",
            f"{person.screen_time_s / max(report.info.duration_s, 1e-9):.0%}",
        )
    nobody = report.tally.faces_saved - report.tally.faces_kept
    if nobody:
        table.add_row("nobody", "", "", str(nobody), "", "", "", "")
    if report.persons:
        console.print(table)


def _counted(report: "MediaReport") -> str:
    """The counters: detected and tracked faces are those left out and those saved."""
    tally = report.tally
    blurred = f" ({tally.frames_gated} too blurred)" if tally.frames_gated else ""
    tracked = f"{tally.faces_tracked} tracked in between, " if tally.faces_tracked else ""
    left_out = f"{tally.faces_filtered} left out, " if tally.faces_filtered else ""
    return (
        f"{tally.frames_analysed} of {tally.frames_decoded} frames{blurred}, "
        f"{tally.faces_detected} faces detected, {tracked}{left_out}"
        f"{tally.faces_described} described, {tally.faces_saved} saved, "
        f"{tally.faces_kept} of persons"
    )
