"""Redis: a server that the processes of many machines share; the keys of a store have a prefix."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from itertools import chain
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
from analyzer.identities.backends import _scripts
from analyzer.identities.backends._rewrite_redis import rewrite, staged
from analyzer.identities.backends._upgrade import upgrade_redis
from analyzer.identities.encryption.optional import decrypted
from analyzer.identities.log.events import Place
from analyzer.identities.matching.mirrored_store import MirroredStore
from analyzer.identities.records import (
    Counters,
    Settings,
    StoreChange,
    StoreChanges,
    StoreRewrite,
    damage_named,
)
from ina_input import documents

T = TypeVar("T")
_PAGE = 4096
_POLL_S = 0.05
_SILENCE_S = 20.0
"""After that a server that says nothing is taken for gone; a URL may set another."""


def create(
    *,
    url: str,
    prefix: str,
    settings: Settings | None,
    key: bytes | None,
    wait_s: float,
    on_wait: Callable[[], object],
) -> MirroredStore:
    """A server; wait_s: how long it may be away before calls give up."""
    records = _RedisRecords(url, prefix, wait_s, on_wait)
    return MirroredStore(decrypted(records, records.name, key), records.name, settings, on_wait)


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
        self._write = self._client.register_script(_scripts.WRITE)
        self._changes = self._client.register_script(_scripts.CHANGES)
        self._clean = self._client.register_script(_scripts.CLEAN)
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
            self._call(lambda: upgrade_redis(self._client, self._prefix))
            return Settings(**documents.parse(stored))

    def changes(self, version: int, events: int) -> StoreChanges:
        """Return what changed after a version; see `analyzer.identities.Records`."""
        is_anew = self._may_have_lost()
        since, last_event = (0, 0) if is_anew else (version, events)
        reply = self._run_script(self._changes, [since, last_event, _PAGE])
        if reply[0] < since or reply[5] < last_event:
            # An older copy of its data was put back.
            is_anew = True
            reply = self._run_script(self._changes, [0, 0, _PAGE])
        newest, reached, ids, rows, entries, _ = reply
        count = self.size()
        with damage_named(self.name):
            changes = StoreChanges(
                version=int(reached),
                newest=newest,
                ids=np.array([int(i) for i in ids], np.int64),
                rows=tuple(bytes(row) for row in rows),
                entries=tuple(entries),
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

    def write(self, change: StoreChange) -> bytes | None:
        """Write it, if the store did not go on; see `analyzer.identities.Records`."""
        version = "" if change.version is None else change.version
        number = "" if change.number is None else change.number
        arguments: list[Any] = [change.key or "", change.record, version, change.events, number]
        for group in (
            change.rows,
            change.counters.items(),
            change.appearances,
            [(f"{call}:{row}", identity) for call, row, identity in change.moved],
            [(f"{call}:{row}",) for call, row in change.erased],
            [(entry,) for entry in change.entries],
            change.rewritten,
        ):
            arguments += [len(group), *chain.from_iterable(group)]

        def write() -> Any:
            # Another run of the server may have come to the same version by another way, so after
            # a break the changes are looked at first.
            return None if self._was_cut_off else self._write(keys=self._keys, args=arguments)

        answer: bytes | None = self._call(write)
        return answer

    def rewrite(self, change: StoreRewrite) -> bool:
        """Write all values in another form; see `analyzer.identities.Records`."""
        return self._call(lambda: rewrite(self._client, self._prefix, change))

    def scrub(self) -> str:
        """Have the server write its files anew, which keep every command until then."""
        meta = self._keys[0]
        try:
            unclean: Any = self._call(lambda: self._client.hget(meta, "unclean"))
            if unclean is None:
                return ""
            self._call(lambda: self._client.delete(*staged(self._prefix)))
            persistence: Any = self._call(lambda: self._client.info("persistence"))
            snapshots: Any = self._call(lambda: self._client.config_get("save"))
            if persistence["aof_enabled"]:
                self._write_anew("aof", "aof_rewrite_in_progress", "aof_rewrite_scheduled")
            if snapshots.get("save"):
                self._write_anew("rdb", "rdb_bgsave_in_progress")
            self._run_script(self._clean, [unclean])
        except (ResourceError, UsageError) as error:
            return (
                f"{self.name} was not seen to write its files anew, which hold what was erased "
                f"until then ({error}): call BGREWRITEAOF, and BGSAVE where it saves snapshots"
            )
        return ""

    def _write_anew(self, file: str, *signs: str) -> None:
        """Have one of the server's files written, from the beginning, and wait for it."""
        start = {"aof": self._client.bgrewriteaof, "rdb": self._client.bgsave}[file]
        status = {"aof": "aof_last_bgrewrite_status", "rdb": "rdb_last_bgsave_status"}[file]

        def wait() -> dict[str, Any]:
            deadline = time.monotonic() + self._wait_s
            while True:
                info: Any = self._call(lambda: self._client.info("persistence"))
                if not any(info.get(sign) for sign in signs):
                    return dict(info)
                if time.monotonic() > deadline:
                    raise ResourceError(f"it still writes after {self._wait_s:g} s")
                self._on_wait()
                time.sleep(_POLL_S)

        # One that goes on has begun too early.
        wait()
        self._call(start)
        if wait()[status] != "ok":
            raise ResourceError("it has failed; see its log and disk")

    def calls_made(self) -> int:
        """Return the number of calls."""
        meta = self._keys[0]
        calls: Any = self._call(lambda: self._client.hget(meta, "calls"))
        with damage_named(self.name):
            return int(calls or 0)

    def size(self) -> int:
        """Return the number of ids given so far."""
        rows = self._keys[1]
        size: Any = self._call(lambda: self._client.hlen(rows))
        return int(size)

    def rows(self, first: int, end: int) -> list[tuple[int, bytes]]:
        """Return the identities with these numbers."""
        numbers = list(range(first, end))
        rows = self._fetch("rows", numbers)
        return [(number, row) for number, row in zip(numbers, rows, strict=True) if row]

    def appearances(self, identity: int) -> list[tuple[int, int, bytes]]:
        """Return the appearances of an identity, in their order."""
        places = self._places(identity)
        records = self._fetch("appearances", [f"{call}:{row}" for call, row in places])
        # One that was erased meanwhile is not there any more.
        return [(call, row, r) for (call, row), r in zip(places, records, strict=True) if r]

    def calls_of(self, identity: int) -> list[int]:
        """Return the numbers of the calls of an identity's appearances."""
        return sorted({call for call, _ in self._places(identity)})

    def _places(self, identity: int) -> list[Place]:
        """Return where an identity was seen, in order."""
        places: Any = self._call(lambda: self._client.smembers(f"{self._prefix}:of:{identity}"))
        with damage_named(self.name):
            split = (place.split(b":") for place in places)
            return sorted((int(call), int(row)) for call, row in split)

    def calls(self, numbers: Sequence[int]) -> list[bytes]:
        """Return the records of calls."""
        return [bytes(record) for record in self._fetch("records", numbers)]

    def portraits(self, places: Sequence[Place]) -> list[bytes]:
        """Return the portraits of appearances, empty where there is none."""
        jpegs = self._fetch("portraits", [f"{call}:{row}" for call, row in places])
        return [jpeg or b"" for jpeg in jpegs]

    def _fetch(self, name: str, fields: Sequence[Any]) -> list[Any]:
        """Return fields of one of the store's hashes."""
        key, names = f"{self._prefix}:{name}", [str(field) for field in fields]
        values: Any = self._call(lambda: self._client.hmget(key, names)) if names else []
        return list(values)

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
