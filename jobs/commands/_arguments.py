"""Arguments that commands share: numbers within limits, and the bounds of jobs."""

import argparse
import math
import os
from pathlib import Path
from typing import Any

from joblist.errors import UsageError
from joblist.model import Rows
from jobs.types import Bounds

CORES_A_WORKER = 4


def count(text: str) -> int:
    """0 or more."""
    if int(text) < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return int(text)


def workers(text: str) -> int:
    """Read a number of workers; `auto` is what suits this machine."""
    return suitable() if text == "auto" else count(text)


def suitable() -> int:
    """Return a worker for every few cores: each keeps them busy, and needs memory of its own."""
    return max(1, len(os.sched_getaffinity(0)) // CORES_A_WORKER)


def positive(text: str) -> int:
    """1 or more."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return int(text)


def seconds(text: str) -> float:
    """Read a time of at least one second."""
    if not 1.0 <= float(text) < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is below 1 s")
    return float(text)


def place(text: str) -> tuple[str, int]:
    """Read an address to listen on: a port of this machine, or a host and a port."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no PORT and no HOST:PORT")
    return host.strip("[]") or "localhost", int(port)


def spellings(name: str) -> tuple[str, ...]:
    """`--a_b` and, where it differs, `--a-b`."""
    return tuple(dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}")))


def add_bounds(group: Any) -> None:
    """Add what `bounds` reads to a parser or group."""

    def add(name: str, text: str, **options: Any) -> None:
        group.add_argument(*spellings(name), help=text, **options)

    add(
        "input_root",
        "folder that every medium must lie in (default: any)",
        type=Path,
        metavar="DIR",
    )
    add(
        "output_root",
        "folder that every result must go to (default: any)",
        type=Path,
        metavar="DIR",
    )
    add("allow_urls", "let media be fetched from public https addresses", action="store_true")
    add(
        "max_download_gb",
        "largest size of a medium behind an address, in GB (default: 20)",
        type=positive,
        default=20,
        metavar="N",
    )


def rows(text: str) -> Rows:
    """Part of a joblist, as `joblist.model.Rows` reads it."""
    try:
        return Rows.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def bounds(args: argparse.Namespace) -> Bounds:
    """Return the bounds of what jobs may read and write.

    Raises:
        UsageError: A root is no folder.
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
