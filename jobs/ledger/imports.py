"""Import of a joblist into a ledger: jobs are added, changed, skipped, requeued, cancelled."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from joblist.errors import UsageError
from joblist.model import JobSpec, is_address
from jobs.ledger import queries, schema, speculative_lease, unreadable
from jobs.ledger.ledger import Ledger
from jobs.ledger.result_mounts import ResultMounts
from jobs.ledger.schema import record_event
from jobs.types import Manifest, State

ADD = """
INSERT INTO job(key, spec, opts, ord, listed, state) VALUES(?, ?, ?, ?, ?, 'ready')
ON CONFLICT(key) DO """
# On the right-hand sides, bare names are the values before the update. A job with a fixed winner
# is published first; an empty digest of options then sends it back to the queue.
UPSERT = """
UPDATE SET
  ord = excluded.ord, listed = excluded.listed, spec = excluded.spec,
  opts = CASE WHEN state = 'publishing' AND {changed} THEN '' ELSE excluded.opts END,
  state = CASE WHEN state = 'publishing' THEN state WHEN {stale} THEN 'ready' ELSE state END,
  attempts = CASE WHEN {stale} THEN 0 ELSE attempts END,
  lost = CASE WHEN {stale} THEN 0 ELSE lost END,
  fails = CASE WHEN {stale} THEN 0 ELSE fails END,
  cut = CASE WHEN {stale} THEN NULL ELSE cut END,
  length = CASE WHEN {changed} THEN NULL ELSE length END,
  err = CASE WHEN {stale} THEN NULL ELSE err END,
  err_kind = CASE WHEN {stale} THEN NULL ELSE err_kind END
""".format(
    changed="(spec <> excluded.spec OR opts <> excluded.opts)",
    stale="(spec <> excluded.spec OR opts <> excluded.opts"
    " OR (state = 'cancelled' AND err_kind = 'unlisted'))",
)
RETRY = """
UPDATE job SET state = 'ready', attempts = 0, lost = 0, fails = 0, err = NULL, err_kind = NULL
WHERE id IN (SELECT id FROM job INDEXED BY job_bad WHERE state IN ('failed', 'poison')
             AND parent IS NULL AND listed = ? AND err_kind IS NOT 'ledger')"""
# Made once: `json.dumps` with options makes an encoder for each job.
ENCODE = json.JSONEncoder(sort_keys=True).encode
DONE = """
SELECT id, state, manifest FROM job WHERE id > ? AND state IN ('done', 'skipped') AND listed = ?
  AND parent IS NULL ORDER BY id LIMIT 1000"""
KNOWN = "SELECT spec FROM job WHERE key = ? AND listed < ?"
CANCEL = """
UPDATE job SET state = 'cancelled', err_kind = 'unlisted', err = 'no longer in the joblist'
WHERE listed <> ? AND parent IS NULL
  AND state IN ('ready', 'wait', 'leased', 'sharded', 'failed', 'poison')"""


@dataclass(frozen=True)
class Imported:
    """Result of an import, in numbers of jobs."""

    added: int
    skipped: int
    """Jobs with complete outputs of the same options."""
    missing: int
    """Jobs that were done, but have lost outputs: they run again."""
    retried: int
    """Jobs that failed in an earlier run that has ended: they are tried again."""
    cancelled: int
    """Jobs that are no longer in the joblist."""
    unreadable: int = 0
    """Jobs with rows that cannot be read: they are put aside."""


def import_jobs(ledger: Ledger, specs: Iterable[JobSpec], *, options_digest: str) -> Imported:
    """Bring the ledger in line with a joblist, in one transaction.

    Args:
        ledger: Ledger to change; the server must not have leased any of its jobs yet.
        specs: Rows of the joblist.
        options_digest: Digest of the analysis options; jobs done with other options run again.

    Raises:
        LedgerUnavailable: The ledger cannot be written; nothing was changed.
        UsageError: The joblist has relative paths and was served from another folder; or results
            are missing, and so is the mount on which they lie.
    """
    ended = ledger.store.meta("ended") == "1"
    with ledger.store.transaction() as db, schema.large_cache(db):
        put_aside = unreadable.put_aside_all(db)
        before = _count_jobs(db)
        listed = ledger.store.epoch
        leases = _leases(db)
        mounts = ResultMounts(db)
        # SQLite takes three times as long for a row that it might have to update.
        add = ADD + (UPSERT if before else "NOTHING")
        db.executemany(
            add,
            (
                (*_key_and_json(spec), options_digest, spec.line, listed)
                for spec in mounts.noted(_of_same_folder(db, specs, listed=listed))
            ),
        )
        retried = db.execute(RETRY, (listed,)).rowcount if ended else 0
        cancelled = db.execute(CANCEL, (listed,)).rowcount
        _record_ends(db, leases)
        skipped, missing, more = _check_done(db, mounts, listed=listed)
        mounts.record()
        added = _count_jobs(db) - before
        report = Imported(added, skipped, missing, retried, cancelled, put_aside + more)
        db.execute(
            "INSERT INTO event(t_wall, what, detail) VALUES(?, 'import', ?)",
            (time.time(), json.dumps(asdict(report))),
        )
        db.executemany(
            "INSERT OR REPLACE INTO meta VALUES(?, ?)",
            (("imported", str(listed)), ("folder", json.dumps([os.getcwd()]))),
        )
    ledger.store.set_meta(ended="0")
    return report


def _of_same_folder(
    db: sqlite3.Connection, specs: Iterable[JobSpec], *, listed: int
) -> Iterator[JobSpec]:
    """Yield the rows, unless relative ones of them stood for other files at the last import.

    Raises:
        UsageError: A relative path of the joblist leads elsewhere in this folder.
    """
    here = os.getcwd()
    earlier = next(iter(queries.texts_setting(db, "folder")), here)
    if earlier == here or not os.path.isdir(earlier):
        yield from specs
        return
    for spec in specs:
        then = {path: os.path.join(earlier, os.path.relpath(path, here)) for path in _paths(spec)}
        for csv in {spec.dests["csv"], os.path.normpath(then[spec.dests["csv"]])}:
            known = db.execute(KNOWN, (schema.job_key(csv), listed)).fetchone()
            if known and _is_moved(spec, JobSpec.from_dict(json.loads(known[0])), then):
                raise UsageError(
                    f"the joblist has relative paths and was served in {earlier}: start the "
                    f"server there, or give another --ledger FILE to do its jobs in {here}, too"
                )
        yield spec


def _paths(spec: JobSpec) -> list[str]:
    sources = [] if is_address(spec.source_path) else [spec.source_path]
    return [*sources, spec.dests["csv"]]


def _is_moved(spec: JobSpec, known: JobSpec, then: Mapping[str, str]) -> bool:
    """Say whether a row is the known one, but for the folder in which its paths start."""
    pairs = ((spec.source_path, known.source_path), (spec.dests["csv"], known.dests["csv"]))
    return any(new != old for new, old in pairs) and all(
        old in (new, os.path.normpath(then.get(new, new))) for new, old in pairs
    )


def _leases(db: sqlite3.Connection) -> list[tuple[int, int]]:
    """Return job and token of each lease that an earlier server has given."""
    query = "SELECT id, state FROM job INDEXED BY job_out WHERE state IN ('leased', 'publishing')"
    jobs = [job for job, state in db.execute(query).fetchall() if state == State.LEASED.value]
    return [(job, token) for job in jobs for token in speculative_lease.tokens(db, job)]


def _record_ends(db: sqlite3.Connection, leases: Iterable[tuple[int, int]]) -> None:
    """Record which leases the import has ended, so that their part files are removed."""
    for job, token in leases:
        query = "SELECT state, parent FROM job WHERE id = ?"
        (state, parent) = db.execute(query, (job,)).fetchone()
        # The end of a shard is recorded with that of its division.
        if parent is None and state != State.LEASED.value:
            what = "cancelled" if state == State.CANCELLED.value else "released"
            record_event(db, job, what, token=token, detail="its row or its options have changed")


def _count_jobs(db: sqlite3.Connection) -> int:
    return sum(queries.counts(db).values())


def _key_and_json(spec: JobSpec) -> tuple[bytes, str]:
    """Return key and JSON of a job; the key is the same at the next import if the csv is."""
    return schema.job_key(spec.dests["csv"]), ENCODE(spec.to_dict())


def _check_done(
    db: sqlite3.Connection, mounts: ResultMounts, *, listed: int
) -> tuple[int, int, int]:
    """Skip the done jobs with complete outputs, and requeue the other done jobs.

    Raises:
        UsageError: Outputs are missing with the mount on which they lie.

    Returns:
        Number of jobs skipped, of jobs requeued, and of jobs with manifests that cannot be read.
    """
    skipped = missing = put_aside = last = 0
    # In portions: a million manifests fill the memory.
    while rows := db.execute(DONE, (last, listed)).fetchall():
        for job, state, manifest in rows:
            try:
                outputs = Manifest.from_dict(json.loads(manifest))
                complete = outputs_there(outputs)
            except queries.UNREADABLE:
                unreadable.put_aside(db, job)
                put_aside += 1
                continue
            if not complete:
                _require_mounts(outputs, mounts)
            skipped, missing = skipped + complete, missing + (not complete)
            target = State.SKIPPED if complete else State.READY
            if target.value != state:
                db.execute("UPDATE job SET state = ? WHERE id = ?", (target.value, job))
                record_event(db, job, target.value if complete else "missing")
        last = rows[-1][0]
    return skipped, missing, put_aside


def _require_mounts(manifest: Manifest, mounts: ResultMounts) -> None:
    for file in manifest.files.values():
        if point := mounts.gone_from(file.path):
            raise UsageError(
                f"{file.path} is not there, and {point}, where it was, is no longer mounted: mount "
                "it again; or give another --ledger FILE to do all jobs anew"
            )


def outputs_there(manifest: Manifest) -> bool:
    """Say whether every output exists under its final name with the recorded size."""
    return all(_size(file.path) == file.size for file in manifest.files.values())


def _size(path: str) -> int | None:
    """Return the size of a file in bytes, or None if it does not exist."""
    try:
        return Path(path).stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None
