"""The entry of every call: checked against the schema first; no fault of one reaches another."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from jobs.errors import CallRefused, LedgerUnavailable
from jobs.system.steady import FaultLog, RepeatedNotes
from jobs.wire.calls import require_call
from jobs.wire.transport import expose

log = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])
FAULTS = FaultLog()
"""Faults of this program that calls have met."""
AWAY = RepeatedNotes()
"""Why the ledger could not be written."""


def remote_method(fallback: Any) -> Callable[[F], F]:
    """Expose a verb to workers.

    A call that does not fit is answered by ValueError, a fault of the server by RuntimeError: these
    are known at every other end.

    Args:
        fallback: Answer while the ledger cannot be written.
    """

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def wrapped(self: Any, *args: Any) -> Any:
            try:
                return _call(method, self, args)
            except LedgerUnavailable as error:
                if AWAY.is_due(str(error)):
                    log.warning("%s", error)
                return fallback

        return expose(wrapped)  # type: ignore[no-any-return]

    return decorate


def operator_method(method: F) -> F:
    """Expose a verb to operators.

    Args:
        method: Method; while the ledger cannot be written, it raises LedgerUnavailable.
    """

    @functools.wraps(method)
    def wrapped(self: Any, *args: Any) -> Any:
        return _call(method, self, args)

    return expose(wrapped)  # type: ignore[no-any-return]


def _call(method: Callable[..., Any], owner: Any, args: tuple[Any, ...]) -> Any:
    """Carry out a verb with checked arguments.

    Raises:
        ValueError: The arguments do not fit.
        LedgerUnavailable: The ledger cannot be written.
        RuntimeError: This program has a fault.
    """
    verb = method.__name__
    try:
        require_call(verb, args)
    except CallRefused as refusal:
        raise ValueError(str(refusal)) from None
    try:
        return method(owner, *args)
    except LedgerUnavailable:
        raise
    except Exception as error:
        fault = FAULTS.note(verb, error)
        raise RuntimeError(f"the server has a fault at {verb}: {fault}") from None
