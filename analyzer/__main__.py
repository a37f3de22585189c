"""Who is on screen in videos, for how long, and with which perceived sex and age.

Each command is a file in `analyzer/commands` with `add(commands)` and `run(args) -> int`.
"""

import argparse
import sys
from collections.abc import Sequence

from analyzer import __version__, registry
from analyzer.errors import AnalyzerError

_EPILOG = """\
python -m analyzer COMMAND --help tells all about a command. The program ina-analyzer is the same.

examples:
  python -m analyzer analyze film.mp4 -o results --fps 5
  python -m analyzer models list

exit code: 0 done, 1 it failed, in whole or part, 2 bad usage, 130 stopped by Ctrl-C"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments of the command line; `None`: those of this process.

    Returns:
        Exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
    """
    args = _parser().parse_args(argv)
    try:
        return args.run(args)
    except AnalyzerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if error.kind == "usage" else 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(
        prog="python -m analyzer",
        description=summary,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in registry.names("commands"):
        registry.module("commands", name).add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
