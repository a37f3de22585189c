"""Start `python -m analyzer`, if its packages are found; see `analyzer.commands`.

Each command is a file in `analyzer/commands` with `add(commands)` and `run(args) -> int`.
"""

import sys
from collections.abc import Sequence

try:
    from ina_cli import libraries, modules
except ImportError as missing:
    sys.exit(f"error: {missing}: a part of this program is missing or hidden: install it again")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments of the command line; `None`: those of this process.

    Returns:
        Exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
    """
    modules.require("analyzer", "joblist")
    with libraries.explained():
        from analyzer.commands import _program

        return _program.main(argv)


if __name__ == "__main__":
    sys.exit(main())
