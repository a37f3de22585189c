"""Apply the corrections of a review page to results, or take them back."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.commands import _changes
from analyzer.errors import UsageError
from analyzer.options import spellings

if TYPE_CHECKING:
    from analyzer.results.locate import Found, Results
    from analyzer.review.amend import CorrectionResult
    from analyzer.types.corrections import CorrectionsDocument

RESULTS_HELP = (
    "a report (.report.zip), with what lies beside it under its name; or a folder or joblist, in "
    "which the medium is looked for"
)
FORCE_HELP = (
    "apply corrections of another analysis, or of a medium that was renamed, by their boxes"
)
REVERT_HELP = "take all corrections back: the results are as they were analysed"
_REPORT = ".report.zip"

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
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument("results", metavar="RESULTS", help=RESULTS_HELP)
    parser.add_argument(
        "corrections", nargs="?", type=Path, metavar="CORRECTIONS.json", help="what the page saved"
    )
    parser.add_argument("--revert", action="store_true", help=REVERT_HELP)
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    parser.add_argument(*spellings("dry_run"), action="store_true", help="say what would be done")
    _changes.add(parser)


def run(args: argparse.Namespace) -> int:
    """Correct the results of one medium; 1 where a file could not be made again."""
    from analyzer.reports import corrections_file
    from analyzer.results import locate as results
    from analyzer.review import amend

    if args.revert == (args.corrections is not None):
        raise UsageError("give a file of corrections, or --revert, which takes them back")
    document = corrections_file.read(args.corrections) if args.corrections else None
    if args.results.endswith(_REPORT) and Path(args.results).is_file():
        results_found = results.Found(results=[results.beside(Path(args.results))])
    else:
        results_found = results.find([args.results])
    medium = _medium(args.results, results_found, document)
    if document:
        amend.require_source(medium, document, force=args.force)
    corrections = document.corrections if document else None
    account = amend.amend(medium, corrections, dry_run=args.dry_run)
    _tell(account, medium)
    if not args.dry_run:
        _changes.write(args.changes, results_found, account.replaced)
    if results_found.joblists and not medium.is_listed and account.report.corrections:
        print(
            f"kept in {medium.corrections}: name it in a column corrections of "
            f"{results_found.joblists[0]}, so that they are made again when the medium is analysed "
            "again"
        )
    return 1 if any(file.fault for file in account.files) else 0


def _medium(path: str, results_found: "Found", document: "CorrectionsDocument | None") -> "Results":
    """The results that are to be corrected.

    Raises:
        UsageError: there are none, or several that may be meant.
    """
    from analyzer.reports import report_file

    medium = [results for results in results_found.results if "report" in results.files]
    if not medium:
        raise UsageError(
            f"{path}: no report there: give the joblist a column dest_report, or analyze "
            "--export report, and run it"
        )
    if len(medium) > 1 and document:
        uris = {
            results.name: report_file.summary(results.files["report"]).info.uri
            for results in medium
        }
        medium = [r for r in medium if Path(uris[r.name]).name == document.name]
        medium = [r for r in medium if uris[r.name] == document.uri] or medium
        if not medium:
            raise UsageError(f"{path}: no report of {document.name} there: give its .report.zip")
    if len(medium) > 1:
        names = ", ".join(str(results.files["report"]) for results in medium[:5])
        raise UsageError(f"{path}: {len(medium)} reports may be meant ({names}): give one of them")
    return medium[0]


def _tell(account: "CorrectionResult", medium: "Results") -> None:
    """Print what was corrected, who is on screen now, and which files are others."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "correction", "")
    for number, step in enumerate(account.steps, start=1):
        when = "before" if number <= account.earlier else ""
        table.add_row(str(number), escape(str(step.correction)), f"made {when}".strip())
        if step.doubt:
            print(f"warning: {step.correction}: {step.doubt}", file=sys.stderr)
        if step.fault:
            print(f"warning: {step.correction}: not made: {step.fault}", file=sys.stderr)
    console = Console()
    if account.steps:
        console.print(table)
    else:
        print("no corrections are left: everything is as it was analysed")
    before, after = account.before, account.report
    rows = len(before.observations), len(after.observations)
    print(
        f"{after.info.uri}: persons {len(before.persons)} -> {len(after.persons)}, "
        f"faces {rows[0]} -> {rows[1]}"
    )
    for file in account.files:
        if not file.fault:
            print(file.path)
    for file in account.files:
        if file.fault:
            print(f"left: {file.path}: could not be made again: {file.fault}", file=sys.stderr)
    if not account.files:
        print(f"nothing is new: {medium.files['report']} has these corrections")
