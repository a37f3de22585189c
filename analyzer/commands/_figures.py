"""Figures as files, and those of attributes as tables."""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import registry
from analyzer.files.atomic import writing
from analyzer.options import PRECISIONS, spellings
from ina_cli.console import console
from ina_cli.numbers import WholeNumber

if TYPE_CHECKING:
    from analyzer.pages import Page

_NAMES = {
    "sex_accuracy": "sex",
    "sex_given": "sex given",
    "sex_given_accuracy": "of these right",
    "age_accuracy": "age bin",
    "age_one_off": "age, one bin off",
    "age_mae_years": "age MAE",
    "age_rmse_years": "age RMSE",
    "age_held": "age in interval",
    "age_width_years": "its width",
    "ethnicity_accuracy": "ethnicity",
}


def add_files(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the files."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots here")


def add_means(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what the networks run on, and how many pictures at a time."""
    text = "where the networks run: auto, cpu, cuda, cuda:N (default: auto)"
    parser.add_argument("--device", default="auto", metavar="VALUE", help=text)
    text = "pictures a batch; changes speed and memory (default: 32)"
    parser.add_argument(
        *spellings("batch_size"), type=WholeNumber(least=1), default=32, metavar="N", help=text
    )


def add_precision(parser: argparse.ArgumentParser) -> None:
    """Add the option that says with which numbers the networks compute."""
    text = "arithmetic of the networks: exact, or fast (default: exact)"
    parser.add_argument("--precision", choices=PRECISIONS, default=PRECISIONS[0], help=text)


def page(args: argparse.Namespace, name: str) -> "Page | None":
    """Load the page that was asked for, before anything is measured: its library may be missing."""
    return registry.module("pages", name).create() if args.html else None


def save(args: argparse.Namespace, report: Mapping[str, Any], page: "Page | None") -> None:
    """Write the files that were asked for.

    Raises:
        ResourceError: One cannot be written.
    """
    if args.json:
        _write(args.json, json.dumps(report, indent=1) + "\n")
    if page:
        _write(args.html, page.render(report))


def _write(path: Path, text: str) -> None:
    with writing(path):
        path.write_text(text, encoding="utf-8")


def show(report: Mapping[str, Any], title: str) -> None:
    """Print the figures by face size, and at full size by group, on standard output."""
    from rich import table

    if "sizes" not in report:
        return
    sizes = report["sizes"]
    full = next(iter(sizes))
    shown = [name for name in _NAMES if name in sizes[full]["overall"]]
    rows = table.Table("", "faces", *(_NAMES[name] for name in shown), title=title)
    for label, row in _rows(sizes, full):
        rows.add_row(label, str(row["count"]), *(_cell(name, row[name]) for name in shown))
    console().print(rows)


def _rows(sizes: Mapping[str, Any], full: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for size, figures in sizes.items():
        yield f"{size} px", figures["overall"]
    for head, groups in sizes[full]["groups"].items():
        for name, row in groups.items():
            yield name if head == "ages" else f"{head} {name}", row


def _cell(name: str, figure: Mapping[str, float] | None) -> str:
    """Return the value, and half the width of its interval."""
    if figure is None:
        return ""
    half = (figure["high"] - figure["low"]) / 2
    if name.endswith("years"):
        return f"{figure['value']:.1f} ± {half:.1f}"
    return f"{100 * figure['value']:.1f} ± {100 * half:.1f}"
