"""List, name, merge and split the people of an identity store, and take it back."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.commands import _identities_tables
from analyzer.errors import UsageError
from ina_cli.numbers import WholeNumber

if TYPE_CHECKING:
    from analyzer.identities import IdentityStore
    from analyzer.identities.archive import Archive
    from analyzer.identities.corrections import Corrections
    from analyzer.identities.log.events import Event

_ROWS = 100
_ORDERS = ("media", "faces", "screen_time_s", "last_date", "identity")
_PERSON = "number of an identity, or the whole name that it was given"
_EPILOG = "example:\n  python -m analyzer identities {example}\n\nexit code: {codes}"
_CODES = "0 done, 1 the store is away, 2 it makes no sense as things are"


@dataclass(frozen=True)
class _Opened:
    """An open store, with what is read and what is said."""

    store: "IdentityStore"
    archive: "Archive"
    corrections: "Corrections"


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser(
        "identities", help=__doc__, description=__doc__, has_settings=False
    )
    parts = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    _add_readers(parts)
    text = "give a person a name; an empty one takes it away"
    part = _part(parts, "name", text, 'name people.identities 17 "Ada Lovelace"', say_name)
    part.add_argument("person", metavar="PERSON", help=_PERSON)
    part.add_argument("name", metavar="NAME", help="of the person; empty to take it away")
    for name, text, says in (
        ("merge", "say that two are one person, who is known by the first one's number", say_merge),
        ("different", "say that two are not the same: they are not offered again", say_different),
    ):
        part = _part(parts, name, text, f"{name} people.identities 17 42", says)
        part.add_argument("person", metavar="PERSON", help=_PERSON)
        part.add_argument("other", metavar="OTHER", help="the other person, as before")
    text = "say that some appearances of a person are somebody else's, who becomes a new person"
    part = _part(parts, "split", text, "split people.identities 17 4:0 9:2", say_split)
    part.add_argument("person", metavar="PERSON", help=_PERSON)
    part.add_argument(
        "appearances", nargs="+", metavar="CALL:ROW", help="appearances, as `show` names them"
    )
    text = "take an event back; an undoing that is undone is the event again"
    part = _part(parts, "undo", text, "undo people.identities 12", say_undo)
    text = "number of an event of `history`; without it, of the last one"
    part.add_argument("event", nargs="?", type=WholeNumber(1), metavar="EVENT", help=text)


def _add_readers(parts: Any) -> None:
    text = "print the people of a store, the most seen first"
    part = _part(parts, "list", text, "list people.identities --limit 20", list_people)
    part.add_argument(
        "--sort", choices=_ORDERS, default="media", help="order (default: media, the most first)"
    )
    part.add_argument("--search", default="", metavar="TEXT", help="only names with this in them")
    part.add_argument(
        "--limit",
        type=WholeNumber(1),
        default=_ROWS,
        metavar="N",
        help=f"how many at most (default: {_ROWS})",
    )
    text = "print a person's appearances, and who is alike"
    part = _part(parts, "show", text, "show people.identities 17", show)
    part.add_argument("person", metavar="PERSON", help=_PERSON)
    part.add_argument(
        "--alike",
        type=WholeNumber(0),
        default=5,
        metavar="N",
        help="how many of the nearest other people (default: 5)",
    )
    text = "print what was said about people, the last first"
    part = _part(parts, "history", text, "history people.identities", history)
    part.add_argument(
        "--limit",
        type=WholeNumber(1),
        default=_ROWS,
        metavar="N",
        help=f"how many at most (default: {_ROWS})",
    )
    text = "write all people, or all appearances, for other programs"
    part = _part(parts, "export", text, "export people.identities > people.csv", export)
    part.add_argument("--appearances", action="store_true", help="a row an appearance")


def _part(
    parts: Any, name: str, text: str, example: str, do: Callable[[argparse.Namespace, _Opened], int]
) -> Any:
    parser = parts.add_parser(
        name,
        help=text,
        description=text,
        epilog=_EPILOG.format(example=example, codes=_CODES),
    )
    parser.add_argument(
        "store", metavar="STORE", help="identity store: a path, redis://..., or @FILE with either"
    )
    if name in _identities_tables.READERS:
        parser.add_argument(
            "--format",
            choices=_identities_tables.FORMATS,
            default="csv" if name == "export" else "table",
            help=f"how it is printed (default: {'csv' if name == 'export' else 'table'})",
        )
        parser.set_defaults(only_prints=True)
    else:
        parser.add_argument(
            "--by", metavar="WHO", help="who says it (default: the name of the user)"
        )
    parser.set_defaults(run=lambda args: _run(args, do))
    return parser


def _run(args: argparse.Namespace, do: Callable[[argparse.Namespace, _Opened], int]) -> int:
    with _opened(args.store, getattr(args, "by", None)) as opened:
        return do(args, opened)


@contextmanager
def _opened(text: str, by: str | None) -> Iterator[_Opened]:
    from analyzer.identities.address import address, open_store
    from analyzer.identities.archive import Archive
    from analyzer.identities.corrections import Corrections, user_name

    store = open_store(address(text, default=Path(text)), settings=None)
    try:
        yield _Opened(store, Archive(store), Corrections(store, by or user_name()))
    finally:
        store.close()


def list_people(args: argparse.Namespace, opened: _Opened) -> int:
    """Print people in an order."""
    persons = opened.archive.most(args.sort, limit=args.limit, search=args.search)
    _identities_tables.print_rows(persons, args.format)
    more = len(opened.archive) - len(persons)
    if args.format == "table" and more > 0 and not args.search:
        print(f"{len(persons)} of {len(opened.archive)} people: --limit shows more")
    return 0


def show(args: argparse.Namespace, opened: _Opened) -> int:
    """Print a person."""
    archive = opened.archive
    person = archive.find(args.person)
    _identities_tables.print_person(
        person,
        archive.seen_in(person.identity),
        archive.alike(person.identity, limit=args.alike),
        args.format,
    )
    return 0


def history(args: argparse.Namespace, opened: _Opened) -> int:
    """Print the log."""
    _identities_tables.print_history(opened.archive.people, args.limit, args.format)
    return 0


def export(args: argparse.Namespace, opened: _Opened) -> int:
    """Print all of it for programs."""
    persons = opened.archive.most("identity")
    if args.appearances:
        rows = (seen for person in persons for seen in opened.archive.seen_in(person.identity))
        _identities_tables.print_rows(rows, args.format)
    else:
        _identities_tables.print_rows(persons, args.format)
    return 0


def say_name(args: argparse.Namespace, opened: _Opened) -> int:
    """Name somebody."""
    person = opened.archive.find(args.person)
    return _said(opened.corrections.name(person.identity, args.name.strip() or None))


def say_merge(args: argparse.Namespace, opened: _Opened) -> int:
    """Merge two."""
    person, other = opened.archive.find(args.person), opened.archive.find(args.other)
    opened.archive.people.require_two(person.identity, other.identity)
    shared = opened.archive.shared_media(person.identity, other.identity)
    if shared:
        others = f" and {len(shared) - 1} other media" if len(shared) > 1 else ""
        print(
            f"warning: both are in {shared[0]}{others}, where they were told apart",
            file=sys.stderr,
        )
    return _said(opened.corrections.merge(person.identity, other.identity))


def say_different(args: argparse.Namespace, opened: _Opened) -> int:
    """Keep two apart."""
    person, other = opened.archive.find(args.person), opened.archive.find(args.other)
    return _said(opened.corrections.say_different(person.identity, other.identity))


def say_split(args: argparse.Namespace, opened: _Opened) -> int:
    """Split somebody."""
    person = opened.archive.find(args.person)
    places = [_place(text) for text in args.appearances]
    return _said(opened.corrections.split(person.identity, places))


def _place(text: str) -> tuple[int, int]:
    call, _, row = text.partition(":")
    if not (call.isdecimal() and row.isdecimal()):
        raise UsageError(f"{text}: name an appearance as `identities show` does, such as 4:0")
    return int(call), int(row)


def say_undo(args: argparse.Namespace, opened: _Opened) -> int:
    """Take an event back."""
    from analyzer.identities.log.people import last_event

    number = args.event or last_event(opened.archive.people.events)
    if number is None:
        raise UsageError("nothing was said yet: there is nothing to undo")
    return _said(opened.corrections.undo(number))


def _said(event: "Event") -> int:
    print(f"event {event.number}: {_identities_tables.in_words(event)}")
    return 0
