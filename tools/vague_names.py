"""Count vague local names: how many of 1,000 bound names say nothing of what they hold.

::

    python tools/vague_names.py [--list] [PATH ...]

A bound name is a parameter, or a name that an assignment, a loop, a `with`, an `except` or a
comprehension binds inside a function.
"""

import argparse
import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("analyzer", "ina", "ina_cli", "ina_input", "ina_web", "joblist", "jobs")
VAGUE = frozenset(
    {
        *("found", "known", "wanted", "told", "seen", "kept", "made", "said"),
        *("one", "place", "who"),
    }
)
LIMIT = 15.0
"""Of 1,000 bound names."""


def bound_names(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and name of every name that a function of a file binds."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.Lambda)]
    names: dict[int, tuple[int, str]] = {}
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.arg) and node.arg not in ("self", "cls"):
                names[id(node)] = (node.lineno, node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names[id(node)] = (node.lineno, node.id)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                names[id(node)] = (node.lineno, node.name)
    yield from names.values()


def files(paths: list[Path]) -> list[Path]:
    """Return the Python files in files and folders, sorted."""
    return sorted(
        file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))
    )


def share(paths: list[Path]) -> tuple[float, Counter[str], int]:
    """Return vague names per 1,000, the count of each vague name, and the count of all names."""
    names = [name for file in files(paths) for _, name in bound_names(file)]
    vague = Counter(name for name in names if name in VAGUE)
    return 1000 * vague.total() / max(1, len(names)), vague, len(names)


def main() -> int:
    """Print the figure; 1 if it is above the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument("--list", action="store_true", help="show where each vague name stands")
    args = parser.parse_args()
    paths = args.paths or [ROOT / package for package in PACKAGES]
    if args.list:
        for file in files(paths):
            for line, name in bound_names(file):
                if name in VAGUE:
                    print(f"{file}:{line}: {name}")
    figure, vague, total = share(paths)
    shown = ", ".join(f"{name} {count}" for name, count in vague.most_common())
    print(f"{figure:.1f} of 1,000 bound names are vague ({total} names; {shown})")
    return figure >= LIMIT


if __name__ == "__main__":
    sys.exit(main())
