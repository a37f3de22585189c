"""Options that name an identity store, its key, and how it knows people."""

from typing import Any

from analyzer.options import spellings
from ina_cli.numbers import RealNumber, WholeNumber

STORE_HELP = (
    "know people again across media: a file, sqlite:///..., redis://... or @FILE with the address "
    "(default: people.identities in DIR, or beside the joblist)"
)
THRESHOLD_HELP = "distance below which two are one person (default: the describer's)"
REFINE_HELP = "media that the mean of a person is made of; then it stays (default: 50)"
KEY_HELP = "file with the key of an encrypted identity store; a new store is encrypted with it"


def add_key(parser: Any) -> None:
    """Add the option of the key to a parser."""
    parser.add_argument(*spellings("identity_key"), metavar="FILE", help=KEY_HELP)


def add_matching(parser: Any) -> None:
    """Add all options with which media are matched with a store."""
    add = parser.add_argument
    add("--identities", nargs="?", const="", metavar="URL", help=STORE_HELP)
    add(*spellings("identity_threshold"), type=RealNumber(), metavar="D", help=THRESHOLD_HELP)
    add_key(parser)
    add(*spellings("refine_limit"), type=WholeNumber(1), metavar="N", help=REFINE_HELP)
