"""The commands `slurm submit` and `slurm pilot`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from jobs.analysis import load_analysis
from jobs.commands import _arguments as arguments
from jobs.commands._slurm import add_resources, folder, page, resources
from jobs.server import local_workers
from jobs.slurm import batch, rounds, submission
from jobs.slurm.folder import Plan

SUBMIT = """\
Submit an array of tasks that do the joblist, long films cut into parts if so wished, and a merge
after them that tells whether all is done. The same command again does what is left, what has
failed, and what is new in the joblist."""
PILOT = """\
Submit an array of workers, `ina_worker.py URI`, of a server that runs elsewhere. Two minutes
before the time limit a worker finishes its job, or gives it back, and leaves."""


def add_submit(commands: Any) -> None:
    """Add `submit`."""
    parser = commands.add_parser(
        "submit",
        **page(
            "submit an array of tasks; again, to do what is left or has failed",
            "slurm submit jobs.csv --shards 40 --partition long --time 4:00:00 --fps 5",
            "0 submitted, or nothing to do",
        ),
    )
    parser.description = SUBMIT
    parser.add_argument(
        "joblist",
        type=Path,
        metavar="JOBLIST.csv",
        help="on storage that all nodes see, as its media and results",
    )
    parser.add_argument(
        "--shards",
        type=arguments.positive,
        required=True,
        metavar="N",
        help="tasks of the array, among which the jobs are divided",
    )
    parser.add_argument(
        "--parts",
        type=arguments.positive,
        metavar="P",
        help="cut long films into up to P parts, at cuts; the results are the same",
    )
    parser.add_argument(
        *arguments.spellings("part_minutes"),
        type=float,
        metavar="M",
        help="with --parts: no part is shorter, in minutes (default: 30)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="for lists, journals and logs, on storage that all nodes see (default: JOBLIST.slurm)",
    )
    load_analysis().add_identities(parser)
    add_resources(parser)
    arguments.add_bounds(parser.add_argument_group("what joblists may read and write"))
    load_analysis().add_arguments(parser.add_argument_group("analysis"))
    parser.set_defaults(run=_submit)


def _submit(args: argparse.Namespace) -> int:
    analysis = load_analysis()
    work_folder, settled = folder(args), analysis.settle(args)
    rounds.require_idle(work_folder)
    plan = Plan(
        joblist=str(args.joblist.absolute()),
        factory=analysis.FACTORY,
        program=analysis.PROGRAM,
        models=analysis.models(),
        options=settled.options,
        digest=settled.digest,
        tasks=args.shards,
        threads=args.cpus,
        sbatch=resources(args),
        bounds=arguments.bounds(args),
        identities=analysis.identities(args, settled.options, written=True),
    )
    jobs = submission.cut(
        args.joblist, plan, analysis, parts=args.parts, part_minutes=args.part_minutes
    )
    work_folder.keep(plan, jobs)
    lines = rounds.begin(work_folder, retry=True, dry=args.dry_run)
    for line in lines or ["nothing to do: every job is done"]:
        print(line)
    if lines and not args.dry_run:
        print(f"journals and logs: {work_folder.path}")
    if machine := plan.identities.get("machine"):
        print(
            f"the identity store is of {machine['host']} only: tasks elsewhere do nothing; "
            "--identities redis://HOST:6379 is for all machines"
        )
    return 0


def add_pilot(commands: Any) -> None:
    """Add `pilot`."""
    parser = commands.add_parser(
        "pilot",
        **page(
            "submit an array of workers of a running server",
            "slurm pilot PYRO:ina.jobs@login1:9471 --workers 20 --time 4:00:00 --certs secrets",
            "0 submitted",
        ),
    )
    parser.description = PILOT
    parser.add_argument("uri", metavar="URI", help="what the server prints")
    parser.add_argument(
        "--workers",
        type=arguments.positive,
        required=True,
        metavar="N",
        help="workers, a task each",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        default=Path("ina-pilots"),
        help="for logs, where all nodes can write (default: ina-pilots)",
    )
    parser.add_argument(
        *arguments.spellings("token_file"),
        type=Path,
        metavar="FILE",
        help="file with the server's token",
    )
    parser.add_argument("--certs", type=Path, metavar="DIR", help="folder with certificates")
    add_resources(parser)
    parser.set_defaults(run=_pilot)


def _pilot(args: argparse.Namespace) -> int:
    worker = [sys.executable, local_workers.script("ina_worker"), args.uri]
    worker += ["--threads", str(args.cpus)]
    for name in ("token_file", "certs"):
        if getattr(args, name):
            worker += [f"--{name}", str(getattr(args, name).absolute())]
    logs: Path = args.folder.absolute()
    call = batch.call(
        batch.SCRIPT,
        worker,
        name="pilot",
        log=logs,
        options=resources(args),
        slots=range(args.workers),
    )
    if args.dry_run:
        print(batch.shown(call))
        return 0
    logs.mkdir(parents=True, exist_ok=True)
    print(f"pilot: {args.workers} workers, job {batch.submit(call)}; logs: {logs}")
    return 0
