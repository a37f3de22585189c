"""Outputs that were changed on purpose: recorded as they are, and no others."""

from collections.abc import Callable
from pathlib import Path

import pytest

from joblist.errors import UsageError
from jobs.ledger import operations
from jobs.ledger.ledger import Ledger
from jobs.outputs import changed_files
from jobs.outputs.digests import file_sha256
from jobs.types import Manifest, PartFile

Fill = Callable[[int], None]

HEADER = "path,sha256_before,sha256_after\n"


def publish(ledger: Ledger, dest: Path, content: bytes) -> str:
    """A job with one output; returns its SHA-256."""
    (job,) = ledger.claim("w", "r", 1)
    dest.write_bytes(content)
    file = PartFile(str(dest), str(dest), file_sha256(dest), len(content))
    ledger.prepare(job.id, 1, "w", Manifest({"csv": file}).to_dict())
    ledger.published(job.id, 1, "w", options_digest="opts")
    return file_sha256(dest)


def faults(ledger: Ledger) -> list[str]:
    return [what for _, what, _ in ledger.store.read(lambda db: list(operations.faults(db)))]


def accept(ledger: Ledger, changes: dict[str, changed_files.Change]) -> list[int]:
    jobs = ledger.store.read(lambda db: list(operations.changed_manifests(db, changes)))
    return operations.accept(ledger, jobs)


def test_only_what_was_known_before_is_accepted(ledger: Ledger, fill: Fill, tmp_path: Path) -> None:
    fill(1)
    dest = tmp_path / "a.csv"
    first = publish(ledger, dest, b"Grace")
    dest.write_bytes(b"-")
    assert faults(ledger) == ["altered"]
    second = file_sha256(dest)
    assert accept(ledger, {str(dest): changed_files.Change({second}, second)}) == []
    assert faults(ledger) == ["altered"]
    assert accept(ledger, {str(dest): changed_files.Change({first}, second)}) == [1]
    assert faults(ledger) == [""]
    assert accept(ledger, {str(dest): changed_files.Change({first}, second)}) == []


def test_a_job_that_ran_again_meanwhile_is_left_alone(
    ledger: Ledger, fill: Fill, tmp_path: Path
) -> None:
    fill(1)
    dest = tmp_path / "a.csv"
    changes = {str(dest): changed_files.Change({publish(ledger, dest, b"Grace")}, "0" * 64)}
    ((job, token, new),) = ledger.store.read(
        lambda db: list(operations.changed_manifests(db, changes))
    )
    assert operations.accept(ledger, [(job, token + 1, new)]) == []


def test_a_file_may_be_changed_twice(tmp_path: Path) -> None:
    file, table = tmp_path / "a, b.csv", tmp_path / "changes.csv"
    file.write_bytes(b"-")
    table.write_text(f'{HEADER}"{file}",one,two\n"{file}",two,{file_sha256(file)}\n')
    changes = changed_files.read(table)
    assert changes[str(file)] == changed_files.Change({"one", "two"}, file_sha256(file))
    assert changed_files.wrong(changes) == set()
    file.write_bytes(b"+")
    assert changed_files.wrong(changes) == {str(file)}
    file.unlink()
    assert changed_files.wrong(changes) == {str(file)}


@pytest.mark.parametrize("text", ["source_path,dest_csv\n", "", f"{HEADER}a,b\n"])
def test_another_table_is_refused(tmp_path: Path, text: str) -> None:
    table = tmp_path / "changes.csv"
    table.write_text(text)
    with pytest.raises(UsageError, match=r"not a table of changes|cannot be read"):
        changed_files.read(table)
    with pytest.raises(UsageError, match="check the path"):
        changed_files.read(tmp_path / "none.csv")
