"""Messages of a worker's child process to its supervisor: JSON, checked at both ends.

The child runs decoders on media from anywhere. What it says is read as text, not as Python objects,
so that a child that was taken over or has gone mad can say nothing but what the schema knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jobs.errors import CallRefused, JobFailed
from jobs.types import MAX_ERROR_CHARS, Manifest, Outcome
from jobs.wire.calls import require_message

MAX_BYTES = 1 << 20
"""Largest message; a server accepts no more either."""


def encode(message: Mapping[str, Any] | Outcome) -> bytes:
    """Return the bytes of a message: the progress of a job, or the outcome of a command.

    Raises:
        CallRefused: It is not as the schema has it.
    """
    name, value = _named(message)
    require_message(name, value)
    return json.dumps([name, value], allow_nan=False).encode("ascii")


def decode(data: bytes) -> Mapping[str, Any] | Outcome:
    """Return the message that `encode` has made.

    Raises:
        CallRefused: It is not as the schema has it.
    """
    try:
        name, value = json.loads(data)
    except (ValueError, TypeError, RecursionError):
        raise CallRefused("this is no message") from None
    require_message(name, value)
    if name == "progress":
        return value  # type: ignore[no-any-return]
    manifest = value["manifest"]
    return Outcome(
        manifest=Manifest.from_dict(manifest) if manifest else None,
        kind=value["kind"],
        error=value["error"],
    )


def required(outcome: Outcome) -> Outcome:
    """Return an outcome that may be sent.

    Raises:
        JobFailed: It is not as the schema has it: the task has returned something odd.
    """
    try:
        require_message(*_named(outcome))
    except CallRefused as refusal:
        raise JobFailed("bug", f"what the task has made cannot be told: {refusal}") from None
    return outcome


def clean_text(text: str) -> str:
    """Return the reason of a failure as it may be sent: of limited length, and plain Unicode."""
    text = text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode("utf-8")
    return text[:MAX_ERROR_CHARS]


def _named(message: Mapping[str, Any] | Outcome) -> tuple[str, dict[str, Any]]:
    if not isinstance(message, Outcome):
        return "progress", dict(message)
    manifest = message.manifest.to_dict() if message.manifest else None
    return "outcome", {"manifest": manifest, "kind": message.kind, "error": message.error}
