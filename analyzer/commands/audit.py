"""How wrong the network is on an archive: draw faces, have people label them, read the labels."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.commands import _audit_tables
from analyzer.commands._progress import bars
from analyzer.errors import UsageError
from analyzer.options import spellings
from ina_cli.console import console
from ina_cli.numbers import WholeNumber

if TYPE_CHECKING:
    from analyzer.audit.audit_file import Audit

_EPILOG = """\
examples:
  python -m analyzer audit {example}

docs/audit.md has the recipe, and says when not to believe it.

exit code: {codes}"""
_AUDIT_HELP = "the file that audit draw has written"


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser("audit", help=__doc__, description=__doc__, has_settings=False)
    parts = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    _add_draw(parts)
    _add_page(parts)
    _add_report(parts)


def _part(parts: Any, name: str, text: str, example: str, codes: str) -> Any:
    epilog = _EPILOG.format(example=example, codes=codes)
    return parts.add_parser(name, help=text, description=text, epilog=epilog)


def _add_draw(parts: Any) -> None:
    text = "draw faces by lot from the reports of results, so that all groups are seen"
    codes = "0 drawn, 1 the results cannot be read, 2 bad usage"
    example = "draw results -o audit.json --catalogue films.csv --strata sex,decade"
    parser = _part(parts, "draw", text, example, codes)
    parser.set_defaults(run=draw)
    text = "folders of results, joblists or reports (.report.zip)"
    parser.add_argument("results", nargs="+", metavar="RESULTS", help=text)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE.json", help="the audit"
    )
    parser.add_argument(
        "--faces", type=WholeNumber(least=1), metavar="N", default=400,
        help="faces to draw (default: 400)",
    )  # fmt: skip
    parser.add_argument(
        "--strata", metavar="LIST", default="sex,age,size,darkness",
        help="what the faces are spread over: sex and age as predicted, size, darkness, and "
        "columns of --catalogue (default: sex,age,size,darkness)",
    )  # fmt: skip
    parser.add_argument(
        "--catalogue", type=Path, metavar="FILE.csv",
        help="a csv with source_path and further columns, such as decade: catalogue or joblist",
    )  # fmt: skip
    parser.add_argument(
        *spellings("per_person"), type=WholeNumber(least=1), metavar="N", default=1,
        help="most faces of one person of a film: those of one are alike, and tell less "
        "(default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=WholeNumber(), metavar="N", default=0,
        help="another number draws other faces (default: 0)",
    )  # fmt: skip


def _add_page(parts: Any) -> None:
    text = "make the page on which raters label the faces by one key each, without the prediction"
    codes = "0 written, 1 the audit or all media cannot be read, 2 bad usage"
    parser = _part(parts, "page", text, "page audit.json -o audit.html", codes)
    parser.set_defaults(run=page)
    parser.add_argument("audit", type=Path, metavar="AUDIT.json", help=_AUDIT_HELP)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE.html", help="the page"
    )


def _add_report(parts: Any) -> None:
    text = "read the labels: agreement, errors by group, and shares that are put right by them"
    codes = "0 read, 1 a file cannot be read, 2 bad usage"
    example = "report audit.json labels-ada.csv labels-ben.csv --write confusion.json"
    parser = _part(parts, "report", text, example, codes)
    parser.set_defaults(run=report)
    parser.add_argument("audit", type=Path, metavar="AUDIT.json", help=_AUDIT_HELP)
    text = "what the page has let one or two raters download, csv or json"
    parser.add_argument("labels", type=Path, nargs="+", metavar="LABELS", help=text)
    text = "labels of a third rater, who settles what two do not agree on (default: left out)"
    parser.add_argument("--settle", type=Path, metavar="LABELS", help=text)
    text = (
        "write all figures, and the table for --export shares:confusion=FILE.json (default: none)"
    )
    parser.add_argument("--write", type=Path, metavar="FILE.json", help=text)


def draw(args: argparse.Namespace) -> int:
    """Draw faces, and say how many of each group."""
    from analyzer.audit import audit_file, drawing

    if args.output.exists():
        raise UsageError(
            f"{args.output} is there: labels of it would be of no use any more: name another file"
        )
    wish = drawing.DrawWish(
        count=args.faces,
        strata=[name.strip() for name in args.strata.split(",") if name.strip()],
        catalogue=args.catalogue,
        per_person=args.per_person,
        seed=args.seed,
    )
    with bars() as progress:
        audit = drawing.draw(args.results, wish, progress)
    audit_file.write(audit, args.output)
    _warn(audit.notes)
    _print_draw(audit, args.output)
    return 0


def page(args: argparse.Namespace) -> int:
    """Write the page."""
    from analyzer.audit import page as pages

    notes: list[str] = []
    with bars() as progress:
        count = pages.write(args.audit, args.output, notes.append, progress)
    _warn(notes)
    print(f"{args.output}: {count} faces")
    return 0


def report(args: argparse.Namespace) -> int:
    """Print what the labels tell, and write it."""
    from analyzer.audit import report as reports

    findings = reports.of_files(args.audit, args.labels, args.settle)
    _warn(reports.notes(findings))
    stdout = console()
    for shown in _audit_tables.shown(findings):
        stdout.print(shown, highlight=False, soft_wrap=isinstance(shown, str))
    if args.write:
        reports.write(findings, args.write)
        print(args.write)
    return 0


def _warn(notes: Any) -> None:
    for note in notes:
        print(f"warning: {note}", file=sys.stderr)


def _print_draw(audit: "Audit", output: Path) -> None:
    films = len({face.uri for face in audit.faces})
    people = len({face.cluster for face in audit.faces})
    stdout = console()
    stdout.print(
        f"{len(audit.faces)} of {audit.total} faces, of {people} persons in {films} films "
        f"-> {output}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    stdout.print(_audit_tables.drawn(audit))
