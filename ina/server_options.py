"""Command-line options of the server."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from analyzer.options import add_arguments, spellings
from joblist.model import ROWS_HELP
from jobs.commands import _arguments as arguments
from jobs.types import DEFAULT_PORT

DESCRIPTION = "Serve a joblist to workers, show how it goes, and end when every job has an end."
EPILOG = """\
examples:
  ina_server localhost jobs.csv --fps 5 --workers auto
  ina_server 0.0.0.0 jobs.csv --fps 5 --certs secrets --token_file secrets/token --dashboard 8080

The same command again goes on where it was. docs/reliability.md, docs/security.md say more.

exit code: 0 every job is done, 1 some failed or were not run, 2 bad usage"""


def server_parser() -> argparse.ArgumentParser:
    """Return the parser of the server's command line."""
    parser = argparse.ArgumentParser(
        prog="ina_server",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "host",
        metavar="HOST",
        help="name or address of this machine to serve on; localhost: for itself alone",
    )
    parser.add_argument(
        "joblist",
        metavar="JOBLIST.csv",
        type=Path,
        help="table with the columns source_path, dest_csv, and more: README.md",
    )
    group = parser.add_argument_group("server")

    def add(name: str, text: str, **options: Any) -> None:
        group.add_argument(*spellings(name), help=text, **options)

    add(
        "workers",
        "workers to start on this machine; auto: one for every 4 cores (default: 0)",
        type=arguments.workers,
        default=0,
        metavar="N|auto",
    )
    add(
        "port",
        f"TCP port; 0: any that is free (default: {DEFAULT_PORT})",
        type=arguments.count,
        default=DEFAULT_PORT,
        metavar="N",
    )
    add(
        "lease",
        "seconds of silence after which a worker is lost (default: 120)",
        type=arguments.seconds,
        default=120.0,
        metavar="S",
    )
    add(
        "max_attempts",
        "failures after which a job is given up (default: 3)",
        type=arguments.positive,
        default=3,
        metavar="N",
    )
    add(
        "shards",
        "divide each video among N workers, at cuts; the results are the same (default: off)",
        type=int,
        metavar="N",
    )
    add(
        "shard_minutes",
        "with --shards: no part is shorter than this, in minutes",
        type=float,
        metavar="M",
    )
    add("rows", f"serve {ROWS_HELP}", metavar="A:B", type=arguments.rows)
    add(
        "speculate",
        "lease the last jobs a second time to workers without one; the first that is ready wins",
        action="store_true",
    )
    add(
        "dashboard",
        "show a page on this port, of this machine alone; or on HOST:PORT, with --certs",
        type=arguments.place,
        metavar="PORT",
    )
    add("keep_alive", "go on serving when every job is done", action="store_true")
    add(
        "ledger",
        "file that remembers the jobs (default: in the state folder)",
        type=Path,
        metavar="FILE",
    )
    add(
        "identities",
        "know people again across media: a file, sqlite:///..., redis://... or @FILE "
        "with the address (default: a file beside the ledger)",
        nargs="?",
        const="",
        metavar="URL",
    )
    add(
        "identity_threshold",
        "distance below which two are one person (default: the describer's)",
        type=float,
        metavar="D",
    )
    add("token_file", "file with the token that workers must know", metavar="FILE")
    add(
        "certs",
        "folder with ca.pem, server.pem, server.key, from python -m jobs certs",
        metavar="DIR",
    )
    arguments.add_bounds(parser.add_argument_group("what joblists may read and write"))
    add_arguments(parser.add_argument_group("analysis"))
    return parser
