"""The commands `slurm submit` and `slurm pilot`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ina_cli.numbers import RealNumber
from jobs.analysis import load_analysis
from jobs.commands._arguments import add_bounds, positive, read_bounds, spellings
from jobs.commands._slurm import add_resources, add_slurm_command, folder_of, sbatch_options
from jobs.server import local_workers
from jobs.slurm import batch, rounds, submission
from jobs.slurm.folder import Plan

SUBMIT = """\
Submit an array of tasks that do the joblist, long films cut into parts if requested, and a merge
after them that tells whether all is done. The same command again does what is left, what has
failed, and what is new in the joblist."""
PILOT = """\
Submit an array of workers, `ina_worker.py URI`, of a server that runs elsewhere. Two minutes
before the time limit a worker finishes its job, or gives it back, and leaves."""
_SUBMIT_OPTIONS: dict[str, dict[str, Any]] = {
    "shards": {
        "type": positive,
        "required": True,
        "metavar": "N",
        "help": "tasks of the array, among which the jobs are divided",
    },
    "parts": {
        "type": positive,
        "metavar": "P",
        "help": "cut long films into up to P parts, at cuts; the results are the same",
    },
    "part_minutes": {
        "type": RealNumber(),
        "metavar": "M",
        "help": "with --parts: no part is shorter, in minutes (default: 30)",
    },
    "folder": {
        "type": Path,
        "metavar": "DIR",
        "help": "for lists, journals and logs, on storage that all nodes see "
        "(default: JOBLIST.slurm)",
    },
}
_PILOT_OPTIONS: dict[str, dict[str, Any]] = {
    "workers": {
        "type": positive,
        "required": True,
        "metavar": "N",
        "help": "number of workers, one for each task",
    },
    "folder": {
        "type": Path,
        "metavar": "DIR",
        "default": Path("ina-pilots"),
        "help": "for logs, where all nodes can write (default: ina-pilots)",
    },
    "token_file": {
        "type": Path,
        "metavar": "FILE",
        "help": "file with the server's token",
    },
    "certs": {
        "type": Path,
        "metavar": "DIR",
        "help": "folder with certificates",
    },
}


def add_submit(commands: Any) -> None:
    """Add `submit`."""
    parser = add_slurm_command(
        commands,
        "submit",
        "submit an array of tasks; again, to do what is left or has failed",
        example="jobs.csv --shards 40 --partition long --time 4:00:00 --fps 5",
        codes="0 submitted, or nothing to do",
        description=SUBMIT,
    )
    parser.add_argument(
        "joblist",
        type=Path,
        metavar="JOBLIST.csv",
        help="on storage that all nodes see, as its media and results",
    )
    for name, keywords in _SUBMIT_OPTIONS.items():
        parser.add_argument(*spellings(name), **keywords)
    analysis = load_analysis()
    analysis.add_identities(parser)
    add_resources(parser)
    add_bounds(parser.add_argument_group("what joblists may read and write"))
    analysis.add_arguments(parser.add_argument_group("analysis"))
    parser.set_defaults(run=_submit)


def _submit(args: argparse.Namespace) -> int:
    analysis = load_analysis()
    folder, settled = folder_of(args), analysis.settle(args)
    rounds.require_idle(folder)
    plan = Plan(
        joblist=str(args.joblist.absolute()),
        factory=analysis.FACTORY,
        program=analysis.PROGRAM,
        models=analysis.models(),
        options=settled.options,
        digest=settled.digest,
        tasks=args.shards,
        threads=args.cpus,
        sbatch=sbatch_options(args),
        bounds=read_bounds(args),
        identities=analysis.identities(args, settled.options, written=True),
    )
    jobs = submission.cut(
        args.joblist,
        plan,
        analysis,
        parts=args.parts,
        part_minutes=args.part_minutes,
        reserved=analysis.reserved(args, settled.options),
    )
    folder.write_plan(plan, jobs)
    lines = rounds.submit_round(folder, retry=True, dry_run=args.dry_run)
    for line in lines or ["nothing to do: every job is done"]:
        print(line)
    if lines and not args.dry_run:
        print(f"journals and logs: {folder.path}")
    if machine := plan.identities.get("machine"):
        print(
            f"the identity store is of {machine['host']} only: tasks elsewhere do nothing; "
            "--identities redis://HOST:6379 is for all machines"
        )
    return 0


def add_pilot(commands: Any) -> None:
    """Add `pilot`."""
    parser = add_slurm_command(
        commands,
        "pilot",
        "submit an array of workers of a running server",
        example="PYRO:ina.jobs@login1:9471 --workers 20 --time 4:00:00 --certs secrets",
        codes="0 submitted",
        description=PILOT,
    )
    parser.add_argument("uri", metavar="URI", help="what the server prints")
    for name, keywords in _PILOT_OPTIONS.items():
        parser.add_argument(*spellings(name), **keywords)
    add_resources(parser)
    parser.set_defaults(run=_pilot)


def _pilot(args: argparse.Namespace) -> int:
    worker = [sys.executable, local_workers.script_path("ina_worker"), args.uri]
    worker += ["--threads", str(args.cpus)]
    for name in ("token_file", "certs"):
        if getattr(args, name):
            worker += [f"--{name}", str(getattr(args, name).absolute())]
    logs: Path = args.folder.absolute()
    command = batch.sbatch_command(
        batch.SCRIPT,
        worker,
        name="pilot",
        log=logs,
        options=sbatch_options(args),
        slots=range(args.workers),
    )
    if args.dry_run:
        print(batch.as_shell_text(command))
        return 0
    logs.mkdir(parents=True, exist_ok=True)
    print(f"pilot: {args.workers} workers, job {batch.submit(command)}; logs: {logs}")
    return 0
