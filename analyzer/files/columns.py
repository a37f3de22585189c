"""Tables with typed columns, for CSV and for formats that keep types."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzer.files.text import number_cell, text_cell, write_table


@dataclass(frozen=True, repr=False)
class Column:
    """Column of a table."""

    name: str
    kind: str
    """`integer`, `number`, `text` or `box`."""
    values: Sequence[Any]
    """Values; `None` for an empty cell, or NaN among numbers."""
    digits: int = 4
    """Decimals of a number in CSV."""

    def cells(self) -> list[Any]:
        """Return the values as they are written to CSV."""
        if self.kind == "number":
            return [number_cell(value, self.digits) for value in self.values]
        if self.kind == "box":
            return [str(tuple(box)) for box in self.values]
        if self.kind == "text":
            return ["" if value is None else text_cell(value) for value in self.values]
        return ["" if value is None else value for value in self.values]


def write_csv(path: Path, columns: Sequence[Column]) -> None:
    """Write a CSV file.

    Args:
        path: Path of the file.
        columns: Columns of equal length.

    Raises:
        ResourceError: The file cannot be written.
    """
    rows = zip(*(column.cells() for column in columns), strict=True)
    write_table(path, [column.name for column in columns], rows)
