"""A file that remembers what became of each piece of work, where no server keeps a ledger.

A line is a JSON object, forced to the disk before anything is done that depends on it. One process
at a time writes a journal. A line that is torn, for its writer was killed, counts for nothing.

::

    began -> publishing (these files win) -> done
    began -> failed      with a kind that says whether to try again
    began -> released    given up without blame, perhaps for a reason that is not the work's
    began -> began       the one before was killed: the work may be to blame
    done -> accepted     its files were changed on purpose
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ina_input import documents, regular
from joblist.errors import UsageError
from jobs.outputs.changed_files import Change, applied
from jobs.retry import may_retry
from jobs.types import Manifest

MAX_ATTEMPTS = 3
BEGINNING = b'{"work": "'
"""Beginning of each line."""


@dataclass(frozen=True)
class Record:
    """What journals tell of one piece of work."""

    state: str = ""
    """What the last line says."""
    fails: int = 0
    lost: int = 0
    """Runs that ended with the process."""
    manifest: Manifest | None = None
    """Of the files that win, or have won."""
    kind: str = ""
    """Of the last failure."""
    error: str = ""

    @property
    def losses(self) -> int:
        """Runs that were killed, if none goes on now."""
        return self.lost + (self.state == "began")

    @property
    def given_up(self) -> bool:
        """Whether it has failed for good, if no process works on it now."""
        if self.losses >= MAX_ATTEMPTS:
            return True
        failed = self.state == "failed" and self.kind != "crash"
        return failed and not may_retry(self.kind, self.fails, max_attempts=MAX_ATTEMPTS)

    @property
    def done(self) -> bool:
        """Whether its files stood under their final names."""
        return self.state == "done"

    @property
    def reason(self) -> str:
        """Why it is not done, as far as that is known."""
        if self.state == "began":
            return f"its process was killed {self.losses} times"
        return f"{self.kind}: {self.error}" if self.kind else ""

    def after(self, line: Mapping[str, Any]) -> Record:
        """Return the record with one more line."""
        what = line["what"]
        if what == "began":
            return replace(self, state=what, lost=self.losses)
        if what == "publishing":
            return replace(self, state=what, manifest=Manifest.from_dict(line["manifest"]))
        if what == "accepted":
            return replace(self, state="done", manifest=Manifest.from_dict(line["manifest"]))
        if what == "released":
            why = {name: line.get(name, "") for name in ("kind", "error")}
            return replace(self, state=what, **why)
        if what != "failed":
            return replace(self, state=what)
        blame = line["kind"] == "crash"
        return replace(
            self,
            state=what,
            lost=self.lost + blame,
            fails=self.fails + (not blame),
            kind=line["kind"],
            error=line["error"],
        )


def read(paths: Iterable[Path]) -> dict[str, Record]:
    """Return the records of all journals, by the name of the work.

    Args:
        paths: In order of time, where two know of the same work.
    """
    records: dict[str, Record] = {}
    for path in paths:
        if path.exists():
            with regular.open_binary(path) as file:
                _read(file, records)
    return records


def _read(lines: Iterable[bytes], records: dict[str, Record]) -> None:
    for text in lines:
        try:
            line = documents.parse(text)
            work = line["work"]
            records[work] = records.get(work, Record()).after(line)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue


def accept(paths: Sequence[Path], changes: Mapping[str, Change], *, into: Path) -> int:
    """Record that files of work that is done were changed on purpose.

    Args:
        paths: Journals, as in `read`; no process writes them now.
        changes: The changes, each as the disk has it.
        into: The journal that is read last.

    Returns:
        How many pieces of work have such files.
    """
    records = read(paths)
    done = {name: record.manifest for name, record in records.items() if record.done}
    new = {name: applied(old, changes) for name, old in done.items() if old}
    changed = {name: manifest for name, manifest in new.items() if manifest != done[name]}
    if changed:
        with Journal(into) as journal:
            for name, manifest in changed.items():
                csv = manifest.files["csv"].path
                journal.add(name, "accepted", csv=csv, manifest=manifest.to_dict())
    return len(changed)


def _require_journal(path: Path) -> None:
    """Refuse what is there and is no journal.

    Raises:
        UsageError: It is a file of another kind, or none.
        OSError: It cannot be read.
    """
    cure = "move it away, or name another file"
    try:
        if not path.is_file() and path.exists():
            raise UsageError(f"the journal {path} is not a regular file: {cure}")
        with regular.open_binary(path) as file:
            head = file.read(len(BEGINNING))
    except FileNotFoundError:
        return
    # The first line may be torn, too.
    if head != BEGINNING[: len(head)]:
        raise UsageError(f"{path} is not a journal: {cure}")


class Journal:
    """One journal, to be continued; a context manager.

    Args:
        path: Path of the file; its folder is made.

    Raises:
        UsageError: There is something else, which is left as it is.
    """

    def __init__(self, path: Path) -> None:
        _require_journal(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._records = read([path])
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")

    def __enter__(self) -> Journal:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        os.close(self._file)

    def record(self, work: str) -> Record:
        """Return the record of a piece of work."""
        return self._records.get(work, Record())

    def add(self, work: str, what: str, **details: Any) -> None:
        """Write a line; it is on the disk when this returns."""
        line = {"work": work, "what": what, "time": round(time.time(), 3), **details}
        os.write(self._file, json.dumps(line).encode() + b"\n")
        os.fsync(self._file)
        self._records[work] = self.record(work).after(line)
