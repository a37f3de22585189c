"""Analyse videos on this machine, without a server."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import registry
from analyzer.errors import AnalyzerError, UsageError
from analyzer.options import AnalysisOptions, add_arguments, spellings
from analyzer.shards import plan

if TYPE_CHECKING:
    from analyzer.commands._known import Known
    from analyzer.commands._look import Look
    from analyzer.names import Gallery
    from analyzer.types import MediaReport, Progress

SHARDS_HELP = "divide each video among N processes, at cuts; the results are the same"
SHARD_MINUTES_HELP = "with --shards: no part is shorter than this"
IDENTITIES_HELP = (
    "know people again across media: a file, sqlite:///..., redis://... or @FILE with the address "
    "(default: people.identities among the results)"
)
IDENTITY_THRESHOLD_HELP = "distance below which two are one person (default: the describer's)"
DEFAULT_EXPORTS = "csv,ass,mp4,characters"
DEFAULT_EXPORTS_OF_STILLS = "csv,characters"
EXPORTS_OF_POSTERS = "posters,poster_image"


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser("analyze", help=__doc__, description=__doc__)
    parser.set_defaults(run=run)
    parser.add_argument("media", nargs="+", metavar="MEDIA", help="a video, or a folder of videos")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for results")
    parser.add_argument(
        "--export",
        metavar="LIST",
        help=f"what to write: {', '.join(registry.names('export'))} "
        f"(default: {DEFAULT_EXPORTS}; of stills: {DEFAULT_EXPORTS_OF_STILLS})",
    )
    parser.add_argument(
        *spellings("threads"), type=int, default=0, metavar="N", help="threads (default: all cores)"
    )
    parser.add_argument(
        "--poster", metavar="FILE", help="the medium's poster, whose faces are matched to persons"
    )
    parser.add_argument(
        "--gallery", metavar="DIR", help="folder of portraits, named after whom they show"
    )
    add = parser.add_argument
    add("--identities", nargs="?", const="", metavar="URL", help=IDENTITIES_HELP)
    add(*spellings("identity_threshold"), type=float, metavar="D", help=IDENTITY_THRESHOLD_HELP)
    add("--shards", type=int, metavar="N", help=SHARDS_HELP)
    add(*spellings("shard_minutes"), type=float, metavar="M", help=SHARD_MINUTES_HELP)
    add_arguments(parser.add_argument_group("analysis"))


def run(args: argparse.Namespace) -> int:
    """Analyse every medium; 1 if one of them failed."""
    options = AnalysisOptions.from_mapping(vars(args))
    shards = plan(args.shards, args.shard_minutes, engine=options.engine, shots=options.shots)
    stills = options.engine == "image"
    exports = _exports(args, stills=stills)

    from analyzer import outputs
    from analyzer.commands._look import Look
    from analyzer.gallery import Galleries
    from analyzer.pipeline import load_models

    media = [args.media] if stills else outputs.media_in(args.media)
    stems = outputs.stems([args.media[0]] if stills else media)
    if args.poster and len(media) > 1:
        raise UsageError("--poster is the poster of one medium: analyse the media one at a time")
    models = load_models(options, threads=args.threads)
    gallery = Galleries(models).get(args.gallery) if args.gallery else None
    for note in gallery.notes if gallery else ():
        print(f"warning: {note}", file=sys.stderr)
    failed = 0
    with Look(models, shards) as look, _known(args, options) as known:
        for path, stem in zip(media, stems, strict=True):
            try:
                target = Path(args.output) / stem
                failed += _one(path, target, exports, look, gallery, args.poster, known)
            except AnalyzerError as error:
                failed += 1
                print(f"error: {error}", file=sys.stderr)
        if known:
            print(f"identities: {known.summary()}")
    return 1 if failed else 0


def _exports(args: argparse.Namespace, *, stills: bool) -> list[str]:
    """What to write, by name: what is asked for, or what suits the medium."""
    suits = DEFAULT_EXPORTS_OF_STILLS if stills else DEFAULT_EXPORTS
    with_poster = f",{EXPORTS_OF_POSTERS}" if args.poster else ""
    with_names = ",names" if args.gallery else ""
    wanted = args.export or suits + with_poster + with_names
    return [registry.check("export", name.strip()).name for name in wanted.split(",")]


def _one(
    path: str | list[str],
    target: Path,
    exports: Sequence[str],
    look: "Look",
    gallery: "Gallery | None",
    poster: str | None,
    known: "Known | None",
) -> bool:
    """Analyse one medium and write its files, then say what was found; true if it was skipped."""
    from analyzer import outputs
    from analyzer.identify import WITHOUT_MEDIUM, analyze

    started, models = time.monotonic(), look.models
    with _Bar(target.name) as progress:
        report = analyze(
            path,
            models=models,
            gallery=gallery,
            poster=poster,
            progress=progress,
            look=lambda: look.at(path, progress),
        )
        if known:
            report = known.remember(report, path)
        skipped = report.info.kind == "none"
        for name in exports:
            if skipped and name not in WITHOUT_MEDIUM:
                continue
            exporter = registry.load("export", name, runtime=models.runtime)
            file = target.with_name(target.name + exporter.suffix)
            outputs.write(exporter, report, file, progress)
    _tell(report, target, time.monotonic() - started)
    return skipped


@contextmanager
def _known(args: argparse.Namespace, options: AnalysisOptions) -> "Iterator[Known | None]":
    """The identity store that is asked for, open."""
    if args.identities is None:
        yield None
        return
    from analyzer.commands._known import Known

    default = Path(args.output) / "people.identities"
    with Known(args.identities, options, args.identity_threshold, default=default) as known:
        yield known


class _Bar:
    """A progress bar on a terminal; nothing elsewhere."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        console = Console(stderr=True)
        columns = (
            TextColumn("{task.fields[name]} {task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            Remaining(),
        )
        self._bar = Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        )
        self._task = self._bar.add_task("", total=None, name=escape(name))

    def __enter__(self) -> "Callable[[Progress], None]":
        self._bar.start()
        return lambda step: self._bar.update(
            self._task, description=step.stage, completed=step.done, total=step.total
        )

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _tell(report: "MediaReport", target: Path, elapsed: float) -> None:
    """Print the counts and the persons of one medium."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(
        f"{report.info.uri}: {_counted(report)}, {len(report.persons)} persons; "
        f"{elapsed:.1f} s, {report.info.duration_s / elapsed:.1f} times real time -> {target}.*",
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
