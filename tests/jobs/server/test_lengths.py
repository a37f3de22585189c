"""Long media are handed out first, also when one kills or hangs the process that reads it."""

import math
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from joblist.shard import Shard
from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.server.lengths import LengthMeasurer
from tests.support.jobs import specs
from tests.support.processes import until
from tests.support.servers import write_media


def read_duration(path: str) -> float | None:
    """Do what the text of a medium says; return its number, if it is one."""
    text = Path(path).read_text()
    if text == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if text == "hang":
        time.sleep(3600)
    if text == "raise":
        raise ZeroDivisionError
    return float(text) if text else None


@contextmanager
def measuring(ledger: Ledger) -> Iterator[LengthMeasurer]:
    lengths = LengthMeasurer(ledger, read_duration, timeout_s=3.0)
    lengths.start()
    try:
        yield lengths
    finally:
        lengths.stop()


def lengths_in(ledger: Ledger) -> dict[str, float]:
    query = "SELECT json_extract(spec, '$.source_path'), length FROM job WHERE length IS NOT NULL"
    rows = ledger.store.read(lambda db: db.execute(query).fetchall())
    return {Path(source).stem: length for source, length in rows}


def order(ledger: Ledger, count: int) -> list[str]:
    jobs = [ledger.claim("w", f"r{n}", 1)[0] for n in range(count)]
    return [Path(job.spec.source_path).stem for job in jobs]


@pytest.mark.timeout(60)
def test_the_longest_first_and_before_it_what_cannot_be_told(ledger, tmp_path):
    texts = ("60", "5400", "kill", "", "7", "hang", "raise", "90")
    jobs = write_media(tmp_path, dict(zip("abcdefgh", texts, strict=True)))
    import_jobs(ledger, jobs, options_digest="o")
    with measuring(ledger):
        until(lambda: len(lengths_in(ledger)) == 8)
    unknown = dict.fromkeys("cdfg", math.inf)
    assert lengths_in(ledger) == {"a": 60, "b": 5400, "e": 7, "h": 90, **unknown}
    assert order(ledger, 8) == [*"cdfg", "b", "h", "a", "e"]


def test_jobs_that_nobody_has_looked_at_come_last_as_listed(ledger, tmp_path):
    import_jobs(ledger, specs(tmp_path, 5), options_digest="o")
    with ledger.store.transaction() as db:
        db.execute("UPDATE job SET length = id WHERE id IN (3, 4)")
    assert order(ledger, 5) == ["5", "4", "2", "3", "6"]


def test_files_that_are_missing_and_addresses_start_no_process(ledger, tmp_path):
    import_jobs(ledger, specs(tmp_path, 3), options_digest="o")
    with measuring(ledger) as lengths:
        until(lambda: len(lengths_in(ledger)) == 3)
        assert lengths._process is None


def test_what_was_found_is_kept_until_medium_or_options_change(ledger, tmp_path):
    jobs = specs(tmp_path, 3)
    import_jobs(ledger, jobs, options_digest="o")
    with ledger.store.transaction() as db:
        db.execute("UPDATE job SET length = 10 * id")
    jobs[1] = type(jobs[1])(source_path="/another.mp4", dests=jobs[1].dests, line=3)
    import_jobs(ledger, jobs, options_digest="o")
    assert lengths_in(ledger) == {"2": 10, "4": 30}
    # With another --stop, they are others.
    import_jobs(ledger, jobs, options_digest="changed")
    assert lengths_in(ledger) == {}


def test_shards_are_as_urgent_as_their_job(store, tmp_path):
    ledger = Ledger(store, shards=[Shard(0, 2), Shard(1, 2)])
    import_jobs(ledger, specs(tmp_path, 2), options_digest="o")
    with store.transaction() as db:
        db.execute("UPDATE job SET length = 10 * id")
    assert order(ledger, 4) == ["3", "3", "2", "2"]


@pytest.mark.timeout(60)
def test_segments_come_in_the_order_of_the_joblist(ledger, tmp_path):
    segment, rest, whole, last = write_media(tmp_path, dict.fromkeys("bcad", "600"))
    segment = replace(segment, start_s=60.0, stop_s=61.0)
    last = replace(last, stop_s=99.0)
    jobs = [segment, replace(rest, start_s=9.0), whole, last]
    import_jobs(ledger, jobs, options_digest="o")
    with measuring(ledger):
        until(lambda: len(lengths_in(ledger)) == 4)
    assert lengths_in(ledger) == {"a": 600, "b": 1, "c": 1, "d": 1}
    assert order(ledger, 4) == [*"abcd"]
