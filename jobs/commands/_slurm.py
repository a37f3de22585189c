"""Common parts of the `slurm` commands: help pages, the folder, Slurm's resources."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from jobs.commands import _arguments as arguments
from jobs.slurm import rounds
from jobs.slurm.folder import Folder


def page(text: str, example: str, codes: str) -> dict[str, Any]:
    """Return the keywords of a command: what it does, how it is called, and how it ends."""
    return {
        "help": text,
        "description": text,
        "epilog": f"example:\n  python -m jobs {example}\n\nexit code: {codes}, 2 bad usage",
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the folder."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "joblist",
        nargs="?",
        type=Path,
        metavar="JOBLIST.csv",
        help="the joblist that was submitted",
    )
    which.add_argument(
        "--folder", type=Path, metavar="DIR", help="the --folder of submit, where it had one"
    )


def folder(args: argparse.Namespace) -> Folder:
    """Return the folder of a submission."""
    path: Path = args.folder or rounds.folder_of(args.joblist)
    return Folder(path.absolute())


def add_resources(parser: argparse.ArgumentParser) -> None:
    """Add the options that sbatch understands."""
    group = parser.add_argument_group("Slurm")
    for name, text in (
        ("partition", "partition that runs the tasks (default: the cluster's)"),
        (
            "time",
            "time limit of a task, as in 4:00:00; two minutes before it, a task stops and "
            "goes on in its next turn",
        ),
        ("mem", "memory of a task, as in 8G (default: the cluster's)"),
        ("gpus", "GPUs of a task (default: none)"),
        ("account", "account that pays (default: yours)"),
    ):
        group.add_argument(f"--{name}", metavar=name[0].upper(), help=text)
    group.add_argument(
        "--cpus",
        type=arguments.positive,
        default=4,
        metavar="N",
        help="CPUs, and threads, of a task (default: 4)",
    )
    group.add_argument(
        "--sbatch",
        action="append",
        default=[],
        metavar="OPTION",
        help="any other option of sbatch, as in --sbatch=--qos=long",
    )
    group.add_argument(
        *arguments.spellings("dry_run"),
        action="store_true",
        help="print the sbatch commands, and run none",
    )


def resources(args: argparse.Namespace) -> tuple[str, ...]:
    """Return the options of sbatch."""
    names = ("partition", "time", "mem", "gpus", "account")
    given = [f"--{name}={getattr(args, name)}" for name in names if getattr(args, name)]
    return (*given, f"--cpus-per-task={args.cpus}", *args.sbatch)
