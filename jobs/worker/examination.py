"""What is at fault after a failure: the job, or the storage as this worker sees it.

A mount that vanishes makes every path look bad, and a worker without it would fail at job after
job. So the worker looks for the server's probe before each job; and after each failure once more,
and for what the job reads. Where a path alone is wrong, the server has the last word; see
`jobs.server.sources`.
"""

from __future__ import annotations

import errno
import os

from jobs.errors import JobFailed
from jobs.outputs import storage_probe
from jobs.system.reach import Reach, worst_reach
from jobs.types import AWAY_KINDS, MAX_ERROR_CHARS, Lease, Outcome
from jobs.wire.plain_text import plain_text

LIMIT_S = 30.0
"""Time in which the storage must answer after a job that was ended."""
_CERTAIN = ("", "crash", "worker", "storage")
"""Kinds of outcomes that need no examination."""
_NO_ROOM = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}
)
"""Errors that say that something is full, not that it is away."""
_KINDS = {
    Reach.DENIED: ("resource", "this worker must be allowed to read it"),
    Reach.MISSING: ("missing", ""),
    Reach.UNREACHABLE: (
        "unreachable",
        "its folder is empty or not there: mount its storage, or correct the joblist",
    ),
    Reach.BROKEN: ("storage", "its file system does not work: mount it again"),
}
"""How the worst of a job's paths is found -> kind of the failure, and what to do."""


def require_storage(lease: Lease) -> None:
    """Look for the server's probe before a job.

    Raises:
        JobFailed: It is not there: what the job writes would be lost.
    """
    if fault := _storage_fault(lease):
        raise JobFailed("storage", fault)


def examined(lease: Lease, outcome: Outcome) -> Outcome:
    """Return the outcome of a job, with another kind where the storage is at fault, or may be.

    Args:
        lease: Lease of the job.
        outcome: How the job ended.
    """
    if outcome.kind in _CERTAIN:
        return outcome
    if fault := _storage_fault(lease):
        return _blamed("storage", f"{fault} (seen as: {outcome.error})")
    state, path = worst_reach(lease.spec.read_paths(), lease.bounds.input_root)
    if state is Reach.THERE:
        return outcome
    kind, cure = _KINDS[state]
    # The reason of a job that found an empty folder says more than that it is empty.
    says_it = state is Reach.MISSING or (state is Reach.UNREACHABLE and os.path.isdir(path))
    return _blamed(kind, outcome.error if says_it else f"{path}: {cure}")


def is_open(outcome: Outcome) -> bool:
    """Return whether a job ended with its process, so that nobody has looked for the fault."""
    return outcome.is_ended or outcome.kind == "crash"


def concluded(outcome: Outcome, found: Outcome | None, limit_s: float) -> Outcome | None:
    """Return the outcome of a job that ended with its process.

    Args:
        outcome: How the job ended.
        found: Outcome of the command `examine`, in a new process; None if it was given up.
        limit_s: Time that it had, in seconds.
    """
    if found is None:
        return None
    if found.is_ended:
        text = f"{outcome.error}, and the storage does not answer for {limit_s:.0f} s"
        return _blamed("storage", text)
    return found if found.kind in AWAY_KINDS else outcome


def _storage_fault(lease: Lease) -> str:
    """Return why the outputs' storage is not the server's, or does not work; empty if it does."""
    if lease.probe is None:
        return ""
    try:
        return storage_probe.find(lease.probe)
    except OSError as error:
        return "" if error.errno in _NO_ROOM else str(error)


def _blamed(kind: str, text: str) -> Outcome:
    return Outcome(kind=kind, error=plain_text(text, MAX_ERROR_CHARS))
