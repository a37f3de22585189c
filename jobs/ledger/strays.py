"""Rows that no job can have: they are taken out, so that no run waits for them.

A number that is not positive, a shard of a job that is not there or not divided so, and a division
without its shards: each would be leased and never end, or never be leased. What is taken out is
kept, as SQL literals, in the event `unreadable`. A row that the joblist names gets a new number.
"""

from __future__ import annotations

import logging
import sqlite3
import time

log = logging.getLogger(__name__)
STRAYS = """
SELECT id FROM job WHERE id < 1
UNION
SELECT id FROM job WHERE parent IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM job AS whole WHERE whole.id = job.parent AND whole.parent IS NULL
    AND job.shard IS NOT NULL AND job.cut IS NOT NULL
    AND (job.state NOT IN ('ready', 'wait', 'leased', 'publishing')
      OR (whole.state = 'sharded' AND whole.cut = job.cut)))"""
KEEP = """
INSERT INTO event(t_wall, what, detail)
SELECT ?, 'unreadable', 'taken out: id = ' || id || '; parent = ' || quote(parent)
  || '; state = ' || quote(state) || '; spec = ' || quote(CAST(spec AS BLOB))
FROM job WHERE id = ?"""
UNDIVIDED = """
SELECT id FROM job AS whole WHERE state = 'sharded' AND (
  parent IS NOT NULL OR cut IS NULL OR shards IS NULL
  OR (SELECT COUNT(*) FROM job WHERE job.parent = whole.id AND job.cut = whole.cut)
    <> whole.shards
  OR NOT EXISTS (SELECT 1 FROM job WHERE job.parent = whole.id AND job.cut = whole.cut
    AND job.state <> 'done'))"""
AS_A_WHOLE = "UPDATE job SET state = 'ready', cut = NULL, shards = NULL WHERE id = ?"


def take_out(db: sqlite3.Connection) -> int:
    """Take rows out that no job can have, and undo broken divisions; return their number.

    Args:
        db: Connection to the ledger, in a transaction. All rows can be read.
    """
    strays = [row[0] for row in db.execute(STRAYS)]
    for job in strays:
        db.execute(KEEP, (time.time(), job))
        db.execute("DELETE FROM job WHERE id = ?", (job,))
        log.warning("row %d of the ledger is no job and no shard of one, and is taken out", job)
    broken = [row[0] for row in db.execute(UNDIVIDED)]
    for job in broken:
        db.execute(AS_A_WHOLE, (job,))
        log.warning("job %d has not the shards that it is divided into: it is done whole", job)
    return len(strays) + len(broken)
