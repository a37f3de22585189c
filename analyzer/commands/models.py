"""List the model files that this package uses, and check them."""

import argparse
import sys
from typing import Any

from analyzer import weights
from analyzer.errors import AnalyzerError


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser("models", help=__doc__, description=__doc__)
    parts = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    text = "print every model: what it does, its size, licence and source"
    parts.add_parser("list", help=text, description=text).set_defaults(run=list_models)
    text = "compare every model's file with its published sha256"
    parts.add_parser("verify", help=text, description=text).set_defaults(run=verify)


def list_models(_: argparse.Namespace) -> int:
    """Print the table of models."""
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for title in ("model", "what it does", "MB", "licence", "comes with", "published at"):
        table.add_column(title, overflow="fold")
    for model in weights.MODELS.values():
        megabytes = f"{model.size / 1e6:.1f}"
        table.add_row(
            model.name, model.about, megabytes, model.licence, model.package, model.source
        )
    Console().print(table)
    return 0


def verify(_: argparse.Namespace) -> int:
    """Check every model; 1 if one is missing or altered."""
    failed = 0
    for name in weights.MODELS:
        try:
            print(f"{name}: {weights.locate(name)}")
        except AnalyzerError as error:
            failed += 1
            print(f"{name}: {error}", file=sys.stderr)
    return 1 if failed else 0
