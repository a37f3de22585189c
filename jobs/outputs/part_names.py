"""Names of part files: they carry ledger, job and token, so no two writers share one.

Two servers may have the same destinations, by a copied joblist or on two machines, and their jobs
the same numbers: only the id of the ledger tells their part files apart.
"""

from __future__ import annotations

import os
from hashlib import blake2b

MAX_BYTES = 255 - 64
"""Bytes of a destination's name that a part's may begin with: its ending needs the others."""
MAX_SUFFIX_BYTES = 16


def part_name(dest: str, job: int, token: int, ledger: str) -> str:
    """Return the path at which a job's output is written before it is published.

    Args:
        dest: Path of the output.
        job: Number of the job.
        token: Token of the lease.
        ledger: Id of the ledger; empty for work without one.
    """
    return beside(dest, f".part.{ledger}.{job}.{token}" if ledger else f".part.{job}.{token}")


def shard_name(csv: str, job: int, cut: int, number: int, count: int, ledger: str) -> str:
    """Return the path of the result of a shard, which is kept until its parent job is done.

    Args:
        csv: Path of the csv of the parent job.
        job: Number of the parent job.
        cut: Token with which the job was divided.
        number: Number of the shard, from 0.
        count: Number of shards.
        ledger: Id of the ledger; empty for work without one.
    """
    owner = f"{ledger}.{job}" if ledger else f"{job}"
    return beside(csv, f".part.{owner}.{cut}.{number + 1}of{count}.npz")


def beside(path: str, ending: str) -> str:
    """Return a path in the same folder, with an ending; a name too long is shortened by a digest.

    A short suffix of the name is kept: some formats depend on it.
    """
    folder, slash, name = path.rpartition("/")
    raw = os.fsencode(name)
    if len(raw) > MAX_BYTES:
        suffix = os.fsencode(os.path.splitext(name)[1])
        suffix = suffix if len(suffix) <= MAX_SUFFIX_BYTES else b""
        tail = b"~" + blake2b(raw, digest_size=8).hexdigest().encode() + suffix
        # A letter that is cut in its middle is left out.
        name = raw[: MAX_BYTES - len(tail)].decode("utf-8", "ignore") + os.fsdecode(tail)
    return f"{folder}{slash}{name}{ending}"
