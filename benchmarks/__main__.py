"""Measure what things cost on this machine.

A benchmark is a file beside this one: the first line of its docstring says what it measures, and
its ``run()`` returns figures by name, with their units in the names.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import _machine, _peers, _table

_FOLDER = Path(__file__).parent
_FIGURES = _FOLDER / "figures.json"
_README = _FOLDER.parent / "README.md"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are named, or all, and print their figures."""
    names = sorted(f.stem for f in _FOLDER.glob("*.py") if not f.stem.startswith("_"))
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=summary)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(names)} (default: all)"
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help=f"write figures, machine and versions here (default for all: {_FIGURES.name} beside "
        "the benchmarks)",
    )
    parser.add_argument("--readme", action="store_true", help="write the README's table anew")
    args = parser.parse_args(argv)
    unknown = sorted(set(args.names) - set(names))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are: {', '.join(names)}")
    machine = _machine.describe()  # now: its load is to be that of others
    results = {name: _run(name) for name in args.names or names}
    if "speed" in results:
        machine["peers"] = _peers.versions()
    target = args.json or (None if args.names else _FIGURES)
    if target:
        report = {"machine": machine, "results": results}
        target.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if "speed" in results and (args.readme or not args.names):
        _table.put(_README, _table.markdown(results["speed"], machine))
    return 0


def _run(name: str) -> dict[str, float]:
    """Run one benchmark and print its figures as a table."""
    from rich.console import Console
    from rich.table import Table

    module = importlib.import_module(f"benchmarks.{name}")
    title = (module.__doc__ or "").partition("\n")[0]
    figures: dict[str, float] = module.run()
    table = Table("figure", "value", title=f"{name}: {title}")
    for figure, value in figures.items():
        table.add_row(figure, f"{value:.3g}")
    Console().print(table)
    return figures


if __name__ == "__main__":
    sys.exit(main())
