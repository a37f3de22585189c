"""Parts of `identities` that ask who is the same, and learn from the answers."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from analyzer.commands import _identities_tables
from analyzer.commands._identities_parts import (
    PERSON_HELP,
    add_by,
    add_limit,
    add_part,
    print_event,
)
from ina_cli.numbers import RealNumber

if TYPE_CHECKING:
    from analyzer.workflows.archive.learning import ThresholdProposal
    from analyzer.workflows.archive.session import ArchiveSession

_OFFERED = 20
_BAR = 20
"""Width of the longest bar of a chart, in characters."""
_SURE_HELP = "probability above which two are to be one, from 0.5 to 0.99 (default: 0.5)"
_WITHIN_HELP = "largest distance of a pair (default: 1.5 times the threshold)"


def add(parts: Any) -> None:
    """Add the parts."""
    text = "print pairs of people who may be one, the nearest first: `same` or `different` answers"
    part = add_part(parts, "suggest", text, "suggest people.identities --limit 10", suggest)
    part.add_argument(
        "--within", type=RealNumber(least=0, most=1.4), metavar="D", help=_WITHIN_HELP
    )
    add_limit(part, rows=_OFFERED)
    text = "say that two are one person, as `suggest` asks; `merge` for two that it does not offer"
    part = add_part(parts, "same", text, "same people.identities 17 42", say_same)
    part.add_argument("person", metavar="PERSON", help=PERSON_HELP)
    part.add_argument("other", metavar="OTHER", help="the other person, as before")
    text = "print the threshold that answers teach, and what it would change"
    part = add_part(parts, "threshold", text, "threshold people.identities --apply", threshold)
    part.add_argument(
        "--sure", type=RealNumber(least=0.5, most=0.99), default=0.5, metavar="P", help=_SURE_HELP
    )
    part.add_argument("--apply", action="store_true", help="match people with it from now on")
    add_by(part)


def suggest(args: argparse.Namespace, session: "ArchiveSession") -> int:
    """Print who may be one."""
    learning = session.learning
    pairs = learning.suggest(limit=args.limit, within=args.within)
    rows = [asdict(pair) for pair in pairs]
    _identities_tables.print_rows(rows, args.format, nothing="no pair to ask about")
    if args.format == "table" and learning.is_partial():
        print("a large archive: those seen most were compared with all others")
    return 0


def say_same(args: argparse.Namespace, session: "ArchiveSession") -> int:
    """Confirm a suggestion."""
    return print_event(session.confirm(args.person, args.other))


def threshold(args: argparse.Namespace, session: "ArchiveSession") -> int:
    """Print the threshold that answers teach, and set it if that is wanted."""
    proposal = session.learning.propose(sure=args.sure)
    curve = [asdict(step) for step in proposal.learnt.steps]
    if args.format == "json":
        _identities_tables.print_json(asdict(proposal))
    elif args.format == "csv":
        _identities_tables.print_rows(curve, args.format)
    else:
        _print_proposal(proposal, curve)
    if args.apply:
        event = session.learning.set_threshold(proposal.learnt.threshold)
        if args.format == "table":
            print_event(event)
    elif args.format == "table":
        print("nothing has changed yet: --apply matches people with it, undo takes it back")
    return 0


def _print_proposal(proposal: "ThresholdProposal", curve: list[dict[str, Any]]) -> None:
    learnt, change = proposal.learnt, proposal.change
    print(
        f"threshold {learnt.threshold:g} (95 %: {learnt.low:g} to {learnt.high:g}), now "
        f"{proposal.now:g}; {learnt.confirmed} pairs confirmed, {learnt.refused} refused, "
        f"{learnt.wrong} of them on the wrong side of it"
    )
    bars = [{**step, "": "█" * round(_BAR * step["probability"])} for step in curve]
    _identities_tables.print_rows(bars, "table")
    print(f"pairs that are offered: {change.offered_before} now, {change.offered_after} then")
    print(f"pairs of people who would be taken for one: {change.taken_for_one}")
    if change.first_pairs:
        _identities_tables.print_rows([asdict(pair) for pair in change.first_pairs], "table")
    print(f"appearances that would have become somebody new: {change.told_apart}")
    if change.first_parted:
        _identities_tables.print_rows([asdict(one) for one in change.first_parted], "table")
