"""A joblist on a Slurm cluster: an array of tasks, and a look at how far they are."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from joblist.shard import Shard
from jobs import analysis as joint
from jobs.commands import _arguments as arguments
from jobs.commands import accept as accepting
from jobs.errors import UsageError
from jobs.ledger import keys
from jobs.server import local_workers
from jobs.slurm import batch, rounds, survey
from jobs.slurm.folder import JOIN, SHARD, Folder, Plan
from jobs.slurm.survey import Fate
from jobs.standalone import journal
from jobs.standalone.work import Work

SHOWN = 50
LEAST_MINUTES = 30.0
AGAIN = 75
SUBMIT = """\
Submit an array of tasks that do the joblist, long films cut into parts if so wished, and a merge
after them that tells whether all is done. The same command again does what is left, what has
failed, and what is new in the joblist."""
PILOT = """\
Submit an array of workers, `ina_worker.py URI`, of a server that runs elsewhere. Two minutes
before the time limit a worker finishes its job, or gives it back, and leaves."""


def add(commands: Any) -> None:
    """Add the command and its own commands."""
    text = "do a joblist on a Slurm cluster"
    parser = commands.add_parser("slurm", help=text, description=text)
    below = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_submit(below)
    _add_pilot(below)
    text = "how far the jobs are, and why some failed"
    status = below.add_parser("status", **_page(text, "slurm status jobs.csv", "0 shown"))
    _add_folder(status)
    status.set_defaults(run=_status)
    text = "write merged.jsonl, a line a job with its files"
    codes = "0 every job is done, 1 some are not, 75 tasks still work (with --rounds)"
    merge = below.add_parser("merge", **_page(text, "slurm merge jobs.csv", codes))
    _add_folder(merge)
    merge.add_argument("--rounds", type=arguments.count, default=0, metavar="N",
                       help="submit what is left, up to N times (default: 0)")  # fmt: skip
    merge.set_defaults(run=_merge)
    text = "record the new state of outputs that were changed on purpose"
    codes = "0 accepted, 1 a file is not as the table says"
    example = "slurm accept jobs.csv --changes jobs.changes.csv"
    accept = below.add_parser("accept", **_page(text, example, codes))
    _add_folder(accept)
    accepting.add_changes(accept)
    accept.set_defaults(run=_accept)
    text = "what a task of the array runs"
    codes = "0 done, 75 stopped or to be tried again, 1 something is left"
    task = below.add_parser("task", **_page(text, "slurm task jobs.slurm shard 1 --slot 0", codes))
    task.add_argument("folder", type=Path, help="the --folder of submit")
    task.add_argument("kind", choices=(SHARD, JOIN), help="parts of films, or what joins them")
    task.add_argument("round", type=arguments.positive, help="number of the submission, from 1")
    task.add_argument("--slot", type=arguments.count, metavar="N",
                      help="which task, from 0 (default: SLURM_ARRAY_TASK_ID)")  # fmt: skip
    task.set_defaults(run=_task)


def _page(text: str, example: str, codes: str) -> dict[str, Any]:
    """The keywords of a command: what it does, how it is called, and how it ends."""
    return {
        "help": text,
        "description": text,
        "epilog": f"example:\n  python -m jobs {example}\n\nexit code: {codes}, 2 bad usage",
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }


def _add_folder(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("joblist", nargs="?", type=Path, metavar="JOBLIST.csv",
                       help="the joblist that was submitted")  # fmt: skip
    which.add_argument(
        "--folder", type=Path, metavar="DIR", help="the --folder of submit, where it had one"
    )


def _folder(args: argparse.Namespace) -> Folder:
    folder: Path = args.folder or rounds.folder_of(args.joblist)
    return Folder(folder.absolute())


def _add_resources(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("Slurm")
    for name, text in (
        ("partition", "partition that runs the tasks (default: the cluster's)"),
        ("time", "time limit of a task, as in 4:00:00; two minutes before it, a task stops and "
         "goes on in its next turn"),
        ("mem", "memory of a task, as in 8G (default: the cluster's)"),
        ("gpus", "GPUs of a task (default: none)"),
        ("account", "account that pays (default: yours)"),
    ):  # fmt: skip
        group.add_argument(f"--{name}", metavar=name[0].upper(), help=text)
    group.add_argument("--cpus", type=arguments.positive, default=4, metavar="N",
                       help="CPUs, and threads, of a task (default: 4)")  # fmt: skip
    group.add_argument("--sbatch", action="append", default=[], metavar="OPTION",
                       help="any other option of sbatch, as in --sbatch=--qos=long")  # fmt: skip
    group.add_argument(*arguments.spellings("dry_run"), action="store_true",
                       help="print the sbatch commands, and run none")  # fmt: skip


def _resources(args: argparse.Namespace) -> tuple[str, ...]:
    names = ("partition", "time", "mem", "gpus", "account")
    given = [f"--{name}={getattr(args, name)}" for name in names if getattr(args, name)]
    return (*given, f"--cpus-per-task={args.cpus}", *args.sbatch)


def _add_submit(commands: Any) -> None:
    parser = commands.add_parser(
        "submit",
        **_page(
            "submit an array of tasks; again, to do what is left or has failed",
            "slurm submit jobs.csv --shards 40 --partition long --time 4:00:00 --fps 5",
            "0 submitted, or nothing to do",
        ),
    )
    parser.description = SUBMIT
    parser.add_argument("joblist", type=Path, metavar="JOBLIST.csv", help="on storage that all "
                        "nodes see, as its media and results")  # fmt: skip
    parser.add_argument("--shards", type=arguments.positive, required=True, metavar="N",
                        help="tasks of the array, among which the jobs are divided")  # fmt: skip
    parser.add_argument("--parts", type=arguments.positive, metavar="P",
                        help="cut long films into up to P parts, at cuts; the results are the "
                        "same")  # fmt: skip
    parser.add_argument(*arguments.spellings("part_minutes"), type=float, metavar="M",
                        help="with --parts: no part is shorter, in minutes (default: 30)"
                        )  # fmt: skip
    parser.add_argument("--folder", type=Path, metavar="DIR", help="for lists, journals and logs, "
                        "on storage that all nodes see (default: JOBLIST.slurm)")  # fmt: skip
    joint.load_analysis().add_identities(parser)
    _add_resources(parser)
    arguments.add_bounds(parser.add_argument_group("what joblists may read and write"))
    joint.load_analysis().add_arguments(parser.add_argument_group("analysis"))
    parser.set_defaults(run=_submit)


def _submit(args: argparse.Namespace) -> int:
    analysis = joint.load_analysis()
    folder, settled = _folder(args), analysis.settle(args)
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
        sbatch=_resources(args),
        bounds=arguments.bounds(args),
        identities=analysis.identities(args, settled.options, written=True),
    )
    folder.keep(plan, _cut(_jobs(args, plan), args, plan))
    batch = rounds.begin(folder, retry=True, dry=args.dry_run)
    for line in batch or ["nothing to do: every job is done"]:
        print(line)
    if batch and not args.dry_run:
        print(f"journals and logs: {folder.path}")
    if machine := plan.identities.get("machine"):
        print(
            f"the identity store is of {machine['host']} only: tasks elsewhere do nothing; "
            "--identities redis://HOST:6379 is for all machines"
        )
    return 0


def _jobs(args: argparse.Namespace, plan: Plan) -> Iterator[Work]:
    from jobs.inputs import joblist

    analysis = joint.load_analysis()
    keys_seen: set[bytes] = set()
    for spec in joblist.read(args.joblist, exporters=analysis.exporters(), bounds=plan.bounds):
        # Rows that are equal count once; others of one csv are refused.
        if (key := keys.key(spec.dests["csv"])) not in keys_seen:
            keys_seen.add(key)
            yield replace(plan.template, spec=analysis.check(spec, plan.options))


def _cut(
    jobs: Iterable[Work], args: argparse.Namespace, plan: Plan
) -> Iterator[tuple[Work, list[Shard]]]:
    """Yield each job with the shards into which it is cut."""
    analysis = joint.load_analysis()
    if args.part_minutes is not None and args.parts is None:
        raise UsageError("--part_minutes: say into how many parts at most, with --parts")
    minutes = LEAST_MINUTES if args.part_minutes is None else args.part_minutes
    analysis.shards(args.parts, minutes if args.parts else None, plan.options)
    for work in jobs:
        count = 1
        if args.parts:
            length_s = analysis.length_s(work.spec.source_path, plan.options)
            count = min(args.parts, int(length_s / (60 * minutes)))
        yield work, analysis.shards(count, minutes, plan.options) if count > 1 else []


def _add_pilot(commands: Any) -> None:
    parser = commands.add_parser(
        "pilot",
        **_page(
            "submit an array of workers of a running server",
            "slurm pilot PYRO:ina.jobs@login1:9471 --workers 20 --time 4:00:00 --certs secrets",
            "0 submitted",
        ),
    )
    parser.description = PILOT
    parser.add_argument("uri", metavar="URI", help="what the server prints")
    parser.add_argument("--workers", type=arguments.positive, required=True, metavar="N",
                        help="workers, a task each")  # fmt: skip
    parser.add_argument("--folder", type=Path, metavar="DIR", default=Path("ina-pilots"),
                        help="for logs, where all nodes can write (default: ina-pilots)"
                        )  # fmt: skip
    parser.add_argument(*arguments.spellings("token_file"), type=Path, metavar="FILE",
                        help="file with the server's token")  # fmt: skip
    parser.add_argument("--certs", type=Path, metavar="DIR", help="folder with certificates")
    _add_resources(parser)
    parser.set_defaults(run=_pilot)


def _pilot(args: argparse.Namespace) -> int:
    worker = [sys.executable, local_workers.script("ina_worker"), args.uri]
    worker += ["--threads", str(args.cpus)]
    for name in ("token_file", "certs"):
        if getattr(args, name):
            worker += [f"--{name}", str(getattr(args, name).absolute())]
    folder: Path = args.folder.absolute()
    call = batch.call(
        batch.SCRIPT,
        worker,
        name="pilot",
        log=folder,
        options=_resources(args),
        slots=range(args.workers),
    )
    if args.dry_run:
        print(batch.shown(call))
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    print(f"pilot: {args.workers} workers, job {batch.submit(call)}; logs: {folder}")
    return 0


def _task(args: argparse.Namespace) -> int:
    from jobs.slurm import task

    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    slot = args.slot
    if slot is None:
        slot = int(os.environ.get("SLURM_ARRAY_TASK_ID", "-1"))
    if slot < 0:
        raise UsageError("which task? Run it in an array of Slurm, or give --slot")
    folder = Folder(args.folder)
    _require_same(folder)
    private = joint.load_analysis().private(folder.plan().identities)
    try:
        return task.run(folder, args.kind, args.round, slot, private=private)
    except OSError as error:
        print(f"jobs: {error}", file=sys.stderr)
        return task.INCOMPLETE


def _require_same(folder: Folder) -> None:
    """Refuse to work with another program or models: the results would not be the same."""
    plan, analysis = folder.plan(), joint.load_analysis()
    own = {"program": analysis.PROGRAM, **analysis.models()}
    for name, planned in {"program": plan.program, **plan.models}.items():
        if own.get(name) != planned:
            raise UsageError(
                f"{folder.path} was submitted with {name} {planned[:12]}, this has "
                f"{str(own.get(name))[:12]}: install the same version everywhere, or submit again"
            )


def _status(args: argparse.Namespace) -> int:
    folder = _folder(args)
    plan, last = folder.plan(), folder.round()
    fates = list(survey.fates(folder))
    _print(Counter(fate.state for fate in fates), [f for f in fates if f.state == survey.FAILED])
    for kind, number in last.arrays.items():
        states = Counter(batch.queued(number))
        shown = ", ".join(f"{n} {state.lower()}" for state, n in sorted(states.items()))
        print(f"{kind}: job {number}: {shown or 'ended'}")
    print(f"round {last.number}, {plan.tasks} tasks; journals and logs: {folder.path}")
    return 0


def _merge(args: argparse.Namespace) -> int:
    folder = _folder(args)
    plan = folder.plan()
    if args.rounds and rounds.still_at_work(folder, SHARD, JOIN):
        print("tasks are still at work: merge again when they have ended", file=sys.stderr)
        return AGAIN
    counts, bad = survey.merge(folder)
    _print(counts, bad)
    print(f"written: {folder.merged}")
    if plan.identities:
        print(f"archive: {joint.load_analysis().known(plan.identities)}")
    if args.rounds and any(fate.state != survey.FAILED for fate in bad):
        print("not complete: what is left is submitted again")
        for line in rounds.begin(folder, retry=False, left=args.rounds):
            print(line)
    return 1 if bad else 0


def _accept(args: argparse.Namespace) -> int:
    folder = _folder(args)
    folder.plan()
    rounds.require_idle(folder)
    good, wrong = accepting.trusted(args.changes)
    jobs = journal.accept(folder.journals(), good, into=folder.accepted())
    return accepting.tell(jobs, wrong)


def _print(counts: Counter[str], bad: list[Fate]) -> None:
    print(", ".join(f"{n} {state}" for state, n in sorted(counts.items())), f"of {counts.total()}")
    for fate in bad[:SHOWN]:
        reason = f" ({fate.reason})" if fate.reason else ""
        print(f"{fate.state}: {fate.work.spec.source_path}{reason}")
    if len(bad) > SHOWN:
        print(f"and {len(bad) - SHOWN} more")
