"""Shares as columns of a table, and as JSON."""

from collections.abc import Sequence
from typing import Any

from analyzer.files.columns import Column
from analyzer.shares.measure import GroupShare


def columns(rows: Sequence[GroupShare]) -> list[Column]:
    """Return the columns, with a row for each share."""
    return [
        Column("measure", "text", [row.measure for row in rows]),
        Column("attribute", "text", [row.head for row in rows]),
        Column("group", "text", [row.group for row in rows]),
        Column("amount", "number", [row.amount for row in rows], 3),
        Column("observed", "number", [row.observed for row in rows]),
        Column("corrected", "number", [row.corrected for row in rows]),
        Column("low", "number", [row.interval.low for row in rows]),
        Column("high", "number", [row.interval.high for row in rows]),
        Column("clusters", "integer", [row.interval.clusters for row in rows]),
        Column("note", "text", [row.note for row in rows]),
        Column("per_minute", "number", [row.per_minute for row in rows]),
        Column("per_minute_low", "number", [row.per_minute_ends[0] for row in rows]),
        Column("per_minute_high", "number", [row.per_minute_ends[1] for row in rows]),
    ]


def to_json(rows: Sequence[GroupShare]) -> list[dict[str, Any]]:
    """Return an object for each share, with the keys of the columns and the same digits."""
    table = columns(rows)
    return [{column.name: _rounded(column, row) for column in table} for row in range(len(rows))]


def _rounded(column: Column, row: int) -> Any:
    value = column.values[row]
    return round(value, column.digits) if column.kind == "number" and value is not None else value
