"""Write all values of a file in another form, such as encrypted with another key."""

import json
import sqlite3
from dataclasses import asdict

from analyzer.identities.records import StoreRewrite

_PAGE = 4096
_VALUES = (
    ("identity", ("id",), "row"),
    ("appearance", ("call", "row"), "record"),
    ("portrait", ("call", "row"), "jpeg"),
    ("event", ("number",), "entry"),
)
"""Table, columns of the place, column of the value."""


def rewrite(db: sqlite3.Connection, change: StoreRewrite) -> None:
    """Write all values anew, within a transaction; the log's length has been compared."""
    for table, place, column in _VALUES:
        names, marks = ", ".join(place), ", ".join("?" * len(place))
        query = (
            f"SELECT {names}, {column} FROM {table} "
            f"WHERE ({names}) > ({marks}) ORDER BY {names} LIMIT {_PAGE}"
        )
        update = f"UPDATE {table} SET {column} = ? WHERE ({names}) = ({marks})"
        last = (-1,) * len(place)
        while rows := db.execute(query, last).fetchall():
            values = [(change.value(table, at, old), *at) for *at, old in rows]
            db.executemany(update, values)
            last = tuple(rows[-1][:-1])
    number = -1
    query = f"SELECT number, key, record FROM call WHERE number > ? ORDER BY number LIMIT {_PAGE}"
    while calls := db.execute(query, (number,)).fetchall():
        db.executemany(
            "UPDATE call SET key = ?, record = ? WHERE number = ?",
            [(*change.call(*call), call[0]) for call in calls],
        )
        number = calls[-1][0]
    settings = json.dumps(asdict(change.settings))
    db.execute("UPDATE meta SET value = ? WHERE name = 'settings'", (settings,))
    db.execute("INSERT INTO event VALUES(?, ?)", (change.events + 1, change.entry))
