"""The program `ina`: all commands of all programs, and only the chosen one is loaded."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from analyzer import __version__
from ina_cli.parser import Parser, add_version
from joblist.errors import ExplainedError

DESCRIPTION = "Who is on screen in videos, for how long, and with which perceived sex and age."
GROUPS: Mapping[str, Mapping[str, str]] = {
    "videos on this machine": {
        "sample": "make a sample video to try everything on",
        "analyze": "analyse videos and pictures",
        "webcam": "watch a camera with the faces found in it",
    },
    "joblists, on many machines": {
        "serve": "serve a joblist to workers (ina_server)",
        "work": "join a server and work (ina_worker)",
        "jobs": "look at the jobs of a joblist, and steer its server",
        "slurm": "do a joblist on a Slurm cluster",
    },
    "archives too large to analyse": {
        "plan": "draw segments of an archive by lot, and write their joblist",
        "estimate": "estimate shares of the archive from the results, with intervals",
    },
    "results": {
        "export": "make further files of a report, or of a csv and its video",
        "correct": "apply the corrections of a review page",
        "reexport": "make files again, with the names of an identity store",
        "recluster": "group the faces of a report anew, without a new analysis",
        "ask": "ask all parquet results of a folder, in SQL",
        "audit": "have people label drawn faces, and put shares right by that",
        "collect": "see who appears in many media, and for how long",
        "identities": "name, merge and split the people of an identity store",
        "forget": "remove a person from results and identity stores",
    },
    "models": {
        "models": "list, fetch, add and check model files",
        "evaluate": "measure how right the models are",
        "train": "train the weights that this program ships",
    },
    "this program": {
        "older": "take the command lines of facepipe, facerec and others",
        "completion": "print what makes a shell complete these commands",
    },
}
"""Heading -> command -> what it does, as `ina --help` shows them."""
EPILOG = """\
ina COMMAND --help tells all about a command.

examples:
  ina analyze film.mp4 -o results --fps 5
  ina serve localhost jobs.csv --workers auto

exit code: 0 done, 1 it failed, in whole or part, 2 bad usage, 130 stopped by Ctrl-C"""
_OWN = {"serve": "ina.server", "work": "ina.worker", "completion": "ina.completion"}
"""Command -> its module in this package, with `add(commands, name)` and `run(args)`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        parser = program_parser(arguments[:2])
    except ExplainedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    args = parser.parse_args(arguments)
    return int(args.run_program(args))


def program_parser(only: Sequence[str] | None = None) -> Parser:
    """Return the parser of the program.

    Args:
        only: Name of the command of which the options are needed, and that of the command below
            it; `None` for all.
    """
    parser = Parser(
        prog="ina",
        usage="ina [-h] [--version] COMMAND ...",
        description=f"{DESCRIPTION}\n\n{_overview()}",
        epilog=EPILOG,
        has_settings=False,
    )
    add_version(parser, lambda: __version__)
    commands = parser.add_subparsers(
        prog=parser.prog, metavar="COMMAND", required=True, help=argparse.SUPPRESS
    )
    for name in (name for group in GROUPS.values() for name in group):
        if only is None or name in only[:1]:
            _add(commands, name, (only or ())[1:])
            commands.choices[name].set_defaults(run_program=_runner(name))
        else:
            commands.add_parser(name, add_help=False, has_settings=False)
    return parser


def _overview() -> str:
    """Return all commands in their groups."""
    lines = []
    for heading, commands in GROUPS.items():
        lines += [f"{heading}:", *(f"  {name:<12}{text}" for name, text in commands.items())]
    return "\n".join(lines)


def _add(commands: Any, name: str, below: Sequence[str]) -> None:
    """Add a command with its options."""
    if name in _OWN:
        importlib.import_module(_OWN[name]).add(commands, name)
    elif name == "slurm":
        _jobs().add_commands(commands, [name])
    elif name == "jobs":
        text = _jobs().DESCRIPTION
        parser = commands.add_parser(
            name, help=text, description=text, epilog=_jobs().EPILOG, has_settings=False
        )
        _jobs().fill(parser, below)
    else:
        _analyzer().add_command(commands, name)


def _runner(name: str) -> Any:
    """Return the function that runs a command and prints what is wrong."""
    if name in _OWN:
        return importlib.import_module(_OWN[name]).run
    return _jobs().run if name in ("jobs", "slurm") else _analyzer().main


def _analyzer() -> Any:
    return importlib.import_module("analyzer.commands._program")


def _jobs() -> Any:
    return importlib.import_module("jobs.commands._program")
