"""Make the key of an identity store, or give a store another one."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.commands._identities_parts import add_parser, add_part
from analyzer.options import spellings

if TYPE_CHECKING:
    from analyzer.workflows.archive.session import ArchiveSession

KEY = "make a key for encrypted identity stores, in a new file that only you may read"
REKEY = "encrypt a store, give it another key, or decrypt it; all is written anew"


def add(parts: Any) -> None:
    """Add `key` and `rekey`."""
    parser = add_parser(parts, "key", KEY, "key people.key", "0 done, 2 not")
    parser.add_argument("file", type=Path, metavar="FILE", help="new file for the key")
    parser.set_defaults(run=make_key)
    example = "rekey people.identities --new_key people.key"
    part = add_part(parts, "rekey", REKEY, example, rekey)
    group = part.add_mutually_exclusive_group(required=True)
    group.add_argument(*spellings("new_key"), metavar="FILE", help="file with the key from then on")
    group.add_argument("--decrypt", action="store_true", help="store it without encryption")


def make_key(args: argparse.Namespace) -> int:
    """Write a new key."""
    from analyzer.workflows.archive.session import make_key

    make_key(args.file)
    print(f"{args.file}: keep a copy elsewhere: without it, nothing that it encrypts can be read")
    return 0


def rekey(args: argparse.Namespace, session: "ArchiveSession") -> int:
    """Give a store another key; 1 where files of the server still hold what was written before."""
    event, left = session.rekey(args.identity_key, args.new_key)
    print(f"event {event.number}: {event}")
    if left:
        print(f"left: {left}", file=sys.stderr)
    return 1 if left else 0
