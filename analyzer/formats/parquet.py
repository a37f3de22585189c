"""Tables as Parquet."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

_TYPES = {int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}


def write(path: Path, columns: Mapping[str, tuple[type, Sequence[Any]]]) -> None:
    """Write a table.

    Args:
        path: of the file.
        columns: for each its type (int, float or str), and its values; ``None`` = unknown.

    Raises:
        OSError: the file cannot be written.
    """
    arrays = {
        name: pyarrow.array(values, _TYPES[kind]) for name, (kind, values) in columns.items()
    }
    pyarrow.parquet.write_table(pyarrow.table(arrays), path, compression="zstd")
