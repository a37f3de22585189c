"""Submissions: reading the joblist, cutting long films, checking the program of the tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from joblist.clashes import Reserved
from joblist.errors import UsageError
from joblist.shard import Shard
from jobs.analysis import Analysis
from jobs.inputs import joblist
from jobs.ledger import schema
from jobs.slurm.folder import Folder, Plan
from jobs.standalone.work import Work

MIN_PART_MINUTES = 30.0
"""Least length of a part, in minutes, by default."""


def read_jobs(path: Path, plan: Plan, analysis: Analysis, reserved: Reserved) -> Iterator[Work]:
    """Yield the work of each row; equal rows count once, other rows with the same csv are refused.

    Args:
        path: Path of the joblist.
        plan: Plan of the submission.
        analysis: Analysis that checks each job.
        reserved: Files that no result may replace.

    Raises:
        JoblistError: Rows are wrong; raised after the last row, with all faults.
    """
    keys_seen: set[bytes] = set()
    for spec in joblist.read(
        path, exporters=analysis.exporters(), bounds=plan.bounds, reserved=reserved
    ):
        if (key := schema.job_key(spec.dests["csv"])) not in keys_seen:
            keys_seen.add(key)
            yield replace(plan.template, spec=analysis.check(spec, plan.options))


def cut(
    path: Path,
    plan: Plan,
    analysis: Analysis,
    *,
    parts: int | None,
    part_minutes: float | None,
    reserved: Reserved,
) -> Iterator[tuple[Work, list[Shard]]]:
    """Yield the work of each row with the shards into which it is cut.

    Args:
        path: Path of the joblist.
        plan: Plan of the submission.
        analysis: Analysis that measures and cuts films.
        parts: Greatest number of parts of a film; None for whole films.
        part_minutes: Least length of a part, in minutes.
        reserved: Files that no result may replace.

    Raises:
        UsageError: Films cannot be cut with these options.
    """
    if part_minutes is not None and parts is None:
        raise UsageError("--part_minutes: say into how many parts at most, with --parts")
    minutes = MIN_PART_MINUTES if part_minutes is None else part_minutes
    analysis.shards(parts, minutes if parts else None, plan.options)
    for work in read_jobs(path, plan, analysis, reserved):
        count = 1
        if parts:
            whole_s = analysis.length_s(work.spec.source_path, plan.options)
            length_s = work.spec.analysed_s(whole_s)
            count = min(parts, int(length_s / (60 * minutes)))
        yield work, analysis.shards(count, minutes, plan.options) if count > 1 else []


def require_same_program(folder: Folder, analysis: Analysis) -> None:
    """Refuse to work with another version or other models: the results would differ.

    Raises:
        UsageError: The folder was submitted with another version or other models.
    """
    plan = folder.plan()
    own = {"program": analysis.PROGRAM, **analysis.models()}
    for name, planned in {"program": plan.program, **plan.models}.items():
        if own.get(name) != planned:
            raise UsageError(
                f"{folder.path} was submitted with {name} {planned[:12]}, this has "
                f"{str(own.get(name))[:12]}: install the same version everywhere, or submit again"
            )
