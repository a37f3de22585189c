"""A joblist on a Slurm cluster: an array of tasks, and a look at how far they are."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from joblist.errors import UsageError
from jobs.analysis import load_analysis
from jobs.commands import _arguments as arguments
from jobs.commands import accept as accepting
from jobs.commands._slurm import add_folder, folder, page
from jobs.commands._slurm_submit import add_pilot, add_submit
from jobs.slurm import batch, rounds, survey
from jobs.slurm.folder import JOIN, SHARD, Folder
from jobs.slurm.submission import require_same_program
from jobs.slurm.survey import Fate
from jobs.standalone import journal

SHOWN = 50
AGAIN = 75


def add(commands: Any) -> None:
    """Add the command and its own commands."""
    text = "do a joblist on a Slurm cluster"
    parser = commands.add_parser("slurm", help=text, description=text)
    below = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_submit(below)
    add_pilot(below)
    text = "how far the jobs are, and why some failed"
    status = below.add_parser("status", **page(text, "slurm status jobs.csv", "0 shown"))
    add_folder(status)
    status.set_defaults(run=_status)
    text = "write merged.jsonl, a line a job with its files"
    codes = "0 every job is done, 1 some are not, 75 tasks still work (with --rounds)"
    merge = below.add_parser("merge", **page(text, "slurm merge jobs.csv", codes))
    add_folder(merge)
    merge.add_argument(
        "--rounds",
        type=arguments.count,
        default=0,
        metavar="N",
        help="submit what is left, up to N times (default: 0)",
    )
    merge.set_defaults(run=_merge)
    text = "record the new state of outputs that were changed on purpose"
    codes = "0 accepted, 1 a file is not as the table says"
    example = "slurm accept jobs.csv --changes jobs.changes.csv"
    accept = below.add_parser("accept", **page(text, example, codes))
    add_folder(accept)
    accepting.add_changes(accept)
    accept.set_defaults(run=_accept)
    text = "what a task of the array runs"
    codes = "0 done, 75 stopped or to be tried again, 1 something is left"
    task = below.add_parser("task", **page(text, "slurm task jobs.slurm shard 1 --slot 0", codes))
    task.add_argument("folder", type=Path, help="the --folder of submit")
    task.add_argument("kind", choices=(SHARD, JOIN), help="parts of films, or what joins them")
    task.add_argument("round", type=arguments.positive, help="number of the submission, from 1")
    task.add_argument(
        "--slot",
        type=arguments.count,
        metavar="N",
        help="which task, from 0 (default: SLURM_ARRAY_TASK_ID)",
    )
    task.set_defaults(run=_task)


def _task(args: argparse.Namespace) -> int:
    from jobs.slurm import task

    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    slot = args.slot
    if slot is None:
        slot = int(os.environ.get("SLURM_ARRAY_TASK_ID", "-1"))
    if slot < 0:
        raise UsageError("which task? Run it in an array of Slurm, or give --slot")
    work_folder = Folder(args.folder)
    analysis = load_analysis()
    require_same_program(work_folder, analysis)
    private = analysis.private(work_folder.plan().identities)
    try:
        return task.run(work_folder, args.kind, args.round, slot, private=private)
    except OSError as error:
        print(f"jobs: {error}", file=sys.stderr)
        return task.INCOMPLETE


def _status(args: argparse.Namespace) -> int:
    work_folder = folder(args)
    plan, last = work_folder.plan(), work_folder.round()
    fates = list(survey.fates(work_folder))
    _print(Counter(fate.state for fate in fates), [f for f in fates if f.state == survey.FAILED])
    for kind, number in last.arrays.items():
        states = Counter(batch.queued(number))
        shown = ", ".join(f"{n} {state.lower()}" for state, n in sorted(states.items()))
        print(f"{kind}: job {number}: {shown or 'ended'}")
    print(f"round {last.number}, {plan.tasks} tasks; journals and logs: {work_folder.path}")
    return 0


def _merge(args: argparse.Namespace) -> int:
    work_folder = folder(args)
    plan = work_folder.plan()
    if args.rounds and rounds.still_at_work(work_folder, SHARD, JOIN):
        print("tasks are still at work: merge again when they have ended", file=sys.stderr)
        return AGAIN
    counts, bad = survey.merge(work_folder)
    _print(counts, bad)
    print(f"written: {work_folder.merged}")
    if plan.identities:
        print(f"archive: {load_analysis().known(plan.identities)}")
    if args.rounds and any(fate.state != survey.FAILED for fate in bad):
        print("not complete: what is left is submitted again")
        for line in rounds.begin(work_folder, retry=False, left=args.rounds):
            print(line)
    return 1 if bad else 0


def _accept(args: argparse.Namespace) -> int:
    work_folder = folder(args)
    work_folder.plan()
    rounds.require_idle(work_folder)
    good, wrong = accepting.trusted(args.changes)
    jobs = journal.accept(work_folder.journals(), good, into=work_folder.accepted())
    return accepting.tell(jobs, wrong)


def _print(counts: Counter[str], bad: list[Fate]) -> None:
    print(", ".join(f"{n} {state}" for state, n in sorted(counts.items())), f"of {counts.total()}")
    for fate in bad[:SHOWN]:
        reason = f" ({fate.reason})" if fate.reason else ""
        print(f"{fate.state}: {fate.work.spec.source_path}{reason}")
    if len(bad) > SHOWN:
        print(f"and {len(bad) - SHOWN} more")
