"""Remove a person's names, embeddings and portraits from results and from an identity store."""

import argparse
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.commands import _changes
from analyzer.errors import AnalyzerError, UsageError
from analyzer.options import spellings

if TYPE_CHECKING:
    from analyzer.erasure.files import ErasureResult
    from analyzer.erasure.strip import ErasureTarget
    from analyzer.identities import IdentityStore
    from analyzer.results.locate import Found

WHO_HELP = (
    "a name as the gallery has it; identity:17 of the store; person:3 of one medium's results"
)
RESULTS_HELP = (
    "results: folders, with all that is below; joblists, with all that is in their columns"
)
COLLECT = "made of reports: run `python -m analyzer collect` again, which replaces all of it"

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
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument("who", metavar="WHO", help=WHO_HELP)
    parser.add_argument("--results", nargs="+", default=[], metavar="PATH", help=RESULTS_HELP)
    parser.add_argument(
        "--identities", metavar="URL", help="identity store: a path, or redis://..."
    )
    _changes.add(parser)
    parser.add_argument(*spellings("dry_run"), action="store_true", help="say what would be done")
    parser.add_argument("--yes", action="store_true", help="do not ask before files are changed")


def run(args: argparse.Namespace) -> int:
    """Forget somebody; 1 where nobody was found, or something is left."""
    from analyzer.identities.address import open_store
    from analyzer.results import locate

    target = _wanted(args)
    results = locate.find(args.results)
    if target.person_id is not None and len(results.results) != 1:
        raise UsageError(
            f"person:{target.person_id} is a number of one medium, and there are results of "
            f"{len(results.results)}: give the files of one"
        )
    store = open_store(args.identities, settings=None) if args.identities else None
    try:
        return _forget(args, target, results, store)
    finally:
        if store:
            store.close()


def _wanted(args: argparse.Namespace) -> "ErasureTarget":
    """Who is to be forgotten.

    Raises:
        UsageError: that, or where, is not said.
    """
    from analyzer.erasure.strip import ErasureTarget

    if not args.results and not args.identities:
        raise UsageError("forget where? give --results PATH..., --identities URL, or both")
    numbered = re.fullmatch(r"(identity|person):(\d+)", args.who)
    if not args.who.strip():
        raise UsageError("who is to be forgotten? give a name, identity:17 or person:3")
    if not numbered and not args.results:
        raise UsageError(
            "an identity store has no names: give --results, with reports that have it, or the "
            "number, identity:17"
        )
    if numbered and numbered[1] == "identity":
        if not args.identities:
            raise UsageError(f"{args.who} is a number of an identity store: give --identities URL")
        return ErasureTarget(identities=frozenset([int(numbered[2])]))
    return ErasureTarget(person_id=int(numbered[2])) if numbered else ErasureTarget(name=args.who)


def _forget(
    args: argparse.Namespace,
    target: "ErasureTarget",
    results: "Found",
    store: "IdentityStore | None",
) -> int:
    if store and not target.identities:
        target = replace(target, identities=_identities(target, results, store))
    if args.dry_run or not args.yes:
        account = _erase(target, results, store, dry_run=True)
        identity_count = _tell(account, target, store)
        if not identity_count:
            return _nobody(args, target)
        if args.dry_run:
            return 0
        _confirm(identity_count)
    account = _erase(target, results, store, dry_run=False)
    identity_count = _tell(account, target, store) if args.yes else 1
    if not identity_count:
        return _nobody(args, target)
    if store and target.identities:
        # Last: until then, a call that was cut off finds the same people again.
        store.forget(target.identities)
        counters = store.counters()
        print(
            f"store: {counters.identities} identities left; faces: {counters.embedded} embedded, "
            f"{counters.saved} saved, {counters.forgotten} forgotten"
        )
    _changes.write(args.changes, results, account.replaced)
    _warn(target, results)
    return 1 if account.left else 0


def _identities(
    target: "ErasureTarget", results: "Found", store: "IdentityStore"
) -> frozenset[int]:
    """Return the identities of the store that are the person, by mean embeddings of all reports."""
    from analyzer.erasure import strip
    from analyzer.reports import report_file

    ids = set()
    for medium in results.results:
        if "report" in medium.files:
            report = report_file.load(medium.files["report"])
            looked_up = strip.look_up(report, store)
            persons = strip.persons_in(report, target, None)
            ids |= {looked_up[person][0] for person in persons if person in looked_up}
    return frozenset(ids)


def _erase(
    target: "ErasureTarget", results: "Found", store: "IdentityStore | None", *, dry_run: bool
) -> "ErasureResult":
    """Forget somebody in all results; what cannot be done in one medium stops no other."""
    from analyzer.erasure import search
    from analyzer.erasure.files import ErasureResult, Left, Removed, erase
    from analyzer.gallery import folder as gallery

    account = ErasureResult()
    for medium in results.results:
        try:
            erase(medium, target, store, account, dry_run=dry_run)
        except AnalyzerError as error:
            account.left.append(Left(Path(medium.name), f"nothing was changed: {error}"))
    collected = {path.parent for path in results.others if path.name == "crops.zip"}
    for path in results.others:
        if not collected & {path.parent, path.parent.parent} and search.contains_name(
            path, target.name
        ):
            account.left.append(Left(path, "has the name in it, and is no result: see to it"))
    for folder in sorted(collected):
        named = any(search.contains_name(table, target.name) for table in folder.glob("*.csv"))
        if named or (target.name is None and account.removed):
            account.left.append(Left(folder, COLLECT))
    for file in gallery.cached_with(target.name) if target.name else ():
        account.removed.append(Removed(file, "embeddings of a gallery, which are made again"))
        if not dry_run:
            file.unlink(missing_ok=True)
    return account


def _tell(account: "ErasureResult", target: "ErasureTarget", store: "IdentityStore | None") -> int:
    """Print what is removed and what is left; returns how many entries there are."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    identities = [store.get(number) for number in sorted(target.identities)] if store else []
    in_store = [identity for identity in identities if identity]
    table = Table()
    table.add_column("file", overflow="fold")
    table.add_column("removed", overflow="fold")
    for removed in account.removed:
        table.add_row(escape(str(removed.path)), removed.what)
    for identity in in_store:
        table.add_row(f"store: identity {identity.id}", f"centroid, {identity.faces} faces")
    if table.row_count:
        Console().print(table)
    for left in account.left:
        print(f"left: {left.path}: {left.why}", file=sys.stderr)
    return table.row_count + len(account.left)


def _nobody(args: argparse.Namespace, target: "ErasureTarget") -> int:
    places = ", ".join(filter(None, [*args.results, args.identities and "the identity store"]))
    cure = "check the name"
    if target.name is None:
        cure = "check the number"
    elif target.name.isdecimal():
        cure = f"it was taken for a name: write identity:{target.name} or person:{target.name}"
    print(f"error: {target} is not in {places}: {cure}", file=sys.stderr)
    return 1


def _confirm(count: int) -> None:
    """Ask whether to go on.

    Raises:
        UsageError: no, or there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise UsageError("what is forgotten does not come back: add --yes, or --dry_run to look")
    if input(f"Forget this, {count} entries? It does not come back. [y/N] ").lower() != "y":
        raise UsageError("nothing was changed")


def _warn(target: "ErasureTarget", results: "Found") -> None:
    """Name the portraits by which the next run would know the person again."""
    from analyzer.gallery import folder as gallery

    folders = {medium.gallery for medium in results.results if medium.gallery}
    for folder in sorted(folders) if target.name else ():
        for file in gallery.portraits_of(target.name or "", folder):
            print(f"warning: {file}: the next run gives the name again: remove it", file=sys.stderr)
