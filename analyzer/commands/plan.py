"""Draw segments of an archive by lot, and write their joblist; say how sure they make."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.options import AnalysisOptions, add_arguments, spellings
from ina_cli.console import console
from ina_cli.numbers import RealNumber, WholeNumber

if TYPE_CHECKING:
    from analyzer.sampling.plan import Planned

EPILOG = """\
examples:
  python -m analyzer plan archive.csv -o sample.csv --strata channel,decade --within 2 --speed 4
  ina_server localhost sample.csv --fps 5 --workers 4
  python -m analyzer estimate sample.csv

docs/shares.md has the recipe, and says when not to believe it.

exit code: 0 planned, 1 a film cannot be measured, or a file not be written, 2 bad usage or a bad
catalogue"""
SPREAD = 60.0
"""Percentage points: nearly all segments have faces of one group only, and some have many."""
_NAMES = "names of columns of the catalogue, with commas between them"
OPTIONS: dict[str, dict[str, Any]] = {
    "strata": {"metavar": "LIST", "default": "", "help": f"{_NAMES}: each combination of their "
               "values is a stratum, which gets its share of the draws (default: one stratum)"},
    "groups": {"metavar": "LIST", "default": "", "help": f"{_NAMES}, beside the strata, by which "
               "shares are to be estimated (default: none)"},
    "segments": {"type": WholeNumber(least=1), "metavar": "N",
                 "help": "draw so many segments (default: as many as --within needs)"},
    "within": {"type": RealNumber(least=0.1, most=50), "metavar": "X", "default": 2.0,
               "help": "percentage points to either side of the share (default: 2)"},
    "segment_s": {"type": RealNumber(least=1, most=86400), "metavar": "S", "default": 60.0,
                  "help": "length of a segment in seconds (default: 60)"},
    "per_film": {"type": WholeNumber(least=1, most=1000), "metavar": "N", "default": 1,
                 "help": "segments of each film that is drawn; more of them tell less each, but "
                 "fewer films are opened (default: 1)"},
    "seed": {"type": WholeNumber(), "metavar": "N", "default": 0,
             "help": "another number draws other segments (default: 0)"},
    "spread": {"type": RealNumber(least=0.1, most=1000), "metavar": "X",
               "help": "standard deviation of the share from segment to segment, in percentage "
               f"points (default: {SPREAD:g}, which is cautious)"},
    "pilot": {"type": Path, "metavar": "FILE",
              "help": "take the spread from what estimate --write wrote of an earlier sample"},
    "speed": {"type": RealNumber(least=0.001), "metavar": "X",
              "help": "seconds of video that a worker analyses in a second, for the hours"},
    "film": {"metavar": "FILE", "help": "measure the speed on this film, with the options of the "
             "analysis that are given here"},
    "results": {"type": Path, "metavar": "DIR", "default": Path("results"),
                "help": "folder for the results of the segments (default: results)"},
    "export": {"metavar": "LIST", "default": "csv,json",
               "help": "what to write of each segment (default: csv,json); estimate needs json or "
               "parquet, or makes do with the csv"},
}  # fmt: skip


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser("plan", help=__doc__, description=__doc__, epilog=EPILOG)
    parser.set_defaults(run=run)
    parser.add_argument(
        "catalogue",
        type=Path,
        metavar="CATALOGUE.csv",
        help="a csv with a row for each film: source_path, duration_s, and columns of your own",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="JOBLIST.csv", help="the joblist"
    )
    for name, keywords in OPTIONS.items():
        parser.add_argument(*spellings(name), **keywords)
    add_arguments(parser.add_argument_group("analysis, to measure the speed"))


def run(args: argparse.Namespace) -> int:
    """Write the joblist, and say what it is worth and costs."""
    if args.pilot and args.spread:
        raise UsageError("--pilot has the spread: leave out --spread")
    if args.speed and args.film:
        raise UsageError("--film measures the speed: leave out --speed")
    exports = _names(args.export)
    for name in exports:
        registry.check("export", name)
    options = AnalysisOptions.from_mapping(vars(args))

    from analyzer.sampling import plan as plans

    planned = plans.plan(
        args.catalogue,
        args.output,
        plans.Wish(
            strata=_names(args.strata),
            groups=_names(args.groups),
            segments=args.segments,
            reach=args.within / 100,
            segment_s=args.segment_s,
            per_film=args.per_film,
            seed=args.seed,
            spread=(args.spread or SPREAD) / 100,
            pilot=args.pilot,
            results=args.results,
            exports=list(dict.fromkeys(["csv", *exports])),
        ),
        plans.Machine(pace=args.speed, film=args.film, options=options),
    )
    _print(planned, args)
    return 0


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _print(planned: "Planned", args: argparse.Namespace) -> None:
    """Print what was drawn, and what other intervals cost."""
    stdout = console()
    archive = f"{planned.films} films, {planned.archive_s / 3600:.1f} h"
    taken = "all of it, without drawing: no fewer segments are wanted than there are"
    if planned.draws:
        taken = f"{planned.draws} draws from {planned.strata} strata, seed {args.seed}"
    pace = f"; a worker does {planned.pace:.2g} s in a second" if planned.pace else ""
    lines = [
        f"archive: {archive}",
        f"sample: {planned.rows} segments, {planned.video_s / 3600:.1f} h -> {args.output}",
        taken,
        f"expected: plus or minus {100 * planned.reach:.1f} points, at 95 %; "
        f"{_hours(planned.work_s)}{pace}",
    ]
    stdout.print("\n".join(lines), highlight=False, soft_wrap=True)
    from_pilot = "the pilot" if args.pilot else f"--spread {args.spread or SPREAD:g}"
    stdout.print(f"by {from_pilot}:", highlight=False)
    stdout.print(_table(planned))


def _table(planned: "Planned") -> Any:
    """Return what other intervals cost."""
    from rich import table

    rows = table.Table("plus or minus", "segments", "hours of video", "of a worker")
    for offer in planned.offers:
        rows.add_row(
            f"{100 * offer.reach:g} points",
            str(offer.segments),
            f"{offer.video_s / 3600:.1f}",
            "" if offer.work_s is None else f"{offer.work_s / 3600:.1f}",
        )
    return rows


def _hours(work_s: float | None) -> str:
    if work_s is None:
        return "hours of a worker not known: give --speed or --film"
    return f"{work_s / 3600:.1f} h of a worker"
