"""Remove a person's names, embeddings and portraits from results and from an identity store."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from analyzer.commands import _changes, _identity_store
from analyzer.errors import UsageError
from analyzer.options import spellings
from ina_cli.console import console

if TYPE_CHECKING:
    from analyzer.erasure.erasure import Erasure
    from analyzer.erasure.files import ErasureResult

WHO_HELP = (
    "a name as the gallery has it; identity:17 of the store; person:3 of one medium's results"
)
RESULTS_HELP = (
    "results: folders, with all that is below; joblists, with all that is in their columns"
)

EPILOG = """\
examples:
  python -m analyzer forget "Ada Lovelace" --results results --dry_run
  python -m analyzer forget identity:17 --results jobs.csv --identities people.identities

exit code: 0 forgotten, 1 nobody found or something is left, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser(
        "forget",
        help=__doc__,
        description=__doc__,
        epilog=EPILOG,
    )
    parser.set_defaults(run=run)
    parser.add_argument("who", metavar="WHO", help=WHO_HELP)
    parser.add_argument("--results", nargs="+", default=[], metavar="PATH", help=RESULTS_HELP)
    parser.add_argument(
        "--identities", metavar="URL", help="identity store: a path, or redis://..."
    )
    _identity_store.add_key(parser)
    _changes.add(parser)
    parser.add_argument(*spellings("dry_run"), action="store_true", help="say what would be done")
    parser.add_argument("--yes", action="store_true", help="do not ask before files are changed")


def run(args: argparse.Namespace) -> int:
    """Forget a person; 1 where the person was not found, or something is left."""
    from analyzer.erasure.erasure import Erasure

    with Erasure(
        args.who,
        results=args.results,
        identities=args.identities,
        identity_key=args.identity_key,
    ) as erasure:
        return _forget(args, erasure)


def _forget(args: argparse.Namespace, erasure: "Erasure") -> int:
    if args.dry_run or not args.yes:
        entries = _print(erasure.erase(dry_run=True), erasure)
        if not entries:
            return _not_found(args, erasure)
        if args.dry_run:
            return 0
        _confirm(entries)
    account = erasure.erase(dry_run=False)
    if args.yes and not _print(account, erasure):
        return _not_found(args, erasure)
    counters = erasure.forget_stored()
    if counters:
        print(
            f"store: {counters.identities} identities left; faces: {counters.embedded} embedded, "
            f"{counters.saved} saved, {counters.forgotten} forgotten"
        )
    _changes.write(args.changes, erasure.results, account.replaced)
    for file in erasure.portraits():
        print(f"warning: {file}: the next run gives the name again: remove it", file=sys.stderr)
    return 0 if _scrub(erasure) and not account.left else 1


def _print(account: "ErasureResult", erasure: "Erasure") -> int:
    """Print what is removed and what is left; return the number of entries."""
    from rich import table

    rows = table.Table()
    rows.add_column("file", overflow="fold")
    rows.add_column("removed", overflow="fold")
    for removed in account.removed:
        rows.add_row(str(removed.path), removed.what)
    for identity in erasure.stored():
        rows.add_row(f"store: identity {identity.id}", f"centroid, {identity.faces} faces")
    if rows.row_count:
        console().print(rows)
    for left in account.left:
        print(f"left: {left.path}: {left.why}", file=sys.stderr)
    return rows.row_count + len(account.left)


def _not_found(args: argparse.Namespace, erasure: "Erasure") -> int:
    paths = ", ".join(filter(None, [*args.results, args.identities and "the identity store"]))
    target, cure = erasure.target, "check the name"
    if target.name is None:
        cure = "check the number"
    elif target.name.isdecimal():
        cure = f"it was taken for a name: write identity:{target.name} or person:{target.name}"
    print(f"error: {target} is not in {paths}: {cure}", file=sys.stderr)
    if not args.dry_run:
        # A call before may have been cut off between erasing and this.
        _scrub(erasure)
    return 1


def _scrub(erasure: "Erasure") -> bool:
    """Have files of the store written anew; returns whether that was done."""
    left = erasure.scrub()
    if left:
        print(f"left: {left}", file=sys.stderr)
    return not left


def _confirm(count: int) -> None:
    """Ask whether to go on.

    Raises:
        UsageError: The answer is no, or there is no terminal.
    """
    if not sys.stdin.isatty():
        raise UsageError("what is forgotten does not come back: add --yes, or --dry_run to look")
    if input(f"Forget this, {count} entries? It does not come back. [y/N] ").lower() != "y":
        raise UsageError("nothing was changed")
