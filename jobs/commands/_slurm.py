"""Parts that the `slurm` commands share: help pages, the folder, the resources of tasks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from jobs.commands._arguments import add_command, positive, spellings
from jobs.slurm import rounds
from jobs.slurm.folder import Folder


def add_slurm_command(
    commands: Any, name: str, text: str, *, example: str, codes: str, description: str = ""
) -> argparse.ArgumentParser:
    """Add a command below `slurm`; return its parser.

    Args:
        commands: Subparsers of `slurm`.
        name: Name of the command.
        text: One line on what it does.
        example: Arguments after `python -m jobs slurm NAME`.
        codes: Exit codes and what they mean, except that of bad usage.
        description: Longer text for its own help page, if it needs one.
    """
    epilog = f"example:\n  python -m jobs slurm {name} {example}\n\nexit code: {codes}, 2 bad usage"
    return add_command(commands, name, text, epilog=epilog, description=description)


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Add the options that `folder_of` reads."""
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument(
        "joblist",
        nargs="?",
        type=Path,
        metavar="JOBLIST.csv",
        help="the joblist that was submitted",
    )
    group.add_argument(
        "--folder", type=Path, metavar="DIR", help="the --folder of submit, if it was given"
    )


def folder_of(args: argparse.Namespace) -> Folder:
    """Return the folder of a submission."""
    path: Path = args.folder or rounds.default_folder(args.joblist)
    return Folder(path.absolute())


_SBATCH_HELP = {
    "partition": "partition that runs the tasks (default: the cluster's)",
    "time": "time limit of a task, as in 4:00:00; two minutes before it, a task stops and goes on "
    "in its next turn",
    "mem": "memory of a task, as in 8G (default: the cluster's)",
    "gpus": "GPUs of a task (default: none)",
    "account": "account that pays (default: yours)",
}
"""Options of sbatch that have an option of the same name here."""
_RESOURCES: dict[str, dict[str, Any]] = {
    "cpus": {
        "type": positive,
        "default": 4,
        "metavar": "N",
        "help": "CPUs, and threads, of a task (default: 4)",
    },
    "sbatch": {
        "action": "append",
        "default": [],
        "metavar": "OPTION",
        "help": "any other option of sbatch, as in --sbatch=--qos=long",
    },
    "dry_run": {
        "action": "store_true",
        "help": "print the sbatch commands, and run none",
    },
}
"""Option -> keywords of `add_argument`."""


def add_resources(parser: argparse.ArgumentParser) -> None:
    """Add the options that `sbatch_options` reads."""
    group = parser.add_argument_group("Slurm")
    for name, text in _SBATCH_HELP.items():
        group.add_argument(f"--{name}", metavar=name[0].upper(), help=text)
    for name, keywords in _RESOURCES.items():
        group.add_argument(*spellings(name), **keywords)


def sbatch_options(args: argparse.Namespace) -> tuple[str, ...]:
    """Return the options of sbatch."""
    values = {name: getattr(args, name) for name in _SBATCH_HELP}
    options = [f"--{name}={value}" for name, value in values.items() if value]
    return (*options, f"--cpus-per-task={args.cpus}", *args.sbatch)
