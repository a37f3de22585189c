"""Command lines of older tools: facepipe, facerec, the mean performance per face."""

import argparse
import sys
from pathlib import Path
from typing import Any

from analyzer.commands import _facepipe, _facerec, _older
from analyzer.commands._progress import bar
from analyzer.options import AnalysisOptions, add_arguments

EPILOG = """\
docs/coming-from.md says what their words are called here. Those of inaFaceAnalyzer are understood
by analyze itself."""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser(
        "older", help=__doc__, description=__doc__, epilog=EPILOG, has_settings=False
    )
    tools = parser.add_subparsers(title="tools", metavar="TOOL", required=True)
    _facepipe.add(tools)
    _facerec.add(tools)
    posts = _older.tool(
        tools,
        "performance",
        "the mean performance of each face in the videos of a csv",
        "posts.csv -o people",
    )
    posts.set_defaults(run=run)
    posts.add_argument("table", type=Path, metavar="CSV", help="columns Video URL, Performance")
    posts.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder")
    add_arguments(posts.add_argument_group("analysis"))


def run(args: argparse.Namespace) -> int:
    """Write the mean performance of each face; 1 where a video is left out."""
    from analyzer.workflows.older import performance

    failures: list[str] = []
    given = {name: value for name, value in vars(args).items() if value is not None}
    # The older tool looked at every tenth frame.
    options = AnalysisOptions.from_mapping(given if "fps" in given else {"frame_step": 10, **given})
    with bar(args.table.name) as progress:
        done = performance.run(
            args.table, args.output, options, failed=failures.append, progress=progress
        )
    for failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    print(f"{len(done.identities)} faces -> {args.output / 'influencer_performance.csv'}")
    return 1 if failures else 0
