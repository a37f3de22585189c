"""Analyse videos on this machine, without a server."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import registry
from analyzer.errors import AnalyzerError
from analyzer.options import AnalysisOptions, add_arguments, spellings
from analyzer.shards import plan

if TYPE_CHECKING:
    from analyzer.commands._look import Look
    from analyzer.pipeline import Models
    from analyzer.types import MediaReport, Progress

SHARDS_HELP = "divide each video among N processes, at cuts; the results are the same"
SHARD_MINUTES_HELP = "with --shards: no part is shorter than this"
DEFAULT_EXPORTS = "csv,ass,mp4,characters"
DEFAULT_EXPORTS_OF_STILLS = "csv,characters"


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
    add = parser.add_argument
    add("--shards", type=int, metavar="N", help=SHARDS_HELP)
    add(*spellings("shard_minutes"), type=float, metavar="M", help=SHARD_MINUTES_HELP)
    add_arguments(parser.add_argument_group("analysis"))


def run(args: argparse.Namespace) -> int:
    """Analyse every medium; 1 if one of them failed."""
    options = AnalysisOptions.from_mapping(vars(args))
    shards = plan(args.shards, args.shard_minutes, engine=options.engine, shots=options.shots)
    stills = options.engine == "image"
    wanted = args.export or (DEFAULT_EXPORTS_OF_STILLS if stills else DEFAULT_EXPORTS)
    exports = [registry.check("export", name.strip()).name for name in wanted.split(",")]

    from analyzer import outputs
    from analyzer.commands._look import Look
    from analyzer.pipeline import load_models

    media = [args.media] if stills else outputs.media_in(args.media)
    stems = outputs.stems([args.media[0]] if stills else media)
    models = load_models(options, threads=args.threads)
    failed = 0
    with Look(models, shards) as look:
        for path, stem in zip(media, stems, strict=True):
            try:
                _one(path, Path(args.output) / stem, exports, models, look)
            except AnalyzerError as error:
                failed += 1
                print(f"error: {error}", file=sys.stderr)
    return 1 if failed else 0


def _one(
    path: str | list[str], target: Path, exports: Sequence[str], models: "Models", look: "Look"
) -> None:
    """Analyse one medium and write its files, then say what was found."""
    from analyzer import outputs
    from analyzer.pipeline import conclude

    started = time.monotonic()
    with _Bar(target.name) as progress:
        report = conclude(look.at(path, progress), models=models, progress=progress)
        for name in exports:
            exporter = registry.load("export", name, runtime=models.runtime)
            file = target.with_name(target.name + exporter.suffix)
            outputs.write(exporter, report, file, progress)
    _tell(report, target, time.monotonic() - started)


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

    tally = report.tally
    console = Console()
    blurred = f" ({tally.frames_gated} too blurred)" if tally.frames_gated else ""
    left_out = f"{tally.faces_filtered} left out, " if tally.faces_filtered else ""
    console.print(
        f"{report.info.uri}: {tally.frames_analysed} of {tally.frames_decoded} frames{blurred}, "
        f"{tally.faces_detected} faces detected, {left_out}{tally.faces_described} described, "
        f"{tally.faces_kept} kept, {len(report.persons)} persons; "
        f"{elapsed:.1f} s, {report.info.duration_s / elapsed:.1f} times real time -> {target}.*",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    if report.partial:
        print(f"warning: {report.info.uri}: done in part: {report.partial}", file=sys.stderr)
    table = Table("person", "sex", "age", "first", "last", "screen time", "share")
    for person in report.persons:
        sex, age = (person.attributes.get(head) for head in ("sex", "age"))
        table.add_row(
            str(person.person_id) if person.name is None else person.name,
            sex.label if sex else "",
            age.label if age else "",
            f"{person.first_s:.1f} s",
            f"{person.last_s:.1f} s",
            f"{person.screen_time_s:.1f} s",
            f"{person.screen_time_s / max(report.info.duration_s, 1e-9):.0%}",
        )
    if report.persons:
        console.print(table)
