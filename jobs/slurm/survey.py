"""Survey of all jobs, read off the journals and the files."""

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
class Fate:
    """Of one job."""

    work: Work
    state: str
    reason: str = ""
    record: Record = field(default_factory=Record)

    def to_dict(self) -> dict[str, Any]:
        """Return it for a table."""
        manifest = self.record.manifest if self.state == DONE else None
        return {
            "source_path": self.work.spec.source_path,
            "dest_csv": self.work.csv,
            "state": self.state,
            "reason": self.reason,
            "manifest": manifest.to_dict() if manifest else None,
        }


def fates(folder: Folder) -> Iterator[Fate]:
    """Yield what has become of each job of the joblist."""
    records = journal.read(folder.journals())
    for whole, makers in folder.jobs():
        yield _fate(whole, makers, records)


def _fate(whole: Work, makers: Sequence[Work], records: Mapping[str, Record]) -> Fate:
    record = records.get(whole.name, Record())
    if record.done:
        return Fate(whole, DONE if is_done(record) else GONE, record=record)
    if record.given_up:
        return Fate(whole, FAILED, record.reason, record)
    for maker in makers:
        last_record = records.get(maker.name, Record())
        if last_record.given_up:
            return Fate(whole, FAILED, f"{maker.shard}: {last_record.reason}", record)
    return Fate(whole, LEFT, record.reason, record)


def merge(folder: Folder) -> tuple[Counter[str], list[Fate]]:
    """Write one table of all journals; the same however often it is done.

    Returns:
        The number of jobs in each state, and the jobs that are not done.
    """
    ordered = sorted(fates(folder), key=lambda fate: fate.work.csv)
    write_lines(folder.merged, (fate.to_dict() for fate in ordered))
    return Counter(fate.state for fate in ordered), [f for f in ordered if f.state != DONE]
