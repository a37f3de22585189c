"""Steer a running server: pause, resume, drain."""

from __future__ import annotations

import argparse
from typing import Any

from jobs.commands._arguments import add_command
from jobs.commands._target import Target, add_ledger

ACTIONS = {
    "pause": ("hand out no more jobs; running ones go on", ("pause", True)),
    "resume": ("hand out jobs again", ("pause", False)),
    "drain": ("let running jobs finish, then end the server", ("drain",)),
}
"""Command -> its help, and a method of `jobs.server.operator.Operator` with its arguments."""

CODES = "exit code: 0 the server was told, 2 no server runs"


def add(commands: Any) -> None:
    """Add the commands."""
    for name, (text, call) in ACTIONS.items():
        epilog = f"example:\n  python -m jobs {name} jobs.csv\n\n{CODES}"
        parser = add_command(commands, name, text, epilog=epilog)
        add_ledger(parser)
        parser.set_defaults(run=run, call=call, text=text)


def run(args: argparse.Namespace) -> int:
    """Tell the server what to do."""
    Target(args).call_server(*args.call)
    print(f"the server will {args.text}")
    return 0
