"""Measure how right the models are on labelled pictures, videos and tracks."""

import argparse
from pathlib import Path
from typing import Any

from analyzer import registry
from analyzer.commands import _clustering, _figures
from analyzer.errors import UsageError
from analyzer.options import AnalysisOptions, spellings
from ina_cli.numbers import RealNumber, WholeNumber

EPILOG = """\
examples:
  python -m analyzer evaluate attributes --data fairface/ --json figures.json --html figures.html
  python -m analyzer evaluate attributes --data fairface/ --first 500 --disturbances none
  python -m analyzer evaluate attributes --people media/people.csv

exit code: 0 measured, 1 the data cannot be read, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser("evaluate", help=__doc__, description=__doc__, has_settings=False)
    parts = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    _clustering.add(parts)
    text = "perceived sex, age and ethnicity: by group, face size, disturbance and labels"
    heads = parts.add_parser("attributes", help=text, description=text, epilog=EPILOG)
    heads.set_defaults(run=run)
    _add_data(heads)
    _figures.add_files(heads)
    heads.add_argument(
        "--write", type=Path, metavar="FILE", help="put the tables into this Markdown document"
    )
    heads.add_argument(
        "--describer",
        default="dlib_resnet",
        metavar="SPEC",
        help="networks to measure (default: dlib_resnet)",
    )
    heads.add_argument(
        *spellings("min_sex_age"),
        type=RealNumber(),
        default=AnalysisOptions().min_sex_age,
        metavar="YEARS",
        help="count the labels of sex that an analysis with this value gives (default: its own)",
    )
    heads.add_argument(
        *spellings("min_sex_confidence"),
        type=RealNumber(most=1),
        default=AnalysisOptions().min_sex_confidence,
        metavar="P",
        help="count the labels of sex that an analysis with this value gives (default: its own)",
    )
    _figures.add_means(heads)
    _figures.add_precision(heads)


def _add_data(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which faces are described, and by which labels they are counted."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="labelled pictures")
    parser.add_argument(
        "--people", type=Path, metavar="CSV", help="labelled people in videos, as media/people.csv"
    )
    parser.add_argument(
        "--layout",
        default="fairface",
        choices=registry.names("datasets"),
        help="how DIR is laid out (default: fairface)",
    )
    parser.add_argument(
        "--split", default="val", metavar="NAME", help="part of FairFace (default: val)"
    )
    parser.add_argument(
        "--first", type=WholeNumber(least=1), metavar="N", help="the first pictures (default: all)"
    )
    parser.add_argument(
        *spellings("labels_as"),
        default="raw",
        choices=("raw", "corrected", "cleaned"),
        help="count by the labels as they are; with those corrected that two raters found wrong; "
        "besides, without those that neither could tell (default: raw, the others beside it)",
    )
    parser.add_argument(
        "--disturbances",
        default="all",
        metavar="NAMES",
        help="disturb the pictures, too: all, none, or names with semicolons (default: all)",
    )


def run(args: argparse.Namespace) -> int:
    """Measure the attributes, print the tables, and write the files."""
    from analyzer.commands import _attributes, _progress

    if not (args.data or args.people):
        raise UsageError("give --data, --people or both")
    page = _figures.page(args, "attributes") if args.data else None
    _attributes.check(args)  # before minutes of work, not behind them
    with _progress.bars() as progress:
        report = _attributes.report(args, progress)
    _figures.show(report, f"{args.data.name} ({args.layout})" if args.data else "")
    _attributes.show(report)
    _figures.save(args, report, page)
    _attributes.write(args, report)
    return 0
