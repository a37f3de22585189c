"""Tables as Parquet."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from analyzer.columns import Column
from analyzer.text import utf8

_TYPES = {"integer": pa.int64(), "number": pa.float64(), "text": pa.string()}


def write(path: Path, columns: Sequence[Column]) -> None:
    """Write a table of integers, numbers and texts.

    Raises:
        OSError: the file cannot be written.
    """
    arrays = {column.name: _array(column) for column in columns}
    parquet.write_table(pa.table(arrays), str(path), compression="zstd")


def _array(column: Column) -> pa.Array:
    values = column.values
    if column.kind == "text":
        values = [None if value is None else utf8(value) for value in values]
    return pa.array(values, _TYPES[column.kind], from_pandas=True)
