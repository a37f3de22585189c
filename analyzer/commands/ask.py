"""Ask all parquet results of a folder, in SQL or by a prepared question."""

import argparse
import sys
from pathlib import Path
from typing import Any

from analyzer import registry
from analyzer.errors import UsageError
from ina_cli.console import console
from ina_cli.escapes import as_it_is
from ina_cli.numbers import WholeNumber

_ROWS = 50
EPILOG = """\
examples:
  python -m analyzer ask --list
  python -m analyzer ask results alone_on_screen sex=f over=50
  python -m analyzer ask results "SELECT medium, count(*) FROM faces GROUP BY medium"
  python -m analyzer ask results together -o together.csv

exit code: 0 answered, 1 no results, or they cannot be read, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser("ask", help=__doc__, description=__doc__, epilog=EPILOG)
    parser.set_defaults(run=run)
    parser.add_argument(
        "folder", nargs="?", type=Path, metavar="RESULTS", help="folder with parquet results"
    )
    parser.add_argument(
        "question",
        nargs="?",
        metavar="QUESTION",
        help="a prepared question of --list; or one SELECT, in quotes, of the views faces, "
        "persons, shots, appearances and media",
    )
    parser.add_argument(
        "arguments", nargs="*", metavar="NAME=VALUE", help="arguments of a prepared question"
    )
    parser.add_argument("--list", action="store_true", help="show the prepared questions")
    parser.add_argument(
        "--catalogue",
        type=Path,
        metavar="FILE.csv",
        help="facts of the media for the view media: a column source_path, and any others",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write to .csv, .json or .parquet"
    )
    parser.add_argument(
        "--format",
        choices=("table", "csv", "json"),
        default="table",
        help="how it is printed without --output (default: table)",
    )
    parser.add_argument(
        "--limit",
        type=WholeNumber(),
        default=_ROWS,
        metavar="N",
        help=f"rows of a printed table, 0: all (default: {_ROWS})",
    )


def run(args: argparse.Namespace) -> int:
    """Print or write the answer."""
    if args.list:
        _print_questions()
        return 0
    if args.folder is None or args.question is None:
        raise UsageError("ask needs RESULTS and QUESTION; --list shows the prepared questions")
    sql, outputs = (registry.module("ask", name) for name in ("sql", "outputs"))
    if args.output is not None:
        outputs.require_new(args.output, args.folder)
    with sql.answered(args.folder, args.question, args.arguments, args.catalogue) as answer_notes:
        answer, notes = answer_notes
        for note in notes:
            print(f"note: {note}", file=sys.stderr)
        if args.output is not None:
            outputs.write(answer, args.output)
            print(args.output)
        elif args.format == "table":
            _print_table(answer.columns, *outputs.first_rows(answer, args.limit))
        else:
            outputs.TO_STREAM[args.format](answer, as_it_is(sys.stdout))
    return 0


def _print_table(columns: list[str], rows: list[list[str]], more: bool) -> None:
    from rich import table

    shown = table.Table(*columns)
    for row in rows:
        shown.add_row(*row)
    console().print(shown)
    if more:
        print(f"the first {len(rows)} rows: --limit 0 shows all, --output FILE writes all")


def _print_questions() -> None:
    from rich import table

    shown = table.Table("question", "what it tells", "arguments")
    for question in registry.module("ask", "questions").ALL.values():
        given = (f"{a.name}={_default(a.default)}: {a.help}" for a in question.arguments)
        shown.add_row(question.name, question.help, "\n".join(given))
    console().print(shown)


def _default(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
