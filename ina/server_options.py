"""Command-line options of the server."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from analyzer import __version__
from analyzer.options import add_arguments, spellings
from ina_cli.numbers import RealNumber, WholeNumber
from ina_cli.parser import Parser, add_version
from joblist.model import ROWS_HELP
from jobs.commands import _arguments as arguments
from jobs.types import DEFAULT_PORT

DESCRIPTION = "Serve a joblist to workers, show how it goes, and end when every job has an end."
EPILOG = """\
examples:
  ina_server localhost jobs.csv --fps 5 --workers auto
  ina_server 0.0.0.0 jobs.csv --fps 5 --certs secrets --token_file secrets/token --dashboard 8080

Options of inaFaceAnalyzer's server are understood: docs/coming-from.md.
The same command again goes on where it was. docs/reliability.md, docs/security.md say more.

exit code: 0 every job is done, 1 some failed, were cancelled or not run, 2 bad usage"""

LOG_LEVELS = ("debug", "info", "warning", "error")
_SCHEDULING: dict[str, dict[str, Any]] = {
    "workers": {
        "type": arguments.workers,
        "default": 0,
        "metavar": "N|auto",
        "help": "workers to start on this machine; auto: one for every 4 cores (default: 0)",
    },
    "port": {
        "type": arguments.port,
        "default": DEFAULT_PORT,
        "metavar": "N",
        "help": f"TCP port; 0: any that is free (default: {DEFAULT_PORT})",
    },
    "lease": {
        "type": arguments.seconds,
        "default": 120.0,
        "metavar": "S",
        "help": "seconds of silence after which a worker is lost (default: 120)",
    },
    "max_attempts": {
        "type": arguments.positive,
        "default": 3,
        "metavar": "N",
        "help": "failures after which a job is given up (default: 3)",
    },
    "shards": {
        "type": arguments.positive,
        "metavar": "N",
        "help": "divide each video among N workers, at cuts; the results are the same (default: "
        "off)",
    },
    "shard_minutes": {
        "type": RealNumber(),
        "metavar": "M",
        "help": "with --shards: no part is shorter than this, in minutes",
    },
    "rows": {"type": arguments.rows, "metavar": "A:B", "help": f"serve {ROWS_HELP}"},
    "speculate": {
        "action": "store_true",
        "help": "lease the last jobs a second time to workers without one; the first that is "
        "ready wins",
    },
}
"""Option -> keywords of `add_argument`, in the order of `--help`."""
_OPERATION: dict[str, dict[str, Any]] = {
    "dashboard": {
        "type": arguments.listen_address,
        "metavar": "PORT",
        "help": "show a page on this port, of this machine alone; or on HOST:PORT, with --certs",
    },
    "until": {
        "type": RealNumber(least=0.1, most=50),
        "metavar": "X",
        "help": "of a sample that plan has drawn: say when one can stop, as the share of women is "
        "known to plus or minus X percentage points",
    },
    "log_level": {
        "choices": LOG_LEVELS,
        "help": "write what happens to the log, with time and level, and no table (default: "
        "warnings only)",
    },
    "log_json": {
        "action": "store_true",
        "help": "the same as objects of JSON, a line each, from level info on",
    },
    "keep_alive": {
        "action": "store_true",
        "help": "go on serving when every job is done",
    },
    "ledger": {
        "type": Path,
        "metavar": "FILE",
        "help": "file that remembers the jobs (default: in the state folder)",
    },
    "identities": {
        "nargs": "?",
        "const": "",
        "metavar": "URL",
        "help": "know people again across media: a file, sqlite:///..., redis://... or @FILE "
        "with the address (default: a file beside the ledger)",
    },
    "identity_threshold": {
        "type": RealNumber(),
        "metavar": "D",
        "help": "distance below which two are one person (default: the describer's)",
    },
    "identity_key": {
        "metavar": "FILE",
        "help": "file with the key of an encrypted identity store; a new store is encrypted with "
        "it",
    },
    "refine_limit": {
        "type": WholeNumber(1),
        "metavar": "N",
        "help": "media that the mean of a person is made of; then it stays (default: 50)",
    },
    "token_file": {
        "metavar": "FILE",
        "help": "file with the token that workers must know (default, on localhost: a token of its "
        "own, which your workers on this machine find)",
    },
    "no_token": {
        "action": "store_true",
        "help": "on localhost: let any user of this machine work",
    },
    "allow_mixed": {
        "action": "store_true",
        "help": "let workers work that have other code, models or backends; results may differ",
    },
    "certs": {
        "metavar": "DIR",
        "help": "folder with ca.pem, server.pem, server.key, from python -m jobs certs",
    },
}


def server_parser() -> Parser:
    """Return the parser of the server's command line."""
    parser = Parser(prog="ina_server", description=DESCRIPTION, epilog=EPILOG)
    add_options(parser)
    return parser


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments and options of the server to a parser."""
    add_version(parser, lambda: __version__)
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
    for name, keywords in {**_SCHEDULING, **_OPERATION}.items():
        group.add_argument(*spellings(name), **keywords)
    arguments.add_bounds(parser.add_argument_group("what joblists may read and write"))
    add_arguments(parser.add_argument_group("analysis"))
