"""Start `python -m jobs`, if its packages are found; see `jobs.commands`.

A command is a file in `jobs/commands` with `add(commands)` and `run(args) -> int`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

try:
    from ina_cli import libraries, modules, output
except ImportError as missing:
    sys.exit(f"error: {missing}: a part of this program is missing or hidden: install it again")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    output.make_usable()
    modules.require(*modules.NAMES)
    with libraries.explained(), output.printing():
        from jobs.commands import _program

        return _program.main(argv)


if __name__ == "__main__":
    sys.exit(main())
