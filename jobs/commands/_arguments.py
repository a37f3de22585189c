"""Parts that commands share: their help pages, numbers within limits, and the bounds of jobs."""

import argparse
import os
from pathlib import Path
from typing import Any

from ina_cli.numbers import DAY_S, MAX_PORT, RealNumber, WholeNumber
from joblist.errors import UsageError
from joblist.model import Rows
from jobs.types import Bounds

CORES_PER_WORKER = 4
MAX_WORKERS = 240
"""As many has a server threads for; see `jobs.wire.transport`."""


def add_command(
    commands: Any, name: str, text: str, *, epilog: str, description: str = ""
) -> argparse.ArgumentParser:
    """Add a command to a program.

    Args:
        commands: Subparsers of the program.
        name: Name of the command.
        text: One line on what it does.
        epilog: Examples and exit codes.
        description: Longer text for its own help page, if it needs one.

    Returns:
        The parser of the command.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=description or text,
        epilog=epilog,
    )
    return parser


count = WholeNumber()
"""Reads a whole number of 0 or more."""
positive = WholeNumber(least=1)
"""Reads a whole number of 1 or more."""
port = WholeNumber(most=MAX_PORT)
"""Reads the number of a TCP port; 0 is any that is free."""
seconds = RealNumber(least=1.0, most=DAY_S)
"""Reads a time from one second to a day."""


def workers(text: str) -> int:
    """Read a number of workers; `auto` is the number that suits this machine."""
    return suitable_workers() if text == "auto" else WholeNumber(most=MAX_WORKERS)(text)


def suitable_workers() -> int:
    """Return one worker for every 4 cores: it keeps them busy, and needs memory of its own."""
    return max(1, len(os.sched_getaffinity(0)) // CORES_PER_WORKER)


def listen_address(text: str) -> tuple[str, int]:
    """Read an address to listen on: a port of this machine, or a host and a port."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or len(port) > 5 or int(port) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no PORT and no HOST:PORT")
    return host.strip("[]") or "localhost", int(port)


def rows(text: str) -> Rows:
    """Read which rows of a joblist to use; see `joblist.model.Rows`."""
    try:
        return Rows.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def spellings(name: str) -> tuple[str, ...]:
    """Return `--a_b` and, where it differs, `--a-b`."""
    return tuple(dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}")))


_BOUNDS: dict[str, dict[str, Any]] = {
    "input_root": {
        "type": Path,
        "metavar": "DIR",
        "help": "folder that every medium must lie in (default: any)",
    },
    "output_root": {
        "type": Path,
        "metavar": "DIR",
        "help": "folder that every result must go to (default: any)",
    },
    "allow_urls": {
        "action": "store_true",
        "help": "let media be fetched from public https addresses",
    },
    "max_download_gb": {
        "type": positive,
        "default": 20,
        "metavar": "N",
        "help": "largest size of a medium behind an address, in GB (default: 20)",
    },
}
"""Option -> keywords of `add_argument`."""


def add_bounds(group: Any) -> None:
    """Add the options that `read_bounds` reads to a parser or group."""
    for name, keywords in _BOUNDS.items():
        group.add_argument(*spellings(name), **keywords)


def read_bounds(args: argparse.Namespace) -> Bounds:
    """Return the limits on what jobs may read and write.

    Raises:
        UsageError: A root is not a folder.
    """
    for name in ("input_root", "output_root"):
        root = getattr(args, name)
        if root is not None and not root.is_dir():
            raise UsageError(f"--{name} {root}: there is no such folder: make it, or change it")
    return Bounds(
        input_root=args.input_root and os.path.abspath(args.input_root),
        output_root=args.output_root and os.path.abspath(args.output_root),
        allow_urls=args.allow_urls,
        max_download=args.max_download_gb * 10**9,
    )
