"""Join a server and work: `python ina_worker.py PYRO:...`; see `ina.worker`."""

import sys
from collections.abc import Sequence
from typing import Any

try:
    from ina_cli import libraries, modules, output
except ImportError as missing:
    sys.exit(f"error: {missing}: a part of this program is missing or hidden: install it again")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    output.make_usable()
    modules.require(*modules.NAMES)
    with libraries.explained(), output.printing():
        from ina import worker

        return worker.main(argv)


def make_task(local: dict[str, Any]) -> Any:
    """Return the function that turns one medium into files; see `ina.task`."""
    from ina import task

    return task.make_task(local)


if __name__ == "__main__":
    sys.exit(main())
