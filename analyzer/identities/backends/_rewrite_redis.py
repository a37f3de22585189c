"""Write all values of a server in another form, such as encrypted with another key."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from redis.exceptions import WatchError

from analyzer.identities.records import StoreRewrite

_PAGE = 4096
_VALUES = (("rows", "identity"), ("appearances", "appearance"), ("portraits", "portrait"))
"""Name of a hash, and of its table."""
_NAMES = ("rows", "appearances", "portraits", "calls", "records", "events")


def staged(prefix: str) -> list[str]:
    """Return the keys in which new values stand until they take the place of the old ones."""
    return [f"{prefix}:new:{name}" for name in _NAMES]


def rewrite(client: Any, prefix: str, change: StoreRewrite) -> bool:
    """Write all values anew under other keys, which then take the place of the old ones at once.

    The server needs room for both.

    Returns:
        `False`, and nothing is changed, where somebody wrote to the store meanwhile.
    """
    with client.pipeline() as server:
        # Each write to the store writes to this key.
        server.watch(f"{prefix}:meta")
        if server.llen(f"{prefix}:events") != change.events:
            return False
        server.delete(*staged(prefix))
        names = {"events", *_write_values(server, prefix, change)}
        try:
            server.multi()
            for name in sorted(names):
                server.rename(f"{prefix}:new:{name}", f"{prefix}:{name}")
            server.hset(f"{prefix}:meta", "settings", json.dumps(asdict(change.settings)))
            server.hincrby(f"{prefix}:meta", "unclean", 1)
            server.execute()
        except WatchError:
            client.delete(*staged(prefix))
            return False
    return True


def _write_values(server: Any, prefix: str, change: StoreRewrite) -> Iterator[str]:
    """Write the new values; yield the names of the hashes that have some."""
    for name, table in _VALUES:
        for page in _pages(server, f"{prefix}:{name}"):
            new = {at: change.value(table, _place(at), old) for at, old in page.items()}
            server.hset(f"{prefix}:new:{name}", mapping=new)
            yield name
    for page in _pages(server, f"{prefix}:calls"):
        _write_calls(server, prefix, change, page)
        yield from ("calls", "records")
    # That of a store of the first form stands for all calls before, and has no key.
    taken_over = server.hget(f"{prefix}:records", "0")
    if taken_over is not None:
        server.hset(f"{prefix}:new:records", "0", change.call(0, "", taken_over)[1])
        yield "records"
    for first in range(0, change.events, _PAGE):
        entries = server.lrange(f"{prefix}:events", first, first + _PAGE - 1)
        numbered = enumerate(entries, first + 1)
        new_entries = [change.value("event", (number,), entry) for number, entry in numbered]
        server.rpush(f"{prefix}:new:events", *new_entries)
    server.rpush(f"{prefix}:new:events", change.entry)


def _write_calls(server: Any, prefix: str, change: StoreRewrite, page: dict[bytes, bytes]) -> None:
    numbers = [int(number) for number in page.values()]
    records = server.hmget(f"{prefix}:records", [str(number) for number in numbers])
    calls = [
        change.call(number, key.decode(), record)
        for number, key, record in zip(numbers, page, records, strict=True)
    ]
    keys = {key: number for number, (key, _) in zip(numbers, calls, strict=True)}
    server.hset(f"{prefix}:new:calls", mapping=keys)
    new = {str(number): record for number, (_, record) in zip(numbers, calls, strict=True)}
    server.hset(f"{prefix}:new:records", mapping=new)


def _pages(server: Any, key: str) -> Iterator[dict[bytes, bytes]]:
    """Yield the fields of a hash, a page at a time; some may come twice."""
    cursor = 0
    while True:
        cursor, page = server.hscan(key, cursor, count=_PAGE)
        if page:
            yield page
        if not cursor:
            return


def _place(field: bytes) -> tuple[int, ...]:
    return tuple(map(int, field.split(b":")))
