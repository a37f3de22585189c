"""Make further files of a report, or of a table of faces and its video, without an analysis."""

import argparse
from pathlib import Path
from typing import Any

from analyzer import registry
from analyzer.commands._progress import bar

SOURCE_HELP = (
    "a report (.report.zip), or a csv with the columns frame and bbox, as inaFaceAnalyzer's"
)
EPILOG = """\
examples:
  python -m analyzer export results/film.report.zip --export ass,vtt -o results
  python -m analyzer export film.csv --medium film.mp4 --export ass -o subtitles

exit code: 0 written, 1 something cannot be read or written, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser(
        "export",
        help=__doc__,
        description=__doc__,
        epilog=EPILOG,
    )
    parser.set_defaults(run=run)
    parser.add_argument("source", type=Path, metavar="SOURCE", help=SOURCE_HELP)
    parser.add_argument("--medium", metavar="VIDEO", help="the video of a csv")
    parser.add_argument(
        "--export",
        required=True,
        metavar="LIST",
        help=f"what to write: {', '.join(registry.names('export'))}",
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the files")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace files of another medium of that name"
    )


def run(args: argparse.Namespace) -> int:
    """Write the files, and print their paths."""
    from analyzer.workflows import further_files

    with bar(args.source.name) as progress:
        files = further_files.write(
            args.source,
            medium=args.medium,
            exports=registry.split(args.export),
            output=Path(args.output),
            overwrite=args.overwrite,
            progress=progress,
        )
    for file in files:
        print(file)
    return 0
