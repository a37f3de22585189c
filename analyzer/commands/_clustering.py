"""``evaluate clustering``: persons found against persons named."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analyzer import registry
from analyzer.commands import _figures
from analyzer.errors import InputError, UsageError
from analyzer.options import AnalysisOptions, add_arguments

_WIDTH = 130
EPILOG = """\
examples:
  python -m analyzer evaluate clustering --pictures lfw/ --html clustering.html
  python -m analyzer evaluate clustering --video sample.mp4 --labels sample.labels.csv --fps 5
  python -m analyzer evaluate clustering --synthetic 20x30 --thresholds 0.4,0.5,0.6

exit code: 0 measured, 1 the data cannot be read, 2 bad usage"""


def add(parts: Any) -> None:
    """Add the subject to the parser of ``evaluate``."""
    text = "persons: the clusters of each clusterer against labelled pictures, video or tracks"
    parser = parts.add_parser(
        "clustering",
        help=text,
        description=text,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument(
        "--pictures", type=Path, metavar="DIR", help="pictures in folders named after persons"
    )
    data.add_argument("--video", type=Path, metavar="FILE", help="a video; needs --labels")
    data.add_argument(
        "--synthetic", type=_crowd, metavar="PxT", help="made-up tracks: T of each of P persons"
    )
    parser.add_argument(
        "--labels", type=Path, metavar="CSV", help="columns time_s,x,y,person: docs/clustering.md"
    )
    parser.add_argument(
        "--spread",
        type=float,
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
    _figures.add_files(parser)
    about = "one clusterer alone: --clusterer; one threshold: --cluster_threshold"
    add_arguments(parser.add_argument_group("analysis", about))


def _crowd(text: str) -> tuple[int, int]:
    people, _, tracks = text.partition("x")
    if int(people) < 1 or int(tracks) < 1:
        raise ValueError(text)
    return int(people), int(tracks)


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def run(args: argparse.Namespace) -> int:
    """Measure each clusterer, print the table, and write the JSON and the page."""
    from analyzer.commands import _progress

    if (args.video is None) != (args.labels is None):
        raise UsageError("--video and --labels: give both or none")
    page = _figures.page(args, "clustering")
    with _progress.bars() as progress:
        report = _report(args, progress)
    _show(report)
    _figures.save(args, report, page)
    return 0


def _report(args: argparse.Namespace, progress: Any) -> dict[str, Any]:
    """All figures, and what they were measured with."""
    from analyzer.evaluation import clustering as evaluate
    from analyzer.evaluation import truth
    from analyzer.pipeline.components import load_components

    forced = {"engine": "image"} if args.pictures else {}
    options = AnalysisOptions.from_mapping({**vars(args), **forced})
    components = load_components(options)
    threshold = options.cluster_threshold or components.describer.threshold
    variants = evaluate.Variants(
        clusterers=[args.clusterer] if args.clusterer else registry.names("cluster"),
        thresholds=args.thresholds or [threshold],
    )
    about = {
        "threshold": threshold,
        "describer": options.describer,
        "models": dict(components.describer.provenance),
    }
    if args.synthetic:
        people, tracks = args.synthetic
        name = f"{people} made-up persons with {tracks} tracks each, spread {args.spread}"
        crowd = truth.crowd(people, tracks, args.spread)
        figures = evaluate.synthetic(*crowd, variants, runtime=components.runtime)
    elif args.pictures:
        if not args.pictures.is_dir():
            raise InputError(f"{args.pictures}: not a folder")
        name = args.pictures.name
        figures = evaluate.pictures(
            args.pictures, variants, components=components, progress=progress
        )
    else:
        name, labels = args.video.name, truth.of_video(args.labels)
        figures = evaluate.video(
            args.video, labels, variants, components=components, progress=progress
        )
    return {"data": name, **about, **figures}


def _show(report: Mapping[str, Any]) -> None:
    """Print one line a clusterer and threshold on standard output."""
    from rich.console import Console
    from rich.table import Table

    columns = ("clusterer", "threshold", "faces", "persons", "clusters", "pairs P", "R", "F1")
    table = Table(*columns, "B-cubed F1", "NMI", "seconds", title=report["data"])
    for row in report["runs"]:
        scores = (*row["pairs"].values(), row["bcubed"]["f1"], row["nmi"])
        table.add_row(
            row["clusterer"],
            f"{row['threshold']:g}",
            f"{row['grouped']} of {report['labelled']}",
            str(row["persons"]),
            str(row["clusters"]),
            *(f"{score:.3f}" for score in scores),
            f"{row['seconds']:.2f}",
        )
    # A narrow terminal wraps the lines; squeezed columns could not be read.
    Console(width=max(Console().width, _WIDTH)).print(table)
