"""Redis: a server that the processes of many machines share; the keys of a store have a prefix."""

import json
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from typing import Any, TypeVar

import numpy as np
import redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.retry import Retry

from analyzer.errors import ResourceError, UsageError
from analyzer.identities._store import MirroredStore
from analyzer.identities.backends import _scripts
from analyzer.identities.records import (
    Changes,
    Commit,
    Counters,
    Settings,
    StoredIdentity,
    damage_named,
)
from analyzer.types import I64
from ina_input import documents

T = TypeVar("T")
_PAGE = 4096
_SILENCE_S = 20.0
"""After that a server that says nothing is taken for gone; a URL may set another."""
_UPDATES = struct.Struct("<q")
"""Stands before the centroid in a row."""


def create(
    *,
    url: str,
    prefix: str,
    settings: Settings | None,
    wait_s: float,
    on_wait: Callable[[], object],
) -> MirroredStore:
    """A server; wait_s: how long it may be away before calls give up."""
    records = _RedisRecords(url, prefix, wait_s, on_wait)
    return MirroredStore(records, records.name, settings, on_wait)


class _RedisRecords:
    """Rows under keys with a prefix; see `analyzer.identities.Records`."""

    def __init__(self, url: str, prefix: str, wait_s: float, on_wait: Callable[[], object]) -> None:
        self._wait_s = wait_s
        self._on_wait = on_wait
        self._prefix = prefix
        try:
            # Whole operations are repeated below: what redis-py would repeat is a part of one.
            self._client = redis.Redis.from_url(
                url,
                retry=Retry(NoBackoff(), 0),
                socket_timeout=_SILENCE_S,
                socket_connect_timeout=_SILENCE_S,
            )
            options = self._client.connection_pool.connection_kwargs
            self._client.connection_pool.make_connection()
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"the address of the Redis server cannot be read ({error}): "
                "write redis://:PASSWORD@HOST:PORT/DB?prefix=NAME"
            ) from None
        # The address itself holds the password, so it is never printed.
        host = options.get("path") or f"{options.get('host')}:{options.get('port', 6379)}"
        self.name = f"Redis {host}, prefix {prefix!r}"
        self._retry = Retry(
            ExponentialWithJitterBackoff(cap=2, base=0.05),
            -1,
            (redis.ConnectionError, redis.TimeoutError, ReadOnlyError),
        )
        self._commit = self._client.register_script(_scripts.COMMIT)
        self._changes = self._client.register_script(_scripts.CHANGES)
        self._forget = self._client.register_script(_scripts.FORGET)
        self._run: str | None = None
        self._was_cut_off = True

    @property
    def _keys(self) -> list[str]:
        return [f"{self._prefix}:{name}" for name in _scripts.KEYS]

    def _call(self, do: Callable[[], T]) -> T:
        """Do one operation, again and again while the server is away.

        Raises:
            UsageError: Wrong password.
            ResourceError: Away for too long, or it refuses.
        """
        deadline = time.monotonic() + self._wait_s

        def note(error: Exception) -> None:
            self._was_cut_off = True
            if isinstance(error, AuthenticationError | AuthorizationError):
                raise UsageError(
                    f"{self.name}: {error}; put the password into the address: redis://:PASSWORD@"
                ) from error
            self._on_wait()
            if time.monotonic() > deadline:
                raise ResourceError(
                    f"{self.name} was away for {self._wait_s:g} s ({error}): start it, then try "
                    "again"
                ) from error

        try:
            return self._retry.call_with_retry(do, note)
        except RedisError as error:
            raise ResourceError(f"{self.name} refuses: {error}; see its log and memory") from error

    def _run_script(self, script: Any, arguments: Sequence[Any]) -> Any:
        return self._call(lambda: script(keys=self._keys, args=arguments))

    def settings(self, requested: Settings | None) -> Settings:
        """Return the store's settings; see `analyzer.identities.Records`."""
        meta = self._keys[0]
        if requested:
            text = json.dumps(asdict(requested))
            self._call(lambda: self._client.hsetnx(meta, "settings", text))
        stored: Any = self._call(lambda: self._client.hget(meta, "settings"))
        if stored is None:
            raise UsageError(f"{self.name}: no such identity store")
        with damage_named(self.name):
            return Settings(**documents.parse(stored))

    def changes(self, version: int) -> Changes:
        """Return what changed after a version; see `analyzer.identities.Records`."""
        is_anew = self._may_have_lost()
        since = 0 if is_anew else version
        newest, reached, ids, rows = self._run_script(self._changes, [since, _PAGE])
        if newest < since:
            # An older copy of its data was put back.
            is_anew = True
            newest, reached, ids, rows = self._run_script(self._changes, [0, _PAGE])
        count = self.size()
        with damage_named(self.name):
            changes = Changes(
                version=int(reached),
                newest=newest,
                ids=np.array([int(i) for i in ids], np.int64),
                centroids=tuple(row[_UPDATES.size :] for row in rows),
                updates=np.array([_updates(row) for row in rows], np.int64),
                anew=is_anew,
            )
            if len(ids) and changes.ids.max() >= count:
                raise ValueError(f"identity {changes.ids.max()} of {count}")
        return changes

    def _may_have_lost(self) -> bool:
        """Return whether another run of the server answers: it knows only what was on its disk."""
        if not self._was_cut_off:
            return False
        self._was_cut_off = False
        before, self._run = self._run, self._call(self._ask_run)
        return self._run is None or self._run != before

    def _ask_run(self) -> str | None:
        try:
            return str(self._client.info("server").get("run_id"))  # type: ignore[union-attr]
        except ResponseError:
            # Not everybody may ask; then every break counts as a new run.
            return None

    def commit(self, commit: Commit) -> I64 | None:
        """Write it, if the store still has its version; see `analyzer.identities.Records`."""
        packed = commit.ids.astype("<i8").tobytes()
        arguments: list[Any] = [commit.version, commit.key, packed]
        arguments += [commit.detected, commit.embedded, len(commit.moved)]
        for number, centroid, updates in zip(
            commit.moved.tolist(), commit.centroids, commit.updates.tolist(), strict=True
        ):
            arguments += [number, _UPDATES.pack(updates) + centroid.astype("<f4").tobytes()]
        for number, faces in zip(commit.counted.tolist(), commit.faces.tolist(), strict=True):
            arguments += [number, faces]

        def write() -> Any:
            # Another run of the server may have come to the same version by another way, so after
            # a break the changes are looked at first.
            return None if self._was_cut_off else self._commit(keys=self._keys, args=arguments)

        answer = self._call(write)
        with damage_named(self.name):
            return None if answer is None else np.frombuffer(answer, "<i8").astype(np.int64)

    def size(self) -> int:
        """Return the number of ids given so far."""
        rows = self._keys[1]
        size: Any = self._call(lambda: self._client.hlen(rows))
        return int(size)

    def rows(self, first: int, end: int) -> list[StoredIdentity]:
        """Return the identities with these numbers."""
        numbers = list(range(first, end))
        _, rows_key, faces_key, *_ = self._keys

        def ask() -> Any:
            both = self._client.pipeline(transaction=True)
            both.hmget(rows_key, [str(n) for n in numbers])
            both.hmget(faces_key, [str(n) for n in numbers])
            return both.execute()

        rows, faces = self._call(ask)
        with damage_named(self.name):
            return [
                StoredIdentity(
                    id=number,
                    centroid=np.frombuffer(row, "<f4", offset=_UPDATES.size).astype(np.float32),
                    updates=_updates(row),
                    faces=int(count),
                )
                for number, row, count in zip(numbers, rows, faces, strict=True)
                if row
            ]

    def forget(self, ids: I64) -> None:
        """Empty the rows that are there."""
        self._run_script(self._forget, ids.tolist())

    def counters(self) -> Counters:
        """Return what was counted."""
        names = [f.name for f in fields(Counters)]
        meta = self._keys[0]
        stored: Any = self._call(lambda: self._client.hmget(meta, names))
        with damage_named(self.name):
            return Counters(**{n: int(v or 0) for n, v in zip(names, stored, strict=True)})

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()


def _updates(row: bytes) -> int:
    return _UPDATES.unpack_from(row)[0] if row else 0
