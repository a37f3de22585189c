"""List, name, merge and split the people of an identity store, and take it back."""

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from analyzer.commands import (
    _identities_key,
    _identities_learning,
    _identities_page,
    _identities_tables,
)
from analyzer.commands._identities_parts import PERSON_HELP, add_limit, add_part, print_event
from ina_cli.numbers import WholeNumber

if TYPE_CHECKING:
    from analyzer.workflows.archive.session import ArchiveSession

_ORDERS = ("media", "faces", "screen_time_s", "last_date", "identity")


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser(
        "identities", help=__doc__, description=__doc__, has_settings=False
    )
    parts = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    _add_readers(parts)
    _identities_learning.add(parts)
    _identities_page.add(parts)
    text = "give a person a name; an empty one takes it away"
    part = add_part(parts, "name", text, 'name people.identities 17 "Ada Lovelace"', say_name)
    part.add_argument("person", metavar="PERSON", help=PERSON_HELP)
    part.add_argument("name", metavar="NAME", help="of the person; empty to take it away")
    for name, text, says in (
        ("merge", "say that two are one person, who is known by the first one's number", say_merge),
        ("different", "say that two are not the same: they are not offered again", say_different),
    ):
        part = add_part(parts, name, text, f"{name} people.identities 17 42", says)
        part.add_argument("person", metavar="PERSON", help=PERSON_HELP)
        part.add_argument("other", metavar="OTHER", help="the other person, as before")
    text = "say that some appearances of a person are somebody else's, who becomes a new person"
    part = add_part(parts, "split", text, "split people.identities 17 4:0 9:2", say_split)
    part.add_argument("person", metavar="PERSON", help=PERSON_HELP)
    part.add_argument(
        "appearances", nargs="+", metavar="CALL:ROW", help="appearances, as `show` names them"
    )
    text = "take an event back; an undoing that is undone is the event again"
    part = add_part(parts, "undo", text, "undo people.identities 12", say_undo)
    text = "number of an event of `history`; without it, of the last one"
    part.add_argument("event", nargs="?", type=WholeNumber(1), metavar="EVENT", help=text)
    _identities_key.add(parts)


def _add_readers(parts: Any) -> None:
    text = "print the people of a store, the most seen first"
    part = add_part(parts, "list", text, "list people.identities --limit 20", list_people)
    part.add_argument(
        "--sort", choices=_ORDERS, default="media", help="order (default: media, the most first)"
    )
    part.add_argument("--search", default="", metavar="TEXT", help="only names with this in them")
    add_limit(part)
    text = "print a person's appearances, and who is alike"
    part = add_part(parts, "show", text, "show people.identities 17", show)
    part.add_argument("person", metavar="PERSON", help=PERSON_HELP)
    part.add_argument(
        "--alike",
        type=WholeNumber(0),
        default=5,
        metavar="N",
        help="how many of the nearest other people (default: 5)",
    )
    text = "print what was said about people, the last first"
    add_limit(add_part(parts, "history", text, "history people.identities", history))
    text = "write all people, or all appearances, for other programs"
    part = add_part(parts, "export", text, "export people.identities --format json", export)
    part.add_argument("--appearances", action="store_true", help="a row an appearance")


def list_people(args: argparse.Namespace, session: "ArchiveSession") -> int:
    """Print people in an order."""
    persons = session.people.most(args.sort, limit=args.limit, search=args.search)
    _identities_tables.print_rows([asdict(person) for person in persons], args.format)
    total = len(session.people)
    if args.format == "table" and total > len(persons) and not args.search:
        print(f"{len(persons)} of {total} people: --limit shows more")
    return 0


def show(args: argparse.Namespace, session: "ArchiveSession") -> int:
    """Print a person."""
    people = session.people
    person = people.find(args.person)
    _identities_tables.print_person(
        asdict(person),
        [asdict(appearance) for appearance in people.seen_in(person.identity)],
        [
            {"distance": other.distance, **asdict(other.person)}
            for other in people.alike(person.identity, limit=args.alike)
        ],
        args.format,
    )
    return 0


def history(args: argparse.Namespace, session: "ArchiveSession") -> int:
    """Print the log."""
    lines = [asdict(line) for line in session.history(args.limit)]
    _identities_tables.print_rows(lines, args.format, nothing="nothing was said yet")
    return 0


def export(args: argparse.Namespace, session: "ArchiveSession") -> int:
    """Print all of it for programs."""
    rows = (
        session.people.every_appearance() if args.appearances else session.people.most("identity")
    )
    _identities_tables.print_rows([asdict(row) for row in rows], args.format)
    return 0


def say_name(args: argparse.Namespace, session: "ArchiveSession") -> int:
    """Name somebody."""
    return print_event(session.name(args.person, args.name))


def say_merge(args: argparse.Namespace, session: "ArchiveSession") -> int:
    """Merge two."""
    media = session.shared_media(args.person, args.other)
    if media:
        more = f" and {len(media) - 1} more" if len(media) > 1 else ""
        print(f"warning: both are in {media[0]}{more}, where they were told apart", file=sys.stderr)
    return print_event(session.merge(args.person, args.other))


def say_different(args: argparse.Namespace, session: "ArchiveSession") -> int:
    """Keep two apart."""
    return print_event(session.say_different(args.person, args.other))


def say_split(args: argparse.Namespace, session: "ArchiveSession") -> int:
    """Split somebody."""
    return print_event(session.split(args.person, args.appearances))


def say_undo(args: argparse.Namespace, session: "ArchiveSession") -> int:
    """Take an event back."""
    return print_event(session.undo(args.event))
