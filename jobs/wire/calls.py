"""What may be said: the arguments of every verb, and the messages of a worker's child process.

Both ends use these tables: the caller before it sends, the other before it does anything. A call
that does not fit is refused as a whole, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from jobs.errors import CallRefused
from jobs.types import FAILURE_KINDS, MAX_CLAIM, MAX_ERROR_CHARS, MAX_FAULT_CHARS
from jobs.wire.schema import (
    MAX_NAMES,
    Check,
    Misfit,
    choice,
    digest,
    flag,
    items,
    number,
    optional,
    record,
    row,
    scalar,
    table,
    text,
    whole,
)

MAX_NAME = 200
"""Characters of a name: of a worker, a request, a device, a version."""
MAX_PATH = 4200
"""Characters of a path: 4,096 bytes, and the suffix of a part file."""
MAX_JOBS = 100_000
"""Jobs that an operator may name in one call."""
MAX_HELD = 256
"""Leases in one heartbeat."""
MAX_AMOUNT = 1e15
MAX_MEDIUM_S = 1e6
"""Duration of a medium, in seconds: more than any that is analysed, in whole or in part."""
MAX_SPEED = 1e9
MAX_PICTURES = 1e9
"""Pictures or packets of a medium: a day of 10,000 a second."""
MAX_FACES = 1e11
"""Faces of a medium: a hundred in each picture."""
MAX_PID = (1 << 31) - 1

NAME = text(MAX_NAME, least=1)
LABEL = text(MAX_NAME)
JOB = whole(1)
TOKEN = whole(0)
JOBS = items(JOB, most=MAX_JOBS)
DURATION = number(0, MAX_MEDIUM_S)
SHARE = number(0, 1)
ERROR = text(MAX_ERROR_CHARS)

PROGRESS = {
    "stage": LABEL,
    "device": LABEL,
    "fraction": SHARE,
    "done": SHARE,
    "duration_s": DURATION,
    "media_s": number(-MAX_MEDIUM_S, MAX_MEDIUM_S),
    "speed": number(0, MAX_SPEED),
}
"""Values of a job's progress that somebody reads; others are only passed on."""
PROGRESS_TABLE = record({}, PROGRESS, others=scalar(MAX_NAME))

FILE = record(
    {
        "part": text(MAX_PATH, least=1, is_path=True),
        "path": text(MAX_PATH, least=1, is_path=True),
        "sha256": digest(64),
        "size": whole(0),
    }
)
COUNTS = {
    **dict.fromkeys(("media_s", "missing_s"), DURATION),
    **dict.fromkeys(("partial", "medium_skipped", "poster_skipped"), SHARE),
    **dict.fromkeys(
        ("frames_decoded", "frames_analysed", "frames_gated", "damaged", "clock_breaks"),
        number(0, MAX_PICTURES),
    ),
    **dict.fromkeys(
        (
            *(f"faces_{what}" for what in ("detected", "tracked", "filtered", "described")),
            *("faces_saved", "faces_kept", "persons", "persons_named"),
        ),
        number(0, MAX_FACES),
    ),
}
"""Counts of one medium that are added up and shown."""
STATISTICS = record({}, COUNTS, others=number(-MAX_AMOUNT, MAX_AMOUNT))
MANIFEST = record(
    {"files": table(FILE, least=1), "statistics": STATISTICS},
    {"faults": table(text(MAX_FAULT_CHARS))},
)
WORKER_INFO = record(
    {
        "name": NAME,
        "host": LABEL,
        "pid": whole(1, MAX_PID),
        "boot_id": LABEL,
        "device": LABEL,
    },
    {
        "protocol": whole(0),
        "program": LABEL,
        "models": table(LABEL),
        "code": table(LABEL),
        "settings": table(LABEL),
        "unable": table(LABEL),
    },
    # A worker of another version is told so, not what a schema is.
    others=scalar(MAX_NAME),
)

LEASE = {"worker": NAME, "job": JOB, "token": TOKEN}
WORKER_VERBS: Mapping[str, Mapping[str, Check]] = {
    "hello": {"info": WORKER_INFO},
    "claim": {"worker": NAME, "request": NAME, "n": whole(1, MAX_CLAIM)},
    "beat": {
        "worker": NAME,
        "held": items(row(job=JOB, token=TOKEN, progress=optional(PROGRESS_TABLE)), most=MAX_HELD),
    },
    "prepare": {**LEASE, "manifest": MANIFEST},
    "published": LEASE,
    "fail": {**LEASE, "kind": choice(*FAILURE_KINDS), "text": ERROR},
    "release": {"worker": NAME, "held": items(row(job=JOB, token=TOKEN), most=MAX_HELD)},
    "bye": {"worker": NAME},
    "status": {},
}
OPERATOR_VERBS: Mapping[str, Mapping[str, Check]] = {
    "status": {},
    "retry": {"jobs": JOBS},
    "cancel": {"jobs": JOBS},
    "redo": {"bad": items(row(job=JOB, token=TOKEN, fault=NAME), most=MAX_JOBS)},
    "accept": {"changed": items(row(job=JOB, token=TOKEN, manifest=MANIFEST), most=MAX_JOBS)},
    "pause": {"paused": flag},
    "drain": {},
}
VERBS: Mapping[str, Mapping[str, Check]] = {**WORKER_VERBS, **OPERATOR_VERBS}
"""Verb -> its arguments, in order, with the check of each."""

MESSAGES: Mapping[str, Check] = {
    "progress": PROGRESS_TABLE,
    "outcome": record(
        {"manifest": optional(MANIFEST), "kind": choice("", *FAILURE_KINDS), "error": ERROR}
    ),
    "statistics": STATISTICS,
}
"""Name of what a child process tells -> check of its value; statistics go into the manifest."""


def require_call(verb: str, args: Sequence[Any]) -> None:
    """Refuse a call that does not fit.

    Args:
        verb: Name of the verb, one of `VERBS`.
        args: Its arguments, in order.

    Raises:
        CallRefused: With the verb, the argument and what is expected.
    """
    checks = VERBS[verb]
    if len(args) != len(checks):
        names = ", ".join(checks) or "nothing"
        raise CallRefused(f"{verb} takes {names}: {len(args)} values are not that")
    for (name, check), value in zip(checks.items(), args, strict=True):
        try:
            check(value)
        except Misfit as misfit:
            raise CallRefused(f"{verb}: {name}: {misfit}") from None


def require_message(name: object, value: object) -> None:
    """Refuse a message of a child process that does not fit.

    Raises:
        CallRefused: With what is expected.
    """
    check = MESSAGES.get(name) if isinstance(name, str) else None
    if check is None:
        raise CallRefused("this is no message of a child process")
    try:
        check(value)
    except Misfit as misfit:
        raise CallRefused(f"{name}: {misfit}") from None


def fitting_progress(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a job's progress that may be said; the others are left out.

    A figure for a display is no reason to give a job up.
    """
    fitting = {}
    for name, value in islice(values.items(), MAX_NAMES):
        try:
            PROGRESS_TABLE({name: value})
        except Misfit:
            continue
        fitting[name] = value
    return fitting
