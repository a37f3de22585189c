"""Survey of the results of all jobs, from the journals and the output files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.slurm.folder import Folder, write_lines
from jobs.slurm.rounds import is_done
from jobs.standalone import journal
from jobs.standalone.journal import Record
from jobs.standalone.work import Work

DONE, FAILED, LEFT, GONE = "done", "failed", "left", "outputs gone"


@dataclass(frozen=True)
class JobResult:
    """The result of one job so far."""

    work: Work
    state: str
    """One of `done`, `failed`, `left`, `outputs gone`."""
    reason: str = ""
    """Reason of its last failure; empty without one."""
    record: Record = field(default_factory=Record)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for the table of results."""
        manifest = self.record.manifest if self.state == DONE else None
        return {
            "source_path": self.work.spec.source_path,
            "dest_csv": self.work.csv,
            "state": self.state,
            "reason": self.reason,
            "manifest": manifest.to_dict() if manifest else None,
        }


def results(folder: Folder) -> Iterator[JobResult]:
    """Yield the result of each job of the joblist so far."""
    records = journal.read(folder.journals())
    for whole, parts in folder.jobs():
        yield _result_of(whole, parts, records)


def _result_of(whole: Work, parts: Sequence[Work], records: Mapping[str, Record]) -> JobResult:
    record = records.get(whole.name, Record())
    if record.done:
        lacks = record.manifest.lacks if record.manifest else ""
        return JobResult(whole, DONE if is_done(record) else GONE, lacks, record)
    if record.given_up:
        return JobResult(whole, FAILED, record.reason, record)
    for part in parts:
        last_record = records.get(part.name, Record())
        if last_record.given_up:
            return JobResult(whole, FAILED, f"{part.shard}: {last_record.reason}", record)
    return JobResult(whole, LEFT, record.reason, record)


def merge(folder: Folder) -> tuple[Counter[str], list[JobResult]]:
    """Write the results of all jobs into one table, in the order of their csv files.

    Returns:
        The number of jobs in each state, and the results of the jobs that are not done.
    """
    ordered = sorted(results(folder), key=lambda result: result.work.csv)
    write_lines(folder.merged, (result.to_dict() for result in ordered))
    return Counter(result.state for result in ordered), [r for r in ordered if r.state != DONE]
