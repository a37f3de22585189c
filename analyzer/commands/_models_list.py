"""`models list`: all models in families, for people and for programs."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from analyzer.errors import AnalyzerError
from analyzer.weights import locate
from analyzer.weights.catalogue import Model
from ina_cli.escapes import as_it_is

_FIELDS = ("about", "licence", "source", "package", "address", "file", "sha256")
"""What is the same for programs as in the catalogue."""


def show(*, measure: bool, as_json: bool) -> None:
    """Print all models.

    Args:
        measure: Whether to measure how long one picture takes.
        as_json: Whether to print JSON, not a list for people.
    """
    entries = [_entry(model, measure=measure) for model in locate.everything().values()]
    if as_json:
        print(json.dumps(entries, indent=1), file=as_it_is(sys.stdout))
        return
    width = _width()
    print("\n".join(_wrapped(line, width) for line in lines(entries)))


def lines(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of the list: what a family is for, where it comes from, and its members.

    Args:
        entries: Models, as `--json` prints them.
    """
    name_width = max(len(entry["name"]) for entry in entries)
    for _, members in groupby(entries, lambda e: (e["about"], e["licence"], e["source"])):
        family = list(members)
        first = family[0]
        yield f"{first['about']} ({first['licence']})"
        if first["source"]:
            yield f"  {first['source']}"
        if first["package"]:
            yield f"  in the package {first['package']}"
        for entry in family:
            size = f"{entry['size'] / 1e6:.1f} MB" if entry["size"] else ""
            here = "here" if entry["here"] else "not here"
            speed = entry.get("speed", "")
            yield f"    {entry['name']:<{name_width}} {size:>8}  {here:<8} {speed}".rstrip()
        yield ""
    count = sum(entry["here"] for entry in entries)
    yield f"{len(entries)} models, {count} of them here; models fetch NAME gets others"


def _wrapped(line: str, width: int) -> str:
    """Return a line in as many as it needs; words and addresses stay whole."""
    text = line.lstrip()
    indent = " " * (len(line) - len(text))
    return textwrap.fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def path_of(model: Model) -> Path | None:
    """Return the path of a model's file; `None` if it is not here."""
    try:
        return locate.find(model)
    except AnalyzerError:
        return None


def _entry(model: Model, *, measure: bool) -> dict[str, Any]:
    """Return what is known of a model, as JSON-able values."""
    path = path_of(model)
    entry: dict[str, Any] = {
        "name": model.name,
        **{name: getattr(model, name) for name in _FIELDS},
        "size": path.stat().st_size if path else model.size,
        "here": path is not None,
        "path": path and str(path),
    }
    return {**entry, "speed": _speed(path)} if measure else entry


def _speed(path: Path | None) -> str:
    """Return milliseconds for a picture and the picture's size; empty if it cannot be measured."""
    from analyzer.inference.measure import milliseconds

    return f"{milliseconds(path)} ms" if path and path.suffix == ".onnx" else ""


def _width() -> int:
    """Return the width for lines: a file gets them whole."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return max(40, shutil.get_terminal_size().columns)
    return 1000
