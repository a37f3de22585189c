"""Serve a joblist to workers: `python ina_server.py HOST JOBLIST.csv`; see `ina.server`."""

import sys
from collections.abc import Sequence

try:
    from ina_cli import libraries, modules, output
except ImportError as missing:
    sys.exit(f"error: {missing}: a part of this program is missing or hidden: install it again")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    output.make_usable()
    modules.require(*modules.NAMES)
    with libraries.explained(), output.printing():
        from ina import server

        return server.main(argv)


if __name__ == "__main__":
    sys.exit(main())
