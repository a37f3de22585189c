"""The page over an identity store: as a file, and live."""

import argparse
from pathlib import Path
from typing import Any

from analyzer.commands._identities_parts import add_by, add_parser, add_store
from ina_cli.numbers import WholeNumber

_CODES = "0 done, 1 the store is away, 2 there is no such store, or a port or file cannot be had"
_PORTS = 65535


def add(parts: Any) -> None:
    """Add `page` and `serve` to the parts of `identities`."""
    text = "write a page of all people for reading: one file, which asks nobody for anything"
    part = add_parser(parts, "page", text, "page people.identities -o people.html", _CODES)
    add_store(part)
    part.set_defaults(run=write_page)
    part.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE.html", help="the page"
    )
    text = "show that page live in a browser of this machine, for corrections, until it is stopped"
    part = add_parser(parts, "serve", text, "serve people.identities --port 8090", _CODES)
    add_store(part)
    part.set_defaults(run=serve)
    part.add_argument(
        "--port",
        type=WholeNumber(0, _PORTS),
        default=0,
        metavar="P",
        help="TCP port (default: any free one)",
    )
    add_by(part)


def write_page(args: argparse.Namespace) -> int:
    """Write the page as a file."""
    from analyzer.workflows.archive import page

    counts = page.write(args.store, args.output, key_file=args.identity_key)
    print(
        f"{args.output}: {counts['people']} people, {counts['portraits']} with a portrait, "
        f"{counts['in_full']} with appearances and who is alike"
    )
    return 0


def serve(args: argparse.Namespace) -> int:
    """Serve the page."""
    from analyzer.workflows.archive.site import serve as serve_page

    serve_page(
        args.store,
        key_file=args.identity_key,
        port=args.port,
        by=args.by,
        told=lambda url: print(url, flush=True),
    )
    return 0
