"""Start `python -m analyzer`, if its packages are found; see `analyzer.commands`.

Each command is a file in `analyzer/commands` with `add(commands)` and `run(args) -> int`.
"""

import sys

try:
    from ina_cli import libraries, modules, output
except ImportError as missing:
    sys.exit(f"error: {missing}: a part of this program is missing or hidden: install it again")

output.make_usable()
modules.require("analyzer", "ina_input", "ina_web", "joblist")
with libraries.explained():
    from analyzer.commands._program import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
