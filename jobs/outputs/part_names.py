"""Names of part files: they carry ledger, job and token, so no two writers share one.

Two servers may have the same destinations, by a copied joblist or on two machines, and their jobs
the same numbers: only the id of the ledger tells their part files apart.
"""

from __future__ import annotations

from joblist.names import beside


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
