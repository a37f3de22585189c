"""`evaluate clustering`: persons found against persons named."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analyzer import registry
from analyzer.commands import _figures, _labelled
from analyzer.commands._progress import bars
from analyzer.errors import UsageError
from analyzer.evaluation import labelled_sets
from analyzer.options import AnalysisOptions, add_arguments
from ina_cli.console import console
from ina_cli.numbers import RealNumber

_WIDTH = 170
EPILOG = """\
examples:
  python -m analyzer evaluate clustering --pictures lfw/ --html clustering.html
  python -m analyzer evaluate clustering --video sample.mp4 --labels sample.labels.csv --fps 5
  python -m analyzer evaluate clustering --synthetic 20x30 --thresholds 0.4,0.5,0.6
  python -m analyzer evaluate clustering --sets media/sets.csv --write docs/clustering.md

exit code: 0 measured, 1 the data cannot be read, 2 bad usage"""


def add(parts: Any) -> None:
    """Add the subject to the parser of `evaluate`."""
    text = "persons: the clusters of each clusterer against labelled pictures, video or tracks"
    parser = parts.add_parser(
        "clustering",
        help=text,
        description=text,
        epilog=EPILOG,
    )
    parser.set_defaults(run=run)
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument(
        "--pictures", type=Path, metavar="DIR", help="pictures in folders named after persons"
    )
    data.add_argument("--video", type=Path, metavar="FILE", help="a video; needs --labels")
    data.add_argument(
        "--synthetic",
        type=labelled_sets.crowd,
        metavar="PxT",
        help="made-up tracks: T of each of P persons",
    )
    data.add_argument("--sets", type=Path, metavar="CSV", help="labelled sets, as media/sets.csv")
    parser.add_argument(
        "--labels", type=Path, metavar="CSV", help="columns time_s,x,y,person: docs/clustering.md"
    )
    parser.add_argument(
        "--spread",
        type=RealNumber(),
        default=0.25,
        metavar="D",
        help="how far those of a person lie apart, of made-up tracks (default: 0.25)",
    )
    parser.add_argument(
        "--thresholds",
        type=_numbers,
        metavar="LIST",
        help="compare these distances: 0.4,0.5,0.6 (default: each clusterer's)",
    )
    _labelled.add_conditions(parser)
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="put the table into this Markdown document"
    )
    _figures.add_files(parser)
    about = "one clusterer alone: --clusterer; one threshold: --cluster_threshold"
    add_arguments(parser.add_argument_group("analysis", about))


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def run(args: argparse.Namespace) -> int:
    """Measure each clusterer, print the table, and write the JSON and the page."""
    from analyzer.evaluation import clustering_run, figures_table

    if (args.video is None) != (args.labels is None):
        raise UsageError("--video and --labels: give both or none")
    page = _figures.page(args, "clustering")
    if args.write:
        figures_table.read(args.write)  # before hours of work, not behind them
    sets = _labelled.sets(args)
    options = AnalysisOptions.from_mapping(vars(args))
    clusterers = [args.clusterer] if args.clusterer else registry.names("cluster")
    with bars() as progress:
        report = clustering_run.measure_sets(
            sets, options, clusterers=clusterers, thresholds=args.thresholds, progress=progress
        )
    _show(report)
    _figures.save(args, report, page)
    if args.write:
        figures_table.write(args.write, report)
    return 0


def _show(report: Mapping[str, Any]) -> None:
    """Print one line a set, condition, clusterer and threshold on standard output."""
    from rich import table

    columns = ("set", "analysed at", "clusterer", "threshold", "faces", "persons", "clusters")
    scores = ("all faces F1", "pairs P", "R", "F1", "B-cubed F1", "NMI", "seconds")
    rows = table.Table(*columns, *scores, title=report["data"])
    for row in report["runs"]:
        of_all = row["all"]
        figures = (of_all["pairs"]["f1"], *row["pairs"].values(), row["bcubed"]["f1"], row["nmi"])
        rows.add_row(
            row["set"],
            row["condition"],
            row["clusterer"],
            f"{row['threshold']:g}",
            f"{row['grouped']} of {row['labelled']}",
            str(of_all["persons"]),
            str(row["clusters"]),
            *(f"{figure:.3f}" for figure in figures),
            f"{row['seconds']:.2f}",
        )
    # A narrow terminal wraps the lines; squeezed columns could not be read.
    console(width=max(console().width, _WIDTH)).print(rows)
