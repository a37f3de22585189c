"""Parquet files from columns."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from analyzer.files.atomic import writing
from analyzer.files.columns import Column
from analyzer.files.text import utf8

_TYPES = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "text": pa.string(),
    "box": pa.list_(pa.int32()),
}


def array(column: Column) -> Any:
    """Return the values of a column as an Arrow array; `None` and NaN are null."""
    kind = _TYPES[column.kind]
    if column.kind == "text":
        return pa.array([None if v is None else utf8(v) for v in column.values], kind)
    return pa.array(column.values, kind, from_pandas=True)


def write(path: Path, columns: Sequence[Column]) -> None:
    """Write columns as a Parquet file.

    Args:
        path: Path of the file.
        columns: Columns of equal length.

    Raises:
        ResourceError: The file cannot be written.
    """
    save(path, pa.table({column.name: array(column) for column in columns}))


def save(path: Path, table: Any) -> None:
    """Write an Arrow table as a Parquet file.

    Args:
        path: Path of the file.
        table: Table of pyarrow.

    Raises:
        ResourceError: The file cannot be written.
    """
    # By a file, not by its name: pyarrow takes no name that is not UTF-8.
    with writing(path), path.open("wb") as file:
        parquet.write_table(table, file, compression="zstd")


def read_metadata(path: str, name: str) -> bytes:
    """Return an entry of the metadata of a Parquet file.

    Args:
        path: Path of the file.
        name: Name of the entry.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no such file, or has no such entry.
    """
    with open(path, "rb") as file:
        entries = parquet.read_schema(file).metadata or {}
    if name.encode() not in entries:
        raise ValueError(f"no metadata {name!r}")
    return bytes(entries[name.encode()])
