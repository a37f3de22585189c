"""The connection of a worker to its server."""

from __future__ import annotations

import logging
import ssl
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    wait_random_exponential,
)

from joblist.errors import UsageError
from jobs.errors import CallRefused, ServerFault, ServerGone, ServerRefused
from jobs.types import MAX_ERROR_CHARS, OBJECT_ID, PROTOCOL, Lease, Manifest, Probe
from jobs.wire import tokens
from jobs.wire.calls import require_call
from jobs.wire.plain_text import plain_text, plain_values
from jobs.wire.transport import Access, CommunicationError, Proxy, PyroError, configure

log = logging.getLogger(__name__)
CALL_TIMEOUT_S = 30.0
PAUSE_S = (0.1, 10.0)
"""Shortest and longest pause between two attempts."""
LATER_ANSWERS: tuple[Any, ...] = ("later", {"later": True})
"""Answers of a server that cannot write its ledger."""


class Later(Exception):
    """The server cannot write its ledger now."""


@dataclass(frozen=True)
class Welcome:
    """The answer to a greeting."""

    lease_s: float
    """Length of leases, in seconds."""
    probe: Probe | None
    """File that this worker must find on its storage."""


@dataclass(frozen=True)
class Claim:
    """The answer to a claim; without leases, another field says what to do."""

    leases: Sequence[Lease] = ()
    wait_s: float = 0.0
    """Time after which to ask again, in seconds."""
    finished: bool = False
    """Whether every job is done."""
    drain: bool = False
    """Whether the server asks the worker to leave."""
    hello: bool = False
    """Whether the worker must introduce itself again: the server was started again."""


@dataclass(frozen=True)
class Beat:
    """The answer to a heartbeat."""

    gone: frozenset[int]
    """Jobs that this worker must stop: lost, or cancelled."""
    drain: bool
    """Whether the server asks the worker to leave."""


class Client:
    """The connection of a worker; for one thread only, like a Pyro5 proxy.

    Every call except `beat` is repeated until the server answers: it may have been restarted.

    Args:
        uri: Address that the server prints.
        name: Name of the worker.
        access: Token and certificates; without a token, that of a server of this user on this
            machine is looked for.
        patience_s: Function that returns how long to try, in seconds; called before each attempt.

    Raises:
        UsageError: The URI is not the address of a server.

    Example:
        client = Client("PYRO:ina.jobs@localhost:9471", name="host:17:x")
        (lease,) = client.claim().leases
    """

    def __init__(
        self,
        uri: str,
        *,
        name: str,
        access: Access | None = None,
        patience_s: Callable[[], float] = lambda: 600.0,
    ) -> None:
        access = access or Access()
        configure(access, role="worker")
        self.name = name
        self._patience_s = patience_s
        try:
            self._proxy = Proxy(uri)
        except PyroError as error:
            raise UsageError(
                f"{uri!r} is not the address of a server: "
                f"give what it prints, PYRO:{OBJECT_ID}@HOST:PORT"
            ) from error
        self._token = access.token

    def close(self) -> None:
        """Close the connection."""
        self._proxy._pyroRelease()

    def hello(self, info: Mapping[str, Any]) -> Welcome:
        """Introduce the worker.

        Args:
            info: Process, device, versions, and digests of code and models of the worker.

        Raises:
            ServerRefused: The worker differs from the server in what changes results.
        """
        info = plain_values(info)
        answer = self._call("hello", {"name": self.name, "protocol": PROTOCOL, **info})
        if "refused" in answer:
            raise ServerRefused(answer["refused"])
        probe = answer["probe"]
        return Welcome(answer["lease_s"], Probe(**probe) if probe else None)

    def claim(self) -> Claim:
        """Ask for a job.

        Raises:
            ServerRefused: The server has no further jobs for this worker.
        """
        answer = self._call("claim", self.name, uuid.uuid4().hex, 1)
        if "refused" in answer:
            raise ServerRefused(answer["refused"])
        return Claim(
            leases=[Lease.from_dict(lease) for lease in answer.get("jobs", ())],
            wait_s=answer.get("wait", 0.0),
            finished=answer.get("finished", False),
            drain=answer.get("drain", False),
            hello=answer.get("hello", False),
        )

    def beat(self, lease: Lease, progress: Mapping[str, Any], *, timeout_s: float) -> Beat | None:
        """Extend a lease; return None if the server does not answer in time."""
        held = [[lease.job, lease.token, plain_values(progress)]]
        try:
            answer = self._call_once("beat", self.name, held, timeout_s=timeout_s)
        except CommunicationError:
            return None
        return Beat(frozenset(answer["lost"]) | frozenset(answer["cancel"]), answer["drain"])

    def prepare(self, lease: Lease, manifest: Manifest) -> bool:
        """Ask whether this worker may publish its files; return False if the lease is stale."""
        args = (self.name, lease.job, lease.token, manifest.to_dict())
        return bool(self._call("prepare", *args) == "go")

    def published(self, lease: Lease) -> None:
        """Report that every file has its final name."""
        self._call("published", self.name, lease.job, lease.token)

    def fail(self, lease: Lease, kind: str, text: str) -> bool:
        """Report a failure; return whether the storage that this worker sees is at fault."""
        text = plain_text(text, MAX_ERROR_CHARS)
        answer = self._call("fail", self.name, lease.job, lease.token, kind, text)
        return bool(answer == "storage")

    def release(self, lease: Lease) -> None:
        """Give a job back; it does not count as a failure."""
        self._call("release", self.name, [[lease.job, lease.token]])

    def bye(self) -> None:
        """Leave; the server takes the jobs of this worker back."""
        self._call("bye", self.name)

    def _call(self, method: str, *args: Any) -> Any:
        """Call a method of the server until it answers.

        Raises:
            ServerGone: It has not answered for `patience_s`.
            ServerRefused: Its token or certificate does not fit, or the call.
            ServerFault: It has a fault of its own in this call.
        """
        started = time.monotonic()

        def is_hopeless(_state: RetryCallState) -> bool:
            return time.monotonic() - started > self._patience_s()

        retrying = Retrying(
            retry=retry_if_exception_type((CommunicationError, Later)),
            wait=wait_random_exponential(multiplier=PAUSE_S[0], max=PAUSE_S[1]),
            stop=is_hopeless,
            before_sleep=_report_outage,
        )
        try:
            return retrying(self._call_once, method, *args, timeout_s=CALL_TIMEOUT_S)
        except RetryError as error:
            cause = error.last_attempt.exception()
            raise ServerGone(
                f"{self._proxy._pyroUri} has not answered for "
                f"{time.monotonic() - started:.0f} s ({cause}): is the server running?"
            ) from cause

    def _call_once(self, method: str, *args: Any, timeout_s: float) -> Any:
        require_call(method, args)
        self._proxy._pyroTimeout = timeout_s
        if self._proxy._pyroConnection is None:
            self._proxy._pyroHandshake = {"token": self._token or self._found_token()}
        try:
            answer = getattr(self._proxy, method)(*args)
        except CommunicationError as error:
            self._raise_refusal(error)
            raise
        except ValueError as error:
            raise CallRefused(f"{error}: install the same version on both") from error
        except RuntimeError as error:
            raise ServerFault(str(error)) from error
        if answer in LATER_ANSWERS:
            raise Later("the server cannot write its ledger just now")
        return answer

    def _found_token(self) -> str | None:
        """Return the token of a server of this user; looked for anew, for it may have restarted."""
        uri = self._proxy._pyroUri
        return tokens.find(uri.host, uri.port) if uri.host else None

    def _raise_refusal(self, error: Exception) -> None:
        """Raise ServerRefused if another attempt would not help."""
        if "rejected: wrong token" in str(error):
            cure = "check --token_file"
            if not self._token:
                if {"token": self._found_token()} != self._proxy._pyroHandshake:
                    # The server was started again just now: the next attempt has its new token.
                    return
                cure = (
                    f"it has none, and there is none for it in {tokens.folder()}: start it as the "
                    "user who started the server, on the same machine and with the same HOME and "
                    "XDG_STATE_HOME, or give --token_file FILE"
                )
            raise ServerRefused(f"the server refuses this worker's token: {cure}") from error
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise ServerRefused(
                f"the server's certificate is not accepted ({error.__cause__}): check --certs"
            ) from error


def _report_outage(state: RetryCallState) -> None:
    if state.attempt_number == 3 and state.outcome is not None:
        log.warning("the server does not answer (%s); trying again", state.outcome.exception())
