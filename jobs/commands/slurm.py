"""Do a joblist on a Slurm cluster: submit it, look at its progress, merge the results."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joblist.errors import UsageError
from jobs.analysis import load_analysis
from jobs.commands._arguments import count, positive
from jobs.commands._changes import add_changes, read_changes, report_accepted
from jobs.commands._slurm import add_folder, add_slurm_command, folder_of
from jobs.commands._slurm_submit import add_pilot, add_submit
from jobs.slurm import batch, rounds, survey
from jobs.slurm.folder import JOIN, SHARD, Folder
from jobs.slurm.submission import require_same_program
from jobs.slurm.survey import JobResult
from jobs.standalone import journal

MAX_PRINTED = 50
"""Jobs that are printed with the reason of their failure."""
TRY_AGAIN = 75


def add(commands: Any) -> None:
    """Add the command and the commands below it."""
    text = "do a joblist on a Slurm cluster"
    parser = commands.add_parser("slurm", help=text, description=text, has_settings=False)
    slurm_commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add_one in (add_submit, add_pilot, _add_status, _add_merge, _add_accept, _add_task):
        add_one(slurm_commands)


def _add_status(commands: Any) -> None:
    text = "progress of the jobs, and why some failed"
    parser = add_slurm_command(commands, "status", text, example="jobs.csv", codes="0 shown")
    add_folder(parser)
    parser.set_defaults(run=_status)


def _add_merge(commands: Any) -> None:
    text = "write merged.jsonl, one line for each job with its files"
    codes = "0 every job is done, 1 some are not, 75 tasks still work (with --rounds)"
    parser = add_slurm_command(commands, "merge", text, example="jobs.csv", codes=codes)
    add_folder(parser)
    parser.add_argument(
        "--rounds",
        type=count,
        default=0,
        metavar="N",
        help="submit what is left, up to N times (default: 0)",
    )
    parser.set_defaults(run=_merge)


def _add_accept(commands: Any) -> None:
    text = "record the new state of outputs that were changed on purpose"
    codes = "0 accepted, 1 a file is not as the table says"
    example = "jobs.csv --changes jobs.changes.csv"
    parser = add_slurm_command(commands, "accept", text, example=example, codes=codes)
    add_folder(parser)
    add_changes(parser)
    parser.set_defaults(run=_accept)


def _add_task(commands: Any) -> None:
    text = "what a task of the array runs"
    codes = "0 done, 75 stopped or to be tried again, 1 something is left"
    example = "jobs.slurm shard 1 --slot 0"
    parser = add_slurm_command(commands, "task", text, example=example, codes=codes)
    parser.add_argument("folder", type=Path, help="the --folder of submit")
    parser.add_argument("kind", choices=(SHARD, JOIN), help="parts of films, or what joins them")
    parser.add_argument("round", type=positive, help="number of the submission, from 1")
    parser.add_argument(
        "--slot",
        type=count,
        metavar="N",
        help="which task, from 0 (default: SLURM_ARRAY_TASK_ID)",
    )
    parser.set_defaults(run=_task)


def _task(args: argparse.Namespace) -> int:
    from jobs.slurm import task

    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    slot = args.slot
    if slot is None:
        slot = int(os.environ.get("SLURM_ARRAY_TASK_ID", "-1"))
    if slot < 0:
        raise UsageError("which task? Run it in an array of Slurm, or give --slot")
    folder = Folder(args.folder)
    analysis = load_analysis()
    require_same_program(folder, analysis)
    private = analysis.private(folder.plan().identities)
    try:
        return task.run(folder, args.kind, args.round, slot, private=private)
    except OSError as error:
        print(f"jobs: {error}", file=sys.stderr)
        return task.INCOMPLETE


def _status(args: argparse.Namespace) -> int:
    folder = folder_of(args)
    plan, last = folder.plan(), folder.round()
    results = list(survey.results(folder))
    failed = [result for result in results if result.state == survey.FAILED]
    _print_results(Counter(result.state for result in results), failed)
    for kind, number in last.arrays.items():
        states = Counter(batch.unfinished_states(number))
        text = ", ".join(f"{n} {state.lower()}" for state, n in sorted(states.items()))
        print(f"{kind}: job {number}: {text or 'ended'}")
    print(f"round {last.number}, {plan.tasks} tasks; journals and logs: {folder.path}")
    return 0


def _merge(args: argparse.Namespace) -> int:
    folder = folder_of(args)
    plan = folder.plan()
    if args.rounds and rounds.still_at_work(folder, SHARD, JOIN):
        print("tasks are still at work: merge again when they have ended", file=sys.stderr)
        return TRY_AGAIN
    counts, not_done = survey.merge(folder)
    _print_results(counts, not_done)
    print(f"written: {folder.merged}")
    if plan.identities:
        print(f"archive: {load_analysis().known(plan.identities)}")
    if args.rounds and any(result.state != survey.FAILED for result in not_done):
        print("not complete: what is left is submitted again")
        for line in rounds.submit_round(folder, retry=False, rounds_left=args.rounds):
            print(line)
    return 1 if not_done else 0


def _accept(args: argparse.Namespace) -> int:
    folder = folder_of(args)
    # It raises an error if nothing was submitted.
    folder.plan()
    rounds.require_idle(folder)
    good, wrong = read_changes(args.changes)
    accepted = journal.accept(folder.journals(), good, into=folder.accepted())
    return report_accepted(accepted, wrong)


def _print_results(counts: Counter[str], results: Sequence[JobResult]) -> None:
    """Print the number of jobs in each state, and some jobs with the reason of their failure."""
    print(", ".join(f"{n} {state}" for state, n in sorted(counts.items())), f"of {counts.total()}")
    for result in results[:MAX_PRINTED]:
        reason = f" ({result.reason})" if result.reason else ""
        print(f"{result.state}: {result.work.spec.source_path}{reason}")
    if len(results) > MAX_PRINTED:
        print(f"and {len(results) - MAX_PRINTED} more")
