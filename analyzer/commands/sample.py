"""Make a sample video of 17 seconds, the truth about it, and a joblist: what the demo runs on."""

import argparse
from pathlib import Path
from typing import Any

from analyzer import registry

FOLDER_HELP = "folder for the files; the paths in its jobs.csv begin with its name (default: media)"
EPILOG = """\
Two portraits that the packages scikit-image and matplotlib carry are filmed with zooms and pans;
nothing is downloaded. pip install matplotlib scikit-image brings them.

the demo:
  python -m analyzer sample media
  ina_server localhost media/jobs.csv --fps 5 --workers 2

exit code: 0 made, 1 a file cannot be written, 2 bad usage, or a package is missing"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser(
        "sample",
        help=__doc__,
        description=__doc__,
        epilog=EPILOG,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path("media"), metavar="DIR", help=FOLDER_HELP
    )


def run(args: argparse.Namespace) -> int:
    """Make the files, and say where they are."""
    for path in registry.module("demo", "sample").write(args.folder):
        print(path)
    return 0
