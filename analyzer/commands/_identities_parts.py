"""What the parts of `identities` have in common."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from analyzer.commands import _identities_tables, _identity_store
from ina_cli.numbers import WholeNumber

if TYPE_CHECKING:
    from analyzer.workflows.archive.session import ArchiveSession

Do = Callable[[argparse.Namespace, "ArchiveSession"], int]
PERSON_HELP = "number of an identity, or the whole name that it was given"
_ROWS = 100
_EPILOG = "example:\n  python -m analyzer identities {example}\n\nexit code: {codes}"
_CODES = "0 done, 1 the store is away, 2 it makes no sense as things are"


def add_parser(parts: Any, name: str, text: str, example: str, codes: str) -> Any:
    """Add a part that says what it is for; return its parser."""
    epilog = _EPILOG.format(example=example, codes=codes)
    return parts.add_parser(name, help=text, description=text, epilog=epilog)


def add_store(parser: Any) -> None:
    """Add the store, and its key."""
    parser.add_argument(
        "store", metavar="STORE", help="identity store: a path, redis://..., or @FILE with either"
    )
    _identity_store.add_key(parser)


def add_part(parts: Any, name: str, text: str, example: str, do: Do) -> Any:
    """Add a part with its store, and how it prints or who says it; return its parser."""
    parser = add_parser(parts, name, text, example, _CODES)
    add_store(parser)
    if name in _identities_tables.READERS:
        parser.add_argument(
            "--format",
            choices=_identities_tables.FORMATS,
            default="csv" if name == "export" else "table",
            help=f"how it is printed (default: {'csv' if name == 'export' else 'table'})",
        )
        parser.set_defaults(only_prints=True)
    else:
        add_by(parser)
    parser.set_defaults(run=_run, do=do)
    return parser


def add_limit(part: Any, *, rows: int = _ROWS) -> None:
    """Add `--limit`."""
    text = f"how many at most (default: {rows})"
    part.add_argument("--limit", type=WholeNumber(1), default=rows, metavar="N", help=text)


def add_by(part: Any) -> None:
    """Add `--by`."""
    part.add_argument("--by", metavar="WHO", help="who says it (default: the name of the user)")


def _run(args: argparse.Namespace) -> int:
    from analyzer.workflows.archive.session import archive_session

    by, key = getattr(args, "by", None), args.identity_key
    with archive_session(args.store, by, key_file=key) as session:
        code: int = args.do(args, session)
        return code


def print_event(event: Any) -> int:
    """Print an event of the log; return the exit code."""
    print(f"event {event.number}: {event}")
    return 0
