"""Make the certificates and the token with which server and workers identify each other."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ina_cli import libraries
from joblist.errors import UsageError
from jobs.commands._arguments import add_command

EPILOG = """\
examples:
  python -m jobs certs secrets --host server.example.org
  python -m jobs certs secrets --host 192.0.2.7 --host server

exit code: 0 made, 2 the folder is not empty, or cryptography is not installed"""


def add(commands: Any) -> None:
    """Add the command."""
    text = "make certificates and a token for other machines"
    parser = add_command(commands, "certs", text, epilog=EPILOG)
    parser.add_argument("folder", type=Path, metavar="DIR", help="new or empty folder")
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME",
        help="name or address by which workers reach the server; may be repeated "
        "(default: this machine's own names)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the files, and print how to use them."""
    try:
        from jobs.wire import certificates
    except ModuleNotFoundError as error:
        install = libraries.requirements("cryptography")
        raise UsageError(f"{error.name} is not installed: pip install {install}") from error
    names = certificates.make(args.folder, hosts=args.host)
    token = args.folder / "token"
    print(f"for a server known as {', '.join(names)}:")
    print(f"  ina_server 0.0.0.0 JOBLIST.csv --certs {args.folder} --token_file {token}")
    print("copy ca.pem, worker.pem, worker.key and token to each worker's machine, secretly:")
    print(f"  ina_worker PYRO:ina.jobs@{names[0]}:9471 --certs DIR --token_file DIR/token")
    return 0
