"""The option that names the key of an encrypted identity store."""

from typing import Any

from analyzer.options import spellings

HELP = "file with the key of an encrypted identity store; a new store is encrypted with it"


def add(parser: Any) -> None:
    """Add it to a parser."""
    parser.add_argument(*spellings("identity_key"), metavar="FILE", help=HELP)
