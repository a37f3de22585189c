"""Messages of a worker's child process to its supervisor: JSON, checked at both ends.

The child runs decoders on media from anywhere. What it says is read as text, not as Python objects,
so that a child that was taken over or has gone mad can say nothing but what the schema knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ina_input import documents
from jobs.errors import CallRefused
from jobs.types import FAILURE_KINDS, MAX_ERROR_CHARS, Manifest, Outcome
from jobs.wire.calls import fitting_progress, require_message
from jobs.wire.plain_text import plain_text

MAX_BYTES = 1 << 20
"""Largest message; a server accepts no more either."""


def encode(name: str, value: Mapping[str, Any] | Outcome) -> bytes:
    """Return the bytes of a message.

    Args:
        name: `progress` or `outcome`.
        value: Progress of a job, or the outcome of a command. What of the progress cannot be said
            is left out: a figure for a display is no reason to give a job up.

    Raises:
        CallRefused: It is not as the schema has it.
    """
    plain = _outcome(value) if isinstance(value, Outcome) else fitting_progress(built_in(value))
    require_message(name, plain)
    return json.dumps([name, plain], allow_nan=False).encode("ascii")


def decode(data: bytes) -> Mapping[str, Any] | Outcome:
    """Return the message that `encode` has made.

    Raises:
        CallRefused: It is not as the schema has it.
    """
    try:
        name, value = documents.parse(data)
    except (ValueError, TypeError):
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


def built_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as built-in types: other processes may lack the array library of a number.

    What is no number stays as it is, for the schema to refuse.
    """
    return {name: _built_in(value) for name, value in values.items()}


def _built_in(value: Any) -> Any:
    if isinstance(value, str | bool | int):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _outcome(outcome: Outcome) -> dict[str, Any]:
    kind, error = outcome.kind, outcome.error
    if kind and kind not in FAILURE_KINDS:
        kind, error = "bug", f"{kind}: {error}"
    manifest = outcome.manifest.to_dict() if outcome.manifest else None
    return {"manifest": manifest, "kind": kind, "error": plain_text(error, MAX_ERROR_CHARS)}
