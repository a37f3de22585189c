"""Apply the corrections of a review page to results, or take them back."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.commands import _changes, _identity_store
from analyzer.errors import UsageError
from analyzer.options import spellings
from ina_cli.console import console

if TYPE_CHECKING:
    from analyzer.results.locate import Results
    from analyzer.review.amend import CorrectionResult, Review

RESULTS_HELP = (
    "a report (.report.zip), with what lies beside it under its name; or a folder or joblist, in "
    "which the medium is looked for"
)
FORCE_HELP = (
    "apply corrections of another analysis, or of a medium that was renamed, by their boxes"
)
REVERT_HELP = "take all corrections back: the results are as they were analysed"

IDENTITIES_HELP = (
    "identity store of the medium: a path, redis://..., or @FILE; it gets the names that were "
    "given, and the files get those that it has"
)

EPILOG = """\
examples:
  python -m analyzer correct results/film.report.zip corrections.json
  python -m analyzer correct results/film.report.zip --revert

exit code: 0 corrected, 1 not, or some file could not be made again, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser(
        "correct",
        help=__doc__,
        description=__doc__,
        epilog=EPILOG,
    )
    parser.set_defaults(run=run)
    parser.add_argument("results", metavar="RESULTS", help=RESULTS_HELP)
    parser.add_argument(
        "corrections", nargs="?", type=Path, metavar="CORRECTIONS.json", help="what the page saved"
    )
    parser.add_argument("--revert", action="store_true", help=REVERT_HELP)
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    parser.add_argument(*spellings("dry_run"), action="store_true", help="say what would be done")
    parser.add_argument("--identities", metavar="STORE", help=IDENTITIES_HELP)
    _identity_store.add_key(parser)
    _changes.add(parser)


def run(args: argparse.Namespace) -> int:
    """Correct the results of one medium; 1 where a file could not be made again."""
    from analyzer.review.amend import Review

    if args.revert == (args.corrections is not None):
        raise UsageError("give a file of corrections, or --revert, which takes them back")
    review = Review(args.results, args.corrections, force=args.force)
    account = _amend(review, args)
    _print(account, review.medium)
    if not args.dry_run:
        _changes.write(args.changes, review.results, account.replaced)
    joblists = review.results.joblists
    if joblists and not review.medium.is_listed and account.report.corrections:
        print(
            f"kept in {review.medium.corrections}: name it in a column corrections of "
            f"{joblists[0]}, so that they are made again when the medium is analysed again"
        )
    return 1 if any(file.fault for file in account.files) else 0


def _amend(review: "Review", args: argparse.Namespace) -> "CorrectionResult":
    """Correct the results, and tell the identity store, where there is one."""
    if args.identities is None:
        return review.amend(dry_run=args.dry_run)
    from analyzer.workflows.archive.names import amend_with_store

    return amend_with_store(
        review,
        args.identities,
        key_file=args.identity_key,
        dry_run=args.dry_run,
        told=print,
        refused=lambda text: print(f"warning: {text}", file=sys.stderr),
    )


def _print(account: "CorrectionResult", medium: "Results") -> None:
    """Print the corrections, the persons on screen now, and the changed files."""
    from rich import table

    rows = table.Table("", "correction", "")
    for number, step in enumerate(account.steps, start=1):
        when = "before" if number <= account.earlier else ""
        rows.add_row(str(number), str(step.correction), f"made {when}".strip())
        if step.doubt:
            print(f"warning: {step.correction}: {step.doubt}", file=sys.stderr)
        if step.fault:
            print(f"warning: {step.correction}: not made: {step.fault}", file=sys.stderr)
    if account.steps:
        console().print(rows)
    else:
        print("no corrections are left: everything is as it was analysed")
    before, after = account.before, account.report
    faces = len(before.observations), len(after.observations)
    print(
        f"{after.info.uri}: persons {len(before.persons)} -> {len(after.persons)}, "
        f"faces {faces[0]} -> {faces[1]}"
    )
    for file in account.files:
        if not file.fault:
            print(file.path)
    for file in account.files:
        if file.fault:
            print(f"left: {file.path}: could not be made again: {file.fault}", file=sys.stderr)
    if not account.files:
        print(f"nothing is new: {medium.files['report']} has these corrections")
